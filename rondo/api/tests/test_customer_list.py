"""The customers list by program: the fields it can be asked by, and columns that it does not have."""

from typing import Any

import pytest
from django.test import Client

from rondo.api.tests.conftest import Shop
from rondo.customers.actions import archive_attribute, new_attribute, set_attribute
from rondo.foundation.accounts import change_user
from rondo.foundation.actors import system
from rondo.foundation.models import User

pytestmark = pytest.mark.django_db
LIST = "/api/v1/lists/customers"


@pytest.fixture
def client(client_of: Any, bob: User, shop: Shop) -> Client:
    shop.customer("Ada", kind="person")
    new_attribute(system(), "age", label_en="Age", type="number", form="demographic")
    new_attribute(system(), "salary", label_en="Salary", type="money", form="demographic", visible_to=["analyst"])
    change_user(system(), bob, reach="all")
    made: Client = client_of(bob)
    return made


def test_what_the_fields_say_can_be_asked_for(client: Client) -> None:
    """Every key, operator, choice and name of a rule that is told is understood by the list."""
    fields = client.get(f"{LIST}/fields").json()["data"]
    by_key = {one["key"]: one for one in fields}
    assert by_key["attr.age"] == {
        "key": "attr.age",
        "rule": "age",
        "label": "Age",
        "type": "number",
        "meaning": "Demographic",
        "operators": ["min", "max", "between", "above", "below", "known", "unknown"],
        "choices": [],
        "column": True,
        "groups": False,
    }
    assert [one["value"] for one in by_key["kind"]["choices"]] == ["person", "household", "organisation"]
    assert "attr.salary" not in by_key, "the role does not see it"
    examples = {"date": "2017-12-31", "text": "Ada"}
    for one in fields:
        values = [choice["value"] for choice in one["choices"]] or [examples.get(one["type"], "1")]
        for operator in one["operators"]:
            value = {"known": "", "unknown": "", "between": f":{values[0]}..{values[0]}"}.get(operator, f":{values[0]}")
            answer = client.get(LIST, {"f": f"{one['key']}:{operator}{value}"})
            assert answer.status_code == 200, (one["key"], operator, answer.content)
        if one["rule"]:
            assert client.get(LIST, {"rule": f"{one['rule']} is known"}).status_code == 200, one["rule"]
        if one["column"]:
            assert client.get(LIST, {"sort": one["key"], "cols": one["key"]}).status_code == 200, one["key"]


def test_a_column_that_the_list_does_not_have_is_refused(client: Client) -> None:
    for wrong in ("kind,shoe", "segment", "attr.salary", "age"):
        refused = client.get(LIST, {"cols": wrong})
        assert refused.status_code == 422, wrong
        assert f"“{wrong.rpartition(',')[2]}”" in refused.json()["detail"]
    assert (
        client.post("/api/v1/views", {"name": "V", "kept": {"cols": ["shoe"]}}, "application/json").status_code == 422
    )
    keys = [one["key"] for one in client.get(f"{LIST}/fields").json()["data"] if one["column"]]
    assert client.get(LIST, {"cols": ",".join(keys)}).status_code == (200 if len(keys) <= 25 else 422)
    assert client.get(LIST, {"cols": "name,kind,kind"}).json()["columns"][0]["key"] == "kind"
    archive_attribute(system(), "age")
    assert client.get(LIST, {"cols": "kind,attr.age"}).status_code == 200, "as a view keeps it"


def test_groups_are_what_boards_and_charts_show_and_lead_to_their_customers(
    client: Client, shop: Shop, alice: User, bob: User, signed_in: Any
) -> None:
    new_attribute(system(), "size", label_en="Size", type="choice", form="benefit", choices=[choice("s"), choice("l")])
    for number in range(5):
        row = shop.customer(f"Home {number}", owner=bob if number % 2 else None)
        if number < 3:
            set_attribute(system(), row, "size", "l" if number else "s")
    counts = {}
    for by in ("attr.size", "kind", "owner"):
        told = client.get(f"{LIST}/groups", {"by": by, "f": "kind:not:organisation"}).json()
        assert told["by"]["key"] == by
        counts[by] = {one["value"]: one["count"] for one in told["data"]}
        for one in told["data"]:
            behind = {"f": [one["f"], "kind:not:organisation"]}
            assert client.get(f"{LIST}/count", behind).json()["count"] == one["count"], one
    assert counts["attr.size"] == {"s": 1, "l": 2, "": 3}
    assert counts["kind"] == {"person": 1, "household": 5, "organisation": 0}
    assert counts["owner"] == {"alice@example.org": 0, "bob@example.org": 2, "": 4}
    page = signed_in(bob).get("/customers/groups", {"by": "attr.size", "as": "chart"}).content.decode()
    assert "Customers by Size" in page and client.get(f"{LIST}/groups").json()["by"]["key"] == "attr.size"
    refused = client.get(f"{LIST}/groups", {"by": "attr.age"})
    assert refused.status_code == 422 and "attr.size" in refused.json()["detail"]


def choice(value: str) -> dict[str, str]:
    return {"value": value, "en": value.upper()}
