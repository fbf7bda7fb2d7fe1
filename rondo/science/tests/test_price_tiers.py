"""Price tiers and trading up: planted tiers and tastes are found again, tiers drawn by lot are not called."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from rondo.errors import InputError
from rondo.science.price_tiers import (
    COUNT,
    MASS,
    VOLUME,
    Goods,
    Paid,
    Reason,
    Sizes,
    TierConfig,
    Tiers,
    TradingUp,
    breaks,
    grade,
    held,
    parse_size,
    work_out,
)
from rondo.science.price_tiers.sizes import OUNCES, UNKNOWN
from rondo.science.tests.planted_tiers import POWER, Shop, shop

DOCS = Path(__file__).parents[3] / "docs" / "next.md"
AS_OF = 209


@cache
def planted() -> Shop:
    return shop(300)


@cache
def found() -> TradingUp:
    return work_out(planted().paid, planted().goods, AS_OF)


@pytest.mark.parametrize(
    ("text", "measure", "amount"),
    [
        ("16 OZ", OUNCES, 16),
        ("12 PK/12 OZ", OUNCES, 144),
        ("10/6.75 OZ", OUNCES, 67.5),
        ("12 OZ/12 PK", OUNCES, 144),
        (".5 LB", MASS, 226.796),
        ("1/2 GAL", VOLUME, 1892.705),
        ("6x0,33 l", VOLUME, 1980),
        ("500g", MASS, 500),
        ("2 DZ", COUNT, 24),
        ("100 Stück", COUNT, 100),
        ("N/A", UNKNOWN, None),
        ("0 OZ", UNKNOWN, None),
        ("", UNKNOWN, None),
    ],
)
def test_sizes_are_read_as_they_are_written(text: str, measure: int, amount: float | None) -> None:
    known, value = parse_size(text)
    assert known == measure
    assert np.isnan(value) if amount is None else value == pytest.approx(amount, rel=1e-4)


def test_ounces_are_what_the_rest_of_the_category_is_measured_in() -> None:
    sizes = Sizes.parse(["32 OZ", "1 QT", "16 OZ", "1 LB"]).settled(
        np.array([0, 0, 1, 1]), np.ones(4), np.array([99.0, 99, 199, 199])
    )
    assert sizes.measure.tolist() == [VOLUME, VOLUME, MASS, MASS]
    assert sizes.amount == pytest.approx([946.35, 946.35, 453.59, 453.59], rel=1e-4)


def test_ounces_of_a_powder_are_weighed_beside_quarts_of_what_is_made_of_it() -> None:
    texts = ["0.13 OZ", ".22 OZ", "2 QT", "8 QT", "64 OZ", "2 QT"]
    price = np.array([25.0, 30, 25, 199, 199, 189])  # a pouch of either kind costs the same; so does juice by either
    sizes = Sizes.parse(texts).settled(np.array([0, 0, 0, 0, 1, 1]), np.array([5.0, 5, 2, 0, 3, 3]), price)
    assert sizes.measure.tolist() == [MASS, MASS, VOLUME, VOLUME, VOLUME, VOLUME]
    assert sizes.amount[:2] == pytest.approx([3.685, 6.237], rel=1e-3)
    unpaid = Sizes.parse(texts).settled(np.array([0, 0, 0, 0, 1, 1]), np.ones(6), np.zeros(6))
    assert unpaid.measure.tolist() == [VOLUME] * 6


def _worked() -> list[list[str]]:
    """The rows of the worked table in docs/next.md."""
    table = re.search(r"<!-- worked: tiers -->\n((?:\|.*\n)+)", DOCS.read_text(encoding="utf-8"))
    assert table is not None
    rows = [[cell.strip() for cell in line.strip("| \n").split("|")] for line in table[1].splitlines()]
    return rows[2:]


def test_the_worked_table_is_what_the_code_computes() -> None:
    rows = _worked()
    pack, paid, days = ([int(row[place].replace(",", "")) for row in rows] for place in (1, 2, 3))
    thing = np.repeat(np.arange(len(rows)), days)
    ones = np.ones(thing.size, np.int64)
    log = Paid(np.arange(thing.size) % 40, thing, np.arange(thing.size), ones * 1000, np.array(paid)[thing], ones * 0)
    goods = Goods(
        ["FOOD > COFFEE"] * len(rows),
        np.array([{"A": 0, "B": 1, "C": 2}[row[0][0]] for row in rows]),
        Sizes.parse([f"{size} g" for size in pack]),
    )
    tiers = grade(log, goods)
    assert [f"{factor:.2f}" for factor in tiers.factor] == [row[4] for row in rows]
    assert [str(price) for price in tiers.level_price] == [row[5] for row in rows]
    assert [("low", "middle", "high")[place] for place in tiers.tier] == [row[6] for row in rows]
    text = DOCS.read_text(encoding="utf-8")
    assert f"begin at {tiers.edges[0, 0]} and {tiers.edges[0, 1]} cents" in text
    assert f"power of {tiers.power[0]:.2f}" in text


def test_planted_tiers_are_found_whatever_the_pack() -> None:
    tiers = found().state.tiers
    assert (tiers.tier == planted().tier).all()
    assert (tiers.count == 3).all() and tiers.by_size.all() and (tiers.depth == 2).all()
    assert tiers.power == pytest.approx(POWER, abs=0.02)
    # Without sizes the dearer half of a tier's packs is taken for a higher tier, and it is said that none are known.
    blind = grade(planted().paid, shop(customers=1, sized=False).goods)
    assert not blind.by_size.any()
    assert (blind.tier != planted().tier).mean() > 0.2


def test_one_price_gives_no_tiers_and_a_small_spread_two() -> None:
    twelve = np.full(12, 100)
    assert breaks(np.full(12, 250), twelve) == []
    assert breaks(np.repeat([250, 260], 6), twelve) == []
    (edge,) = breaks(np.repeat([250, 320], 6), twelve)
    assert 250 < edge <= 320
    assert len(breaks(np.repeat([250, 320, 420], 4), twelve)) == 2
    # A tier that nobody buys is none.
    assert len(breaks(np.repeat([250, 320, 420], 4), np.repeat([100, 100, 1], 4))) == 1


def test_categories_are_whole_branches_on_the_lowest_level_that_has_enough() -> None:
    made = planted()
    paths = np.array(made.goods.paths, dtype=object)
    for kind, parts in ((0, ("FOOD > DRY > TEA", "FOOD > DRY > RICE")), (1, ("FOOD > WET > OIL",) * 2)):
        rows = np.flatnonzero(made.kind == kind)
        paths[rows[:4]], paths[rows[4:]] = parts
    paths[made.kind == 2] = ""
    tiers = grade(made.paid, replace(made.goods, paths=paths.tolist()))
    assert dict(zip(tiers.paths, tiers.depth.tolist(), strict=True)) == {
        "FOOD > DRY": 2, "FOOD > K3": 2, "FOOD > K4": 2, "FOOD > K5": 2, "FOOD > WET > OIL": 3,
    }  # fmt: skip
    assert (tiers.tier[made.kind == 2] == -1).all()


def test_sizes_that_prices_do_not_follow_are_not_believed() -> None:
    made = planted()
    shuffled = np.random.default_rng(1).permutation(made.goods.sizes.amount.size)
    goods = replace(made.goods, sizes=replace(made.goods.sizes, amount=made.goods.sizes.amount[shuffled]))
    tiers = grade(made.paid, goods, TierConfig(prior=0.0))
    assert not tiers.by_size[tiers.power == 0].any()
    assert (tiers.factor[~tiers.by_size[tiers.category]] == 1).all()


def _drawn_by_lot(tiers: Tiers, seed: int) -> Tiers:
    rng = np.random.default_rng(seed)
    tier = tiers.tier.copy()
    for code in range(len(tiers.paths)):
        rows = np.flatnonzero(tiers.category == code)
        tier[rows] = rng.permutation(tier[rows])
    return replace(tiers, tier=tier)


def test_customers_hold_to_planted_tiers_and_to_none_drawn_by_lot() -> None:
    made, tiers = planted(), found().state.tiers
    assert found().state.held.called.all()
    calls = sum(
        int(held(made.paid.customer, made.paid.product, _drawn_by_lot(tiers, seed), shuffles=199).called.sum())
        for seed in range(5)
    )
    assert calls <= 2  # of 30
    aimless = shop(meant=False)
    result = work_out(aimless.paid, aimless.goods, AS_OF)
    assert result.reason == Reason.NOT_HELD
    assert np.isnan(result.chance).all()


def test_chances_tell_better_than_the_own_share_and_hold() -> None:
    result, judged = found(), found().judged
    assert result.reason == Reason.NONE and judged is not None and result.model is not None
    assert judged.auc.low > judged.base.value
    assert judged.calibration.brier < 0.97 * min(judged.base_brier, judged.calibration.brier_base)
    assert judged.calibration.expected == pytest.approx(judged.calibration.happened, rel=0.1)
    assert judged.expected == pytest.approx(judged.came, rel=0.15)
    # What is tasted in other categories tells, as it was planted.
    weights = dict(zip(result.model.scaling.names, result.model.weights, strict=True))
    assert weights["elsewhere"] == max(weights.values()) > 0.3
    rows = ~np.isnan(result.chance)
    assert (result.chance_low[rows] <= result.chance[rows]).all()
    assert (result.chance[rows] <= result.chance_high[rows]).all()
    assert (result.gain_low[rows] <= result.gain[rows]).all() and (result.gain[rows] <= result.gain_high[rows]).all()
    habits = result.state.habits
    assert (habits.usual[rows] < 2).all() and (2 * habits.above[rows] <= habits.count[rows]).all()


def test_few_purchases_are_drawn_towards_those_of_customers_alike() -> None:
    state = found().state
    own, habits = state.drawn, state.habits
    raw = habits.above / habits.count
    shorter, longer = np.abs(own.mean - own.prior), np.abs(raw - own.prior)
    assert (shorter <= longer + 1e-12).all()
    few = habits.count <= np.median(habits.count)
    kept = shorter / np.maximum(longer, 1e-9)
    assert kept[few].mean() < 0.9 * kept[~few].mean()


def test_what_comes_after_the_day_changes_nothing_and_two_runs_agree() -> None:
    made = planted()
    assert (made.paid.day > AS_OF).any()
    before = made.paid.rows(made.paid.day <= AS_OF)
    order = np.random.default_rng(0).permutation(before.day.size)
    again = work_out(Paid(*(getattr(before, name)[order] for name in before.__dataclass_fields__)), made.goods, AS_OF)
    assert (again.state.tiers.edges == found().state.tiers.edges).all()
    assert np.array_equal(again.chance, found().chance, equal_nan=True)
    assert np.array_equal(again.gain, found().gain, equal_nan=True)
    assert json.dumps(again.describe()) == json.dumps(found().describe())


def test_too_little_says_why() -> None:
    few = planted().paid.rows(planted().paid.day < 40)
    assert work_out(few, planted().goods, 39).reason == Reason.FEW
    assert work_out(few.rows(few.day < 0), planted().goods, 39).reason == Reason.NO_TIERS
    with pytest.raises(InputError, match="paid, index 0: 0"):
        Paid(*(np.zeros(1, np.int64) + one for one in (0, 0, 0, 1, 0, 0)))
