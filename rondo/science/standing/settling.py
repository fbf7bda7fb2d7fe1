"""Hysteresis: a state changes only after the new rule has held for the stated time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import IntArray

States = npt.NDArray[np.uint8]


class Settling:
    """States of many customers, stepped through days in order.

    ``hold``: per state the days for which its rule must hold, without a break, before a customer enters it; 0 enters
    at once. A rule is taken to hold from one step to the next.
    """

    def __init__(self, size: int, hold: IntArray) -> None:
        if np.any(hold < 0):
            raise InputError(f"hold: {int(hold.min())} days; 0 or more are needed")
        self._hold = hold
        self.state: States = np.zeros(size, np.uint8)
        self._pending: States = np.zeros(size, np.uint8)
        self._since: npt.NDArray[np.int32] = np.zeros(size, np.int32)
        self._started = False

    def step(self, day: int, rule: States, at_once: npt.NDArray[np.bool_] | None = None) -> States:
        """The states on ``day``, where ``rule`` is what the rules say of each customer.

        ``at_once``: customers whose old state can no longer be true (a prospect who has bought); they do not wait.
        """
        if not self._started:
            self.state, self._pending = rule.copy(), rule.copy()
            self._since[:] = day
            self._started = True
            return self.state
        fresh = rule != self._pending
        self._pending = np.where(fresh, rule, self._pending)
        self._since = np.where(fresh, np.int32(day), self._since)
        due = day - self._since >= self._hold[rule]
        if at_once is not None:
            due |= at_once
        self.state = np.where(due, rule, self.state)
        return self.state


def settle(rules: States, days: IntArray, hold: IntArray) -> States:
    """Hysteresis over a whole history: ``rules`` and the result are (day, customer); ``days`` ascend.

    Raises InputError where the days do not ascend or do not go with the rules.
    """
    if rules.ndim != 2 or rules.shape[0] != days.size:
        raise InputError(f"rules: {rules.shape} does not go with {days.size} days")
    if np.any(np.diff(days) <= 0):
        raise InputError("days: must ascend")
    settling = Settling(rules.shape[1], hold)
    out = np.empty_like(rules)
    for number, day in enumerate(days):
        out[number] = settling.step(int(day), rules[number])
    return out
