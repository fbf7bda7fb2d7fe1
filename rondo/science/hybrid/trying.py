"""Which of the covariates offered a hybrid takes: those that foretell better at an earlier date of the same log.

Each group (campaigns received, mix of categories, attributes) is tried on top of those taken before it. What is learnt
one and two windows before the last date learnt at, from one half of the customers, is used there for the other half,
and the deviance of each customer's purchases is compared with and without. A group is taken where the mean gain is
beyond 2.33 standard errors. The halves learn from each other and origins are few, so that chance is more generous than
a normal one: of 60 columns of pure luck one was taken (5 at 1.645).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import xlogy

from rondo.science._checks import FloatArray
from rondo.science.features import Features

Covariates = Callable[[int], Features]
"""What else is known of customers at the end of a day: one row per customer code of the log, nan where not known."""

_SURE = 2.326


@dataclass(frozen=True)
class Tried:
    """A group of covariates that was offered.

    ``gain``: mean deviance per customer that it takes away, as a share of that without; ``error``: its standard error
    over customers. Both None where the log was too short to try it; it is then left out.
    """

    name: str
    taken: bool
    gain: float | None = None
    error: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready document."""
        return asdict(self)


def choose(
    offered: Mapping[str, Covariates], judge: Callable[[Covariates | None], FloatArray | None]
) -> tuple[Covariates | None, tuple[Tried, ...]]:
    """Those of the groups that are taken, as one, and what was found of each, in the order offered.

    ``judge``: deviance of each customer at the date tried on, with these covariates; None where there is no such date.
    """
    taken: list[Covariates] = []
    found = []
    before = judge(None) if offered else None
    for name, group in offered.items():
        after = None if before is None else judge(joined([*taken, group]))
        if before is None or after is None:
            found.append(Tried(name, taken=False))
            continue
        better, whole = before - after, float(before.mean())
        gain, error = float(better.mean()) / whole, float(better.std(ddof=1)) / better.size**0.5 / whole
        kept = gain > _SURE * error
        found.append(Tried(name, kept, gain, error))
        if kept:
            taken.append(group)
            before = after
    return (joined(taken) if taken else None), tuple(found)


def joined(groups: list[Covariates]) -> Covariates:
    """Several groups as one; InputError where two name a column alike, when asked."""

    def known(day: int) -> Features:
        parts = [group(day) for group in groups]
        return Features(
            tuple(name for part in parts for name in part.names), np.hstack([part.values for part in parts])
        )

    return known


def deviance(expected: FloatArray, came: FloatArray) -> FloatArray:
    """Poisson deviance of each customer."""
    return np.asarray(2 * (xlogy(came, came / expected) - (came - expected)), dtype=np.float64)
