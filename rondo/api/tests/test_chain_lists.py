"""The chain over all customers: order, pages, filters, reach, and a cost that has a bound."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from rondo.api.tests.conftest import Shop
from rondo.api.tests.test_customers import merge, walk
from rondo.customers.models import Source
from rondo.foundation import ids
from rondo.foundation.models import Load, Team, User
from rondo.interactions import listing
from rondo.interactions.models import Interaction, Retraction

pytestmark = pytest.mark.django_db
Clients = Callable[[User], Client]
Days = Callable[[int], datetime]
PARTS = ["orders", "interactions"]


def listed(client: Client, part: str, query: str = "") -> list[str]:
    return [str(row["id"]) for row in walk(client, f"/api/v1/{part}?{query}")]


@pytest.fixture(params=[1, 2, 5, 10_000])
def portion(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """How many interactions a page looks at: whatever it is, the whole list comes to the same."""
    monkeypatch.setattr(listing, "EXAMINED", request.param)
    yield request.param


@pytest.mark.parametrize("limit", [1, 3, 200])
def test_pages_hold_everything_once_newest_first(
    shop: Shop, client_of: Clients, alice: User, days: Days, limit: int, portion: int
) -> None:
    one, two = shop.customer("one"), shop.customer("two")
    rows = [(day, shop.order([one, two][turn % 2], days(day))) for turn, day in enumerate([3, 1, 1, 1, 2, 1, 1])]
    rows.sort(key=lambda pair: (pair[0], pair[1].pk), reverse=True)
    client = client_of(alice)
    assert listed(client, "orders", f"limit={limit}") == [order.public_id for _day, order in rows]
    chain = [order.interaction.public_id for _day, order in rows]
    assert listed(client, "interactions", f"limit={limit}") == chain


def test_filters(shop: Shop, client_of: Clients, alice: User, days: Days, portion: int) -> None:
    row, other = shop.customer("one"), shop.customer("other")
    call = shop.interaction(row, days(0), "call", channel="phone")
    mail = shop.interaction(other, days(1), "enquiry", channel="email", source=Source.objects.create(name="desk"))
    order = shop.order(row, days(2)).interaction
    client = client_of(alice)

    def found(query: str) -> set[int]:
        return {ids.decode(Interaction.PREFIX, key) or 0 for key in listed(client, "interactions", query)}

    assert found("kind=call&kind=enquiry") == {call.pk, mail.pk}
    assert found("channel=phone&channel=email") == {call.pk, mail.pk}
    assert found("source=till") == {order.pk}
    assert found("source=desk&channel=phone") == set()
    assert found(f"customer={row.public_id}") == {call.pk, order.pk}
    assert found("date_from=2017-06-02") == {mail.pk, order.pk}
    assert found("date_to=2017-06-02") == {call.pk, mail.pk}
    assert found("date_from=2017-06-02&date_to=2017-06-02") == {mail.pk}
    assert found("date_from=0001-01-01&date_to=9999-12-31") == {call.pk, mail.pk, order.pk}
    assert listed(client, "orders", f"date_from=2017-06-03&source=till&channel=store&customer={row.public_id}")
    assert not listed(client, "orders", "date_to=2017-06-02")


def test_days_are_business_dates_whatever_the_zone_was(shop: Shop, client_of: Clients, alice: User, days: Days) -> None:
    """At an instant it is the day before in one place, the day after in another."""
    row = shop.customer()
    noon = days(0)
    places = {noon.date() + timedelta(days=shift): shift for shift in (-1, 0, 1)}
    made = {
        day: shop.interaction(row, noon + timedelta(hours=11 * shift), business_date=day)
        for day, shift in places.items()
    }
    for day, interaction in made.items():
        assert listed(client_of(alice), "interactions", f"date_from={day}&date_to={day}") == [interaction.public_id]


@pytest.mark.parametrize("part", PARTS)
def test_reach_decides_what_is_listed_and_found(
    shop: Shop,
    client_of: Clients,
    alice: User,
    bob: User,
    charlie: User,
    part: str,
    portion: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    below = Team.objects.create(name="North-East", parent=bob.team)
    customers = {
        "all": shop.customer("nobody's"),
        "team": shop.customer("team's", team=below),
        "own": shop.customer("his", owner=charlie),
    }
    gone = shop.customer(
        "of a run taken back",
        load=Load.objects.create(kind="customers", file_name="c", fingerprint="x", status="undone"),
    )
    shop.order(gone)
    orders = {key: shop.order(row) for key, row in customers.items()}
    merged = shop.customer("merged", owner=bob)
    merge(merged, customers["own"])
    orders["merged"] = shop.order(merged)
    for few in (200, 0):
        monkeypatch.setattr(listing, "_FEW", few)
        for user, sees in ((alice, {"all", "team", "own", "merged"}), (bob, {"team"}), (charlie, {"own", "merged"})):
            client = client_of(user)
            shown = {
                key: row.public_id if part == "orders" else row.interaction.public_id for key, row in orders.items()
            }
            assert set(listed(client, part)) == {shown[key] for key in sees}
            for key, public_id in shown.items():
                assert client.get(f"/api/v1/{part}/{public_id}").status_code == (200 if key in sees else 404)
            for key, row in customers.items():
                assert (client.get(f"/api/v1/{part}?customer={row.public_id}").status_code == 200) == (key in sees)
    assert {row["customer"] for row in walk(client, f"/api/v1/{part}")} == {customers["own"].public_id}


@pytest.mark.parametrize("part", PARTS)
def test_what_was_retracted_or_taken_back_is_out(
    shop: Shop, client_of: Clients, alice: User, days: Days, part: str
) -> None:
    row = shop.customer()
    wrong, hidden, kept = shop.order(row, days(1)), shop.order(row, days(2)), shop.order(row, days(0))
    Retraction.objects.create(interaction=wrong.interaction, reason="keyed twice")
    load = Load.objects.create(kind="orders", file_name="o.csv", fingerprint="x", status="undone")
    Interaction.objects.filter(pk=hidden.pk).update(load=load)
    client = client_of(alice)
    told = [order.public_id if part == "orders" else order.interaction.public_id for order in (kept, wrong, hidden)]
    assert listed(client, part) == told[:1]
    assert [client.get(f"/api/v1/{part}/{key}").status_code for key in told] == [200, 404, 404]


def test_one_is_told_as_in_the_list(shop: Shop, client_of: Clients, alice: User) -> None:
    order = shop.order(shop.customer())
    note = shop.interaction(order.interaction.customer)
    client = client_of(alice)
    assert walk(client, "/api/v1/orders") == [client.get(f"/api/v1/orders/{order.public_id}").json()]
    assert walk(client, "/api/v1/interactions?kind=note") == [
        client.get(f"/api/v1/interactions/{note.public_id}").json()
    ]
    for address in (f"orders/{ids.encode('o', note.pk)}", f"orders/{note.public_id}", "orders/x", "interactions/%00"):
        assert client.get(f"/api/v1/{address}").status_code == 404


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("customers=c_1", "customers"),
        ("customer=c_1", "customer="),
        ("customer=%00", "customer="),
        ("source=elsewhere", "source="),
        ("source=%00", "source"),
        ("channel=%00", "channel"),
        ("date_from=2017-06-02&date_to=2017-06-01", "date_from"),
        ("date_from=yesterday", "date_from"),
        ("date_from=2017-06-01&date_from=2017-06-02", "date_from"),
        ("cursor=k_63f5aiwm", "cursor"),
        ("limit=201", "limit"),
    ],
)
@pytest.mark.parametrize("part", PARTS)
def test_what_cannot_be_used_is_refused_by_name(
    shop: Shop, client_of: Clients, alice: User, part: str, query: str, named: str
) -> None:
    answer = client_of(alice).get(f"/api/v1/{part}?{query}")
    assert answer.status_code == 422
    assert named in answer.content.decode()


@pytest.mark.parametrize("part", PARTS)
def test_a_longer_page_asks_no_more_often_and_looks_along_the_index(
    shop: Shop, client_of: Clients, alice: User, days: Days, part: str
) -> None:
    """Also far down, among many of one moment: no query sorts or reads the table from its beginning."""
    rows = [shop.customer(), shop.customer()]
    for day in range(40):
        shop.order(rows[day % 2], days(day // 10), lines=2)
    client = client_of(alice)

    def asked(limit: int) -> tuple[int, list[str]]:
        page = client.get(f"/api/v1/{part}?limit=25").json()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            body = client.get(page["next"].replace("limit=25", f"limit={limit}")).json()
        assert len(body["data"]) == limit
        return len(queries), [query["sql"] for query in queries if '"occurred_at"' in query["sql"]]

    (short, _), (long, sql) = asked(2), asked(12)
    assert long == short
    assert len(sql) == 2
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # so few rows it would rather read all of
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
        for statement in sql:
            cursor.execute(("EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN ") + statement)
            plan = "\n".join(str(row) for row in cursor.fetchall())
            assert "interaction_time" in plan, plan
            assert not any(
                word in plan for word in ("TEMP B-TREE", "Sort", "SCAN interactions", "Seq Scan on interactions_i")
            ), plan


def test_a_page_that_passes_few_looks_at_no_more_than_its_portion(
    shop: Shop, client_of: Clients, alice: User, days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is short and has a next one; what lies behind is not touched."""
    monkeypatch.setattr(listing, "EXAMINED", 5)
    row = shop.customer()
    rare = shop.interaction(row, days(0), "visit")
    for day in range(1, 12):
        shop.interaction(row, days(day))
    client = client_of(alice)
    address: str | None = "/api/v1/interactions?kind=visit&limit=3"
    pages = []
    while address:
        body = client.get(address).json()
        pages.append([row["id"] for row in body["data"]])
        address = body["next"]
    assert pages == [[], [], [rare.public_id]]
