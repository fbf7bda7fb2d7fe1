"""One change to the selected customers: all or none, audited each, and undone field by field where it still stands."""

import re
from typing import Any

import pytest

from rondo.customers.actions import assign_owner, change_attribute, define_attribute, merge, set_attribute
from rondo.customers.models import AttributeValue, Customer
from rondo.customers.queries import survivor_id
from rondo.foundation.actors import system
from rondo.foundation.models import AuditEntry
from rondo.web.tests.customers_data import make_attributes, make_customer, owned, set_value

pytestmark = pytest.mark.django_db
CHANGE = "/customers/selected/change"


@pytest.fixture
def client(installation: Any, alice: Any, signed_in: Any) -> Any:
    return signed_in(alice)


def send(client: Any, customers: list[Customer], field: str, value: Any) -> Any:
    return client.post(
        CHANGE,
        {"id": [one.public_id for one in customers], "field": field, "value": value, "back": "?sort=name"},
        follow=True,
    )


def undo_of(response: Any) -> str:
    [message] = list(response.context["messages"])
    return str(message.extra_tags.removeprefix("undo:"))


def values() -> list[tuple[int, str | None, float | None]]:
    return list(AttributeValue.objects.order_by("customer_id").values_list("customer_id", "text", "number"))


def test_owners_change_together_and_come_back(client: Any, alice: Any, bob: Any) -> None:
    people = [make_customer(name) for name in "ABC"]
    assign_owner(system(), people[1], alice)
    assign_owner(system(), people[2], bob)
    seen = AuditEntry.objects.count()
    answer = send(client, people, "owner", bob.pk)
    assert "2 customers changed." in answer.content.decode()
    assert answer.redirect_chain[0][0] == "/customers/?sort=name"
    assert set(Customer.objects.values_list("owner", flat=True)) == {bob.pk}
    told = AuditEntry.objects.order_by("id")[seen:]
    assert {(one.verb, one.actor, one.record_id, one.changes["owner"][0]) for one in told} == {
        ("customer.assigned", alice, people[0].pk, None),
        ("customer.assigned", alice, people[1].pk, alice.pk),
    }
    undo = undo_of(answer)
    assign_owner(system(), people[0], alice)  # changed since: it stays
    told_back = client.post(undo, follow=True).content.decode()
    assert "1 customer put back. 1 was changed since and stays." in told_back
    assert list(Customer.objects.order_by("pk").values_list("owner", flat=True)) == [alice.pk, alice.pk, bob.pk]
    assert client.post(undo).status_code == 404


def test_attributes_come_back_exactly_also_what_a_merged_record_showed(client: Any) -> None:
    attributes = make_attributes()
    people = [make_customer(name) for name in "ABCD"]
    set_value(people[0], attributes["city"], text="Rome")
    merge(system(), people[2], people[3])
    survivor = survivor_id(people[2].pk)
    absorbed = next(one for one in people[2:] if one.pk != survivor)
    set_value(absorbed, attributes["city"], text="Paris")
    before = values()
    answer = send(client, people[:3], "attr.city", "Bonn")
    assert {text for _customer, text, _number in values()} == {"Bonn", "Paris"}
    assert client.post(undo_of(answer)).status_code == 302
    assert values() == before


def test_all_or_none(client: Any, charlie: Any, bob: Any, signed_in: Any) -> None:
    """A customer out of reach, a value that does not fit or too many: nothing is changed, and it is said why."""
    attributes = make_attributes()
    mine = owned(charlie, "Mine", "Mine too")
    other = make_customer("Not mine")
    assert signed_in(bob).post(CHANGE, {"id": other.public_id, "field": "attr.city", "value": "x"}).status_code in (
        302,
        403,
    )
    refused = send(client, [*mine, other], "attr.size", "huge")
    assert "huge" in refused.content.decode() and not AttributeValue.objects.exists()
    assert "a value is needed" in send(client, mine, "attr.city", " ").content.decode()
    set_attribute(system(), other, "city", "Rome")
    seen = values()
    answer = send(client, [*mine, Customer(pk=10**6)], "attr.city", "Bonn")
    assert "is not there or not yours to see" in answer.content.decode() and values() == seen
    assert "had this value already" in send(client, [other], "attr.city", "Rome").content.decode()
    assert client.post(CHANGE, {"id": other.public_id, "field": "name", "value": "x"}).status_code == 404
    assert attributes["city"].type == "text"


def test_the_control_fits_the_field(client: Any, bob: Any) -> None:
    make_attributes()
    assert str(bob) in client.get("/customers/selected/value?field=owner").content.decode()
    assert "<select" in client.get("/customers/selected/value?field=attr.size").content.decode()
    assert client.get("/customers/selected/value?field=").content.decode().strip() == ""
    assert client.get("/customers/selected/value?field=name").status_code == 404


def test_tags_are_added_to_what_each_has_and_taken_away(client: Any) -> None:
    """Of several choices; of a merged record, too; the undo gives each customer back what that one had."""
    words = [{"value": key, "en": key.upper()} for key in ("vip", "press", "late")]
    tags = define_attribute(system(), "tags", label_en="Tags", type="multi", form="demographic", choices=words)
    ada, bea, cleo, lost = people = [make_customer(name) for name in ("Ada", "Bea", "Cleo", "Lost")]
    set_value(ada, tags, text="|vip|")
    set_value(bea, tags, text="|late|")
    merge(system(), lost, cleo)
    set_value(lost, tags, text="|press|")
    before = values()

    def held() -> dict[str, str]:
        rows = client.get("/customers/?cols=attr.tags&sort=name").context["lines"]
        return {
            row["name"]: " ".join(re.findall(r'<span class="tag" [^>]*>(\w+)</span>', row["cells"])) for row in rows
        }

    def asked(value: list[str], how: str) -> Any:
        data = {"id": [one.public_id for one in people[:3]], "field": "attr.tags", "value": value, "how": how}
        return client.post(CHANGE, data, follow=True)

    added = asked(["vip", "press"], "add")
    assert held() == {"Ada": "VIP PRESS", "Bea": "VIP PRESS LATE", "Cleo": "VIP PRESS"}
    assert "3 customers changed" in added.content.decode()
    assert "had this value already" in asked(["vip"], "add").content.decode()
    client.post(undo_of(added))
    assert values() == before and held() == {"Ada": "VIP", "Bea": "LATE", "Cleo": "PRESS"}
    taken = asked(["late", "press"], "remove")
    assert held() == {"Ada": "VIP", "Bea": "", "Cleo": ""}
    set_attribute(system(), bea, "tags", ["press"])  # changed since: it stays
    assert "1 customer put back. 1 was changed since" in client.post(undo_of(taken), follow=True).content.decode()
    assert held() == {"Ada": "VIP", "Bea": "PRESS", "Cleo": "PRESS"}
    assert "several choices" in send_how(client, ada, "attr.city", "add")
    # A tag is a filter and a rule as any choice is.
    for address in ("f=attr.tags:is:press|late", "rule=tags = press or tags = late"):
        rows = client.get(f"/customers/?{address}&sort=name").context["rows"]
        assert [row.customer.name for row in rows] == ["Bea", "Cleo"], address


def send_how(client: Any, row: Customer, field: str, how: str) -> str:
    make_attributes()
    data = {"id": row.public_id, "field": field, "value": "x", "how": how}
    return str(client.post(CHANGE, data, follow=True).content.decode())


def test_what_is_offered_no_more_can_be_taken_from_many(client: Any) -> None:
    choices = [{"value": "vip", "en": "VIP"}, {"value": "old", "en": "Old"}]
    define_attribute(system(), "tags", label_en="Tags", type="multi", form="behavioural", choices=choices)
    people = [make_customer(name) for name in "AB"]
    for one in people:
        set_attribute(system(), one, "tags", ["vip", "old"])
    before = values()
    change_attribute(system(), "tags", choices=[choices[0], {**choices[1], "retired": True}])
    assert "Old (retired)" in client.get("/customers/selected/value?field=attr.tags").content.decode()
    fields = {"id": [one.public_id for one in people], "field": "attr.tags", "value": "old"}
    assert "is none of its choices" in client.post(CHANGE, {**fields, "how": "add"}, follow=True).content.decode()
    answer = client.post(CHANGE, {**fields, "how": "remove"}, follow=True)
    assert {text for _customer, text, _number in values()} == {"|vip|"}
    client.post(undo_of(answer))
    assert values() == before
