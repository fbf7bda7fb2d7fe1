"""What purchase days are made of: no change is found where there is none, not even when everybody's taste moves."""

from pathlib import Path

import numpy as np
import pytest

from rondo.errors import InputError
from rondo.science.changes import KINDS, LASTING, find_changes
from rondo.science.mixes import Parts, scored
from rondo.science.summary import PurchaseDays, merge_days
from rondo.science.tests.logs import complete_journey, complete_journey_mix

pytestmark = pytest.mark.once
DAYS = 7 * 52
PARTS = 6


def base(seed: int, customers: int = 200, *, season: float = 0.0, changed: int = 0) -> tuple[PurchaseDays, Parts]:
    """A year of days twice a week with 1 to 8 things each, by tastes of their own. In the last 8 weeks everybody's
    taste moves by ``season`` to the first part; the first ``changed`` customers buy two things in three of the last."""
    rng = np.random.default_rng(seed)
    who, on = np.nonzero(rng.random((customers, DAYS)) < 2 / 7)
    taste = rng.dirichlet(np.full(PARTS, 0.7), customers)[who]
    late = on >= DAYS - 56
    taste[late] = taste[late] * (1 - season) + season * np.eye(PARTS)[0]
    other = late & (who < changed)
    taste[other] = taste[other] / 3 + 2 / 3 * np.eye(PARTS)[PARTS - 1]
    many = rng.multinomial(rng.integers(1, 9, who.size), taste)
    row, part = np.nonzero(many)
    amount = many[row, part] * rng.gamma(3, 100, row.size)
    log = merge_days(who, on, (rng.gamma(3, 1000, who.size) + 100).astype(int))
    return log, Parts(who[row], on[row], part, amount, PARTS, customers)


@pytest.mark.parametrize("season", [0.0, 0.2])
def test_without_change_false_alarms_are_as_rare_as_promised(season: float) -> None:
    """Where nothing has changed any alarm is false: its chance is at most 5 %. Of 30 bases five would have one by
    chance once in 60 if it were so."""
    alarms = 0
    for seed in range(30):
        log, parts = base(seed + int(1000 * season), 120, season=season)
        alarms += len(find_changes(log, DAYS - 1, mix=parts)) > 0
    assert alarms <= 4


def test_who_buys_other_things_is_found_with_what_they_turned_to() -> None:
    log, parts = base(4, 300, changed=40)
    found = find_changes(log, DAYS - 1, mix=parts)
    of_mix = found.kind == KINDS.index("mix")
    true = of_mix & (found.customer < 40)
    assert true.sum() >= 30
    assert (~true).sum() <= 0.15 * len(found)
    assert (found.gained[true] == PARTS - 1).mean() > 0.9
    assert (found.now[true] > found.before[true]).all() and found.up[true].all()
    assert np.isin(found.weeks, LASTING).all()
    assert found.judged[KINDS.index("mix")] == 300 and found.judged[KINDS.index("channel")] == 0


def test_who_leaves_one_channel_for_another_altogether_is_found() -> None:
    """No scatter at all, before or after; of the others each keeps to one of the two."""
    _log, parts = base(8, 120)
    first = np.concatenate(([True], (np.diff(parts.customer) != 0) | (np.diff(parts.day) != 0)))
    who, day = parts.customer[first], parts.day[first]
    channel = np.where((who < 5) & (day >= DAYS - 56), 1 - who % 2, who % 2)
    log = merge_days(who, day, np.full(who.size, 1000))
    found = find_changes(log, DAYS - 1, channel=Parts(who, day, channel, np.ones(who.size), 2, 120))
    assert found.customer[found.kind == KINDS.index("channel")].tolist() == [0, 1, 2, 3, 4]
    assert (found.before == 0).all() and (found.now == 1).all()


def test_later_days_are_not_read_and_a_channel_alone_is_no_mix() -> None:
    log, parts = base(6, 120, changed=20)
    cut = parts.day <= DAYS - 30
    early = Parts(parts.customer[cut], parts.day[cut], parts.part[cut], parts.amount[cut], PARTS, 120)
    one, other = scored(parts, DAYS - 30, 8), scored(early, DAYS - 30, 8)
    np.testing.assert_array_equal(one.score, other.score)
    np.testing.assert_array_equal(one.gained, other.gained)
    single = Parts(parts.customer, parts.day, np.zeros_like(parts.part), parts.amount, 1, 120)
    assert find_changes(log, DAYS - 1, channel=single).judged[3] == 0
    with pytest.raises(InputError, match="codes from 0"):
        Parts(parts.customer, parts.day, parts.part + 3, parts.amount, PARTS, 120)


@pytest.mark.parametrize(
    ("day", "told", "written"),
    [(364, 1, "judged by mix: one stands out on the last day"), (308, 6, "six do on 5 November")],
)
def test_the_documentation_says_how_many_of_the_complete_journey_buy_other_things(
    day: int, told: int, written: str
) -> None:
    found = find_changes(complete_journey(), day, mix=complete_journey_mix(day))
    assert int((found.kind == KINDS.index("mix")).sum()) == told
    text = " ".join((Path(__file__).parents[3] / "docs" / "changes.md").read_text(encoding="utf-8").split())
    assert written in text and "1,404 can be judged by mix" in text
    if day == 364:
        assert found.judged[KINDS.index("mix")] == 1404
