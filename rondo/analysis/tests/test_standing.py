"""A run says where every customer stands: as in docs/standing.md, the same in blocks, in every table that shows it."""

import re
from dataclasses import replace
from datetime import date, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rondo.analysis import standing, thresholds
from rondo.analysis.actions import run_analysis
from rondo.analysis.modelling import day_number
from rondo.analysis.models import History, Score
from rondo.analysis.queries import current_run, figures, stages_of
from rondo.analysis.ruled import CHOICES
from rondo.analysis.signs import CUT_OFF_DAYS
from rondo.analysis.standing import RUNGS, STAGES, TYPES, follow, grid_of
from rondo.analysis.studies.actions import answer_study, request_study
from rondo.analysis.tests.world import START, customer, purchase, purchases, seeded_base, seeded_log
from rondo.customers.models import Customer
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import User
from rondo.interactions.models import Interaction
from rondo.science.standing import NEVER, LifeCycleRules, Signs, Spans, Stage
from rondo.science.standing.lifecycle import gone_after
from rondo.science.summary import merge_days
from rondo.warehouse.tables import open_tables

DOCUMENT = Path(__file__).parents[3] / "docs" / "standing.md"


def test_pages_rules_and_science_name_the_same_states() -> None:
    assert tuple(key for key, _label in CHOICES["ladder"]) == RUNGS
    assert tuple(key for key, _label in CHOICES["stage"]) == STAGES
    assert tuple(key for key, _label in CHOICES["relationship"]) == TYPES


def test_the_worked_table_of_the_document() -> None:
    """Each line of the table: purchase days and sums, a day to look from, the rung and the stage then."""
    text = DOCUMENT.read_text(encoding="utf-8").split("## Worked table")[1]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    assert len(lines) >= 8
    start = date(2024, 1, 1)
    people = {}
    complaints: dict[str, list[tuple[int, int]]] = {}
    notice: dict[str, list[int]] = {}
    cancelled: dict[str, list[int]] = {}
    for name, first, every, until, once, complained, answered, gave, left, _seen, _rung, _stage in lines[2:]:
        days: list[date] = []
        if first != "none":
            days = [date.fromisoformat(first)]
            while every != "none" and days[-1] + timedelta(days=int(every)) <= date.fromisoformat(until):
                days.append(days[-1] + timedelta(days=int(every)))
            days += [date.fromisoformat(day) for day in re.findall(r"\d{4}-\d\d-\d\d", once)]
        people[name] = days
        begins, ends, notice[name], cancelled[name] = (
            [day_number(date.fromisoformat(day)) for day in re.findall(r"\d{4}-\d\d-\d\d", cell)]
            for cell in (complained, answered, gave, left)
        )
        complaints[name] = list(zip_longest(begins, ends, fillvalue=NEVER))
    names = list(people)
    codes = np.repeat(np.arange(len(names)), [len(days) for days in people.values()])
    log = merge_days(codes, [day_number(d) for days in people.values() for d in days], None, len(names))
    signs = Signs.none(len(names))
    interest = signs.interest.copy()
    interest[names.index("Eva")] = day_number(date(2024, 2, 1))
    spans = [(code, *span) for code, name in enumerate(names) for span in complaints[name]]
    said = [
        Spans.of(*np.array([(code, day, NEVER) for code, name in enumerate(names) for day in days[name]]).T)
        for days in (cancelled, notice)
    ]
    complained_of = Spans.of(*np.array(spans).T)
    signs = replace(signs, interest=interest, complaints=complained_of, cancelled=said[0], notice=said[1])
    for name, *_rest, seen, rung, stage in lines[2:]:
        day = day_number(date.fromisoformat(seen))
        known = log.day <= day
        part = merge_days(log.customer[known], log.day[known], log.spend[known], len(names))
        found = follow(np.arange(1, len(names) + 1), part, signs, day)
        code = names.index(name)
        got = (RUNGS[found.ladder.last[code]], STAGES[found.stages.last[code]])
        assert got == (rung, stage), (name, start)


def test_the_table_of_who_is_presumed_gone() -> None:
    text = DOCUMENT.read_text(encoding="utf-8").split("### Presumed gone")[1].split("## ")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    assert len(lines) > 8
    for kind, after, told, served, pause, gone in lines[2:]:

        def alive(_x: Any, t_x: Any, age: Any, days: int = int(after)) -> Any:
            return np.where(np.rint((age - t_x) * 7) >= days, 0.1, 0.9)

        days = [100, *([110] if kind == "repeat" else []), *([300] if pause == "ended" else [])]
        log = merge_days([0] * len(days), days, None, 1)
        found = gone_after(log, 60.0, 900, alive, None, np.array([float(served)]), told=told == "yes")
        wanted = NEVER if gone == "never" else int(gone)
        assert found[1 if kind == "repeat" else 0] == wanted, (kind, after, told, served, pause)


def test_who_came_back_after_having_been_presumed_gone_is_counted() -> None:
    """Counted one by one over a random base, in one block and in several."""
    log = seeded_log()
    ids = np.arange(log.n_customers)
    found = follow(ids, log, Signs.none(ids.size), 320)
    days = {code: log.day[log.customer == code] for code in ids.tolist()}
    entered = [
        (int(code), int(day))
        for part in found.stages.ledger
        for code, day, after in zip(part.customer, part.day, part.after, strict=True)
        if STAGES[after] == "termination" and day <= 320 - standing.BACK_DAYS
    ]
    came = sum(bool(((days[code] > day) & (days[code] <= day + standing.BACK_DAYS)).any()) for code, day in entered)
    assert 0 < came < len(entered)
    assert found.came_back == standing.CameBack(len(entered), came)
    # Who said so was not presumed.
    code = entered[0][0]
    left = replace(Signs.none(ids.size), cancelled=Spans.of(*np.array([[code, 0, NEVER]]).T))
    assert follow(ids, log, left, 320).came_back.presumed == len(entered) - sum(one == code for one, _day in entered)


def test_who_came_back_is_counted_by_the_history_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is spared now by what is served would have been presumed gone then: no purchase has followed."""
    log = seeded_log()
    ids = np.arange(log.n_customers)

    def alive(_x: Any, t_x: Any, age: Any) -> Any:
        return np.where((age - t_x) * 7 >= 30, 0.1, 0.9)

    plain = follow(ids, log, Signs.none(ids.size), 500, alive)
    served = np.where(ids % 2 == 0, 0.9, np.nan)
    for block in (20_000, 7):
        monkeypatch.setattr(standing, "_BLOCK", block)
        spared = follow(ids, log, Signs.none(ids.size), 500, alive, served=served)
        presumed = [
            sum((part.after == Stage.TERMINATION).sum() for part in one.stages.ledger) for one in (plain, spared)
        ]
        assert presumed[1] < presumed[0]
        assert spared.came_back == plain.came_back and plain.came_back.came > 0


def test_blocks_of_customers_stand_as_all_do_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    log = seeded_log()
    ids = np.arange(100, 100 + log.n_customers)
    whole = follow(ids, log, Signs.none(ids.size), 320)
    monkeypatch.setattr(standing, "_BLOCK", 7)
    blocks = follow(ids, log, Signs.none(ids.size), 320)
    assert blocks.came_back == whole.came_back
    for one, other in ((whole.ladder, blocks.ladder), (whole.stages, blocks.stages)):
        assert (one.last == other.last).all() and (one.since == other.since).all()
        assert (one.counts == other.counts).all() and one.moves is not None and (one.moves == other.moves).all()
    assert whole.histories().equals(blocks.histories())
    as_rows = [[row for batch in found.ledger() for row in batch.to_pylist()] for found in (whole, blocks)]
    assert as_rows[0] == as_rows[1] and len(as_rows[0]) == whole.entries


def test_a_very_large_base_is_read_every_fourth_week_before_the_last_half_year() -> None:
    assert (np.diff(grid_of(0, 1000, 100)[:-1]) == 7).all()
    coarse = grid_of(0, 1000, 10_000_000)
    assert coarse[-1] == 1000 and set(np.diff(coarse[-20:-1])) == {7} and np.diff(coarse[:20]).min() == 28


@pytest.mark.django_db
def test_a_run_says_it_of_everybody_everywhere_alike() -> None:
    seeded_base()
    idle, asking = customer("Idle"), customer("Asking")
    Interaction.objects.create(
        customer=asking,
        kind="mail",
        direction="inbound",
        initiative="pull",
        medium="owned",
        channel="mail",
        occurred_at="2023-03-05T10:00:00Z",
        business_date="2023-03-05",
    )
    run_analysis(system())
    run = current_run()
    assert run is not None
    found = run.results["standing"]
    n = Score.objects.count()
    for name, part in (("ladder", "rungs"), ("stage", "stages")):
        assert sum(one["customers"] for one in found[part]) == n
        assert sum(one["value"] for one in found[part]) == run.results["visible_value"]
        for one in found[part]:
            assert one["customers"] == Score.objects.filter(**{name: one["key"]}).count()
    assert (Score.objects.get(pk=idle.pk).ladder, Score.objects.get(pk=idle.pk).stage) == ("suspect", "before")
    assert (Score.objects.get(pk=asking.pk).ladder, Score.objects.get(pk=asking.pk).stage) == ("prospect", "initiation")
    assert stages_of(asking.pk) == [(date(2023, 1, 1), "before"), (date(2023, 3, 5), "initiation")]
    assert found["weekly"][-1]["stages"] == [one["customers"] for one in found["stages"]]
    assert found["weekly"][-1]["day"] == run.as_of.isoformat() == found["moves"]["until"]
    assert [sum(column) for column in zip(*found["moves"]["customers"], strict=True)] == found["weekly"][-1]["stages"]
    assert History.objects.count() == n
    with open_tables() as tables:
        ledger = tables.arrow(tables.standing.order_by("scale", "customer_id", "day")).to_pylist()
    for scale in ("ladder", "stage"):
        last = {row["customer_id"]: row for row in ledger if row["scale"] == scale}
        assert {key: row["after"] for key, row in last.items()} == dict(Score.objects.values_list("pk", scale))
    first: dict[tuple[str, int], Any] = {}
    for row in ledger:
        assert (row["before"] is None) == ((row["scale"], row["customer_id"]) not in first)
        first.setdefault((row["scale"], row["customer_id"]), row)
    for score in Score.objects.exclude(stage_since=None):
        row = next(r for r in reversed(ledger) if r["customer_id"] == score.pk and r["scale"] == "stage")
        assert row["day"] == score.stage_since


@pytest.mark.django_db
def test_who_was_there_when_the_data_began_is_no_new_customer() -> None:
    people = [customer(f"C{n}") for n in range(6)]
    for person in people[:5]:
        for day in (2, 12, 22, 32, 42):
            purchase(person, date(2024, 1, 1) + timedelta(days=day))
    purchase(people[5], date(2024, 1, 1) + timedelta(days=2 + CUT_OFF_DAYS))
    run_analysis(system())
    old, new = Score.objects.get(pk=people[1].pk), Score.objects.get(pk=people[5].pk)
    assert (old.stage, old.stage_since) == ("maturity", None)
    assert new.stage == "socialisation" and new.stage_since is not None


@pytest.mark.django_db
def test_open_complaints_endanger_and_later_ones_leave_the_past_as_it_was(alice: User) -> None:
    ann, bob = customer("Ann"), customer("Bob")
    purchases((one, START + timedelta(days=10 * turn), 1000) for one in (ann, bob) for turn in range(36))

    def said(who: Customer, kind: str, day: int, answers: Interaction | None = None) -> Interaction:
        on = START + timedelta(days=day)
        row: Interaction = Interaction.objects.create(
            customer=who,
            kind=kind,
            channel="email",
            direction="outbound" if answers else "inbound",
            initiative="push" if answers else "pull",
            medium="owned",
            occurred_at=f"{on}T10:00:00Z",
            business_date=on,
            in_response_to=answers,
        )
        return row

    first = said(ann, "complaint", 200)
    run_analysis(system(), START + timedelta(days=224))
    early = stages_of(ann.pk)
    assert early[-1] == (date(2023, 7, 30), "endangered") and stages_of(bob.pk)[-1][1] == "maturity"
    said(ann, "email_out", 230, first)
    said(ann, "email_out", 240, first)
    said(ann, "complaint", 330)
    said(bob, "complaint", 345)
    said(bob, "email_in", 300)
    gone, going, only = customer("Gus"), customer("Ivo"), customer("Uwe")
    purchases((one, START + timedelta(days=10 * turn), 1000) for one in (gone, going) for turn in range(34))
    said(gone, "notice", 300)
    said(gone, "cancellation", 340)
    said(going, "notice", 340)
    said(only, "cancellation", 320)
    run_analysis(system(), START + timedelta(days=350))
    # The answer that came closed it, the second complaint opened another span, and what was known before stands.
    assert stages_of(ann.pk) == [*early, (date(2023, 9, 17), "maturity"), (date(2023, 12, 10), "endangered")]
    assert stages_of(bob.pk)[-1][1] == "maturity"  # complained within the days that the rule has to hold
    assert [stage for _day, stage in stages_of(gone.pk)][-2:] == ["decline", "termination"]
    assert {one: Score.objects.get(pk=one.pk).stage for one in (ann, going, only)} == {
        ann: "endangered",
        going: "decline",
        only: "before",  # a word of leaving is no sign of interest
    }
    wanted = thresholds.Thresholds(life_cycle=LifeCycleRules(complaint_days=5))
    study = answer_study(request_study(Actor(alice, "web"), thresholds.KIND, config=wanted.to_dict()).pk)
    assert (study.status, study.results["scales"]["stage"]["moved"]) == ("done", 1), study.error


@pytest.mark.django_db
def test_restricted_viewers_get_counts_of_their_own_customers(bob: User, charlie: User, alice: User) -> None:
    people = seeded_base(customers=40, days=200)
    Customer.objects.filter(pk__in=[one.pk for one in people[:15]]).update(owner=charlie)
    run_analysis(system())
    found, whole = figures(charlie), figures(alice)
    assert found is not None and whole is not None
    own = found["standing"]
    assert sum(one["customers"] for one in own["rungs"]) == 15 == sum(one["customers"] for one in own["stages"])
    assert own["weekly"] == [] and own["moves"] is None
    assert len(whole["standing"]["weekly"]) > 20


def test_nobody_stands_nowhere() -> None:
    found = follow(np.empty(0, np.int64), merge_days([], [], [], 0), Signs.none(0), 500)
    assert found.entries == 0 and found.histories().num_rows == 0 and NEVER not in found.grid
