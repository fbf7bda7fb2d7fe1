"""Matched controls, for comparison: one untreated customer for each treated one, alike in what could explain both.

Nearest neighbours on the logit of the propensity score within a caliper, without replacement (Rosenbaum & Rubin 1985;
caliper of .2 standard deviations after Austin 2011), and the balance of every feature before and after as a
standardised difference of means. The model's penalty is the one that balances best: no outcome is looked at, so nothing
is chosen by it. What was not measured may still differ: the result is observational.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray
from rondo.science.features import Features, Scaling
from rondo.science.propensity import FEWEST, _logistic

BALANCED_BELOW = 0.1


@dataclass(frozen=True)
class Balance:
    """One feature: means of treated and controls, and their standardised differences before and after matching, of
    values drawn in by logarithms as the model takes them (:class:`~rondo.science.features.Scaling`). ``plain``: after
    matching, of the values as they are, in which a few very large ones weigh most."""

    name: str
    treated: float
    control: float
    before: float
    after: float
    plain: float

    @property
    def balanced(self) -> bool:
        """Whether the groups differ by less than a tenth of a standard deviation."""
        return abs(self.after) < BALANCED_BELOW


@dataclass(frozen=True)
class Matches:
    """Pairs by row number, the caliper on the logit, treated without a partner, the balance, worst first, and the
    penalty (inverse strength) of the model."""

    treated: IntArray
    control: IntArray
    caliper: float
    unmatched: IntArray
    balance: tuple[Balance, ...]
    penalty: float

    @property
    def warnings(self) -> tuple[str, ...]:
        """Names of the features that still differ by a tenth of a standard deviation or more."""
        return tuple(row.name for row in self.balance if not row.balanced)


def match(
    features: Features,
    treated: npt.ArrayLike,
    caliper: float = 0.2,
    penalties: tuple[float, ...] = (0.01, 0.1, 1.0),
    seed: int = 0,
) -> Matches:
    """Find a control for each treated customer.

    ``caliper``: the widest distance, in standard deviations of the logit. ``penalties``: inverse strengths of the
    propensity model's to choose from. ``seed``: of the order in which the treated choose.

    Raises InputError for fewer than 20 on either side, or a caliper that is none.
    """
    mask = np.asarray(treated).astype(bool)
    if mask.shape != (len(features),):
        raise InputError(f"treated: {mask.shape}, one for each of {len(features)} customers is needed")
    if min(int(mask.sum()), int((~mask).sum())) < FEWEST:
        raise InputError(f"treated: {int(mask.sum())} of {mask.size}; at least {FEWEST} on either side are needed")
    if caliper <= 0:
        raise InputError(f"caliper: {caliper}; a number above 0 is needed")
    scores = Scaling.of(features).scores(features)
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(mask))
    tried = [_matched(features, scores, mask, rows, caliper, penalty) for penalty in penalties]
    # Most features balanced, then most pairs, then the stronger penalty.
    return min(tried, key=lambda one: (len(one.warnings), -one.treated.size, one.penalty))


def _matched(
    features: Features, scores: FloatArray, mask: npt.NDArray[np.bool_], rows: IntArray, caliper: float, penalty: float
) -> Matches:
    logit: FloatArray = _logistic(scores, mask, penalty).decision_function(scores)
    width = caliper * float(np.sqrt((logit[mask].var(ddof=1) + logit[~mask].var(ddof=1)) / 2))
    pool = np.flatnonzero(~mask)
    pool = pool[np.argsort(logit[pool], kind="stable")]
    chosen, partner = _pair(rows, logit, pool, width)
    order = np.argsort(chosen, kind="stable")
    chosen, partner = chosen[order], partner[order]
    balance = _balance(features, scores, mask, chosen, partner)
    return Matches(chosen, partner, width, np.setdiff1d(np.flatnonzero(mask), chosen), balance, penalty)


def _pair(rows: IntArray, logit: FloatArray, pool: IntArray, width: float) -> tuple[IntArray, IntArray]:
    """The nearest control that is still free for one treated customer after the other; ``pool`` ascends by logit."""
    values: list[float] = logit[pool].tolist()
    size = len(values)
    # Where to look next from a place (shifted by one, so that -1 has a cell too): itself while it is free.
    upward, downward = list(range(size + 2)), list(range(size + 2))
    chosen, partner = [], []
    for row in rows.tolist():
        value = float(logit[row])
        place = bisect_left(values, value)
        near = _free(downward, place) - 1, _free(upward, place + 1) - 1
        options = [(abs(values[one] - value), one) for one in near if 0 <= one < size]
        if not options:
            break
        distance, best = min(options)
        if distance <= width:
            upward[best + 1], downward[best + 1] = best + 2, best
            chosen.append(row)
            partner.append(int(pool[best]))
    return np.array(chosen, np.int64), np.array(partner, np.int64)


def _free(links: list[int], place: int) -> int:
    while links[place] != place:
        links[place] = links[links[place]]  # halves the path for the next one
        place = links[place]
    return place


def _balance(
    features: Features, scores: FloatArray, mask: npt.NDArray[np.bool_], treated: IntArray, control: IntArray
) -> tuple[Balance, ...]:
    found = []
    for column, name in enumerate(features.names):
        values = features.values[:, column]
        values = np.where(np.isnan(values), np.nanmean(values) if not np.isnan(values).all() else 0.0, values)
        before, after = _differences(scores[:, column], mask, treated, control)
        pairs = treated.size > 0
        found.append(
            Balance(
                name,
                float(values[treated].mean()) if pairs else float("nan"),
                float(values[control].mean()) if pairs else float("nan"),
                before,
                after,
                _differences(values, mask, treated, control)[1],
            )
        )
    return tuple(sorted(found, key=lambda row: (-abs(row.after), row.name)))


def _differences(
    values: FloatArray, mask: npt.NDArray[np.bool_], treated: IntArray, control: IntArray
) -> tuple[float, float]:
    """Standardised differences of means before and after matching, in deviations of the unmatched groups."""
    deviation = float(np.sqrt((values[mask].var(ddof=1) + values[~mask].var(ddof=1)) / 2))
    unit = deviation if deviation > 0 else 1.0
    before = float(values[mask].mean() - values[~mask].mean()) / unit
    after = float(values[treated].mean() - values[control].mean()) / unit if treated.size else float("nan")
    return before, after
