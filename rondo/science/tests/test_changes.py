"""Changes that are not there are not found, not even in a season; changes that are there are, with their direction."""

import numpy as np
import pytest

from rondo.errors import InputError
from rondo.science.changes import KINDS, LASTING, find_changes
from rondo.science.summary import PurchaseDays, merge_days

DAYS = 7 * 52


def base(
    seed: int,
    customers: int = 400,
    *,
    season: float = 1.0,
    changed: int = 0,
    rhythm: float = 1.0,
    level: float = 1.0,
    regular: bool = False,
) -> PurchaseDays:
    """A year of purchase days at rates of .3 to 5 a week. In the last 56 days everybody's rate is multiplied by
    ``season``, that of the first ``changed`` customers by ``rhythm`` and their spend by ``level``."""
    rng = np.random.default_rng(seed)
    who, when, money = [], [], []
    rate = rng.gamma(2.0, 1.0, customers).clip(0.3, 5) / 7
    for code in range(customers):
        daily = np.full(DAYS, rate[code])
        daily[-56:] *= season * (rhythm if code < changed else 1.0)
        if regular:
            gap = max(1, round(1 / rate[code]))
            days = np.arange(int(rng.integers(0, gap)), DAYS, gap)
        else:
            days = np.flatnonzero(rng.random(DAYS) < daily.clip(0, 0.95))
        spend = rng.gamma(3.0, 1000, days.size) * np.where((days >= DAYS - 56) & (code < changed), level, 1.0)
        who += [code] * days.size
        when += days.tolist()
        money += (spend + 100).astype(int).tolist()
    return merge_days(who, when, money)


@pytest.mark.parametrize(("season", "first_seed"), [(1.0, 0), (1.5, 1000), (0.6, 2000)])
def test_without_change_false_alarms_are_as_rare_as_promised(season: float, first_seed: int) -> None:
    """Where nothing has changed every alarm is false, so the rate of false discoveries is the chance of any alarm at
    all: at most 5 %. Of 40 bases five with an alarm would come by chance once in 20 if it were so."""
    alarms = [len(find_changes(base(first_seed + seed, season=season), DAYS - 1)) > 0 for seed in range(40)]
    assert sum(alarms) <= 5


def test_regular_buyers_raise_no_alarm() -> None:
    assert len(find_changes(base(7, regular=True), DAYS - 1)) == 0


@pytest.mark.parametrize(("kind", "rhythm", "level"), [("rhythm", 0.2, 1.0), ("level", 1.0, 0.4), ("level", 1.0, 2.5)])
def test_true_changes_are_found_with_their_direction_and_few_false_ones(kind: str, rhythm: float, level: float) -> None:
    changed = 40
    log = base(3, changed=changed, rhythm=rhythm, level=level)
    found = find_changes(log, DAYS - 1)
    of_kind = found.kind == KINDS.index(kind)
    true = of_kind & (found.customer < changed)
    assert true.sum() >= 15
    assert (~true).sum() <= 0.15 * len(found)
    assert (found.up[true] == (rhythm * level > 1)).all()
    assert np.isin(found.weeks, LASTING).all()
    smaller = found.now[true] < found.before[true]
    assert (smaller == (rhythm * level < 1)).all()


def test_a_change_in_a_season_of_all_is_still_found() -> None:
    found = find_changes(base(5, season=1.4, changed=40, rhythm=0.2), DAYS - 1)
    true = (found.kind == 0) & (found.customer < 40) & ~found.up
    assert true.sum() >= 15 and (~true).sum() <= 0.15 * len(found)


def test_later_days_are_not_read() -> None:
    log = base(9, changed=40, rhythm=0.2)
    early = find_changes(log, DAYS - 30)
    cut = log.day <= DAYS - 30
    same = find_changes(PurchaseDays(log.customer[cut], log.day[cut], log.spend[cut], log.n_customers), DAYS - 30)
    for name in ("customer", "kind", "up", "weeks", "before", "now", "p"):
        np.testing.assert_array_equal(getattr(early, name), getattr(same, name))


def test_who_buys_too_rarely_is_not_judged_and_nobody_is_no_error() -> None:
    rare = merge_days([0, 0, 1], [0, 200, 300], [100, 100, 100])
    assert find_changes(rare, DAYS).judged == (0, 0, 0, 0)
    empty = PurchaseDays(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), 0)
    assert len(find_changes(empty, DAYS)) == 0
    with pytest.raises(InputError, match="false_share"):
        find_changes(rare, DAYS, 1.5)
