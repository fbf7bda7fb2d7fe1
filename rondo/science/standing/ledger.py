"""The ledger of changes, and the transition matrix between two days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rondo.errors import InputError
from rondo.science._checks import IntArray
from rondo.science.standing.settling import States


@dataclass(frozen=True)
class Change:
    """Entries of the ledger, by customer, then day: who changed on which day from which state to which.

    The first entry of each customer is the state found on the first grid day: there ``before`` equals ``after``.
    """

    customer: IntArray
    day: IntArray
    before: States
    after: States

    def __len__(self) -> int:
        return int(self.customer.size)


def changes(states: States, grid: IntArray) -> Change:
    """The ledger of a history of states (grid day, customer code)."""
    if states.shape[0] != grid.size or grid.size == 0:
        raise InputError(f"states: {states.shape} does not go with {grid.size} grid days")
    moved = np.ones((states.shape[1], grid.size), bool)
    moved[:, 1:] = (states[1:] != states[:-1]).T
    customer, step = np.divmod(np.flatnonzero(moved), grid.size)
    return Change(
        customer.astype(np.int64),
        grid[step],
        states[np.maximum(step - 1, 0), customer],
        states[step, customer],
    )


def transitions(before: States, after: States, size: int) -> IntArray:
    """How many customers went from which state (row) to which (column) between two days; the sum is all customers."""
    if before.shape != after.shape or before.ndim != 1:
        raise InputError(f"transitions: {before.shape} and {after.shape} customers; the same ones are needed")
    cells = before.astype(np.int64) * size + after
    return np.bincount(cells, minlength=size * size).reshape(size, size)
