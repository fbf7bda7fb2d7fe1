"""Buying stages: each signal places a pair where the rules say, they fade, and nothing later changes an earlier day."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from rondo.errors import InputError
from rondo.science.buying_stages import (
    NONE,
    BuyingStage,
    BuyingStageRules,
    Reason,
    Signals,
    Walk,
    turns,
    what_came,
)

pytestmark = pytest.mark.once
DOC = Path(__file__).resolve().parents[3] / "docs" / "stages.md"
KIND = {
    "bought": BuyingStage.PURCHASE,
    "read": BuyingStage.NEED_RECOGNISED,
    "viewed": BuyingStage.INFORMATION_SEARCH,
    "compared": BuyingStage.EVALUATION,
    "asked service": BuyingStage.AFTER_PURCHASE,
}


def signals(*rows: tuple[int, int, BuyingStage], category: list[int]) -> Signals:
    columns = list(zip(*sorted(rows, key=lambda row: row[:2]), strict=True)) if rows else [(), (), ()]
    return Signals(
        np.array(columns[0], np.int64), np.array(columns[1], np.int64), np.array(columns[2], np.uint8),
        np.array(category, np.int64),
    )  # fmt: skip


def worked() -> list[tuple[str, list[tuple[str, int]], int, str, str, int]]:
    """Rows of the worked table: who, signals, seen from, stage, reason, since."""
    text = DOC.read_text(encoding="utf-8").split("<!-- worked: stages -->")[1].split("\n\n")[0]
    found = []
    for line in text.strip().splitlines()[2:]:
        who, told, day, stage, reason, since = (cell.strip() for cell in line.strip("|").split("|"))
        rows = [(kind, int(n)) for part in told.split(";") for kind, days in [part.strip().split(" on ")]
                for n in re.findall(r"\d+", days)]  # fmt: skip
        found.append((who, rows, int(day), stage, reason, int(since)))
    return found


def test_the_worked_table_of_the_documents_holds() -> None:
    """All pairs of the table are of one category in which everybody else buys every 20 days."""
    rows = worked()
    assert len(rows) >= 10
    others = [(1 + n, day, BuyingStage.PURCHASE) for n in range(60) for day in range(0, 100, 20)]
    for who, told, day, stage, reason, since in rows:
        mine = [(0, when, KIND[kind]) for kind, when in told]
        walk = Walk(signals(*mine, *others, category=[0] * 61), BuyingStageRules(), 1)
        walk.until(day)
        stand = walk.stand()
        name = "none" if stand.stage[0] == NONE else BuyingStage(int(stand.stage[0])).name.lower()
        why = "none" if name == "none" else Reason(int(stand.reason[0])).name.lower()
        assert (name, why, int(stand.since[0])) == (stage, reason, since), (who, day)


def random_signals(seed: int = 5, pairs: int = 300) -> Signals:
    rng = np.random.default_rng(seed)
    rows = []
    for pair in range(pairs):
        usual = float(rng.choice([5, 12, 40]))
        day = rng.uniform(0, usual)
        while day < 200:
            rows.append((pair, int(day), BuyingStage.PURCHASE))
            if rng.random() < 0.05:
                break
            day += 1 + usual * np.exp(rng.normal(0, 0.4))
        contacts = list(KIND.values())[1:]
        rows += [(pair, int(rng.integers(0, 200)), kind) for kind in contacts if rng.random() < 0.3]
    return signals(*sorted(set(rows)), category=[pair % 3 for pair in range(pairs)])


def test_stages_are_disjoint_and_begin_no_later_than_they_hold() -> None:
    found = random_signals()
    walk = Walk(found, BuyingStageRules(), 3)
    seen = set()
    for day in range(0, 260, 3):
        walk.until(day)
        stand = walk.stand()
        here = stand.stage != NONE
        assert np.all((stand.since[here] >= 0) & (stand.since[here] <= day))
        seen |= set(stand.reason[here].tolist())
    assert seen == {int(reason) for reason in Reason}


def test_the_ledger_leads_to_where_pairs_stand_and_to_no_state_twice() -> None:
    found = random_signals()
    walk = Walk(found, BuyingStageRules(), 3)
    stage = np.full(300, NONE, np.uint8)
    entries = 0
    for turn in turns(walk, np.arange(6, 240, 7)):
        assert np.array_equal(stage[turn.pair], turn.before)
        assert np.all(turn.before != turn.after)
        stage[turn.pair] = turn.after
        entries += turn.pair.size
    assert np.array_equal(stage, walk.stand().stage)
    assert entries > 600


def test_later_signals_do_not_move_the_past_but_by_the_rhythm_of_the_category() -> None:
    """Own signals of a later day change nothing; what is learnt of the category does, as docs/stages.md says."""
    found = random_signals()
    day = 120
    late = found.day <= day
    known = Signals(found.pair[late], found.day[late], found.kind[late], found.category)
    whole, part = Walk(found, BuyingStageRules(), 3), Walk(known, BuyingStageRules(), 3)
    whole.until(day)
    part.until(day)
    assert np.array_equal(whole.bought, part.bought)
    assert np.mean(whole.stand().stage != part.stand().stage) < 0.03


def test_a_need_is_followed_by_purchases_more_often_than_what_has_faded() -> None:
    came = what_came(random_signals(pairs=1500), BuyingStageRules(), 3, 150, 20)
    share = came.bought / np.maximum(came.pairs, 1)
    assert share[BuyingStage.NEED_RECOGNISED] > 2 * share[BuyingStage.UNAWARE]
    assert np.all(came.bought <= came.pairs)


def test_nobody_twice_in_anything_takes_the_usual_days() -> None:
    found = signals((0, 10, BuyingStage.PURCHASE), category=[0])
    walk = Walk(found, BuyingStageRules(usual_days=40, habit_from=1), 1)
    walk.until(45)
    assert walk.stand().stage.tolist() == [BuyingStage.NEED_RECOGNISED]
    assert walk.stand().since.tolist() == [42]
    assert walk.stand().rhythm.tolist() == [40]
    empty = Walk(signals(category=[]), BuyingStageRules(), 0)
    empty.until(3)
    assert empty.stand().stage.size == 0


@pytest.mark.parametrize("wrong", [{"purchase_days": 0}, {"need_from": 0.0}, {"need_from": 3.0}, {"search_days": -1}])
def test_thresholds_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        BuyingStageRules(**wrong)  # type: ignore[arg-type]


def test_what_is_no_habit_fades_without_a_need() -> None:
    """Bought on two days: without a third no need comes back, with it one does."""
    for days, stage in (([0, 20], BuyingStage.UNAWARE), ([0, 20, 40], BuyingStage.NEED_RECOGNISED)):
        walk = Walk(signals(*((0, day, BuyingStage.PURCHASE) for day in days), category=[0]), BuyingStageRules(), 1)
        walk.until(days[-1] + 30)
        assert walk.stand().stage.tolist() == [stage]


def test_days_go_on_only() -> None:
    walk = Walk(random_signals(), BuyingStageRules(), 3)
    walk.until(50)
    with pytest.raises(InputError, match="reached"):
        walk.until(49)
