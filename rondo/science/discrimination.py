"""How good probabilities are: who is ranked above whom, and whether 20 % means 20 %."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import FloatArray, Numbers
from rondo.science.proportions import wilson


@dataclass(frozen=True)
class Auc:
    """Area under the ROC curve: the chance that one who did is ranked above one who did not, with its interval."""

    value: float
    low: float
    high: float
    positives: int
    negatives: int


def auc(outcome: npt.ArrayLike, score: Numbers, level: float = 0.9) -> Auc:
    """The area with DeLong's interval (DeLong, DeLong & Clarke-Pearson 1988); ties count half.

    Raises InputError where all did, or nobody.
    """
    did, scores = _pair(outcome, score)
    positives, negatives = int(did.sum()), int((~did).sum())
    if not positives or not negatives:
        raise InputError(f"outcome: {positives} did and {negatives} did not; both are needed to rank")
    above, below = ranked_above(scores[did], scores[~did])
    area = float(above.mean())
    variance = (above.var(ddof=1) / positives if positives > 1 else 0.25) + (
        below.var(ddof=1) / negatives if negatives > 1 else 0.25
    )
    reach = NormalDist().inv_cdf((1 + level) / 2) * float(np.sqrt(variance))
    return Auc(area, max(0.0, area - reach), min(1.0, area + reach), positives, negatives)


def ranked_above(did: FloatArray, did_not: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Placements of two groups of scores: per score of those who did, the share of the others that it is above; per
    score of those who did not, the share of those who did that is above it. Ties count half."""
    everybody = _midranks(np.concatenate((did, did_not)))
    above: FloatArray = (everybody[: did.size] - _midranks(did)) / did_not.size
    below: FloatArray = 1 - (everybody[did.size :] - _midranks(did_not)) / did.size
    return above, below


@dataclass(frozen=True)
class Bin:
    """Customers of about equal probability: the mean promised, the share that did, and its interval."""

    customers: int
    expected: float
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """Whether probabilities hold: ``bins`` from the lowest up; ``brier`` is the mean squared error, ``brier_base`` that
    of telling everybody the mean; ``expected`` and ``happened`` are totals."""

    bins: tuple[Bin, ...]
    brier: float
    brier_base: float
    expected: float
    happened: int


def calibrate(outcome: npt.ArrayLike, probability: Numbers, bins: int = 10, level: float = 0.9) -> Calibration:
    """Compare probabilities with what happened, in bins of about equal size (customers alike stay together).

    Raises InputError for a probability outside 0 to 1.
    """
    did, p = _pair(outcome, probability)
    if not did.size:
        raise InputError("outcome: no customers")
    if p.min() < 0 or p.max() > 1:
        raise InputError(f"probability: {p.min()} to {p.max()}; shares between 0 and 1 are needed")
    cuts = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1], method="inverted_cdf"))
    place = np.searchsorted(cuts, p, side="left")
    found = []
    for number in range(cuts.size + 1):
        here = place == number
        share = wilson(int(did[here].sum()), int(here.sum()), level)
        if share is not None:
            found.append(Bin(share.trials, float(p[here].mean()), share.value, share.low, share.high))
    base = float(did.mean())
    return Calibration(tuple(found), float(np.mean((p - did) ** 2)), base * (1 - base), float(p.sum()), int(did.sum()))


def top_lift(outcome: npt.ArrayLike, score: Numbers, top: float = 0.1) -> float:
    """How many times more often the best ``top`` share of customers did than all; ties are broken by their order.

    Raises InputError where nobody did, or ``top`` is no share.
    """
    did, scores = _pair(outcome, score)
    if not 0 < top <= 1:
        raise InputError(f"top: {top}; a share above 0 and at most 1 is needed")
    if not did.any():
        raise InputError("outcome: nobody did, so that there is nothing to compare with")
    best = np.argsort(-scores, kind="stable")[: max(round(top * scores.size), 1)]
    return float(did[best].mean() / did.mean())


def _pair(outcome: npt.ArrayLike, score: Numbers) -> tuple[npt.NDArray[np.bool_], FloatArray]:
    did, scores = np.asarray(outcome).astype(bool), np.asarray(score, dtype=np.float64)
    if did.ndim != 1 or did.shape != scores.shape:
        raise InputError(f"outcome {did.shape} and score {scores.shape}: one of each per customer is needed")
    if not np.isfinite(scores).all():
        raise InputError(f"score, index {int(np.argmin(np.isfinite(scores)))}: must be a finite number")
    # Customers who are alike get scores that differ in the last bits, by where they lie in memory; they are ties.
    unit = float(np.abs(scores).max()) if scores.size and np.any(scores) else 1.0
    return did, np.round(scores / unit, 11) * unit


def _midranks(values: FloatArray) -> FloatArray:
    _unique, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count).astype(np.float64)
    ranks: FloatArray = (last - (count - 1) / 2)[place]
    return ranks
