"""Changes of customers: every way of writing is told, once a walk, and none is missed when a transaction ends late."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from rondo.api.tests.conftest import Shop
from rondo.customers import actions
from rondo.customers.models import (
    Address,
    AttributeDefinition,
    AttributeValue,
    Consent,
    Customer,
    Identifier,
    Link,
    Merge,
)
from rondo.foundation import change_numbers
from rondo.foundation.actors import system
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.models import Change, Load, Team, User
from rondo.interactions.importing import ImportOptions, run_import, undo

pytestmark = pytest.mark.django_db
Clients = Callable[[User], Client]
ADDRESS = "/api/v1/customers/changes"
ACTOR = system()


def walk(client: Client, cursor: str | None = None, limit: int = 50) -> tuple[list[dict[str, Any]], str]:
    """All rows of a walk, and the cursor that the next one begins with."""
    rows: list[dict[str, Any]] = []
    following: str | None = f"{ADDRESS}?limit={limit}" + (f"&cursor={cursor}" if cursor else "")
    body: dict[str, Any] = {}
    while following:
        response = client.get(following)
        assert response.status_code == 200, response.content
        body = response.json()
        rows += body["data"]
        following = body["next"]
    return rows, body["cursor"]


def told(client: Client, cursor: str) -> dict[str, str]:
    """What the walk from a cursor says: id → state."""
    rows, _cursor = walk(client, cursor)
    assert len({row["id"] for row in rows}) == len(rows)
    return {row["id"]: row["state"] for row in rows}


def table(**columns: list[Any]) -> pa.Table:
    return pa.table(columns)


def person(name: str, **fields: Any) -> Customer:
    return actions.create_customer(ACTOR, name=name, **fields)


def size() -> int:
    """The key of the attribute that changes are tried on."""
    return AttributeDefinition.objects.get(key="size").pk


CHANGES: dict[str, Callable[[Customer], object]] = {
    "name": lambda row: actions.change_customer(ACTOR, row, expected_version=row.version, name="Other"),
    "together told": lambda row: actions.update_customer(ACTOR, row, actions.Given({"language": "de"})),
    "owner": lambda row: actions.assign_owner(ACTOR, row, User.objects.get(email="alice@example.org")),
    "team": lambda row: actions.assign_team(ACTOR, row, Team.objects.create(name="Elsewhere")),
    "identifier": lambda row: actions.add_identifier(ACTOR, row, "email", "new@example.org"),
    "identifier taken": lambda row: actions.remove_identifier(ACTOR, Identifier.objects.get(customer=row).pk),
    "address": lambda row: actions.add_address(ACTOR, row, city="Albany"),
    "address taken": lambda row: actions.remove_address(ACTOR, Address.objects.get(customer=row).pk),
    "attribute": lambda row: actions.set_attribute(ACTOR, row, "size", "3"),
    "attribute taken": lambda row: actions.set_attribute(ACTOR, row, "size", None),
    "cell": lambda row: actions.change_cell(ACTOR, row, "attr.size", "3", seen="2"),
    "cell taken back": lambda row: actions.take_back_cell(
        ACTOR, actions.Edited(row.pk, "attr.size", "7", "2", definition=size())
    ),
    "together": lambda row: actions.change_together(ACTOR, [row.public_id], "attr.size", "5"),
    "together taken back": lambda row: actions.take_back_together(
        ACTOR, actions.Together("attr.size", 2.0, [(row.pk, 5.0)], definition=size())
    ),
    "consent": lambda row: actions.note_consent(ACTOR, row, "email", "withdrawn"),
    "consent taken back": lambda row: actions.take_back_consent(ACTOR, row, Consent.objects.get(customer=row).pk),
    "link": lambda row: actions.link(ACTOR, person("Friend"), row, "referred"),
    "link taken": lambda row: actions.unlink(ACTOR, Link.objects.get(object=row).pk),
    "link made new": lambda row: actions.link_new(ACTOR, row, "member", "Miller household"),
    "household made": lambda row: actions.link_as_household(ACTOR, [row, person("Mate")], "Miller household"),
    "link changed": lambda row: actions.change_link(ACTOR, Link.objects.get(object=row).pk, position="Neighbour"),
    "link put back": lambda row: actions.put_back_link(
        ACTOR, [replace(actions.unlink(ACTOR, Link.objects.get(object=row).pk)[0], position="Neighbour")]
    ),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_every_action_on_a_customer_is_told(client_of: Clients, alice: User, shop: Shop, kind: str) -> None:
    actions.define_attribute(ACTOR, "size", label_en="Size", type="number", form="demographic")
    row = person("Miller", identifiers=[("email", "miller@example.org")])
    actions.add_address(ACTOR, row, city="Boston")
    actions.set_attribute(ACTOR, row, "size", "2")
    actions.link(ACTOR, person("Referrer"), row, "referred")
    actions.note_consent(ACTOR, row, "email", "given")
    client = client_of(alice)
    first, cursor = walk(client)
    assert {entry["customer"]["name"] for entry in first} == {"Miller", "Referrer"}
    before = client.get(f"/api/v1/customers/{row.public_id}").json()
    CHANGES[kind](row)
    assert client.get(f"/api/v1/customers/{row.public_id}").json() != before
    assert told(client, cursor)[row.public_id] == "current"


def test_the_parametrised_changes_are_all_there_are() -> None:
    """A new verb on customers has to join them."""
    definitions = {
        f"{verb}_attribute" for verb in ("define", "new", "change", "take_back", "move", "archive", "restore")
    }
    told_apart = {"create_customer", "take_customer", "holder_of", "merge", "unmerge"} | definitions
    told_apart |= {"put_into_bin", "put_back", "put_back_some", "request_binning", "take_back_made"}
    tried = {name for change in CHANGES.values() for name in change.__code__.co_names}
    verbs = {name for name in actions.__all__ if name.islower()}
    assert verbs - told_apart <= tried


def test_who_went_into_the_bin_is_gone_until_put_back(make_user: Any, shop: Shop) -> None:
    mia = make_user("mia", role="manager", reach="all")
    key = make_api_token(system(), mia, "bin", scopes=["see", "delete"])
    client, row = Client(headers={"authorization": f"Bearer {key}"}), person("One")
    _rows, cursor = walk(client)
    address = f"/api/v1/customers/{row.public_id}"
    assert client.delete(address).status_code == 204 and client.get(address).status_code == 404
    assert told(client, cursor) == {row.public_id: "gone"}
    assert client.post(f"{address}/restore").status_code == 200 and client.get(address).status_code == 200
    assert told(client, cursor) == {row.public_id: "current"}
    assert client.post(f"{address}/restore").status_code == 404


def test_a_merge_and_its_undo_are_told_of_every_record(client_of: Clients, alice: User, shop: Shop) -> None:
    first, second, third = person("One"), person("Two"), person("Three")
    actions.merge(ACTOR, third, second)
    client = client_of(alice)
    rows, cursor = walk(client)
    assert {row["id"]: row["survivor"] for row in rows if row["state"] == "merged"} == {
        third.public_id: second.public_id
    }
    edge = actions.merge(ACTOR, second, first)
    assert told(client, cursor) == {
        first.public_id: "current",
        second.public_id: "merged",
        third.public_id: "merged",
    }
    rows, cursor = walk(client, cursor)
    assert {row["survivor"] for row in rows if row["state"] == "merged"} == {first.public_id}
    actions.unmerge(ACTOR, edge.pk)
    assert told(client, cursor) == {
        first.public_id: "current",
        second.public_id: "current",
        third.public_id: "merged",
    }
    assert Merge.objects.count() == 2


def test_an_import_and_its_undo_are_told_when_they_can_be_seen(client_of: Clients, alice: User, shop: Shop) -> None:
    AttributeDefinition.objects.create(key="size", label_en="Size", type="number", form="demographic")
    old = run_import(ACTOR, "customers", table(external_id=["1", "2", "3"], name=["A", "B", "C"]))
    client = client_of(alice)
    rows, cursor = walk(client)
    ids = {row["customer"]["name"]: row["id"] for row in rows}
    assert set(ids) == {"A", "B", "C"}
    load = run_import(
        ACTOR,
        "customers",
        pa.table(
            {
                "external_id": ["1", "2", "3", "4"],
                "name": ["A", "B", "C2", "D"],
                "email": ["a@example.org", None, None, "d@example.org"],
                "attribute:size": [None, 4.0, None, None],
            }
        ),
        options=ImportOptions(on_match="update"),
    )
    rows, then = walk(client, cursor)
    assert {row["customer"]["name"] for row in rows} == {"A", "B", "C2", "D"}
    again = run_import(
        ACTOR,
        "customers",
        table(external_id=["1", "3"], name=["A", "C3"]),
        options=ImportOptions(on_match="update"),
    )
    assert told(client, then) == {ids["C"]: "current"}, "what did not differ is no change"
    undo(ACTOR, again.pk)
    _rows, then = walk(client, then)
    new = Customer.objects.get(name="D").public_id
    undo(ACTOR, load.pk)
    assert told(client, then) == {ids["A"]: "current", ids["B"]: "current", ids["C"]: "current", new: "gone"}
    _rows, then = walk(client, then)
    run_import(ACTOR, "customers", table(external_id=["4"], name=["D again"]))
    assert told(client, then) == {new: "current"}, "one that comes back is told"
    assert AttributeValue.objects.count() == 0
    assert old.change is not None and Change.objects.get(pk=old.change).at >= old.started_at


def test_customers_that_orders_name_are_told(client_of: Clients, alice: User, shop: Shop) -> None:
    client = client_of(alice)
    _rows, cursor = walk(client)
    columns = {
        "customer": ["77"],
        "order": ["1"],
        "occurred_at": ["2017-01-01"],
        "product": ["1"],
        "quantity": ["1"],
        "total": ["2.00"],
    }
    run_import(ACTOR, "orders", pa.table(columns), {name: name for name in columns})
    assert list(told(client, cursor).values()) == ["current"]


def test_a_running_import_holds_the_walk_back_and_is_told_whole(client_of: Clients, alice: User, shop: Shop) -> None:
    """Its rows are written and not visible: a change by others that came later waits, so that no cursor passes them."""
    client = client_of(alice)
    _rows, cursor = walk(client)
    with transaction.atomic():
        load = Load.objects.create(
            kind="customers", file_name="c", fingerprint="x", status="loading", change=change_numbers.draw()
        )
    imported = shop.customer("imported", load=load, changed_in=load.change)
    other = person("other")
    rows, between = walk(client, cursor)
    assert rows == []
    Load.objects.filter(pk=load.pk).update(status="visible")
    assert told(client, between) == {imported.public_id: "current", other.public_id: "current"}


def test_rows_that_change_during_the_walk_come_once_in_it_and_again_in_the_next(
    client_of: Clients, alice: User, shop: Shop
) -> None:
    made = [person(f"customer {number}") for number in range(7)]
    client = client_of(alice)
    page = client.get(f"{ADDRESS}?limit=3").json()
    seen = [row["id"] for row in page["data"]]
    actions.add_address(ACTOR, made[0], city="Albany")  # given already
    actions.add_address(ACTOR, made[5], city="Albany")  # not yet given
    later = person("later")
    while page["next"]:
        page = client.get(page["next"]).json()
        seen += [row["id"] for row in page["data"]]
    assert len(seen) == len(set(seen))
    rows, _cursor = walk(client, page["cursor"])
    following = [row["id"] for row in rows]
    assert set(following) == {made[0].public_id, made[5].public_id, later.public_id}
    assert set(seen) | set(following) == {row.public_id for row in [*made, later]}


def test_a_walk_may_be_broken_off_and_taken_up_at_any_page(client_of: Clients, alice: User, shop: Shop) -> None:
    made = {person(f"customer {number}").public_id for number in range(5)}
    client = client_of(alice)
    page = client.get(f"{ADDRESS}?limit=2").json()
    rest, _cursor = walk(client, page["cursor"], limit=2)
    assert {row["id"] for row in page["data"] + rest} == made
    assert len(page["data"]) + len(rest) == 5


def test_the_reach_of_the_user_holds_for_changes(client_of: Clients, alice: User, charlie: User, shop: Shop) -> None:
    his = shop.customer("his", owner=charlie)
    hers = shop.customer("hers", owner=alice)
    actions.add_address(ACTOR, hers, city="Albany")
    actions.merge(ACTOR, his, hers)
    rows, _cursor = walk(client_of(charlie))
    assert [(row["id"], row["state"], row["survivor"], row["customer"]) for row in rows] == [
        (his.public_id, "gone", None, None)
    ]


def test_filters_by_time_find_what_an_import_made_and_changed(client_of: Clients, alice: User, shop: Shop) -> None:
    """What counts is when it could be seen first, not when the row was written."""
    client = client_of(alice)
    run_import(ACTOR, "customers", table(external_id=["1", "2"], name=["A", "B"]))
    Customer.objects.update(created_at=timezone.now() - timedelta(hours=2))
    Load.objects.update(started_at=timezone.now() - timedelta(hours=3))
    hour_ago = (timezone.now() - timedelta(hours=1)).isoformat()

    def names(**query: str) -> list[str]:
        return [row["name"] for row in client.get("/api/v1/customers", query).json()["data"]]

    assert names(created_since=hour_ago) == names(changed_since=hour_ago) == ["A", "B"]
    Load.objects.update(finished_at=timezone.now() - timedelta(hours=2))
    Change.objects.update(at=timezone.now() - timedelta(hours=2))
    assert names(created_since=hour_ago) == names(changed_since=hour_ago) == []
    run_import(
        ACTOR, "customers", table(external_id=["1", "2"], name=["A", "B2"]), options=ImportOptions(on_match="update")
    )
    assert names(created_since=hour_ago) == []
    assert names(changed_since=hour_ago) == ["B2"]


@pytest.mark.parametrize("cursor", ["x", "n_", "k_63f5aiwm", "n_2.k_2", ":", "n_22222222.k_22222222:x", "%00"])
def test_a_made_up_cursor_is_refused(client_of: Clients, alice: User, shop: Shop, cursor: str) -> None:
    response = client_of(alice).get(f"{ADDRESS}?cursor={cursor}")
    assert response.status_code == 422
    assert "next" in response.json()["detail"]


@contextmanager
def in_a_transaction_elsewhere(work: Callable[[], object]) -> Iterator[None]:
    """``work`` is done in a transaction of another connection, which ends when the block does."""
    begun, end = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with transaction.atomic():
                work()
                begun.set()
                assert end.wait(120)
        except BaseException as error:
            failed.append(error)
        finally:
            begun.set()
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(120)
    try:
        yield
    finally:
        end.set()
        thread.join(120)
    assert not failed, failed


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_ends_late_is_not_passed_by(client_of: Clients, alice: User, shop: Shop) -> None:
    """It draws its number first and commits last: the walk stops short of it, and the next one has both."""
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite transactions write one after the other")
    early, late = person("early"), person("late")
    client = client_of(alice)
    _rows, cursor = walk(client)
    with in_a_transaction_elsewhere(lambda: actions.add_address(ACTOR, early, city="Albany")):
        actions.add_address(ACTOR, late, city="Boston")
        rows, between = walk(client, cursor)
        assert rows == []
    assert told(client, between) == {early.public_id: "current", late.public_id: "current"}
    assert told(client, cursor) == {early.public_id: "current", late.public_id: "current"}
