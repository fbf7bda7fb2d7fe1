"""Customers are made and changed by program: once, in the version that was seen, and each of many with its result."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from rondo.api.problems import MEDIA_TYPE
from rondo.api.tests.conftest import Shop
from rondo.customers import actions
from rondo.customers.models import AttributeDefinition, Customer, Identifier
from rondo.foundation import api_answers
from rondo.foundation.actors import Actor, system
from rondo.foundation.api_rates import Meter
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.models import ApiAnswer, ApiToken, AuditEntry, Team, User

pytestmark = pytest.mark.django_db
Call = Callable[..., Any]
ADA: dict[str, Any] = {
    "given_name": "Ada",
    "family_name": "King",
    "identifiers": [{"kind": "email", "value": "Ada@rondo-crm.de"}],
}


def caller(user: User, *scopes: str) -> Call:
    """Sends a request with a token of the user."""
    token = make_api_token(system(), user, "writing", scopes=scopes or ("see", "edit", "contact", "import"))
    client = Client(raise_request_exception=False, headers={"authorization": f"Bearer {token}"})

    def call(method: str, path: str, body: Any = None, **headers: str) -> Any:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.generic(method, f"/api/v1/{path}", json.dumps(body or {}), "application/json", headers=given)

    return call


def state_of(answer: Any) -> str:
    """The state in the ETag of an answer, without what it shows."""
    return str(answer.headers["ETag"]).partition("-")[0] + '"'


@pytest.fixture
def call(shop: Shop, alice: User) -> Call:
    return caller(alice)


def test_a_customer_is_made_with_everything_and_told_with_version_and_address(call: Call, alice: User) -> None:
    actions.define_attribute(
        system(), "tags", label_en="Tags", type="multi", form="behavioural",
        choices=[{"value": "vip", "en": "VIP", "de": "VIP"}, {"value": "press", "en": "Press", "de": "Presse"}],
    )  # fmt: skip
    Team.objects.create(name="North")
    more = {
        "owner": alice.email,
        "team": "North",
        "attributes": {"tags": ["vip"]},
        "addresses": [{"city": "London", "country": "GB"}],
        "consents": [{"channel": "email", "state": "given", "source": "form"}],
    }
    numbers = [{"kind": "external", "value": "77", "source": "shop"}, {"kind": "phone", "value": "020 7946 0958"}]
    made = call("POST", "customers", {**ADA, **more, "identifiers": ADA["identifiers"] + numbers})
    assert made.status_code == 201, made.content
    told = made.json()
    assert made.headers["Location"] == f"/api/v1/customers/{told['id']}"
    assert (told["name"], told["owner"]["email"], told["team"]) == ("Ada King", alice.email, "North")
    assert {(one["kind"], one["value"]) for one in told["identifiers"]} == {
        ("email", "ada@rondo-crm.de"), ("external", "77"), ("phone", "+442079460958"),
    }  # fmt: skip
    assert [one["value"] for one in told["attributes"]] == [["vip"]]
    assert (told["addresses"][0]["city"], told["consents"][0]["state"]) == ("London", "given")
    assert made.headers["ETag"] == state_of(call("GET", f"customers/{told['id']}"))
    assert set(AuditEntry.objects.filter(record_type="customer").values_list("door", "actor")) >= {("api", alice.pk)}
    row = Customer.objects.get()
    change = {"add": {"tags": ["press"]}, "language": "en", "owner": None}
    changed = call("PATCH", f"customers/{told['id']}", change, if_match=made.headers["ETag"])
    assert changed.status_code == 200, changed.content
    assert changed.json()["attributes"][0]["value"] == ["vip", "press"] and changed.json()["owner"] is None
    for part, field in (("identifiers", "shown"), ("addresses", "city")):
        for one in told[part]:
            assert call("DELETE", f"customers/{told['id']}/{part}/{one['id']}").status_code == 200, field
    assert not Identifier.objects.filter(customer=row).exists()
    undone = call("POST", f"customers/{told['id']}/consents/{told['consents'][0]['id']}/undo")
    assert undone.json()["consents"] == []


def test_whom_an_identifier_belongs_to_already_is_refused_named_updated_or_left(call: Call, shop: Shop) -> None:
    first = call("POST", "customers", ADA).json()
    again = {**ADA, "language": "en", "identifiers": [{"kind": "email", "value": " ADA@rondo-crm.de"}]}
    refused = call("POST", "customers", again)
    assert (refused.status_code, refused.headers["Content-Type"]) == (409, MEDIA_TYPE)
    assert refused.json()["customer"] == {"id": first["id"], "name": "Ada King"}
    left = call("POST", "customers", {**again, "on_duplicate": "skip"})
    assert (left.status_code, left.json()["language"]) == (200, "")
    updated = call("POST", "customers", {**again, "on_duplicate": "update"})
    assert (updated.status_code, updated.json()["id"], updated.json()["language"]) == (200, first["id"], "en")
    another = call("POST", "customers", {**again, "on_duplicate": "create"})
    assert another.status_code == 201 and another.json()["identifiers"] == []
    bobs = caller(User.objects.create_user("bo@example.org", role="sales", reach="own"), "see", "edit")
    hidden = bobs("POST", "customers", {**again, "on_duplicate": "update"})
    assert hidden.status_code == 409 and "customer" not in hidden.json() and first["id"] not in str(hidden.content)


def test_many_have_a_result_each_and_one_that_is_refused_leaves_the_others_alone(call: Call, shop: Shop) -> None:
    known = call("POST", "customers", ADA).json()
    stale = call("GET", f"customers/{known['id']}").headers["ETag"]
    call("PATCH", f"customers/{known['id']}", {"language": "de"})
    items: list[Any] = [
        {"name": "One"},
        {"name": "Two", "birth_date": "nonsense", "shoe": 1},
        {**ADA, "language": "en"},
        {"id": known["id"], "if_match": stale, "name": "Lost"},
        {"id": "c_none", "name": "Nobody"},
        {"name": "Half", "identifiers": [{"kind": "email", "value": "half@rondo-crm.de"}], "attributes": {"none": "1"}},
        {"name": "Last", "identifiers": [{"kind": "email", "value": "half@rondo-crm.de"}]},
    ]
    body = {"items": items, "on_duplicate": "update"}
    answer = call("POST", "customers/bulk", body)
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert [one["status"] for one in told["data"]] == [201, 422, 200, 412, 404, 404, 201]
    assert [one["index"] for one in told["data"]] == list(range(7)) and (told["done"], told["refused"]) == (3, 4)
    assert {one["pointer"] for one in told["data"][1]["problem"]["errors"]} == {"birth_date", "shoe"}
    assert set(Customer.objects.values_list("name", "language")) == {("One", ""), ("Ada King", "en"), ("Last", "")}
    nobody = call("POST", "customers/bulk", {"items": [{"identifiers": [{"kind": "card", "value": "77"}]}],
                                             "on_duplicate": "update", "on_missing": "refuse"})  # fmt: skip
    assert nobody.json()["data"][0]["status"] == 404
    many = call("POST", "customers/bulk", {"items": [{"name": "x"}] * 1001})
    assert many.status_code == 422 and many.json()["errors"][0]["pointer"] == "body/items"
    assert call("POST", "customers/bulk", {"items": [{"name": "x" * 11_000_000}]}).status_code == 413


def test_a_change_of_another_version_is_refused_with_the_one_that_stands(call: Call, shop: Shop) -> None:
    made = call("POST", "customers", ADA)
    path, seen = f"customers/{made.json()['id']}", made.headers["ETag"]
    actions.add_address(system(), made.json()["id"], city="Boston")
    for method, where, body in (
        ("PATCH", path, {"language": "en"}),
        ("POST", f"{path}/addresses", {"city": "Albany"}),
    ):
        refused = call(method, where, body, if_match=seen)
        assert refused.status_code == 412, refused.content
        assert refused.json()["etag"] == refused.headers["ETag"] == state_of(call("GET", path)) != seen
    assert call("PATCH", path, {"language": "en"}, if_match=f'"other", {refused.headers["ETag"]}').status_code == 200
    assert call("PATCH", path, {"language": "de"}, if_match="*").status_code == 200
    assert call("PATCH", path, {"language": "de"}, if_match="W/").status_code == 422
    assert Customer.objects.get().language == "de"


def test_a_request_with_a_key_is_carried_out_once_and_answered_the_same(call: Call, shop: Shop) -> None:
    first = call("POST", "customers", {"name": "Once"}, idempotency_key="k1")
    again = call("POST", "customers", {"name": "Once"}, idempotency_key='"k1"')
    assert (again.status_code, again.content) == (201, first.content)
    assert [again.headers[name] for name in ("ETag", "Location")] == [
        first.headers[name] for name in ("ETag", "Location")
    ]
    assert "Idempotent-Replayed" not in first.headers and again.headers["Idempotent-Replayed"] == "true"
    other = call("POST", "customers", {"name": "Twice"}, idempotency_key="k1")
    assert other.status_code == 422 and "k1" in other.json()["detail"]
    assert call("POST", "customers", {}, idempotency_key="k2").status_code == 422, "what failed leaves the key free"
    assert call("POST", "customers", {"name": "Now"}, idempotency_key="k2").status_code == 201
    assert call("POST", "customers", {"name": "x"}, idempotency_key="ä" * 9).status_code == 422
    api_answers.forget_what_was_said()
    gone = call("POST", "customers", {"name": "Once"}, idempotency_key="k1")
    assert gone.status_code == 409 and not ApiAnswer.objects.exclude(body="").exists()
    ApiAnswer.objects.update(at="2017-01-01T00:00:00Z")
    assert call("POST", "customers", {"name": "Once"}, idempotency_key="k1").json()["id"] != first.json()["id"]
    assert Customer.objects.count() == 3


def together(work: Callable[[], int], times: int = 4) -> list[int]:
    """What ``work`` returns in so many threads that begin at once."""
    begin, found = threading.Barrier(times), []

    def run() -> None:
        try:
            begin.wait(60)
            found.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return sorted(found)


@pytest.mark.django_db(transaction=True)
def test_at_once_one_key_makes_one_one_version_lets_one_through_and_one_identifier_is_one_customers(
    alice: User, shop: Shop
) -> None:
    """In each round four clients send at the same moment. No change is lost, and nobody is told of our failure."""
    call = caller(alice)
    statuses = together(lambda: call("POST", "customers", {"name": "Once"}, idempotency_key="k").status_code)
    assert statuses == [201] * 4 and Customer.objects.filter(name="Once").count() == 1
    path = f"customers/{Customer.objects.get(name='Once').public_id}"
    seen = call("GET", path).headers["ETag"]
    names = iter("abcd")
    changed = together(lambda: call("PATCH", path, {"name": next(names)}, if_match=seen).status_code)
    assert changed == [200, 412, 412, 412]
    assert together(lambda: call("POST", "customers", ADA).status_code) == [201, 409, 409, 409]
    told = {**ADA, "identifiers": [{"kind": "card", "value": "4711"}], "on_duplicate": "update"}
    assert together(lambda: call("POST", "customers", told).status_code) == [200, 200, 200, 201]
    assert Customer.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_processes_count_the_calls_of_a_token_together(alice: User, settings: Any) -> None:
    """Four meters stand for as many processes: together they let through no more than the limit, and nearly that."""
    make_api_token(system(), alice, "busy")
    token = ApiToken.objects.get()
    meters = iter([Meter() for _ in range(4)])

    def use_up() -> int:
        meter = next(meters)
        return sum(meter.take(token, 100, 600.0 + n / 10).allowed for n in range(60))

    assert 85 <= sum(together(use_up)) <= 100
    later = Meter().take(token, 100, 661.0)
    assert later.allowed and later.remaining == 99
    settings.RONDO_API_RATE = 2
    call = caller(alice, "see")
    first, second, refused = (call("GET", "customers") for _ in range(3))
    assert [first.headers["RateLimit-Remaining"], second.headers["RateLimit-Remaining"]] == ["1", "0"]
    assert refused.status_code == 429 and refused.headers["Content-Type"] == MEDIA_TYPE
    assert refused.headers["Retry-After"] == refused.headers["RateLimit-Reset"]
    assert first.headers["RateLimit-Policy"] == "2;w=60"


def test_what_changes_needs_the_right_and_the_scope(shop: Shop, alice: User, charlie: User) -> None:
    refused = caller(alice, "see")("POST", "customers", ADA)
    assert (refused.status_code, refused.json()["scope"]) == (403, "edit")
    assert AttributeDefinition.objects.count() == 0 and Customer.objects.count() == 0


def test_an_item_found_by_its_identifiers_is_held_to_the_version_it_names(call: Call) -> None:
    made = call("POST", "customers", ADA)
    seen = made.headers["ETag"]
    item = {"identifiers": ADA["identifiers"], "if_match": seen, "language": "en"}
    assert call("PATCH", f"customers/{made.json()['id']}", {"language": "de"}).status_code == 200
    stale = call("POST", "customers/bulk", {"items": [item], "on_duplicate": "update"}).json()
    assert stale["data"][0]["status"] == 412 and Customer.objects.get().language == "de"
    item["if_match"] = stale["data"][0]["problem"]["etag"]
    assert call("POST", "customers/bulk", {"items": [item], "on_duplicate": "update"}).json()["done"] == 1


def test_who_sees_only_their_own_gives_a_customer_away_and_is_told_what_was_done(shop: Shop, alice: User) -> None:
    bob = User.objects.create_user("bo@example.org", role="sales", reach="own")
    call, north = caller(bob, "see", "edit"), Team.objects.create(name="North")
    address = {"addresses": [{"city": "London"}]}
    made = call("POST", "customers", {"name": "New", "owner": alice.email, "team": "North", **address})
    assert (made.status_code, made.json()["owner"]["email"], len(made.json()["addresses"])) == (201, alice.email, 1)
    mine = shop.customer("Mine", owner=bob)
    given = call("PATCH", f"customers/{mine.public_id}", {"owner": None, "team": "North", "language": "de"})
    assert (given.status_code, given.json()["owner"], given.json()["team"]) == (200, None, "North")
    mine.refresh_from_db()
    assert (mine.owner_id, mine.team_id, mine.language) == (None, north.pk, "de")
    assert call("GET", f"customers/{mine.public_id}").status_code == 404


def test_a_token_makes_none_that_outlives_it(shop: Shop, alice: User) -> None:
    made = caller(alice, "see")("POST", "profile/tokens", {"name": "long", "days": 3650})
    assert made.status_code == 200
    own, longer = ApiToken.objects.order_by("pk")
    assert longer.name == "long" and longer.expires_at == own.expires_at


def test_a_token_that_waits_to_reserve_requests_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    slow, quick = ApiToken(pk=1, token_hash="a"), ApiToken(pk=2, token_hash="b")
    waits, goes_on = threading.Event(), threading.Event()

    def reserve(token_id: int, minute: int, limit: int) -> tuple[int, int]:
        if token_id == slow.pk:
            waits.set()
            goes_on.wait(5)
        return 1, 0

    monkeypatch.setattr("rondo.foundation.api_rates._reserve", reserve)
    meter = Meter()
    done: list[int] = []
    first = threading.Thread(target=lambda: done.append(meter.take(slow, 10).allowed))
    second = threading.Thread(target=lambda: done.append(meter.take(quick, 10).remaining))
    first.start()
    assert waits.wait(5)
    second.start()
    second.join(2)
    assert done == [0]
    goes_on.set()
    first.join(5)
    assert done == [0, True]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", [{}, {"idempotency_key": "k"}])
def test_many_are_done_in_portions(
    shop: Shop, alice: User, monkeypatch: pytest.MonkeyPatch, key: dict[str, str]
) -> None:
    """Others write between two portions; what was done before a call ends without an answer stays."""
    call = caller(alice)
    monkeypatch.setattr("rondo.api.bulk.PORTION", 2)
    monkeypatch.setattr("rondo.api.bulk._PAUSE", 0.0)
    real = actions.take_customer

    def take(who: Actor, given: Any, **more: Any) -> Any:
        if given.fields["given_name"] == "Fifth":
            raise RuntimeError("nobody foresaw this")
        return real(who, given, **more)

    monkeypatch.setattr("rondo.api.v1.customer_writing.actions.take_customer", take)
    items = {"items": [{"given_name": name} for name in ("First", "Second", "Third", "Fourth", "Fifth", "Sixth")]}
    assert call("POST", "customers/bulk", items, **key).status_code == 500
    assert list(Customer.objects.order_by("pk").values_list("name", flat=True)) == [
        "First",
        "Second",
        "Third",
        "Fourth",
    ]
    other = {"items": items["items"][:4]}
    refused = call("POST", "customers/bulk", other, idempotency_key="k").status_code
    assert refused == (422 if key else 200), "a key that something was done under is of that request"


def test_a_customer_is_made_with_few_queries_and_told_of_in_order(call: Call, shop: Shop) -> None:
    def item(number: int) -> dict[str, Any]:
        numbers = [
            {"kind": "email", "value": f"ada{number}@rondo-crm.de"},
            {"kind": "external", "value": f"4711{number}", "source": "till"},
        ]
        consents = [{"channel": "email", "state": "given"}]
        address = {"street": f"Main Street {number}", "city": "London", "country": "GB"}
        return {"given_name": "Ada", "identifiers": numbers, "addresses": [address, address], "consents": consents}

    def queries(first: int, count: int) -> int:
        with CaptureQueriesContext(connection) as asked:
            told = call("POST", "customers/bulk", {"items": [item(first + place) for place in range(count)]})
        assert told.json()["done"] == count
        return len(asked)

    queries(0, 1)
    assert queries(30, 12) - queries(10, 2) <= 10 * 34
    row = Customer.objects.order_by("pk").first()
    assert row is not None
    told = AuditEntry.objects.filter(record_type="customer", record_id=row.pk).order_by("pk")
    assert [one.verb for one in told] == [
        "customer.created", "identifier.added", "identifier.added", "address.added", "consent.noted",
    ]  # fmt: skip
    assert told.last().changes == {"consent.email.marketing": ["unknown", "given"]}  # type: ignore[union-attr]
    assert row.changed_in and Customer.objects.filter(changed_in=row.changed_in).count() == 1


def test_a_customer_who_is_there_is_looked_up_once_not_for_each_part(call: Call, shop: Shop) -> None:
    """A list brought anew, with nothing changed: what each item asks the database."""

    def item(number: int, **more: Any) -> dict[str, Any]:
        mail = {"kind": "email", "value": f"ada{number}@rondo-crm.de"}
        known = {"kind": "external", "value": f"K-{number}", "source": "shop"}
        return {"given_name": "Ada", "identifiers": [mail, known], "addresses": [{"city": "London"}], **more}

    def queries(count: int, **more: Any) -> int:
        items = [item(number, **more) for number in range(count)]
        with CaptureQueriesContext(connection) as asked:
            told = call("post", "customers/bulk", {"on_duplicate": "update", "items": items}).json()
        assert told["done"] == count
        return len(asked)

    queries(12)
    asked = queries(12) - queries(2)
    assert asked <= 10 * 26, asked / 10
    assert Customer.objects.count() == 12 and Identifier.objects.count() == 24
    queries(12, language="en")
    assert set(Customer.objects.values_list("language", "version")) == {("en", 2)}


def test_of_two_consents_about_the_same_the_later_holds(call: Call) -> None:
    consents = [
        {"channel": "email", "state": "given", "at": "2017-03-01T12:00:00Z"},
        {"channel": "email", "state": "withdrawn", "at": "2017-02-01T12:00:00Z"},
    ]
    assert call("POST", "customers", {**ADA, "consents": consents}).status_code == 201
    told = AuditEntry.objects.filter(verb="consent.noted").order_by("pk").values_list("changes", flat=True)
    assert [one["consent.email.marketing"] for one in told] == [["unknown", "given"], ["given", "given"]]
