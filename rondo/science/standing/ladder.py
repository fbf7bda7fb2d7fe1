"""The loyalty ladder: suspect, prospect, customer, client, advocate (Christopher, Payne & Ballantyne 1991)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from rondo.errors import InputError
from rondo.science._checks import IntArray
from rondo.science.standing.history import Marks, Signs, blocks
from rondo.science.standing.rhythm import Rhythm
from rondo.science.standing.settling import Settling, States
from rondo.science.summary import PurchaseDays

_REGULAR = 1


class Rung(IntEnum):
    """Rungs from the foot to the top; every customer stands on exactly one."""

    SUSPECT = 0
    PROSPECT = 1
    CUSTOMER = 2
    CLIENT = 3
    ADVOCATE = 4


@dataclass(frozen=True)
class LadderRules:
    """Thresholds of the ladder (all are conventions, so all are settings).

    ``client_from``: purchase days from which a customer can be a client. ``quantile``: of the customer's own gaps,
    within which a client buys again. ``hold_days``: days that a rule must hold before a client falls back or a customer
    climbs; a first purchase and a first sign of interest count at once.
    """

    client_from: int = 3
    quantile: float = 0.9
    hold_days: int = 14

    def __post_init__(self) -> None:
        if self.client_from < 2:
            raise InputError(f"client_from: {self.client_from}; buying regularly takes 2 purchase days or more")
        if not 0 < self.quantile < 1:
            raise InputError(f"quantile: {self.quantile}; write a share between 0 and 1")
        if self.hold_days < 0:
            raise InputError(f"hold_days: {self.hold_days}; write 0 or more")

    def to_dict(self) -> dict[str, Any]:
        """The thresholds as JSON."""
        return asdict(self)


def climb(log: PurchaseDays, rhythm: Rhythm, signs: Signs, grid: IntArray, rules: LadderRules | None = None) -> States:
    """The rung of every customer on every grid day: (grid day, customer code), values of :class:`Rung`.

    ``rhythm`` must hold the quantile that the rules ask for (``rhythm_of(log, levels)``).
    """
    rules = rules or LadderRules()
    if rules.quantile not in rhythm.levels:
        raise InputError(f"rhythm: has no quantile {rules.quantile}; it has {rhythm.levels}")
    out: States = np.empty((grid.size, log.n_customers), np.uint8)
    hold = np.full(len(Rung), rules.hold_days, np.int64)
    for start, stop, block in blocks(log, grid):
        sign = signs.part(start, stop)
        settling = Settling(stop - start, hold)
        marks = Marks(grid.size, block.size)
        late = np.minimum(block.later_than(rhythm.at(block.rows, rules.quantile)), block.until)
        regular = block.rank >= rules.client_from
        marks.between(_REGULAR, block.place[regular], late[regular], block.customer[regular])
        bought_from = block.first_on(block.first)
        flags = marks.read()
        for number, day in enumerate(grid):
            bought = bought_from <= number
            rule = np.where(flags[number] > 0, np.uint8(Rung.CLIENT), np.uint8(Rung.CUSTOMER))
            rule[(rule == Rung.CLIENT) & (sign.recommended <= day)] = Rung.ADVOCATE
            before = np.where(sign.interest <= day, np.uint8(Rung.PROSPECT), np.uint8(Rung.SUSPECT))
            rule = np.where(bought, rule, before)
            stale = (settling.state <= Rung.PROSPECT) & (rule != settling.state)
            if number:
                rule[stale & bought] = Rung.CUSTOMER
            out[number, start:stop] = settling.step(int(day), rule, stale)
    return out
