"""When the next purchase of a category is due: regular ones on time, intervals that hold, and no look at the future."""

from __future__ import annotations

import numpy as np
import pytest

from rondo.errors import InputError
from rondo.science import due


def buyers(customers: int = 400, seed: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Purchase days in three categories of different rhythm; many pairs end some day."""
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(customers):
        for category, usual in enumerate((7.0, 21.0, 60.0)):
            own = usual * np.exp(rng.normal(0, 0.4))
            end = min(365, rng.uniform(30, 1000))
            day = rng.uniform(0, own)
            while day < end:
                rows.append((customer, category, int(day)))
                day += own * np.exp(rng.normal(0, 0.35))
    who, what, when = (np.array(column) for column in zip(*rows, strict=True))
    return who, what, when


def test_pairs_tell_days_last_and_typical_gap() -> None:
    found, gaps, place = due.purchase_pairs([1, 1, 1, 1, 0, 1], [0, 0, 0, 0, 2, 0], [10, 13, 10, 20, 5, 99], 30)
    assert found.customer.tolist() == [0, 1]
    assert found.category.tolist() == [2, 0]
    assert (found.days.tolist(), found.last.tolist(), found.typical.tolist()) == ([1, 3], [5, 20], [0.0, 5.0])
    assert (gaps.tolist(), place.tolist()) == ([3, 7], [1, 1])
    assert found.mean[1] == pytest.approx((np.log(3) + np.log(7)) / 2)


def test_intervals_hold_what_they_promise() -> None:
    who, what, when = buyers()
    for origin in (200, 260):
        held = due.hold_out(who, what, when, origin, 364)
        assert held.pairs > 300
        assert 0.85 <= held.inside <= 0.95
        for expected, came in zip(held.expected, held.came, strict=True):
            assert expected == pytest.approx(came, abs=0.05)


def test_the_median_follows_the_own_rhythm_and_the_time_since() -> None:
    who, what, when = buyers()
    known, gaps, place = due.purchase_pairs(who, what, when, 170)
    model = due.fit(known, gaps, place, 170, 3)
    columns = ([0, 1], [1, 1], [9, 9], [169, 169], np.log([30, 10]), [30.0, 10.0])
    pairs = due.Pairs(*(np.array(column) for column in columns))
    found = model.forecast(pairs)
    assert found.median[0] > 2 * found.median[1] > 0
    assert (found.low < found.median).all() and (found.median < found.high).all()
    assert model.chance(pairs, 14)[1] > model.chance(pairs, 14)[0]


def test_who_is_silent_for_long_is_not_expected_soon() -> None:
    who, what, when = buyers()
    known, gaps, place = due.purchase_pairs(who, what, when, 300)
    model = due.fit(known, gaps, place, 300, 3)
    gone = (known.category == 0) & (known.last < 200)
    here = (known.category == 0) & (known.last > 290)
    assert gone.sum() > 30
    assert model.chance(known, 28)[gone].mean() < 0.1 < 0.9 < model.chance(known, 28)[here].mean()
    assert np.isinf(model.forecast(known).high[gone]).mean() > 0.9


def test_what_comes_after_the_day_changes_nothing() -> None:
    who, what, when = buyers(100)
    moved = np.where(when > 200, when + 9, when)
    found = []
    for days in (when, moved):
        known, gaps, place = due.purchase_pairs(who, what, days, 200)
        found.append(due.fit(known, gaps, place, 200, 3).forecast(known))
    assert (found[0].median == found[1].median).all()
    assert (found[0].high == found[1].high).all()


def test_too_few_gaps_are_refused_with_their_number() -> None:
    known, gaps, place = due.purchase_pairs([0, 0], [0, 0], [1, 5], 9)
    with pytest.raises(InputError, match="gaps: 1 between"):
        due.fit(known, gaps, place, 9, 1)


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(InputError, match="category 1"):
        due.purchase_pairs([0, 0], [0], [1, 5], 9)


def test_who_may_be_gone_is_due_later_and_less_likely() -> None:
    """Whatever the chance to be there: chances fall with it alike, what is due moves away, and a share that cannot come
    any more has no day."""
    who, what, when = buyers()
    known, gaps, place = due.purchase_pairs(who, what, when, 170)
    model = due.fit(known, gaps, place, 170, 3)
    there = np.random.default_rng(5).random(known.days.size)
    plain, found = model.forecast(known), model.forecast(known, there)
    for days in (7, 28, 91):
        assert model.chance(known, days, there) == pytest.approx(there * model.chance(known, days))
    for name in ("low", "median", "high"):
        assert (getattr(found, name) >= getattr(plain, name)).all()
    assert np.isinf(found.median[there < 0.5]).all() and np.isinf(found.high[there < 0.95]).all()
    # The day by which half are back is that on which the chance passes a half.
    soon = np.flatnonzero(np.isfinite(found.median))[:200]
    part = due.Pairs(*(getattr(known, name)[soon] for name in known.__dataclass_fields__))
    for row in range(0, soon.size, 20):
        day = float(found.median[soon[row]])
        assert model.chance(part, day + 3, there[soon])[row] >= 0.5 - 0.03
        assert model.chance(part, max(day - 4, 0), there[soon])[row] <= 0.5 + 0.03
