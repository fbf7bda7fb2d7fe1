"""From purchase days to x, t_x, T: against a slow reading of the same log, at several dates."""

import numpy as np
import pytest

from rondo.errors import InputError
from rondo.science import merge_days, summarise, window


def log() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    return rng.integers(0, 40, 600), rng.integers(100, 200, 600), rng.integers(-5, 100, 600)


@pytest.mark.parametrize("as_of", [110, 150, 199, 400])
@pytest.mark.parametrize("first_spend", [True, False])
def test_summary_equals_a_slow_reading(as_of: int, first_spend: bool) -> None:
    customer, day, spend = log()
    base = summarise(merge_days(customer, day, spend), as_of, first_spend=first_spend)
    seen = []
    for code in range(40):
        days = sorted({int(d) for d in day[(customer == code) & (day <= as_of)]})
        if not days:
            continue
        money = [int(spend[(customer == code) & (day == d)].sum()) for d in days]
        counted = [m for m in (money if first_spend else money[1:]) if m > 0]
        seen.append(
            (code, len(days) - 1, days[-1] - days[0], as_of - days[0], len(counted), sum(counted)),
        )
    columns = (base.customer, base.x, base.recency_days, base.age_days, base.spend_days, base.spend)
    assert [*zip(*(c.tolist() for c in columns), strict=True)] == seen


def test_window_counts_days_after_the_origin_only() -> None:
    days = merge_days([0, 0, 0, 2], [10, 20, 30, 21], [1, 2, 3, 4], n_customers=4)
    purchases, spend = window(days, 10, 21)
    assert purchases.tolist() == [1, 0, 1, 0]
    assert spend.tolist() == [2, 0, 4, 0]


def test_purchases_of_one_day_are_one_event() -> None:
    days = merge_days([1, 1, 0], [5, 5, 4], [10, 15, 7])
    assert (days.customer.tolist(), days.day.tolist(), days.spend.tolist()) == ([0, 1], [4, 5], [7, 25])


def test_observation_may_start_late() -> None:
    days = merge_days([0, 0, 0], [1, 50, 60])
    base = summarise(days, 70, start=40)
    assert (base.x.tolist(), base.recency_days.tolist(), base.age_days.tolist()) == ([1], [10], [20])


def test_nobody_has_bought_yet() -> None:
    assert len(summarise(merge_days([0], [50]), 49)) == 0
    with pytest.raises(InputError, match="no rows"):
        _ = merge_days([], []).last_day


def test_malformed_columns_are_named() -> None:
    with pytest.raises(InputError, match=r"column day, index 1: 1\.5"):
        merge_days([0, 0], [1, 1.5])
    with pytest.raises(InputError, match="column customer, index 0: -1"):
        merge_days([-1], [1])
    with pytest.raises(InputError, match="code 7 does not fit 3 customers"):
        merge_days([7], [1], n_customers=3)
    with pytest.raises(InputError, match="customer 2, day 1"):
        merge_days([0, 0], [1])
    with pytest.raises(InputError, match="window: day 3 does not come after day 3"):
        window(merge_days([0], [1]), 3, 3)
