"""Who may change and not see is told what they wrote alone; who sees a record no more is not told of it again."""

import json
from collections.abc import Callable

import pytest

from rondo.api.tests.conftest import Shop
from rondo.api.tests.test_customer_writing import ADA, Call, caller
from rondo.customers import actions
from rondo.customers.models import Customer
from rondo.foundation.actors import Actor, system
from rondo.foundation.api_tokens import make_api_token, revoke_api_token, use_api_token
from rondo.foundation.models import ApiToken, AuditEntry, Role, User

pytestmark = pytest.mark.django_db
ORDER = {"source": "till", "number": "1", "lines": [{"product": "1", "total": 5}]}
ITEMS = {"items": [ADA, {**ADA, "given_name": "Eve"}]}


@pytest.fixture
def blind(shop: Shop, alice: User) -> Call:
    """A token that writes and does not read."""
    return caller(alice, "edit", "contact", "import")


def test_a_token_that_may_not_see_is_told_what_it_wrote_and_no_more(blind: Call, shop: Shop) -> None:
    made = blind("POST", "customers", ADA)
    row = Customer.objects.get()
    assert (made.status_code, made.json()) == (201, {"id": row.public_id, "version": row.version})
    assert made.headers["ETag"] and made.headers["Location"].endswith(row.public_id)
    for verb, path, body in (
        ("PATCH", f"customers/{row.public_id}", {"language": "en"}),
        ("POST", f"customers/{row.public_id}/addresses", {"city": "London"}),
        ("POST", "interactions", {"customer": row.public_id, "kind": "note", "title": "Secret"}),
        ("POST", "orders", {"customer": row.public_id, **ORDER}),
        ("POST", f"customers/{row.public_id}/links", {"role": "member", "name": "Kings"}),
        ("POST", "households", {"name": "King household", "members": [row.public_id]}),
    ):
        told = blind(verb, path, body)
        assert told.status_code in (200, 201), (path, told.content)
        said = told.json()
        parts = said.get("data", [said])
        assert all(set(part) == {"id", "version"} for part in parts), (path, said)
    assert blind("GET", f"customers/{row.public_id}").status_code == 403


def test_whose_identifier_it_is_is_told_by_id_to_who_may_not_see(blind: Call, shop: Shop, alice: User) -> None:
    made = blind("POST", "customers", ADA).json()
    refused = blind("POST", "customers", ADA)
    assert refused.status_code == 409
    assert refused.json()["customer"] == {"id": made["id"], "name": ""} and "Ada King" not in refused.content.decode()
    many = blind("POST", "customers/bulk", ITEMS).content.decode()
    assert made["id"] in many and "Ada King" not in many
    assert "Ada King" in caller(alice, "see", "edit")("POST", "customers", ADA).content.decode()


def test_a_kept_answer_is_not_told_again_to_who_sees_the_record_no_more(
    shop: Shop, alice: User, make_user: Callable[..., User]
) -> None:
    dora = make_user("dora", role="sales", reach="own")
    call = caller(dora, "see", "edit")
    mine = {"owner": dora.email}
    first = call("POST", "customers", {**ADA, **mine}, idempotency_key="1")
    many = call("POST", "customers/bulk", ITEMS, idempotency_key="2")
    assert call("POST", "customers", {**ADA, **mine}, idempotency_key="1").json() == first.json()
    assert "Ada King" in call("POST", "customers/bulk", ITEMS, idempotency_key="2").content.decode()
    Customer.objects.update(owner=alice)
    again = call("POST", "customers", {**ADA, **mine}, idempotency_key="1")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert again.json() == {"id": first.json()["id"], "version": 1}
    told = call("POST", "customers/bulk", ITEMS, idempotency_key="2")
    assert "Ada King" not in told.content.decode()
    assert [one["status"] for one in told.json()["data"]] == [one["status"] for one in many.json()["data"]]


def test_a_kept_answer_shows_no_more_than_its_caller_sees_by_now(
    shop: Shop, alice: User, make_user: Callable[..., User]
) -> None:
    """Each of these takes something away; what is given back is told again."""
    dora = make_user("dora", role="sales")
    actions.define_attribute(system(), "rank", label_en="Rank", type="text", form="behavioural")
    call = caller(dora, "see", "edit", "contact", "export")
    customer = {**ADA, "attributes": {"rank": "Countess"}}
    first = call("POST", "customers", customer, idempotency_key="1")
    note = {"customer": first.json()["id"], "kind": "note", "title": "Call", "body": "Prefers mornings"}
    call("POST", "interactions", note, idempotency_key="2")
    call("POST", "customers/bulk", ITEMS, idempotency_key="3")

    def told() -> tuple[bool, bool, bool]:
        answers = [
            call("POST", "customers", customer, idempotency_key="1"),
            call("POST", "interactions", note, idempotency_key="2"),
            call("POST", "customers/bulk", ITEMS, idempotency_key="3"),
        ]
        assert all(one.headers["Idempotent-Replayed"] == "true" for one in answers)
        assert answers[0].json()["id"] == first.json()["id"]
        texts = [one.content.decode() for one in answers]
        return "ada@" in texts[0].lower() and "Countess" in texts[0], "mornings" in texts[1], "Ada King" in texts[2]

    role = Role.objects.get(key="sales")
    was = {"rights": role.rights, "reaches": role.reaches, "masked": role.masked}
    for less in (
        {"masked": ["identifiers"]},
        {"masked": ["notes"]},
        {"rights": [one for one in role.rights if one != "export"]},
        {"reaches": {**role.reaches, "customers": "own"}},
    ):
        assert told() == (True, True, True)
        Role.objects.filter(key="sales").update(**less)
        assert told() == (False, False, False), less
        Role.objects.filter(key="sales").update(**was)
    actions.change_attribute(system(), "rank", visible_to=["manager"])
    assert told() == (False, False, False)
    actions.change_attribute(system(), "rank", visible_to=None)
    assert told() == (True, True, True)


def test_a_token_goes_with_the_one_that_it_was_made_with(shop: Shop, alice: User) -> None:
    first = use_api_token(make_api_token(system(), alice, "first"))
    assert first is not None
    second = use_api_token(make_api_token(Actor(first, "api"), first, "second"))
    assert second is not None
    third = make_api_token(Actor(second, "api"), second, "third")
    other = make_api_token(system(), alice, "other")
    revoke_api_token(Actor(alice, "web"), ApiToken.objects.get(name="first").pk)
    assert use_api_token(third) is None and use_api_token(other) is not None
    assert set(ApiToken.objects.filter(revoked_at=None).values_list("name", flat=True)) == {"other"}
    told = AuditEntry.objects.filter(verb="token.revoked").values_list("changes", flat=True)
    assert [one["token"][0].split()[1] for one in told.order_by("pk")] == ["first", "second", "third"]


def test_what_names_no_source_and_no_currency_of_ours_is_refused_with_its_place(shop: Shop, alice: User) -> None:
    call = caller(alice, "see", "edit", "contact", "import")
    row = shop.customer("Ada")
    actions.define_attribute(system(), "worth", label_en="Worth", type="money", form="behavioural")
    order = {"customer": row.public_id, **ORDER}
    numbers, number = f"customers/{row.public_id}/identifiers", {"kind": "external", "value": "1"}
    note = {"customer": row.public_id, "kind": "note"}
    for verb, path, body, place, words in (
        ("POST", "orders", {**order, "source": "  "}, "body/source", "blanks"),
        ("POST", "interactions", {**note, "source": " ", "message_id": "1"}, "body/source", "blanks"),
        ("POST", numbers, {**number, "source": " "}, "body/source", "blanks"),
        ("POST", "orders", {**order, "currency": "ZZZ"}, "body/currency", "ISO 4217"),
        ("POST", "orders", {**order, "currency": "EUR"}, "body/currency", "USD"),
        ("POST", "interactions", {**note, "amount": {"minor": 1, "currency": "EUR"}}, "body/amount/currency", "USD"),
        ("POST", "interactions", {**note, "amount": {"minor": 1, "currency": "usd"}}, "body/amount/currency", "4217"),
    ):
        told = call(verb, path, body)
        assert told.status_code == 422, (body, told.content)
        (flaw,) = told.json()["errors"]
        assert flaw["pointer"] == place and words in flaw["detail"], flaw
    wrong = call("PATCH", f"customers/{row.public_id}", {"attributes": {"worth": {"minor": 1, "currency": "EUR"}}})
    assert wrong.status_code == 422 and "USD" in json.dumps(wrong.json()["errors"])
    bulk = call("POST", "orders/bulk", {"items": [order, {**order, "number": "2", "source": " "}]}).json()
    assert [one["status"] for one in bulk["data"]] == [201, 422]
    assert call("POST", "orders", {**order, "number": "3", "source": " till "}).json()["source"] == "till"
