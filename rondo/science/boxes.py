"""A group of customers as a rule that a person can read: few bounds on few figures, found by a small decision tree.

A tree of at most three questions is grown to tell the group from everybody else (Breiman et al. 1984); the leaves in
which the group is the majority are kept, and the questions on the way to each become bounds: the group is described by
one box, or by several. Cuts are rounded to figures that a person would write, as long as hardly anybody changes sides.
How well the rule matches has to be measured on customers that it was not found on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.tree import DecisionTreeClassifier

from rondo.errors import InputError
from rondo.science._checks import FloatArray
from rondo.science.propensity import FEWEST

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class BoxConfig:
    """``questions``: most of them on the way to a leaf. ``boxes``: most that are kept. ``smallest``: least share of
    customers that a leaf may hold. ``sample``: most customers that the tree is grown on. ``seed``: of all draws."""

    questions: int = 3
    boxes: int = 2
    smallest: float = 0.01
    sample: int = 100_000
    seed: int = 0


@dataclass(frozen=True)
class Bound:
    """A figure lies above ``low`` and at or below ``high``; None where it is open."""

    column: int
    low: float | None
    high: float | None

    def holds(self, values: FloatArray) -> Mask:
        """Which rows meet it; a value that is not known does not."""
        column = values[:, self.column]
        found: Mask = ~np.isnan(column)
        if self.low is not None:
            found &= column > self.low
        if self.high is not None:
            found &= column <= self.high
        return found


Box = tuple[Bound, ...]


def describe(values: FloatArray, inside: npt.ArrayLike, config: BoxConfig | None = None) -> tuple[Box, ...]:
    """The boxes of a group (yes or no per customer) over figures (customer, figure), nan where not known; the box with
    most of the group first. Empty where no leaf has a majority of it.

    Raises InputError for fewer than 20 customers on either side, or columns that do not go together.
    """
    config = config or BoxConfig()
    mask = np.asarray(inside).astype(bool)
    if values.ndim != 2 or mask.shape != (values.shape[0],):
        raise InputError(f"inside: {mask.shape}, one for each of {values.shape[0]} customers is needed")
    if min(int(mask.sum()), int((~mask).sum())) < FEWEST:
        raise InputError(f"inside: {int(mask.sum())} of {mask.size}; at least {FEWEST} on either side are needed")
    rows = np.arange(mask.size)
    if rows.size > config.sample:
        rows = np.sort(np.random.default_rng(config.seed).choice(rows, config.sample, replace=False))
    filled, members = _filled(values[rows]), mask[rows]
    model = DecisionTreeClassifier(
        max_depth=config.questions,
        min_samples_leaf=max(2, round(config.smallest * rows.size)),
        class_weight="balanced",
        random_state=config.seed,
    ).fit(filled, members)
    tree = model.tree_
    leaves = model.apply(filled)
    found: list[tuple[int, Box]] = []
    for leaf, bounds in _paths(tree, filled):
        here = leaves == leaf
        hits = int(members[here].sum())
        if bounds and hits * 2 > int(here.sum()):
            found.append((hits, bounds))
    found = _merged(found)
    found.sort(key=lambda one: -one[0])
    return tuple(box for _hits, box in found[: config.boxes])


def _merged(found: list[tuple[int, Box]]) -> list[tuple[int, Box]]:
    """Boxes that touch in one figure and agree in all others become one: the last question made no difference."""
    for one in range(len(found)):
        for other in range(one + 1, len(found)):
            box = _union(found[one][1], found[other][1])
            if box:
                rest = [found[number] for number in range(len(found)) if number not in (one, other)]
                return _merged([*rest, (found[one][0] + found[other][0], box)])
    return found


def _union(one: Box, other: Box) -> Box:
    """One box that holds exactly what both hold; empty where there is none."""
    if [bound.column for bound in one] != [bound.column for bound in other]:
        return ()
    unlike = [number for number, bound in enumerate(one) if bound != other[number]]
    if len(unlike) != 1:
        return ()
    here, there = sorted((one[unlike[0]], other[unlike[0]]), key=lambda bound: bound.low is not None)
    if here.high is None or here.high != there.low:
        return ()
    joined = Bound(here.column, here.low, there.high)
    bounds = [bound for number, bound in enumerate(one) if number != unlike[0]]
    if joined.low is not None or joined.high is not None:
        bounds.append(joined)
    return tuple(sorted(bounds, key=lambda bound: bound.column))


def matches(values: FloatArray, boxes: tuple[Box, ...]) -> Mask:
    """Which rows lie in one of the boxes."""
    found = np.zeros(values.shape[0], bool)
    for box in boxes:
        inside = np.ones(values.shape[0], bool)
        for bound in box:
            inside &= bound.holds(values)
        found |= inside
    return found


def _filled(values: FloatArray) -> FloatArray:
    """Not known lies below everything: the tree may cut it off, and a bound never holds for it."""
    lowest = np.nan_to_num(np.nanmin(np.where(np.isnan(values), np.inf, values), axis=0), posinf=0.0)
    found: FloatArray = np.where(np.isnan(values), lowest - 1 - np.abs(lowest), values)
    return found


def _paths(tree: object, values: FloatArray) -> list[tuple[int, Box]]:
    left, right = tree.children_left, tree.children_right  # type: ignore[attr-defined]
    feature, cut = tree.feature, tree.threshold  # type: ignore[attr-defined]
    found: list[tuple[int, Box]] = []

    def walk(node: int, bounds: dict[int, tuple[float | None, float | None]]) -> None:
        if left[node] < 0:
            found.append((node, tuple(Bound(column, *ends) for column, ends in sorted(bounds.items()))))
            return
        column = int(feature[node])
        low, high = bounds.get(column, (None, None))
        at = rounded(values[:, column], float(cut[node]))
        walk(int(left[node]), bounds | {column: (low, at)})
        walk(int(right[node]), bounds | {column: (at, high)})

    walk(0, {})
    return found


def rounded(values: FloatArray, cut: float, moved: float = 0.005) -> float:
    """The number with the fewest significant digits that parts the values as ``cut`` does, but for a share ``moved``
    of them at most."""
    for digits in range(1, 16):
        found = float(f"{cut:.{digits}g}")
        if np.count_nonzero((values <= cut) != (values <= found)) <= moved * values.size:
            return found
    return cut
