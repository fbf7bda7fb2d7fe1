"""Bonds and types of relationship: the worked tables of docs/standing.md, and what holds over random histories."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rondo.errors import InputError
from rondo.science import merge_days
from rondo.science.standing import (
    Attachment,
    BondRules,
    Confidence,
    Contacts,
    Relation,
    RelationshipRules,
    Rung,
    Sign,
    Signs,
    climb,
    relate,
    rhythm_of,
    weekly_grid,
)
from rondo.science.standing import bonds as science
from rondo.science.standing.history import NEVER
from rondo.science.summary import PurchaseDays
from rondo.science.tests.test_standing import END, START, random_log

pytestmark = pytest.mark.once
EPOCH = date(1970, 1, 1)
NAMES = {one.name.lower(): one for one in Relation}


def table(title: str) -> list[dict[str, str]]:
    """The lines of the worked table under a heading, by column."""
    text = (Path(__file__).parents[3] / "docs" / "standing.md").read_text(encoding="utf-8")
    part = text.split(f"### {title}\n")[1].split("\n## ")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line[:1] == "|"]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[2:]]


def test_the_worked_table_of_bonds() -> None:
    rows = table("Example of bonds")
    assert len(rows) > 5

    def column(name: str) -> npt.NDArray[np.float64]:
        return np.array([np.nan if row[name] == "none" else float(row[name]) for row in rows])

    def whole(name: str) -> npt.NDArray[np.int64]:
        return column(name).astype(np.int64)

    rules = BondRules()
    days = whole("days at stores")
    found = {
        "local": science.local(whole("days at main store"), days, rules),
        "contractual": science.contractual(column("contract ends in (days)"), column("notice (months)"), rules),
        # Fay buys where no store is named, and Ben too rarely.
        "economic": science.economic(whole("saved"), whole("paid"), np.where(days == 4, 4, 10), rules),
        "technical": science.technical(column("products"), rules),
        "emotional": science.emotional(column("commitment"), column("promoter"), column("member"), rules),
    }
    for name, scores in found.items():
        told = ["none" if np.isnan(score) else f"{score:.2f}" for score in scores]
        assert told == [row[name] for row in rows], name
    held = science.attached(found["contractual"], found["economic"], found["emotional"], rules)
    assert [Attachment(one).name.lower() for one in held] == [row["attachment"] for row in rows]


def day_number(text: str) -> int:
    return (date.fromisoformat(text) - EPOCH).days


def test_the_worked_table_of_types() -> None:
    rows = table("Example of types")
    assert {row["type"] for row in rows} == set(NAMES)
    seen, spoken = day_number("2024-12-31"), day_number("2024-11-01")
    who, when, contacts = [], [], []
    for code, row in enumerate(rows):
        days = [date.fromisoformat(row["first purchase"])]
        while row["every (days)"] != "none" and str(days[-1] + timedelta(int(row["every (days)"]))) <= row["until"]:
            days.append(days[-1] + timedelta(int(row["every (days)"])))
        who += [code] * len(days)
        when += [(day - EPOCH).days for day in days]
        names = ("complaints", "unprompted", "our words", "sent", "answered", "recommended")
        for sign, name in zip(Sign, names, strict=True):
            contacts += [(code, sign)] * int(row[name])
    log = merge_days(who, when, None, len(rows))
    answer = np.array([NAMES.get(row["survey"], Relation.UNKNOWN) for row in rows], np.uint8)
    met = Contacts(
        np.array([code for code, _sign in contacts]),
        np.full(len(contacts), spoken),
        np.array([sign for _code, sign in contacts], np.uint8),
        answer,
        np.where(answer > 0, spoken, NEVER),
        np.array([row["kind"] == "organisation" for row in rows]),
        np.zeros(len(rows), bool),
        spoken,
    )
    grid = weekly_grid(int(log.day.min()), seen)
    rungs = climb(log, rhythm_of(log), Signs.none(len(rows)), grid)
    found = relate(log, rungs, met, grid)
    told = [
        (Relation(kind).name.lower(), Confidence(sure).name.lower())
        for kind, sure in zip(found.types[-1], found.confidence, strict=True)
    ]
    assert told == [(row["type"], row["confidence"]) for row in rows]
    # Where nobody's own contacts are recorded, that there are none says less.
    unheard = relate(log, rungs, replace(met, recorded_from=NEVER), grid)
    assert (Relation(unheard.types[-1][0]), Confidence(unheard.confidence[0])) == (Relation.EXCHANGE, Confidence.LOW)


def random_contacts(seed: int, customers: int) -> Contacts:
    """Contacts of all kinds, few for most customers and many for some; some were asked."""
    rng = np.random.default_rng(seed)
    parts = []
    for sign in Sign:
        often = rng.choice([0, 1, 4, 9], customers)
        parts.append(np.column_stack((np.repeat(np.arange(customers), often), np.full(often.sum(), sign))))
    rows = np.concatenate(parts)
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    answer = np.where(rng.random(customers) < 0.2, rng.integers(1, len(Relation), customers), 0).astype(np.uint8)
    return Contacts(
        rows[:, 0],
        rng.integers(START - 100, END, len(rows)),
        rows[:, 1].astype(np.uint8),
        answer,
        np.where(answer > 0, rng.integers(START, END, customers), NEVER).astype(np.int64),
        rng.random(customers) < 0.4,
        rng.random(customers) < 0.3,
        START + 50,
    )


SHORT = RelationshipRules(
    window_days=120, exchange_from=2, offers=2, answered=0.4, fling_from=2, fling_silence=40, survey_days=150
)


def fitting(log: PurchaseDays, rung: int, met: Contacts, code: int, day: int, rules: RelationshipRules) -> Relation:
    """The rules of docs/standing.md read line by line, for one customer on one day."""
    asked = 0 <= day - met.answered_on[code] < rules.survey_days
    if met.answer[code] and asked:
        return Relation(met.answer[code])
    mine = met.customer == code
    days = log.day[(log.customer == code) & (log.day <= day)]
    seen = {
        sign: int(((day - met.day[mine & (met.sign == sign)] >= 0)
                   & (day - met.day[mine & (met.sign == sign)] < rules.window_days)).sum())
        for sign in Sign
    }  # fmt: skip
    own, bought = seen[Sign.COMPLAINT] + seen[Sign.UNPROMPTED], days.size > 0
    if bought and seen[Sign.COMPLAINT] >= rules.demands:
        return Relation.MASTER_SERVANT
    if bought and seen[Sign.UNPROMPTED] >= rules.contacts and seen[Sign.REFERRED]:
        return Relation.BEST_FRIENDS
    both = seen[Sign.UNPROMPTED] + seen[Sign.TALK]
    if bought and met.organisation[code] and seen[Sign.UNPROMPTED] and seen[Sign.TALK] and both >= rules.partner_talks:
        return Relation.PARTNER
    if bought and seen[Sign.UNPROMPTED] >= rules.contacts and not seen[Sign.COMPLAINT]:
        return Relation.BUDDIES
    short = days.size >= rules.fling_from and days[-1] - days[0] < rules.fling_days
    if short and day - days[-1] >= rules.fling_silence and not met.cut_off[code]:
        return Relation.FLING
    recent = int((day - days < rules.window_days).sum())
    quiet = seen[Sign.SENT] >= rules.offers and seen[Sign.ANSWERED] <= rules.answered * seen[Sign.SENT]
    if rung >= Rung.CLIENT and recent >= rules.exchange_from and quiet and own <= rules.few:
        return Relation.EXCHANGE
    return Relation.UNKNOWN


@given(seed=st.integers(0, 100_000), rules=st.sampled_from([RelationshipRules(), SHORT]))
@settings(max_examples=12, deadline=None)
def test_every_customer_has_one_type_that_changes_only_after_its_rule_has_held(
    seed: int, rules: RelationshipRules
) -> None:
    """Against the rules asked one by one: exhaustive, disjoint, with hysteresis; an answer counts at once."""
    customers = 12
    log, met = random_log(seed, customers), random_contacts(seed, customers)
    grid = np.append(np.arange(START + 3, END, 14), END)
    rungs = climb(log, rhythm_of(log), Signs.none(customers), grid)
    found = relate(log, rungs, met, grid, rules)
    assert np.isin(found.types, list(Relation)).all()
    assert ((found.confidence == Confidence.NONE) == (found.types[-1] == Relation.UNKNOWN)).all()
    for code in range(customers):
        state, pending, since = Relation.UNKNOWN, Relation.UNKNOWN, 0
        for number, day in enumerate(grid.tolist()):
            rule = fitting(log, rungs[number, code], met, code, day, rules)
            asked = met.answer[code] > 0 and 0 <= day - met.answered_on[code] < rules.survey_days
            if rule != pending or not number:
                pending, since = rule, day
            if not number or asked or day - since >= rules.hold_days:
                state = rule
            assert Relation(found.types[number, code]) == state, (code, day)


def test_what_comes_later_does_not_move_the_types_of_the_past() -> None:
    log, met = random_log(7), random_contacts(7, 60)
    grid = weekly_grid(START, END)
    rungs = climb(log, rhythm_of(log), Signs.none(60), grid)
    whole = relate(log, rungs, met, grid, SHORT)
    assert set(np.unique(whole.types)) == set(Relation)  # else nothing would be proved
    past = grid[grid <= START + 300]
    kept = met.day <= START + 300
    early = replace(met, customer=met.customer[kept], day=met.day[kept], sign=met.sign[kept])
    seen = log.day <= START + 300
    known = merge_days(log.customer[seen], log.day[seen], log.spend[seen], 60)
    again = relate(known, rungs[: past.size], early, past, SHORT)
    np.testing.assert_array_equal(again.types, whole.types[: past.size])


def test_nobody_has_an_unknown_type() -> None:
    log, grid = merge_days([], [], [], 3), np.array([10, 17])
    rungs = np.zeros((2, 3), np.uint8)
    found = relate(log, rungs, Contacts.none(3), grid)
    assert (found.types == Relation.UNKNOWN).all() and (found.confidence == Confidence.NONE).all()
    with pytest.raises(InputError, match="rungs"):
        relate(log, rungs[:1], Contacts.none(3), grid)
    with pytest.raises(InputError, match="contacts"):
        relate(log, rungs, Contacts.none(2), grid)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (lambda: BondRules(weak=0.7), "has to lie below strong"),
        (lambda: BondRules(full_months=0), "full_months: 0"),
        (lambda: BondRules(full_saving=1.2), r"full_saving: 1\.2"),
        (lambda: RelationshipRules(answered=0), "answered: 0"),
        (lambda: RelationshipRules(fling_from=1), "fling_from: 1"),
        (lambda: RelationshipRules(few=-1), "few: -1"),
        (lambda: RelationshipRules(demands=0), "demands: 0"),
    ],
)
def test_a_senseless_threshold_is_named(rules: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        rules()  # type: ignore[operator]
