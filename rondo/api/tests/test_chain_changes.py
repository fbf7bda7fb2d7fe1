"""Changes of the chain: every way of writing is told once a walk, and none is missed however transactions end."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from django.db import connection, transaction
from django.test import Client

from rondo.api.tests.conftest import Shop
from rondo.api.tests.test_changes import in_a_transaction_elsewhere
from rondo.customers import actions as customers
from rondo.customers.models import Customer
from rondo.foundation import change_numbers
from rondo.foundation.actors import system
from rondo.foundation.models import Load, User
from rondo.interactions import changed
from rondo.interactions.actions import log_interaction, restore, retract
from rondo.interactions.importing import run_import, undo
from rondo.interactions.models import Interaction, Order

pytestmark = pytest.mark.django_db
Clients = Callable[[User], Client]
ACTOR = system()
PART = "interactions"


@pytest.fixture(autouse=True, params=[2, 10_000])
def portion(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many interactions a page looks at: whatever it is, the walk comes to the same."""
    monkeypatch.setattr(changed, "EXAMINED", request.param)
    monkeypatch.setattr(changed, "_BATCH", min(request.param, 500))


def walk(client: Client, cursor: str | None = None, part: str = PART, query: str = "limit=3") -> tuple[list[Any], str]:
    """All rows of a walk, and the cursor that the next one begins with."""
    rows: list[Any] = []
    following: str | None = f"/api/v1/{part}/changes?{query}" + (f"&cursor={cursor}" if cursor else "")
    body: dict[str, Any] = {}
    while following:
        response = client.get(following)
        assert response.status_code == 200, response.content
        body = response.json()
        rows += body["data"]
        following = body["next"]
    assert len({row["id"] for row in rows}) == len(rows), "each once a walk"
    return rows, body["cursor"]


def told(client: Client, cursor: str | None, part: str = PART) -> dict[str, str]:
    """What the walk from a cursor says: id → state."""
    rows, _cursor = walk(client, cursor, part)
    field = part.rstrip("s")
    assert all((row["state"] == "current") == (row[field] is not None) for row in rows)
    assert all(row[field] is None or row[field]["id"] == row["id"] for row in rows)
    return {row["id"]: row["state"] for row in rows}


def orders(*numbers: str, customer: str = "77") -> Load:
    count = len(numbers)
    columns = {
        "customer": [customer] * count,
        "order": list(numbers),
        "occurred_at": ["2017-01-01"] * count,
        "product": ["1"] * count,
        "quantity": ["1"] * count,
        "total": ["2.00"] * count,
    }
    return run_import(ACTOR, "orders", pa.table(columns), {name: name for name in columns})


def orders_of(load: Load) -> list[Order]:
    return list(Order.objects.filter(load_id=load.pk).order_by("pk"))


def test_what_is_logged_retracted_and_put_back_is_told(client_of: Clients, alice: User, shop: Shop) -> None:
    row = shop.customer()
    client = client_of(alice)
    first, second = (log_interaction(ACTOR, row, "note", title=title) for title in ("one", "two"))
    rows, cursor = walk(client)
    assert [entry["interaction"]["title"] for entry in rows] == ["one", "two"]
    assert told(client, cursor) == {}
    retract(ACTOR, first, "wrong")
    assert told(client, cursor) == {first.public_id: "gone"}
    again = restore(ACTOR, first)
    assert told(client, cursor) == {first.public_id: "gone", again.public_id: "current"}
    assert told(client, None) == {
        second.public_id: "current",
        first.public_id: "gone",
        again.public_id: "current",
    }


def test_an_import_and_its_undo_are_told(client_of: Clients, alice: User, shop: Shop) -> None:
    client = client_of(alice)
    old = orders("1", "2", "3")
    rows, cursor = walk(client, part="orders")
    assert [entry["order"]["number"] for entry in rows] == ["1", "2", "3"]
    assert all(len(entry["order"]["lines"]) == 1 for entry in rows)
    new = orders("4", "5", "6", "7")
    assert told(client, cursor, "orders") == {row.public_id: "current" for row in orders_of(new)}
    chain = {row.interaction.public_id: "current" for row in [*orders_of(old), *orders_of(new)]}
    assert told(client, None) == chain
    _rows, cursor = walk(client)
    undo(ACTOR, old.pk)
    assert told(client, cursor) == {row.interaction.public_id: "gone" for row in orders_of(old)}
    assert told(client, None) == chain | {row.interaction.public_id: "gone" for row in orders_of(old)}


def test_a_row_of_an_import_that_is_retracted_comes_with_what_changed_last(
    client_of: Clients, alice: User, shop: Shop
) -> None:
    """Once in a walk: after the import alone, after its retraction with that, after the undo with the whole run."""
    client = client_of(alice)
    load = orders("1", "2", "3")
    first, second, third = (row.interaction for row in orders_of(load))
    _rows, cursor = walk(client)
    retract(ACTOR, second, "wrong")
    rows, then = walk(client)
    assert [(row["id"], row["state"]) for row in rows] == [
        (first.public_id, "current"),
        (third.public_id, "current"),
        (second.public_id, "gone"),
    ]
    assert told(client, cursor) == {second.public_id: "gone"}
    undo(ACTOR, load.pk)
    assert told(client, then) == dict.fromkeys((first.public_id, second.public_id, third.public_id), "gone")


def test_kinds_narrow_the_walk(client_of: Clients, alice: User, shop: Shop) -> None:
    client = client_of(alice)
    bought = orders("1", "2", "3")
    row = Customer.objects.get()
    note = log_interaction(ACTOR, row, "note", title="x")
    log_interaction(ACTOR, row, "call", title="y")
    assert [row["id"] for row in walk(client, query="kind=note")[0]] == [note.public_id]
    assert len(walk(client, query="kind=note&kind=purchase&limit=1")[0]) == 4
    assert [row["id"] for row in walk(client, part="orders")[0]] == [row.public_id for row in orders_of(bought)]


def test_a_walk_misses_nothing_while_rows_are_added(client_of: Clients, alice: User, shop: Shop) -> None:
    """Between any two pages something is logged, retracted, imported or taken back; a copy that follows is right."""
    client = client_of(alice)
    row = shop.customer("of the house")
    notes = [log_interaction(ACTOR, row, "note", title=str(number)) for number in range(4)]
    loads = [orders("1", "2", "3")]
    meanwhile: list[Callable[[], object]] = [
        lambda: log_interaction(ACTOR, row, "note", title="later"),
        lambda: retract(ACTOR, notes[0], "given already"),
        lambda: retract(ACTOR, notes[3], "perhaps not yet given"),
        lambda: loads.append(orders("4", "5", "6")),
        lambda: retract(ACTOR, orders_of(loads[0])[1].interaction, "one of an import"),
        lambda: undo(ACTOR, loads[0].pk),
        lambda: log_interaction(ACTOR, row, "call", title="last"),
    ]
    copy: dict[str, dict[str, Any]] = {}
    cursor: str | None = None
    while meanwhile:
        following: str | None = "/api/v1/interactions/changes?limit=2" + (f"&cursor={cursor}" if cursor else "")
        while following:
            body = client.get(following).json()
            for entry in body["data"]:
                if entry["state"] == "current":
                    copy[entry["id"]] = entry["interaction"]
                else:
                    copy.pop(entry["id"], None)
            cursor, following = body["cursor"], body["next"]
            if meanwhile:
                meanwhile.pop(0)()
    rows, _cursor = walk(client, cursor)
    for entry in rows:
        copy.pop(entry["id"], None)
        if entry["state"] == "current":
            copy[entry["id"]] = entry["interaction"]
    listed = client.get("/api/v1/interactions?limit=200").json()["data"]
    assert copy == {entry["id"]: entry for entry in listed}
    assert len(copy) == 2 + 1 + 3 + 1


def test_a_running_import_holds_the_walk_back_and_is_told_whole(client_of: Clients, alice: User, shop: Shop) -> None:
    """Its number was drawn first: a note that came later waits, so that no cursor passes the import."""
    client = client_of(alice)
    row = shop.customer()
    _rows, cursor = walk(client)
    with transaction.atomic():
        load = Load.objects.create(
            kind="orders", file_name="o", fingerprint="x", status="loading", change=change_numbers.draw()
        )
    imported = shop.order(row).interaction
    Interaction.objects.filter(pk=imported.pk).update(load=load)
    load.spans = {"interactions_interaction": [imported.pk, imported.pk]}
    later = log_interaction(ACTOR, row, "note", title="later")
    rows, between = walk(client, cursor)
    assert rows == []
    with transaction.atomic():
        load.status = "visible"
        load.save()
        changed.note_load(load, load.change)
    assert told(client, between) == {imported.public_id: "current", later.public_id: "current"}


def test_the_reach_of_the_user_holds(client_of: Clients, alice: User, charlie: User, shop: Shop) -> None:
    his, hers = shop.customer("his", owner=charlie), shop.customer("hers", owner=alice)
    mine = log_interaction(ACTOR, his, "note", title="his")
    log_interaction(ACTOR, hers, "note", title="hers")
    orders("1", "2", "3")
    client = client_of(charlie)
    rows, cursor = walk(client)
    assert [(row["id"], row["interaction"]["customer"]) for row in rows] == [(mine.public_id, his.public_id)]
    customers.merge(ACTOR, his, hers)
    retract(ACTOR, mine, "wrong")
    assert told(client, cursor) == {}
    assert walk(client)[0] == []


def test_a_customer_that_went_with_its_import_takes_its_orders_along(
    client_of: Clients, alice: User, shop: Shop
) -> None:
    """The run that brought both is taken back: whoever followed is told that the orders are gone."""
    client = client_of(alice)
    load = orders("1", "2", customer="new")
    _rows, cursor = walk(client)
    undo(ACTOR, load.pk)
    assert not client.get("/api/v1/customers").json()["data"]
    assert set(told(client, cursor).values()) == {"gone"}
    assert len(told(client, cursor)) == 2


@pytest.mark.parametrize("cursor", ["x", "n_", "k_63f5aiwm", "n_2.k_2", ":", "%00"])
@pytest.mark.parametrize("part", ["orders", "interactions"])
def test_a_made_up_cursor_is_refused(client_of: Clients, alice: User, shop: Shop, part: str, cursor: str) -> None:
    assert client_of(alice).get(f"/api/v1/{part}/changes?cursor={cursor}").status_code == 422
    assert client_of(alice).get(f"/api/v1/{part}/changes?since=2017-01-01").status_code == 422


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_ends_late_is_not_passed_by(client_of: Clients, alice: User, shop: Shop) -> None:
    """It draws its number first and commits last: the walk stops short of it, and the next one has both."""
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite transactions write one after the other")
    row = shop.customer()
    client = client_of(alice)
    _rows, cursor = walk(client)
    with in_a_transaction_elsewhere(lambda: log_interaction(ACTOR, row, "note", title="early")):
        log_interaction(ACTOR, row, "note", title="late")
        rows, between = walk(client, cursor)
        assert rows == []
    assert [entry["interaction"]["title"] for entry in walk(client, between)[0]] == ["early", "late"]
