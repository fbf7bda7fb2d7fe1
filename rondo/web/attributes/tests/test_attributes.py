"""The pages of attributes, and that what a role does not see is nowhere for it."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from rondo.customers.actions import define_attribute, set_attribute
from rondo.customers.models import AttributeDefinition, Customer
from rondo.foundation.actors import Actor, system
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.models import User
from rondo.web.tests.customers_data import make_customer

pytestmark = pytest.mark.django_db


def user(role: str, **more: Any) -> User:
    """Somebody of that role."""
    return User.objects.create_user(f"{role}@rondo.example.org", name=role.title(), role=role, **more)


def signed_in(one: User) -> Client:
    """Their browser."""
    client = Client()
    client.force_login(one)
    return client


def test_an_attribute_is_made_changed_archived_and_put_back(installation: object) -> None:
    client = signed_in(user("administrator"))
    sent = {"label_en": "Drinks", "label_de": "Getränke", "key": "drinks", "type": "multi", "form": "benefit"}
    assert client.post(reverse("attribute-new"), sent).status_code == 422  # without choices
    sent["values_text"] = "tea = Tea = Tee\nwine"
    assert client.post(reverse("attribute-new"), sent).status_code == 302
    row = AttributeDefinition.objects.get(key="drinks")
    assert [choice["de"] for choice in row.choices] == ["Tee", ""]
    page = client.get(reverse("attribute", args=["drinks"])).content.decode()
    assert "Drinks: 0 customers have a value" in page
    form = {
        "label_en": "Beverages",
        "form": "benefit",
        "version": "1",
        "choice_value": ["tea", "wine", "milk", ""],
        "choice_en": ["Tea", "Wine", "", ""],
        "choice_de": ["Tee", "Wein", "", ""],
        "choice_place": ["2", "1", "3", "4"],
        "choice_retired": ["tea"],
        "limited": "on",
        "visible_to": ["sales"],
    }
    assert client.post(reverse("attribute", args=["drinks"]), form).status_code == 302
    row.refresh_from_db()
    assert [(one["value"], one.get("retired", False)) for one in row.choices] == [
        ("wine", False),
        ("tea", True),
        ("milk", False),
    ]
    assert row.visible_to == ["sales"] and row.label_en == "Beverages"
    assert client.post(reverse("attribute", args=["drinks"]), form).status_code == 422  # the version is an old one
    assert client.post(reverse("attribute", args=["drinks"]), {**form, "version": "9" * 5000}).status_code == 302
    answer = client.post(reverse("attribute-archive", args=["drinks"]), follow=True).content.decode()
    assert "In the archive" in answer
    client.post(reverse("attribute-restore", args=["drinks"]))
    assert AttributeDefinition.objects.filter(key="drinks").exists()


def test_a_type_is_tried_on_the_page_and_then_changed(installation: object) -> None:
    client = signed_in(user("administrator"))
    define_attribute(system(), "since", label_en="Since", type="text", form="behavioural")
    anna = make_customer("Anna")
    set_attribute(system(), anna, "since", "soon")
    trial = reverse("attribute-type", args=["since"])
    page = client.get(trial, {"type": "date"}).content.decode()
    assert "1 of 1 values does not convert" in page and "soon" in page
    client.post("/customers/views/save", {"name": "Soon", "rule": "since = soon"})
    assert "the view “Soon”" in client.get(trial, {"type": "date"}).content.decode()
    assert client.post(trial, {"type": "date"}).status_code == 409
    set_attribute(system(), anna, "since", "2020-01-31")
    assert client.post(trial, {"type": "date"}).status_code == 302
    assert AttributeDefinition.objects.get(key="since").type == "date"
    client.post(reverse("attribute-type-back", args=["since"]))
    assert AttributeDefinition.objects.get(key="since").type == "text"


def test_what_a_role_does_not_see_is_nowhere_for_it(installation: object) -> None:
    define_attribute(system(), "grade", label_en="Credit grade", type="text", form="behavioural", visible_to=["sales"])
    anna = make_customer("Anna")
    manager, sales = user("manager"), user("sales")
    set_attribute(Actor(sales, "web"), anna, "grade", "XYZZY")
    found = {one.role_id: _everywhere(one, anna) for one in (manager, sales)}
    assert found["sales"] == dict.fromkeys(found["sales"], True)
    assert found["manager"] == dict.fromkeys(found["manager"], False)


def _everywhere(one: User, anna: Customer) -> dict[str, bool]:
    """By place: whether the attribute is told there."""
    client = signed_in(one)
    one.role.rights = sorted({*one.role.rights, "audit", "export", "segment", "import", "edit"})
    one.role.reaches = {**one.role.reaches, "audit": "all"}
    one.role.save()
    token = make_api_token(Actor(one, "web"), one, "test")
    carried = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
    listed, asked = reverse("customers"), "f=attr.grade:is:XYZZY"

    def holds(address: str, text: str, **headers: Any) -> bool:
        answer: Any = client.get(address, **headers)
        return text.encode() in (b"".join(answer.streaming_content) if answer.streaming else answer.content)

    return {
        "page": holds(reverse("customer", args=[anna.public_id]), "XYZZY"),
        "form": holds(reverse("customer-edit", args=[anna.public_id]), "XYZZY"),
        "filters": holds(listed, "attr.grade"),
        "column": holds(f"{listed}?cols=attr.grade", "XYZZY"),
        "list": client.get(f"{listed}?{asked}").status_code == 200,
        "sort": client.get(f"{listed}?sort=attr.grade").status_code == 200,
        "count": holds(f"{reverse('customers-count')}?{asked}", "1 customer"),
        "export": holds(reverse("customers-export", args=["csv"]) + "?cols=attr.grade,kind", "XYZZY"),
        "rule": client.get(f"{listed}?rule=attr.grade+%3D+XYZZY").status_code == 200,
        "builder": holds(reverse("segment-new"), "Credit grade"),
        "together": client.get(reverse("customers-selected-value"), {"field": "attr.grade"}).status_code == 200,
        "api": "XYZZY" in client.get(f"/api/v1/customers/{anna.public_id}", **carried).content.decode(),  # type: ignore[arg-type]
        "changes": holds(reverse("record-changes", args=["customer", anna.public_id]), "XYZZY"),
        "log": holds(reverse("audit-log") + "?text=XYZZY", "Credit grade"),
    }
