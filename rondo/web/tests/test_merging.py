"""Merging two customers by hand, from the page of one: found, side by side with what is chosen, merged, taken back."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client

from rondo.customers.actions import (
    add_address,
    add_identifier,
    assign_owner,
    change_customer,
    create_customer,
    define_attribute,
    merge,
    set_attribute,
)
from rondo.customers.models import Customer, Merge
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import User
from rondo.foundation.rights import has_right
from rondo.interactions.actions import log_interaction
from rondo.interactions.models import Split

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]


@pytest.fixture
def two(db: None) -> tuple[Customer, Customer]:
    """The same person twice, entered differently; the second knows more, and was entered later."""
    define_attribute(system(), "size", label_en="Size", type="number", form="benefit")
    made = []
    for name, day, street, size in (("Maier", None, "1 Elm St", 40), ("Huber", date(1980, 5, 1), "2 Oak St", 42)):
        row = create_customer(system(), given_name="Anna", family_name=name, birth_date=day)
        add_address(system(), row, street=street, city="Springfield")
        set_attribute(system(), row, "size", size)
        made.append(row)
    return made[0], made[1]


def test_two_are_found_compared_merged_as_chosen_and_taken_back(
    two: tuple[Customer, Customer], signed_in: SignIn, make_user: Callable[..., User]
) -> None:
    bob = make_user("bob", role="manager")
    client, (one, other) = signed_in(bob), two
    found = client.get(f"/customers/{one.public_id}/merge", {"q": "anna"})
    assert f"?with={other.public_id}" in found.content.decode()
    page = client.get(f"/customers/{one.public_id}/merge", {"with": other.public_id}).content.decode()
    for field in ("family_name", "address", "attr.size"):
        assert f'name="pick.{field}" value="right" checked' in page
    assert "pick.birth_date" not in page and "pick.given_name" not in page
    picks = {"pick.family_name": "right", "pick.address": "left", "pick.attr.size": "right"}
    done = client.post(
        f"/customers/{one.public_id}/merge", {"with": other.public_id, "survivor": "left", **picks}, follow=True
    )
    text = done.content.decode()
    assert "Anna Huber" in text and "1 May 1980" in text and "42" in text
    assert text.index("1 Elm St") < text.index("2 Oak St")
    edge = Merge.objects.get()
    one.refresh_from_db()
    change_customer(Actor(bob, "web"), one, expected_version=one.version, family_name="Kern")
    back = client.post(f"/customers/merges/{edge.pk}/undo", follow=True).content.decode()
    assert "Anna Huber stands for itself again" in back and "left as it is: Name." in back
    one.refresh_from_db()
    assert (one.name, one.birth_date) == ("Anna Kern", None)


def test_a_person_and_a_household_are_not_laid_side_by_side(
    two: tuple[Customer, Customer], signed_in: SignIn, make_user: Callable[..., User]
) -> None:
    home = create_customer(system(), kind="household", name="Maier household")
    client, address = signed_in(make_user("bob", role="manager")), f"/customers/{two[0].public_id}/merge"
    for answer in (
        client.get(address, {"with": home.public_id}, follow=True),
        client.post(address, {"with": home.public_id, "survivor": "left"}, follow=True),
    ):
        assert answer.request["QUERY_STRING"] == "" and "are not of one kind" in answer.content.decode()
    assert not Merge.objects.exists()


def test_who_undoes_a_merge_goes_on_with_whom_they_see(
    two: tuple[Customer, Customer], signed_in: SignIn, make_user: Callable[..., User]
) -> None:
    """Bob sees the survivor as it is his; what was merged into it is a colleague's again."""
    bob, carol = make_user("bob", role="manager", reach="own"), make_user("carol", role="manager")
    for row, owner in zip(two, (bob, carol), strict=True):
        assign_owner(system(), row, owner)
    edge = merge(system(), two[1], two[0])
    back = signed_in(bob).post(f"/customers/merges/{edge.pk}/undo", follow=True)
    assert back.status_code == 200 and back.request["PATH_INFO"] == f"/customers/{two[0].public_id}/"


def test_what_a_role_does_not_see_is_not_chosen_from(
    two: tuple[Customer, Customer], signed_in: SignIn, make_user: Callable[..., User]
) -> None:
    bob = make_user("bob", role="manager")
    assert has_right(bob, "merge")
    from rondo.customers.models import AttributeDefinition

    AttributeDefinition.objects.update(visible_to=["analyst"])
    page: Any = signed_in(bob).get(f"/customers/{two[0].public_id}/merge", {"with": two[1].public_id})
    assert "attr.size" not in page.content.decode()


def test_a_record_is_split_after_a_trial_and_the_split_taken_back(
    two: tuple[Customer, Customer], signed_in: SignIn, make_user: Callable[..., User]
) -> None:
    client, (one, _other) = signed_in(make_user("bob", role="manager")), two
    mail = add_identifier(system(), one, "email", "anna@rondo.example.org")
    log_interaction(system(), one, "note", title="Hers")
    address = f"/customers/{one.public_id}/split"
    assert "anna@rondo.example.org" in client.get(address).content.decode()
    chosen = {"given_name": "Berta", "family_name": "Second", "identifier": mail.pk, "source": "0"}
    tried = client.post(address, {**chosen, "try": "1"}).content.decode()
    assert "What would go where" in tried and "Split the record" in tried
    assert Customer.objects.count() == 2
    done = client.post(address, {**chosen, "go": "1"}, follow=True).content.decode()
    assert "Berta Second" in done and "Hers" in done and "anna@rondo.example.org" in done
    back = client.post(f"/customers/splits/{Split.objects.get().pk}/undo", follow=True).content.decode()
    assert "Anna Maier is one customer again" in back and "Hers" in back
    assert "more record" not in back and "Berta" not in back  # what the split left behind is empty
    refused = client.post(address, {"given_name": "Berta", "go": "1"})
    assert refused.status_code == 422 and "Nothing is chosen" in refused.content.decode()
