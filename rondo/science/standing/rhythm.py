"""The customer's own rhythm as it was known on each purchase day: quantiles of the gaps so far, and those of the base.

Nothing later than the purchase day goes into its figures, so that a history drawn from them has no leakage.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray
from rondo.science.summary import PurchaseDays

_BLOCK_CELLS = 4_000_000
OWN_FROM_GAPS = 2
"""From so many gaps (three purchase days) on a customer has a rhythm of their own."""


@dataclass(frozen=True)
class Rhythm:
    """Gaps between purchase days, in days.

    ``levels``: the quantiles asked for. ``own``: rows as in the log, one column per level: that quantile (linear
    between neighbours) of the customer's gaps up to and with this purchase day; nan below two gaps. ``base``: the same
    levels over the gaps to the second purchase day of all customers; nan where nobody came twice.
    """

    levels: tuple[float, ...]
    own: FloatArray
    base: FloatArray

    def at(self, row: IntArray | slice, level: float) -> FloatArray:
        """The quantile in force after the purchases in ``row`` of the log: the customer's own, else the base's; nan
        where nobody has one."""
        column = self.levels.index(level)
        own = self.own[row, column]
        found: FloatArray = np.where(np.isnan(own), self.base[column], own)
        return found


def base_of(log: PurchaseDays, levels: tuple[float, ...] = (0.75, 0.9, 0.95)) -> FloatArray:
    """Quantiles of the gaps to the second purchase day of all customers, in days; nan where nobody came twice."""
    again = np.flatnonzero(log.customer[1:] == log.customer[:-1]) + 1
    second = again[(again == 1) | (log.customer[again - 2] != log.customer[again])]
    gaps = log.day[second] - log.day[second - 1]
    found: FloatArray = np.quantile(gaps, levels) if gaps.size else np.full(len(levels), np.nan)
    return found


def rhythm_of(
    log: PurchaseDays, levels: tuple[float, ...] = (0.75, 0.9, 0.95), base: FloatArray | None = None
) -> Rhythm:
    """Quantiles of gaps at every purchase day of the log.

    ``base``: :func:`base_of` of all customers, where ``log`` holds a part of them (default: of ``log``).
    Raises InputError for a level outside 0 to 1.
    """
    for level in levels:
        if not 0 < level < 1:
            raise InputError(f"levels: {level}: a quantile between 0 and 1 is needed")
    own = np.full((log.day.size, len(levels)), np.nan)
    base = base_of(log, levels) if base is None else base
    if not log.day.size:
        return Rhythm(levels, own, base)
    starts = np.flatnonzero(np.concatenate(([True], log.customer[1:] != log.customer[:-1])))
    gaps = np.diff(np.append(starts, log.day.size)) - 1
    # The longest histories first: those still going on are then always the first rows of a block.
    order = np.argsort(-gaps, kind="stable")
    at = 0
    while at < order.size and gaps[order[at]] >= OWN_FROM_GAPS:
        block = order[at : at + max(_BLOCK_CELLS // int(gaps[order[at]]), 1)]
        block = block[gaps[block] >= OWN_FROM_GAPS]
        _fill(own, log.day, starts[block], gaps[block], levels)
        at += block.size
    return Rhythm(levels, own, base)


def _fill(own: FloatArray, day: IntArray, starts: IntArray, gaps: IntArray, levels: tuple[float, ...]) -> None:
    seen = np.empty((starts.size, int(gaps[0])), np.int32)
    for count in range(1, int(gaps[0]) + 1):
        going_on = int(np.searchsorted(-gaps, -count, side="right"))
        row = starts[:going_on] + count
        so_far = seen[:going_on, :count]
        so_far[:, -1] = day[row] - day[row - 1]
        so_far.sort(axis=1, kind="stable")
        if count < OWN_FROM_GAPS:
            continue
        for column, level in enumerate(levels):
            place = level * (count - 1)
            low = int(place)
            lower, upper = so_far[:, low], so_far[:, min(low + 1, count - 1)]
            own[row, column] = lower + (upper - lower) * (place - low)
