"""Segments are changed by actions alone, computed as sets, and keep a ledger of who entered and left."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import transaction

from rondo.analysis.actions import run_analysis
from rondo.analysis.models import Score
from rondo.analysis.segments import ledger, profiles, queries, reasons
from rondo.analysis.segments.actions import (
    add_members,
    change_segment,
    create_segment,
    delete_segment,
    keep_snapshot,
    remove_members,
    restore_segment,
)
from rondo.analysis.segments.jobs import refresh_segment_job, refresh_segments_job
from rondo.analysis.segments.models import Membership, Segment
from rondo.analysis.segments.refreshing import refresh_all, refresh_segment
from rondo.analysis.tests.world import seeded_base
from rondo.customers.actions import merge
from rondo.customers.models import Customer
from rondo.customers.queries import visible
from rondo.errors import InputError, NotFound, PermissionRefused, StateError
from rondo.foundation import roles
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import AuditEntry, User
from rondo.rules import RuleError, SegmentError, compile_q, parse, schema
from rondo.warehouse.tables import open_tables

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def base(module_world: Path) -> None:
    seeded_base(customers=40)
    run_analysis(system())


@pytest.fixture
def people(base: None, world_copy: Path) -> list[Customer]:
    return list(Customer.objects.order_by("pk"))


def keys_of(segment: Segment) -> set[int]:
    return set(ledger.standing_keys(segment).tolist())


def test_a_refresh_records_exactly_whom_the_rule_finds(people: list[Customer], alice: User) -> None:
    segment = create_segment(Actor(alice, "web"), name="Late ones", text="activity = late or orders >= 5")
    assert (segment.key, segment.status) == ("late-ones", "new")
    segment = refresh_segment(system(), "late-ones")
    wanted = {s.pk for s in Score.objects.all() if s.activity == "late" or (s.orders or 0) >= 5}
    assert 0 < len(wanted) < len(people)
    assert keys_of(segment) == wanted and segment.size == len(wanted)
    assert (segment.status, segment.as_of) == ("fresh", queries.day_of_rules())
    last = queries.last_refresh(segment)
    assert last is not None and (last.entered, last.left) == (len(wanted), 0)
    assert last.value == sum(s.value or 0 for s in Score.objects.filter(pk__in=wanted))


def test_only_the_difference_is_written_and_leaving_closes_the_row(people: list[Customer]) -> None:
    segment = create_segment(system(), name="Often", text="orders >= 4")
    refresh_segment(system(), segment.key)
    before = dict(Membership.objects.values_list("customer_id", "pk"))
    segment = refresh_segment(system(), segment.key)
    assert dict(Membership.objects.values_list("customer_id", "pk")) == before
    change_segment(system(), segment.key, expected_version=1, text="orders >= 6")
    segment = refresh_segment(system(), segment.key)
    more = set(Score.objects.filter(orders__gte=6).values_list("pk", flat=True))
    assert keys_of(segment) == more < set(before)
    assert Membership.objects.count() == len(before)
    closed = Membership.objects.filter(left_at__isnull=False)
    assert {row.customer_id for row in closed} == set(before) - more and all(row.left_by_id for row in closed)
    assert [point.size for point in queries.history(_all(), segment)] == [len(before), len(before), len(more)]


def _all() -> Any:
    return User(role_id="administrator", reach="all")


def test_chunks_write_the_same(people: list[Customer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "CHUNK", 7)
    segment = create_segment(system(), name="Everybody", text="everybody")
    segment = refresh_segment(system(), segment.key)
    assert keys_of(segment) == {one.pk for one in people}
    change_segment(system(), segment.key, expected_version=1, text="nobody")
    assert refresh_segment(system(), segment.key).size == 0 and Membership.objects.count() == len(people)


def test_a_failing_rule_is_told_and_keeps_the_members(people: list[Customer]) -> None:
    segment = create_segment(system(), name="Often", text="orders >= 4")
    kept = keys_of(refresh_segment(system(), segment.key))
    Segment.objects.filter(pk=segment.pk).update(
        rule={"version": 1, "rule": {"field": "attr.gone", "op": "known", "values": []}}
    )
    other = create_segment(system(), name="Other", text="orders >= 1")
    assert refresh_all() == 1
    segment.refresh_from_db()
    assert segment.status == "failed" and "attr.gone" in segment.error
    assert keys_of(segment) == kept and segment.size == len(kept)
    other.refresh_from_db()
    assert other.status == "fresh" and other.size > 0
    assert queries.overview(_all())[0].segment == segment


def test_a_refresh_keeps_who_was_put_in_and_taken_out_while_it_ran(
    people: list[Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = create_segment(system(), name="Picked", kind="static")
    stays, goes, comes = people[:3]
    add_members(system(), segment.key, [stays.public_id, goes.public_id])
    profile = profiles.profile

    def meanwhile(*given: Any) -> Any:
        remove_members(system(), segment.key, [goes.public_id])
        add_members(system(), segment.key, [comes.public_id])
        return profile(*given)

    monkeypatch.setattr(profiles, "profile", meanwhile)
    segment = refresh_segment(system(), segment.key)
    assert keys_of(segment) == {stays.pk, comes.pk}
    last = queries.last_refresh(segment)
    assert last is not None and (last.size, last.entered, last.left) == (2, 0, 0)


def test_an_analysis_and_a_change_queue_a_refresh(people: list[Customer]) -> None:
    from django_tasks_db.models import DBTaskResult

    create_segment(system(), name="Often", text="orders >= 4")
    run_analysis(system())
    queued = [row.task_path.rpartition(".")[2] for row in DBTaskResult.objects.all()]
    assert "refresh_segment_job" in queued and "refresh_segments_job" in queued
    assert refresh_segment_job.func("often") == Score.objects.filter(orders__gte=4).count()
    assert refresh_segments_job.func() == 0 and refresh_segment_job.func("gone") == 0


class TestReferences:
    def test_segments_within_segments_follow_what_they_refer_to(self, people: list[Customer]) -> None:
        create_segment(system(), name="Often", text="orders >= 4")
        outer = create_segment(system(), name="All others", text="not in segment often")  # computed before it
        refresh_all()
        assert keys_of(outer) == {s.pk for s in Score.objects.all() if (s.orders or 0) < 4}
        change_segment(system(), "often", expected_version=1, text="orders >= 6")
        refresh_all()
        assert keys_of(outer) == {s.pk for s in Score.objects.all() if (s.orders or 0) < 6}

    def test_circles_are_refused_by_name(self, installation: object) -> None:
        create_segment(system(), name="A", text="orders >= 4")
        create_segment(system(), name="B", text="in segment a")
        with pytest.raises(SegmentError, match="a → b → a"):
            change_segment(system(), "a", expected_version=1, text="in segment b")
        with pytest.raises(SegmentError, match="c → c"):
            create_segment(system(), name="C", text="in segment c")
        with pytest.raises(SegmentError, match="no segment “gone”"):
            create_segment(system(), name="D", text="in segment gone")

    def test_what_others_use_is_not_deleted(self, installation: object) -> None:
        create_segment(system(), name="A", text="orders >= 4")
        create_segment(system(), name="Bees", text="not in segment a")
        with pytest.raises(StateError, match="“Bees”"):
            delete_segment(system(), "a")
        delete_segment(system(), "bees")
        delete_segment(system(), "a")
        assert not queries.standing().exists()
        with pytest.raises(SegmentError, match="no segment “a”"):
            restore_segment(system(), "bees")
        restore_segment(system(), "a")
        assert restore_segment(system(), "bees").retired_at is None

    def test_a_refusal_names_only_segments_that_one_sees(
        self, installation: object, make_user: Callable[..., User]
    ) -> None:
        roles.change_role(system(), "marketing", reaches={"segments": "own"})
        mark = Actor(make_user("mark", role="marketing", reach="all"), "web")
        create_segment(mark, name="A", text="orders >= 4")
        create_segment(mark, name="Bees", text="not in segment a")
        create_segment(system(), name="Zqtheirs", text="in segment a")
        refused = "“Bees”, 1 segment that you do not see; change those first, or ask somebody who sees all"
        with pytest.raises(StateError, match=refused) as told:
            delete_segment(mark, "a")
        assert "Zq" not in str(told.value)
        with pytest.raises(StateError, match="“Bees”, “Zqtheirs”; change those first"):
            delete_segment(system(), "a")

    def test_what_a_rule_asks_of_stays_refers_to_their_segment(self, installation: object) -> None:
        with pytest.raises(SegmentError, match="line 1, column 36: There is no segment “gone”"):
            create_segment(system(), name="Never", text="did not membership where segment = gone")
        create_segment(system(), name="A", text="orders >= 4")
        create_segment(system(), name="Never", text="did not membership where segment = a")
        with pytest.raises(StateError, match="“Never”"):
            delete_segment(system(), "a")
        delete_segment(system(), "never")
        delete_segment(system(), "a")
        with pytest.raises(SegmentError, match="no segment “a”"):
            restore_segment(system(), "never")

    def test_lists_ask_the_ledger(self, people: list[Customer], alice: User) -> None:
        create_segment(system(), name="Often", text="orders >= 4")
        known = schema()
        rule = parse("in segment often and kind = person", known)
        context = queries.list_context(alice)
        assert not visible(alice).filter(compile_q(rule, known, context)).exists()
        refresh_all()
        wanted = set(Score.objects.filter(orders__gte=4).values_list("pk", flat=True))
        for as_set in (False, True):
            found = visible(alice).filter(compile_q(rule, known, context, as_set=as_set))
            assert set(found.values_list("pk", flat=True)) == wanted


class TestStatic:
    def test_members_are_added_and_removed_by_their_ids(self, people: list[Customer], alice: User) -> None:
        actor = Actor(alice, "web")
        segment = create_segment(actor, name="Panel", kind="static")
        three = [one.public_id for one in people[:3]]
        assert add_members(actor, "panel", three) == 3
        assert add_members(actor, "panel", [*three[:1], people[5].public_id]) == 1
        assert remove_members(actor, "panel", three[:2]) == 2
        assert keys_of(segment) == {people[2].pk, people[5].pk}
        assert Membership.objects.filter(left_at__isnull=False).count() == 2
        verbs = list(AuditEntry.objects.filter(record_type="segment").order_by("pk").values_list("verb", flat=True))
        assert verbs == ["segment.created", "segment.members_added", "segment.members_added", "segment.members_removed"]

    def test_a_merged_member_is_stood_for_by_its_survivor(self, people: list[Customer]) -> None:
        segment = create_segment(system(), name="Panel", kind="static")
        add_members(system(), "panel", [people[1].public_id])
        merge(system(), people[0], people[1])
        survivor = visible(None).filter(pk__in=[people[0].pk, people[1].pk]).get()
        refresh_segment(system(), "panel")
        assert keys_of(segment) == {survivor.pk}

    def test_strangers_are_refused(self, people: list[Customer], make_user: Any) -> None:
        dora = make_user("dora", role="marketing", reach="own")
        create_segment(system(), name="Panel", kind="static")
        for text in (people[0].public_id, "c_nobody"):
            with pytest.raises(NotFound, match=text):
                add_members(Actor(dora, "web"), "panel", [text])
        assert not Membership.objects.exists()
        create_segment(system(), name="Ruled", text="everybody")
        with pytest.raises(StateError, match="defined by its rule"):
            add_members(system(), "ruled", [people[0].public_id])


class TestActions:
    def test_the_right_is_needed(self, installation: object, charlie: User) -> None:
        create_segment(system(), name="A", text="everybody")
        actor = Actor(charlie, "web")
        for verb in (
            lambda: create_segment(actor, name="B", text="everybody"),
            lambda: change_segment(actor, "a", expected_version=1, name="B"),
            lambda: delete_segment(actor, "a"),
            lambda: refresh_segment(actor, "a"),
            lambda: add_members(actor, "a", ["c_x"]),
        ):
            with pytest.raises(PermissionRefused):
                verb()

    def test_a_colleagues_change_is_not_overwritten(self, installation: object) -> None:
        create_segment(system(), name="A", text="everybody")
        change_segment(system(), "a", expected_version=1, name="Renamed", form="benefit")
        with pytest.raises(StateError, match="version 1, now it is version 2"):
            change_segment(system(), "a", expected_version=1, name="Mine")
        assert queries.find("a").name == "Renamed"

    def test_what_is_wrong_is_told(self, installation: object) -> None:
        with pytest.raises(RuleError, match="column 1"):
            create_segment(system(), name="A", text="valu >= 3")
        for fields in ({"name": " "}, {"name": "A", "key": "No Key"}, {"name": "A", "form": "x"}):
            with pytest.raises(InputError):
                create_segment(system(), **{"text": "everybody", **fields})
        create_segment(system(), name="A", text="everybody")
        assert create_segment(system(), name="A", text="everybody").key == "a-2"
        with pytest.raises(InputError, match="taken"):
            create_segment(system(), name="A", key="a", text="everybody")


def test_restricted_viewers_count_their_own(people: list[Customer], bob: User, charlie: User) -> None:
    Customer.objects.filter(pk__in=[one.pk for one in people[:10]]).update(owner=charlie)
    segment = create_segment(system(), name="Everybody", text="everybody")
    segment = refresh_segment(system(), segment.key)
    change_segment(system(), segment.key, expected_version=1, text="orders >= 4")
    segment = refresh_segment(system(), segment.key)
    mine = {s.pk for s in Score.objects.filter(pk__in=[one.pk for one in people[:10]], orders__gte=4)}
    seen = queries.sized(charlie, segment)
    assert (seen.size, seen.trend) == (len(mine), [10, len(mine)]) and len(mine) < 10
    assert seen.value == sum(s.value or 0 for s in Score.objects.filter(pk__in=mine))
    assert {row.customer_id for row in queries.movements(charlie, segment, 50)[1]} == {
        one.pk for one in people[:10]
    } - mine
    assert queries.sized(bob, segment).size == 0


def test_the_profile_finds_what_the_members_have_more_of(people: list[Customer]) -> None:
    """Told is what the rule does not say itself, whether directly or by another segment, and nothing twice."""
    create_segment(system(), name="Often", text="orders >= 4")
    segment = create_segment(system(), name="The same", text="in segment often")
    named = add_members_of(refresh_segment(system(), "often"))
    for row in (refresh_segment(system(), segment.key), refresh_segment(system(), "often")):
        last = queries.last_refresh(row)
        assert last is not None and last.profile and "orders" not in {one["field"] for one in last.profile}
    last = queries.last_refresh(refresh_segment(system(), named.key))  # by name: there is no rule to say it
    assert last is not None
    one = next(one for one in last.profile if one["above"] is not None and one["low"] > 0)
    known = dict(Score.objects.values_list("pk", one["field"]))
    values = {key: value for key, value in known.items() if value is not None}
    members = keys_of(named)
    middle = float(np.median(list(values.values())))
    inside = [value > middle for key, value in values.items() if key in members]
    outside = [value > middle for key, value in values.items() if key not in members]
    assert one["inside"] == pytest.approx(np.mean(inside)) and one["outside"] == pytest.approx(np.mean(outside))
    assert 0 < one["low"] < one["inside"] - one["outside"] < one["high"] <= 1
    with open_tables() as tables:
        close = profiles.alike(schema(), tables)
    assert "orders" in close["purchase_days"] and "purchase_days" in close["orders"]
    figures = [one["field"] for one in last.profile if one["above"] is not None]
    assert not [(a, b) for a in figures for b in figures if b in close[a]]
    assert "orders" in figures or close["orders"] & set(figures)


def add_members_of(segment: Segment) -> Segment:
    """A segment by name of the members of another."""
    made = create_segment(system(), name=f"{segment.name} by name", kind="static")
    add_members(system(), made.key, [one.public_id for one in Customer.objects.filter(pk__in=keys_of(segment))])
    return made


class TestWhy:
    """Why somebody is in a segment, why they came and why they left."""

    def test_each_part_is_told_with_what_was_found(self, people: list[Customer]) -> None:
        row = create_segment(system(), name="Often", text="orders >= 4 and did purchase within 9999 days")
        refresh_all()
        row.refresh_from_db()
        for score in Score.objects.all():
            told = reasons.explain(row, [score.pk], schema())
            assert told is not None and told.holds == (score.pk in keys_of(row)) == told.parts[0].holds
            assert told.parts[0].found == score.orders and told.parts[1].found.count == score.orders

    def test_the_cause_of_each_turn_is_kept(self, people: list[Customer], alice: User) -> None:
        inner = create_segment(system(), name="Inner", text="orders >= 4")
        row = create_segment(system(), name="Outer", text="in segment inner")
        refresh_all()
        who = sorted(keys_of(row))[0]

        def causes() -> list[tuple[str, str | None]]:
            course = reasons.stays(row, [who], schema())
            return [(stay.entered.cause, stay.left.cause if stay.left else None) for stay in course]

        assert causes() == [("first", None)]
        change_segment(system(), "inner", expected_version=inner.version, text="orders >= 99999")
        refresh_all()
        assert causes() == [("first", "rule")]
        with transaction.atomic():  # as an analysis would bring it about
            ledger.apply_members(Segment.objects.get(pk=row.pk), date(2024, 1, 1), [who], [])
        assert causes() == [("data", None), ("first", "rule")]

    def test_a_snapshot_stays_as_it_was(self, people: list[Customer], alice: User) -> None:
        row = create_segment(system(), name="Often", text="orders >= 4")
        with pytest.raises(StateError, match="not computed yet"):
            keep_snapshot(system(), "often")
        refresh_all()
        before = keys_of(row)
        kept = keep_snapshot(system(), "often")
        change_segment(system(), "often", expected_version=1, text="orders >= 99999")
        refresh_all()
        assert keys_of(kept) == before and not keys_of(row)
        assert kept.kind == "static"
        assert [stay.entered.cause for stay in reasons.stays(kept, [min(before)], schema())] == ["hand"]
