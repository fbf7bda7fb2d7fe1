"""Groups as rules: a planted box is found again, told in round figures, and nothing is told where there is none."""

import numpy as np
import pytest

from rondo.errors import InputError
from rondo.science.boxes import Bound, _merged, describe, matches, rounded


def test_a_planted_box_is_found_in_round_figures() -> None:
    values = np.random.default_rng(1).gamma(2, 50, (2_000, 4))
    inside = (values[:, 1] > 120) & (values[:, 3] <= 90)
    boxes = describe(values, inside)
    assert len(boxes) == 1 and {bound.column for bound in boxes[0]} == {1, 3}
    low = next(bound for bound in boxes[0] if bound.column == 1)
    assert low.low == pytest.approx(120, abs=2) and low.high is None and len(f"{low.low:g}") <= 5
    fresh = np.random.default_rng(2).gamma(2, 50, (2_000, 4))
    told, truth = matches(fresh, boxes), (fresh[:, 1] > 120) & (fresh[:, 3] <= 90)
    assert (told & truth).sum() / told.sum() > 0.95 and (told & truth).sum() / truth.sum() > 0.95


def test_two_boxes_are_told_as_two() -> None:
    values = np.random.default_rng(3).random((3_000, 2))
    inside = (values[:, 0] < 0.2) | ((values[:, 0] > 0.8) & (values[:, 1] > 0.5))
    boxes = describe(values, inside)
    assert len(boxes) == 2 and (matches(values, boxes) == inside).mean() > 0.97


def test_a_question_that_parts_nothing_is_not_told() -> None:
    far, near = Bound(0, None, 7), Bound(0, 7, None)
    more = Bound(1, 1, None)
    assert _merged([(9, (far, more)), (5, (near, more))]) == [(14, (more,))]
    assert _merged([(9, (Bound(0, 2, 7), more)), (5, (Bound(0, 7, 9), more))]) == [(14, (Bound(0, 2, 9), more))]
    apart: list[tuple[int, tuple[Bound, ...]]] = [(9, (far, more)), (5, (Bound(0, 8, None), more))]
    assert _merged(apart) == apart


def test_what_is_not_known_is_in_no_box() -> None:
    values = np.random.default_rng(4).random((500, 1))
    inside = values[:, 0] < 0.5
    values[:100, 0] = np.nan
    boxes = describe(values, inside)
    assert not matches(values[:100], boxes).any()
    assert not Bound(0, None, 0.3).holds(np.array([[np.nan]])).any()


def test_noise_makes_no_good_rule() -> None:
    rng = np.random.default_rng(5)
    values, inside = rng.random((2_000, 3)), rng.random(2_000) < 0.2
    boxes = describe(values[:1_000], inside[:1_000])
    told = matches(values[1_000:], boxes)
    assert not told.any() or inside[1_000:][told].mean() < 0.45


def test_cuts_become_the_shortest_number_that_parts_alike() -> None:
    values = np.array([1.0, 117.2, 123.9, 400.0])
    assert rounded(values, 120.55) == 120 and rounded(values, 118.0) == 120 and rounded(values, 261.0) == 300
    many = np.arange(1_000.0)
    assert rounded(many, 523.7) == 520 and rounded(many, 523.7, moved=0) == 523.7
    assert rounded(np.array([0.1234, 0.1236]), 0.1235) == 0.1235


@pytest.mark.parametrize(("inside", "message"), [(np.arange(50) < 3, "3 of 50"), (np.arange(7) < 3, r"inside: \(7,\)")])
def test_what_cannot_be_described_is_named(inside: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        describe(np.random.default_rng(6).random((50, 2)), inside)
