"""Ladder and life cycle: disjoint, exhaustive, with hysteresis, over random histories; and the rules one by one."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rondo.errors import InputError
from rondo.science import merge_days
from rondo.science.standing import (
    LadderRules,
    LifeCycleRules,
    Rung,
    Signs,
    Spans,
    Stage,
    changes,
    climb,
    live,
    rhythm_of,
    settle,
    transitions,
    weekly_grid,
)
from rondo.science.standing.history import NEVER
from rondo.science.standing.lifecycle import _distinct, gone_after
from rondo.science.summary import PurchaseDays
from rondo.science.tests import stepwise

START, END = 10_000, 10_500
NO_TREND = LifeCycleRules(trend_errors=9.9)


def random_log(seed: int, customers: int = 60) -> PurchaseDays:
    """Customers with rhythms from daily to yearly, who start late, fall silent and come back; some never buy."""
    rng = np.random.default_rng(seed)
    who, when = [], []
    for code in range(customers):
        day, gap = START + int(rng.integers(0, 200)), float(rng.choice([2, 7, 30, 120]))
        for _ in range(int(rng.integers(0, 40))):
            if day > END:
                break
            who.append(code)
            when.append(day)
            day += 1 + int(rng.exponential(gap * rng.choice([1, 1, 1, 8])))
    return merge_days(who, when, rng.integers(0, 20_000, len(who)), customers)


def random_signs(seed: int, customers: int = 60) -> Signs:
    rng = np.random.default_rng(seed + 1)

    def dated(share: float) -> npt.NDArray[np.int64]:
        return np.where(rng.random(customers) < share, rng.integers(START, END, customers), NEVER).astype(np.int64)

    # Several complaints of one customer, side by side, overlapping, answered at once or never.
    who, begin = rng.integers(0, customers, customers), rng.integers(START, END, customers)
    until = np.where(rng.random(customers) < 0.3, NEVER, begin + rng.integers(0, 60, customers))
    complaints = Spans.of(who, begin, until)
    cancelled, notice = (stated(rng.integers(0, customers, 8), rng.integers(START, END, 8)) for _ in range(2))
    return Signs(dated(0.5), dated(0.3), cancelled, notice, complaints, rng.random(customers) < 0.3)


def stated(customer: npt.NDArray[np.int64], day: npt.NDArray[np.int64]) -> Spans:
    return Spans.of(customer, day, np.full(day.size, NEVER))


def fading(
    x: npt.NDArray[np.int64], t_x: npt.NDArray[np.float64], age: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """A stand-in for a fitted model: hope fades with silence measured in own mean gaps."""
    return np.exp(-(age - t_x) * x / np.maximum(t_x, 0.1) / 4)


def bought_by(log: PurchaseDays, day: int) -> npt.NDArray[np.int64]:
    return np.bincount(log.customer[log.day <= day], minlength=log.n_customers)


def test_the_own_rhythm_is_the_quantile_of_the_gaps_so_far() -> None:
    log = random_log(3)
    rhythm = rhythm_of(log, (0.25, 0.9))
    starts = np.searchsorted(log.customer, np.arange(log.n_customers + 1))
    second = []
    for code in range(log.n_customers):
        rows = np.arange(starts[code], starts[code + 1])
        gaps = np.diff(log.day[rows])
        second += gaps[:1].tolist()
        for place, row in enumerate(rows):
            if place < 2:
                assert np.isnan(rhythm.own[row]).all()
            else:
                assert rhythm.own[row] == pytest.approx(np.quantile(gaps[:place], [0.25, 0.9]))
    assert rhythm.base == pytest.approx(np.quantile(second, [0.25, 0.9]))


def test_grid_is_every_sunday_and_the_last_day() -> None:
    # 2017-01-01 was a Sunday: day 17167.
    assert weekly_grid(17_167, 17_184).tolist() == [17_167, 17_174, 17_181, 17_184]
    assert weekly_grid(17_168, 17_174).tolist() == [17_174]
    with pytest.raises(InputError, match="before the first day"):
        weekly_grid(5, 4)


@given(st.integers(0, 10_000), st.lists(st.integers(0, 60), min_size=3, max_size=3))
@settings(max_examples=60, deadline=None)
def test_a_state_changes_only_after_its_rule_has_held(seed: int, hold: list[int]) -> None:
    rng = np.random.default_rng(seed)
    days = np.cumsum(rng.integers(1, 20, 30))
    rules = rng.integers(0, 3, (30, 8)).astype(np.uint8)
    states = settle(rules, days, np.array(hold))
    assert np.isin(states, [0, 1, 2]).all()
    for column in range(8):
        for step in range(1, 30):
            was, now = states[step - 1, column], states[step, column]
            entered = int(rules[step, column])
            back = step
            while back and rules[back - 1, column] == entered:
                back -= 1
            held = int(days[step] - days[back])
            assert now == (entered if held >= hold[entered] else was)


@given(st.integers(0, 100_000))
@settings(max_examples=40, deadline=None)
def test_every_customer_is_on_one_rung_and_in_one_stage_on_every_day(seed: int) -> None:
    log, signs = random_log(seed), random_signs(seed)
    grid = weekly_grid(START, END)
    rhythm = rhythm_of(log)
    rungs, stages = climb(log, rhythm, signs, grid), live(log, rhythm, signs, grid, fading)
    for number, day in enumerate(grid.tolist()):
        purchases = bought_by(log, day)
        bought, interested = purchases > 0, signs.interest <= day
        rung, stage = rungs[number], stages[number]
        # Exhaustive: a member of the scale; disjoint: one value each. What it says of purchases is true at once.
        assert rung.max() <= max(Rung) and stage.max() <= max(Stage)
        assert ((rung >= Rung.CUSTOMER) == bought).all()
        assert ((stage > Stage.INITIATION) == bought).all()
        assert (np.isin(rung, [Rung.PROSPECT]) == (interested & ~bought)).all()
        assert ((stage == Stage.INITIATION) == (interested & ~bought)).all()
        assert (purchases[rung >= Rung.CLIENT] >= 3).all()
        assert (signs.recommended[rung == Rung.ADVOCATE] <= day).all()
        if number:
            before = stages[number - 1]
            came_back = (stage == Stage.REVITALISATION) & (before != Stage.REVITALISATION)
            assert np.isin(before[came_back], [Stage.TERMINATION, Stage.ABSTINENCE]).all()
            rested = (stage == Stage.ABSTINENCE) & (before != Stage.ABSTINENCE)
            assert (before[rested] == Stage.TERMINATION).all()
            left = np.isin(before, [Stage.TERMINATION, Stage.ABSTINENCE]) & ~np.isin(
                stage, [Stage.TERMINATION, Stage.ABSTINENCE]
            )
            assert (stage[left] == Stage.REVITALISATION).all()
            slipped = (stage == Stage.ENDANGERED) & (before != Stage.ENDANGERED)
            assert (~signs.cut_off[stage == Stage.SOCIALISATION]).all()
            assert (before[slipped] != Stage.ABSTINENCE).all()


def test_a_customer_stands_the_same_alone_and_in_a_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    log, signs = random_log(5), random_signs(5)
    grid = weekly_grid(START, END)
    rhythm = rhythm_of(log)
    whole = live(log, rhythm, signs, grid, fading), climb(log, rhythm, signs, grid)
    monkeypatch.setattr("rondo.science.standing.history._BLOCK_CELLS", 1)
    monkeypatch.setattr("rondo.science.standing.rhythm._BLOCK_CELLS", 1)
    alone = rhythm_of(log)
    np.testing.assert_array_equal(alone.own, rhythm.own)
    np.testing.assert_array_equal(live(log, alone, signs, grid, fading), whole[0])
    np.testing.assert_array_equal(climb(log, alone, signs, grid), whole[1])


def test_what_comes_later_does_not_move_the_past() -> None:
    log, signs = random_log(7), random_signs(7)
    cut = START + 300
    rhythm = rhythm_of(log)
    seen = log.day <= cut
    early = merge_days(log.customer[seen], log.day[seen], log.spend[seen], log.n_customers)
    known = rhythm_of(early)
    known = replace(known, base=rhythm.base)  # the base's own quantiles are of the day they were taken on
    grid = weekly_grid(START, END)
    past = grid[grid <= cut]
    np.testing.assert_array_equal(
        live(early, known, signs, past, fading), live(log, rhythm, signs, grid, fading)[: past.size]
    )
    np.testing.assert_array_equal(climb(early, known, signs, past), climb(log, rhythm, signs, grid)[: past.size])


WEEKLY = [7 * week for week in range(40)]
CALM = {0: "socialisation", 42: "maturity"}


def course(days: list[int], until: int, signs: Signs | None = None, rules: LifeCycleRules = NO_TREND) -> dict[int, str]:
    """The stages of one customer among a base whose second purchases come after 30 days; day 0 is a Sunday."""
    origin = 17_167
    base = [(code, origin + 30 * turn) for code in range(1, 20) for turn in range(2)]
    rows = sorted([(0, origin + day) for day in days] + base)
    log = merge_days([c for c, _d in rows], [d for _c, d in rows], [1_000] * len(rows), 20)
    grid = weekly_grid(origin, origin + until)
    stages = live(log, rhythm_of(log), signs or Signs.none(20), grid, fading, rules)[:, 0]
    found: dict[int, str] = {}
    for day, stage in zip((grid - origin).tolist(), stages.tolist(), strict=True):
        name = Stage(stage).name.lower()
        if not found or found[max(found)] != name:
            found[day] = name
    return found


def test_a_steady_buyer_is_socialised_then_mature() -> None:
    assert course([0, 7, 14, 21, 28, 35, 42, 49, 56, 63, 70], 70) == {0: "socialisation", 42: "maturity"}


def test_who_bought_once_is_presumed_gone_beyond_the_gaps_of_the_base() -> None:
    assert course([0], 200) == {0: "socialisation", 35: "termination", 126: "abstinence"}


def test_a_return_revives_until_the_third_purchase_day_again() -> None:
    assert course([0, 140, 147, 154, 161, 168, 175, 182, 189], 189) == {
        0: "socialisation",
        42: "termination",
        133: "abstinence",
        140: "revitalisation",
        182: "maturity",
    }


def test_silence_endangers_then_declines_then_ends() -> None:
    assert course([0, 7, 14, 21, 28, 35, 42, 49, 56, 63, 70], 300) == {
        0: "socialisation",
        42: "maturity",
        91: "endangered",
        112: "decline",
        119: "termination",
        210: "abstinence",
    }


def test_a_stated_cancellation_ends_at_once() -> None:
    found = course([0, 7, 14, 21, 28, 35, 42, 49, 56, 63], 84, saying(cancelled=[65]))
    assert found == {0: "socialisation", 42: "maturity", 70: "termination"}


def saying(cancelled: list[int] | None = None, notice: list[int] | None = None) -> Signs:
    """What one customer states on which days."""
    spans = (stated(np.zeros(len(days), np.int64), np.array(days) + 17_167) for days in (cancelled or [], notice or []))
    first, second = spans
    return replace(Signs.none(20), cancelled=first, notice=second)


def test_each_cancellation_stands_until_the_next_purchase() -> None:
    days = [7 * week for week in range(9)] + [7 * week for week in range(14, 24)]
    found = course(days, 182, saying(cancelled=[161, 57]))
    assert found == {
        0: "socialisation",
        42: "maturity",
        63: "termination",
        98: "revitalisation",
        140: "maturity",
        161: "termination",
    }
    # The purchase on the day itself came first; a later one takes a cancellation back.
    assert course(days[:9], 70, saying(cancelled=[56]))[56] == "termination"
    assert "termination" not in course(days[:9], 56, saying(cancelled=[50])).values()


def test_notice_given_is_decline_at_once_and_ends_with_the_cancellation_and_a_return() -> None:
    always = [7 * week for week in range(80)]
    assert course(always, 140, saying(notice=[72])) == CALM | {77: "decline"}
    # In the first weeks too, and for a year at most; a later notice counts from its own day.
    assert course(always, 470, saying(notice=[3])) == {0: "socialisation", 7: "decline", 399: "maturity"}
    assert list(course(always, 550, saying(notice=[3, 440])).values())[-2:] == ["maturity", "decline"]
    left = [7 * week for week in range(12)] + [7 * week for week in range(20, 30)]
    found = course(left, 203, saying(notice=[72], cancelled=[80]))
    assert found == CALM | {77: "decline", 84: "termination", 140: "revitalisation", 182: "maturity"}


def complaining(*spans: tuple[int, int | None]) -> Signs:
    """Complaints of one customer: the day of each, and of its answer."""
    days = [(17_167 + begin, NEVER if until is None else 17_167 + until) for begin, until in spans]
    return replace(Signs.none(20), complaints=Spans.of(np.zeros(len(days), np.int64), *np.array(days).T))


def test_an_open_complaint_endangers_until_it_is_answered() -> None:
    assert course(WEEKLY, 133, complaining((50, 71))) == CALM | {63: "endangered", 105: "maturity"}
    # Answered within the days that endangered has to hold: nothing happened.
    assert course(WEEKLY, 133, complaining((50, 55))) == CALM
    # Never answered: open for 90 days, or as many as the rules say.
    assert course(WEEKLY, 196, complaining((50, None))) == CALM | {63: "endangered", 168: "maturity"}
    rules = replace(NO_TREND, complaint_days=20)
    assert course(WEEKLY, 196, complaining((50, None)), rules) == CALM | {63: "endangered", 98: "maturity"}


def test_several_complaints_are_spans_of_their_own() -> None:
    twice = CALM | {63: "endangered", 105: "maturity", 161: "endangered", 203: "maturity"}
    assert course(WEEKLY, 210, complaining((150, 170), (50, 71))) == twice
    # The first answered, a second one still open: no gap between them.
    assert course(WEEKLY, 133, complaining((50, 60), (58, 80))) == CALM | {63: "endangered", 112: "maturity"}


def test_later_complaints_and_answers_do_not_move_the_past() -> None:
    """As known on a day, an answer still to come is none; shifting what lies behind that day moves nothing before."""
    log, signs = random_log(11), random_signs(11)
    cut = START + 300
    grid = weekly_grid(START, END)
    past = grid <= cut
    rhythm = rhythm_of(log)
    whole = live(log, rhythm, signs, grid, fading)
    spans = signs.complaints
    known = spans.begin <= cut
    as_then = Spans(spans.customer[known], spans.begin[known], np.where(spans.until > cut, NEVER, spans.until)[known])
    shifted = Spans(
        spans.customer,
        spans.begin + 9 * (spans.begin > cut),
        spans.until + 40 * ((spans.until > cut) & (spans.until < NEVER)),
    )
    for other in (as_then, shifted):
        moved = live(log, rhythm, replace(signs, complaints=other), grid, fading)
        np.testing.assert_array_equal(moved[past], whole[past])
        assert (moved != whole).any()


def test_growth_and_decline_need_a_change_beyond_chance() -> None:
    weekly = [7 * week for week in range(52)]
    denser = weekly[:26] + list(range(182, 364, 2))
    thinner = [day for day in weekly if day < 182 or day % 28 == 0]
    rules = LifeCycleRules()
    assert set(course(weekly, 363, rules=rules).values()) == {"socialisation", "maturity"}
    assert "growth" in course(denser, 363, rules=rules).values()
    assert "decline" in course(thinner, 363, rules=rules).values()


def test_ledger_and_transitions_tell_the_same() -> None:
    log, signs = random_log(9), random_signs(9)
    grid = weekly_grid(START, END)
    stages = live(log, rhythm_of(log), signs, grid, fading)
    ledger = changes(stages, grid)
    rebuilt = np.empty_like(stages)
    for code in range(log.n_customers):
        mine = ledger.customer == code
        assert (np.diff(ledger.day[mine]) > 0).all()
        place = np.searchsorted(ledger.day[mine], grid, side="right") - 1
        rebuilt[:, code] = ledger.after[mine][place]
    np.testing.assert_array_equal(rebuilt, stages)
    moved = ledger.before != ledger.after
    assert moved.sum() == len(ledger) - log.n_customers
    matrix = transitions(stages[10], stages[-1], len(Stage))
    assert matrix.sum() == log.n_customers
    assert matrix.sum(axis=0).tolist() == np.bincount(stages[-1], minlength=len(Stage)).tolist()
    assert matrix.sum(axis=1).tolist() == np.bincount(stages[10], minlength=len(Stage)).tolist()


def test_nobody_bought_anything() -> None:
    log = merge_days([], [], [], 3)
    grid = np.array([10, 17])
    assert (live(log, rhythm_of(log), Signs.none(3), grid) == Stage.BEFORE).all()
    assert (climb(log, rhythm_of(log), Signs.none(3), grid) == Rung.SUSPECT).all()


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (lambda: LadderRules(client_from=1), "client_from: 1"),
        (lambda: LadderRules(quantile=1.5), r"quantile: 1\.5"),
        (lambda: LadderRules(hold_days=-1), "hold_days: -1"),
        (lambda: LifeCycleRules(trend_days=7), "trend_days: 7"),
        (lambda: LifeCycleRules(endangered=0.95), "has to lie below decline"),
        (lambda: LifeCycleRules(alive_below=0), "alive_below: 0"),
        (lambda: LifeCycleRules(settled_from=0), "settled_from: 0"),
        (lambda: LifeCycleRules(complaint_days=0), "complaint_days: 0"),
        (lambda: LifeCycleRules(trend_errors=-1), "trend_errors: -1"),
    ],
)
def test_a_senseless_threshold_is_named(rules: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        rules()  # type: ignore[operator]


def test_a_rhythm_without_the_quantile_is_named() -> None:
    log = random_log(1)
    with pytest.raises(InputError, match=r"no quantile 0\.9"):
        climb(log, rhythm_of(log, (0.5,)), Signs.none(60), weekly_grid(START, END))
    with pytest.raises(InputError, match=r"no quantile 0\.75"):
        live(log, rhythm_of(log, (0.9, 0.95)), Signs.none(60), weekly_grid(START, END))


@given(
    seed=st.integers(0, 10_000),
    modelled=st.booleans(),
    signed=st.booleans(),
    grid=st.sampled_from([1, 7, 29]),
    rules=st.sampled_from(
        [
            LifeCycleRules(),
            LifeCycleRules(settled_from=1, settled_days=1, trend_days=20, trend_errors=0, abstinence=1, hold_days=0),
            LifeCycleRules(trend=0.5, alive_below=0.6, endangered_hold_days=0, trend_days=60),
        ]
    ),
)
@settings(max_examples=60, deadline=None)
def test_working_out_changes_alone_gives_what_asking_every_day_gives(
    seed: int, modelled: bool, signed: bool, grid: int, rules: LifeCycleRules
) -> None:
    log = random_log(seed)
    signs = random_signs(seed) if signed else Signs.none(log.n_customers)
    days = np.append(np.arange(START + 3, END, grid), END)
    rhythm, alive = rhythm_of(log, LifeCycleRules().levels), fading if modelled else None
    asked = stepwise.live(log, rhythm, signs, days, alive, rules, START)
    np.testing.assert_array_equal(live(log, rhythm, signs, days, alive, rules, START), asked)
    for ladder in (LadderRules(), LadderRules(client_from=2, quantile=0.75, hold_days=0)):
        np.testing.assert_array_equal(
            climb(log, rhythm, signs, days, ladder), stepwise.climb(log, rhythm, signs, days, ladder)
        )


def test_the_silence_that_ends_a_relationship_is_the_first_gap_beyond_hope() -> None:
    log = merge_days([0, 0, 0, 1], [100, 110, 130, 100], [1, 1, 1, 1], 2)
    gaps = gone_after(log, 40.5, 400, fading)
    assert gaps[[0, 3]].tolist() == [41, 41]  # bought once: beyond the base's pause
    for row, x, t_x in ((1, 1, 10 / 7), (2, 2, 30 / 7)):
        hope = [
            float(fading(np.array([x]), np.array([t_x]), np.array([t_x + gap / 7]))[0])
            for gap in range(int(gaps[row]) + 1)
        ]
        assert hope[-1] < LifeCycleRules().alive_below <= hope[-2]
    assert gone_after(log, np.nan, 131, fading).tolist() == [NEVER] * 4


def test_nobody_is_presumed_gone_who_is_there_by_what_is_served() -> None:
    """Over random bases: of the pause that lasts the served P(alive) decides, whatever the history alone says; pauses
    that have ended are left as they were. Where leaving is not in the data, no pause within the base's is too long."""
    rules = LifeCycleRules()
    for seed in range(5):
        log = random_log(seed)
        plain = gone_after(log, 40.5, END, fading)
        served = np.random.default_rng(seed).random(log.n_customers)
        served[::5] = np.nan
        found = gone_after(log, 40.5, END, fading, served=served)
        ends = np.append(log.customer[1:] != log.customer[:-1], True)
        repeat = np.append(False, log.customer[1:] == log.customer[:-1])
        there = ends & repeat & (served[log.customer] >= rules.alive_below)
        assert there.any() and (found[there] == NEVER).all()
        assert np.array_equal(found[~there], plain[~there])
        unsure = gone_after(log, 40.5, END, fading, told=False)
        assert np.array_equal(unsure, np.maximum(plain, 41)) and (unsure > plain).any()
        assert np.array_equal(gone_after(log, np.nan, END, fading, told=False), gone_after(log, np.nan, END, fading))


@pytest.mark.parametrize("keys", [[], [0], [3, 0, 3, 7, 1, 0], [5, 10**9, 5]])
def test_distinct_histories_ascend_and_are_found_again(keys: list[int]) -> None:
    values, place = _distinct(np.array(keys, np.int64))
    assert values.tolist() == sorted(set(keys))
    assert values[place].tolist() == keys
