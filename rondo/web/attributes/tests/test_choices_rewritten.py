"""Choices merged into one: rules of segments and views follow, told beforehand, in the audit log, and taken back."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from rondo.analysis.segments.actions import change_segment, create_segment, delete_segment, restore_segment
from rondo.analysis.segments.models import Segment
from rondo.customers import actions
from rondo.customers.actions.converting import begin_change, carry_out, take_back_change, try_change
from rondo.errors import StateError
from rondo.foundation import roles
from rondo.foundation.actors import Actor, system
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.models import AuditEntry, User
from rondo.lists.actions import change_view, save_view
from rondo.lists.models import SavedView
from rondo.lists.states import State
from rondo.rules import parse, schema, to_json
from rondo.web.tests.customers_data import make_customer

pytestmark = pytest.mark.django_db
MERGED = {"golden": "gold", "g|old": "gold"}


@pytest.fixture(autouse=True)
def club(installation: Any) -> None:
    """An attribute of three choices, one of them with a bar in it."""
    choices = [{"value": value, "en": value.title(), "de": ""} for value in ("gold", "golden", "g|old", "iron")]
    actions.define_attribute(system(), "club", label_en="Club", type="choice", form="behavioural", choices=choices)
    actions.set_attribute(system(), make_customer("Ann"), "club", "golden")


def merge() -> None:
    target, _number = begin_change(system(), "club", "choice", merged=MERGED)
    carry_out(system(), target.pk, MERGED)


def test_rules_of_segments_follow_and_come_back() -> None:
    written = {
        "told": 'kind = person   and (club in (golden, iron) or linked member (attr.club != "g|old"))',
        "both": "club in (gold, golden)",
        "other": "club = iron",
        "gone": "club = golden",
    }
    for key, text in written.items():
        create_segment(system(), name=key, key=key, text=text)
    delete_segment(system(), "gone")
    rules = {row.key: row.rule for row in Segment.objects.all()}
    told = try_change(system(), "club", "choice", merged=MERGED).rewrites
    assert len(told) == 2 and "“told”" in told[0] and "club = gold" in told[1]
    assert {row.key: row.text for row in Segment.objects.all()} == written  # tried alone
    merge()
    now = {row.key: row.text for row in Segment.objects.all()}
    assert now == {
        "told": "kind = person   and (club in (gold, iron) or linked member (club != gold))",
        "both": "club = gold",
        "other": "club = iron",
        "gone": "club = gold",
    }
    known = schema()
    for row in Segment.objects.all():
        assert row.rule == to_json(parse(row.text, known)), row.key
    assert AuditEntry.objects.filter(verb="segment.changed", record_type="segment").count() == 3
    take_back_change(system(), "club")
    assert {row.key: row.text for row in Segment.objects.all()} == written
    assert {row.key: row.rule for row in Segment.objects.all()} == rules
    restore_segment(system(), "gone")


def test_what_was_changed_since_stays_as_it_is() -> None:
    create_segment(system(), name="a", key="a", text="club = golden")
    create_segment(system(), name="b", key="b", text="club = golden")
    merge()
    change_segment(system(), "a", text="club = gold or kind = person")
    take_back_change(system(), "club")
    assert {row.key: row.text for row in Segment.objects.all()} == {
        "a": "club = gold or kind = person", "b": "club = golden",
    }  # fmt: skip


def test_saved_views_follow_and_come_back(alice: User) -> None:
    actor = Actor(alice, "web")
    own = State(("attr.club:is:golden|gold|g\\|old", "attr.club:not:iron", "attr.club:is"), columns=("attr.club",))
    shared = State(rule="club = golden or value > 5", by="attr.club")
    save_view(actor, "own", own)
    row, _entry = save_view(actor, "all", shared, shared=True)
    assert try_change(system(), "club", "choice", merged=MERGED).rewrites == ["the view “own”", "the view “all”"]
    merge()
    now = {row.name: row.state for row in SavedView.objects.all()}
    assert now["own"].filters == ("attr.club:is:gold", "attr.club:not:iron", "attr.club:is")
    assert (now["own"].columns, now["all"].by, now["all"].rule) == (
        ("attr.club",), "attr.club", "club = gold or value > 5",
    )  # fmt: skip
    change_view(actor, row.key, name="everybody's")
    take_back_change(system(), "club")
    assert {row.state for row in SavedView.objects.all()} == {own, shared}


def test_the_page_and_the_api_tell_beforehand(signed_in: Any, alice: User) -> None:
    create_segment(system(), name="Best", key="best", text="club = golden")
    page = signed_in(alice).get("/settings/attributes/club/merge?into=gold&gone=golden").content.decode()
    assert "the segment “Best”: club = golden → club = gold" in page
    token = make_api_token(system(), alice, "test", scopes=["see", "administer"])
    api = Client(headers={"authorization": f"Bearer {token}"})
    body = {"gone": ["golden"], "into": "gold", "dry_run": True}
    at = "/api/v1/attributes/club/choices/merge"
    told = api.post(at, json.dumps(body), content_type="application/json").json()
    assert told["rewrites"] == ["the segment “Best”: club = golden → club = gold"]
    assert Segment.objects.get().text == "club = golden"
    api.post(at, json.dumps({**body, "dry_run": False}), content_type="application/json")
    assert Segment.objects.get().text == "club = gold"
    assert AuditEntry.objects.get(verb="segment.changed").actor == alice


def test_what_others_keep_to_themselves_is_counted_and_not_named(
    signed_in: Any, make_user: Callable[..., User], bob: User
) -> None:
    """Views that are somebody's own, and segments beyond one's reach: on pages, over the API, in a refusal."""
    roles.change_role(system(), "manager", rights=["see", "segment", "administer"], reaches={"segments": "own"})
    mary = make_user("mary", role="manager")
    for who, name in ((mary, "Mine"), (bob, "Zqfirst"), (bob, "Zqsecond")):
        save_view(Actor(who, "web"), name, State(("attr.club:is:golden",)))
        create_segment(Actor(who, "web") if who == mary else system(), name=name, text="club = golden and orders > 7")
    save_view(Actor(make_user("ann", role="marketing"), "web"), "Open", State(rule="club = golden"), shared=True)
    pages = signed_in(mary)
    token = make_api_token(system(), mary, "test", scopes=["see", "administer"])
    api = Client(headers={"authorization": f"Bearer {token}"})
    body = json.dumps({"gone": ["golden"], "into": "gold", "dry_run": True})
    told = api.post("/api/v1/attributes/club/choices/merge", body, content_type="application/json").json()
    assert told["rewrites"] == [
        "the segment “Mine”: club = golden and orders > 7 → club = gold and orders > 7",
        "2 segments that you do not see", "the view “Mine”", "the view “Open”",
        "2 views that others keep for themselves",
    ]  # fmt: skip
    assert told["used_by"] == [
        "the segment “Mine”", "2 segments that you do not see", "the view “Open”", "the view “Mine”",
        "2 views that others keep for themselves",
    ]  # fmt: skip
    for address in ("/settings/attributes/club/merge?into=gold&gone=golden", "/settings/attributes/club/"):
        page = pages.get(address).content.decode()
        assert "2 segments that you do not see" in page and "Zq" not in page
    with pytest.raises(StateError, match="“Mine”, 2 segments that you do not see") as refused:
        actions.archive_attribute(Actor(mary, "web"), "club")
    assert "Zq" not in str(refused.value)


def test_a_rule_that_is_broken_elsewhere_holds_nothing_up() -> None:
    """A deleted one, say, which names an attribute that was archived since: it stays as it is."""
    actions.define_attribute(system(), "other", label_en="Other", type="number", form="behavioural")
    for key in ("before", "after"):
        create_segment(system(), name=key, key=key, text="club = golden and other = 1")
    delete_segment(system(), "before")
    merge()  # both follow
    take_back_change(system(), "club")
    delete_segment(system(), "after")
    actions.archive_attribute(system(), "other")
    merge()
    assert {row.text for row in Segment.objects.all()} == {"club = golden and other = 1"}
    take_back_change(system(), "club")


def test_the_undo_passes_over_a_rule_that_broke_meanwhile() -> None:
    actions.define_attribute(system(), "other", label_en="Other", type="number", form="behavioural")
    create_segment(system(), name="one", key="one", text="club = golden and other = 1")
    merge()
    delete_segment(system(), "one")
    actions.archive_attribute(system(), "other")
    take_back_change(system(), "club")
    assert Segment.objects.get(key="one").text == "club = gold and other = 1"
