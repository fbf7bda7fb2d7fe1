"""One silence: what the chance of silence as it is served says of forecasts of a model that tells another one.

The chance that a customer buys nothing for some weeks may be told otherwise than by the model of purchases: corrected
by what came of such chances earlier (:mod:`rondo.science.risks`), or, for one-time buyers, by a path of their own. A
forecast must not deny it. So the chance of *any* purchase within a horizon is that served for the weeks of the risk,
times what it grows by until then according to the model; and nobody is expected to buy less often than that chance.
What this adds to a few is taken off all others alike, so that the total stays the model's: it is the total that
hold-outs calibrate, and to carry the correction into all forecasts would move it (docs/models.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rondo.science._checks import FloatArray

_ROUNDS = 50
_SURE = 1e-12


@dataclass(frozen=True)
class Served:
    """Of each customer: P(no purchase within ``weeks``) as it is ``silent`` served and by the ``model`` of purchases
    alone, and the purchases ``expected`` within those weeks, as they are served, too."""

    weeks: float
    silent: FloatArray
    model: FloatArray
    expected: FloatArray

    def nothing(self, nothing: FloatArray, weeks: float) -> FloatArray:
        """P(no purchase within ``weeks``), where the model says ``nothing``: what is served, carried on or back.

        The chance of any purchase grows as in the model, but no faster than the weeks do.
        """
        least, most = sorted((1.0, weeks / self.weeks))
        growth = np.divide(1 - nothing, 1 - self.model, out=np.ones(nothing.size), where=self.model < 1 - _SURE)
        return np.asarray(1 - np.minimum(1.0, (1 - self.silent) * np.clip(growth, least, most)))

    def least(self, nothing: FloatArray, weeks: float) -> FloatArray:
        """Purchases that at least are expected within ``weeks``, with the chance ``nothing`` of none as served."""
        some = 1 - nothing
        return some if weeks < self.weeks else np.maximum(some, self.expected)


def lifted(expected: FloatArray, least: FloatArray) -> FloatArray:
    """The expectations, none below ``least``, with the same sum: all others are lowered in one proportion.

    Where ``least`` alone is more than the sum, it is not kept.
    """
    low, total = expected < least, expected.sum()
    for _ in range(_ROUNDS):
        rest = expected[~low].sum()
        share = (total - least[low].sum()) / rest if rest > 0 else 0.0
        if share <= 0:
            return np.maximum(expected, least)
        found = np.where(low, least, share * expected)
        below = found < least
        if not below.any():
            break
        low |= below
    return np.maximum(found, least)


__all__ = ["Served", "lifted"]
