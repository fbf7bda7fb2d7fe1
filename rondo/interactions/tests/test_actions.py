"""Contacts logged by hand: rights, axes of the kind, the company's day, answers, messages taken once, retraction."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from rondo.catalogue.models import Category, Product
from rondo.customers import actions as customers
from rondo.customers.models import Customer, Source
from rondo.errors import InputError, NotFound, PermissionRefused, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor, system
from rondo.foundation.installation import change_installation
from rondo.foundation.models import Load, User
from rondo.foundation.registry import InteractionKind, Registry, registries
from rondo.foundation.roles import change_role
from rondo.interactions.actions import current_transaction, log_interaction, restore, retract
from rondo.interactions.models import Interaction
from rondo.interactions.queries import chain

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three kinds of our own, so that the test does not hang on what rooms register."""
    kinds: Registry[InteractionKind] = Registry("interaction kinds")
    kinds.add("note", InteractionKind("note", "Note", "i", "internal", "inbound", "pull", "owned", by_hand=True))
    kinds.add("call", InteractionKind("call", "Call", "i", "phone", "outbound", "push", "owned", by_hand=True))
    kinds.add("purchase", InteractionKind("purchase", "Purchase", "i", "store", "inbound", "pull", "owned"))
    monkeypatch.setattr(registries, "interaction_kinds", kinds)


def _actor(name: str, role: str, reach: str = "own") -> Actor:
    return Actor(User.objects.create_user(f"{name}@rondo.example.org", name=name, role=role, reach=reach), "web")


@pytest.fixture
def seller() -> Actor:
    return _actor("alice", "sales")


@pytest.fixture
def manager() -> Actor:
    return _actor("bob", "manager", "all")


@pytest.fixture
def stranger() -> Actor:
    return _actor("charlie", "sales")


@pytest.fixture
def anna(seller: Actor) -> Customer:
    return customers.create_customer(seller, name="Anna")


def test_a_call_takes_its_axes_from_its_kind(anna: Customer, seller: Actor) -> None:
    made = log_interaction(seller, anna.public_id, "call", title=" About the  offer ", body="She will think.\n")
    made.refresh_from_db()
    assert (made.channel, made.direction, made.initiative, made.medium) == ("phone", "outbound", "push", "owned")
    assert (made.title, made.body, made.actor, made.amount, made.currency) == (
        "About the offer",
        "She will think.",
        seller.user,
        None,
        "",
    )
    assert chain([anna.pk]) == [made]
    assert [e.verb for e in audit.entries_of("interaction", made.pk)] == ["interaction.logged"]


def test_axes_can_be_told(anna: Customer, seller: Actor) -> None:
    made = log_interaction(seller, anna, "call", direction="inbound", initiative="pull", amount=1250)
    assert (made.direction, made.initiative, made.amount, made.currency) == ("inbound", "pull", 1250, "EUR")


def test_a_day_is_the_companys_day(anna: Customer, seller: Actor) -> None:
    change_installation(system(), time_zone="America/New_York")
    late = log_interaction(seller, anna, "note", occurred_at=datetime(2024, 3, 2, 3, 30, tzinfo=UTC))
    assert late.business_date == date(2024, 3, 1)
    naive = log_interaction(seller, anna, "note", occurred_at=datetime(2024, 3, 1, 22, 30))
    assert (naive.occurred_at, naive.business_date) == (datetime(2024, 3, 2, 3, 30, tzinfo=UTC), date(2024, 3, 1))


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "purchase"},
        {"kind": "seance"},
        {"occurred_at": timezone.now() + timedelta(days=1)},
        {"occurred_at": datetime(1850, 1, 1, tzinfo=UTC)},
        {"direction": "sideways"},
        {"title": "x" * 201},
        {"body": "a\x00b"},
        {"body": "x" * 100_001},
        {"amount": 10**16},
        {"message_id": "x" * 121},
    ],
)
def test_unusable_values_are_refused_and_leave_nothing(
    anna: Customer, seller: Actor, values: dict[str, object]
) -> None:
    with pytest.raises(InputError):
        log_interaction(seller, anna, **({"kind": "note"} | values))  # type: ignore[arg-type]
    assert not Interaction.objects.exists()


def test_who_may_log(anna: Customer, stranger: Actor) -> None:
    with pytest.raises(NotFound):
        log_interaction(stranger, anna, "note")
    with pytest.raises(PermissionRefused):
        log_interaction(_actor("rita", "reader", "all"), anna, "note")


def test_an_answer_stays_within_the_chain(anna: Customer, seller: Actor, manager: Actor) -> None:
    first = log_interaction(seller, anna, "call")
    assert log_interaction(seller, anna, "note", in_response_to=first.public_id).in_response_to == first
    other = customers.create_customer(manager, name="Other")
    with pytest.raises(InputError, match="another customer"):
        log_interaction(manager, other, "note", in_response_to=first)
    retract(seller, first, "wrong person")
    with pytest.raises(StateError, match="retracted"):
        log_interaction(seller, anna, "note", in_response_to=first)


def test_a_merged_customers_call_can_be_answered(anna: Customer, manager: Actor) -> None:
    other = customers.create_customer(manager, name="Other")
    first = log_interaction(manager, other, "call")
    customers.merge(manager, other, anna)
    answer = log_interaction(manager, other.public_id, "note", in_response_to=first)
    assert answer.customer == anna


def test_a_message_is_taken_once_per_source(anna: Customer, seller: Actor) -> None:
    first = log_interaction(seller, anna, "note", message_id="m1")
    assert log_interaction(seller, anna, "note", message_id="m1") == first
    assert log_interaction(seller, anna, "note", message_id="m1", source="till") != first
    run = Load.objects.create(kind="interactions", file_name="f", fingerprint="f", status=Load.Status.UNDONE)
    Interaction.objects.filter(pk=first.pk).update(load=run)
    assert log_interaction(seller, anna, "note", message_id="m1") != first


def test_the_writing_transaction_is_kept_on_postgresql(anna: Customer, seller: Actor) -> None:
    made = log_interaction(seller, anna, "note")
    made.refresh_from_db()
    if connection.vendor == "postgresql":
        assert made.written_in == current_transaction()
        assert made.written_in is not None
    else:
        assert made.written_in is None


def test_retraction_hides_keeps_and_says_why(anna: Customer, seller: Actor, manager: Actor, stranger: Actor) -> None:
    made = log_interaction(seller, anna, "note", body="wrong")
    with pytest.raises(InputError, match="reason"):
        retract(seller, made, "  ")
    with pytest.raises(NotFound):
        retract(stranger, made.public_id, "not mine")
    first = retract(seller, made.public_id, "typed into the wrong window")
    assert retract(manager, made, "again").reason == first.reason == "typed into the wrong window"
    assert chain([anna.pk]) == []
    assert Interaction.objects.filter(pk=made.pk).exists()
    assert [e.verb for e in audit.entries_of("interaction", made.pk)] == ["interaction.retracted", "interaction.logged"]


def test_what_others_logged_needs_the_right_to_edit(anna: Customer, manager: Actor) -> None:
    made = log_interaction(manager, anna, "note")
    change_role(system(), "service", rights=["see", "contact"])
    helper = _actor("dora", "service", "all")
    with pytest.raises(PermissionRefused):
        retract(helper, made, "no")
    own = log_interaction(helper, anna, "note")
    assert retract(helper, own, "mine").by == helper.user


def test_putting_back_adds_it_once_more(anna: Customer, seller: Actor) -> None:
    at = datetime(2024, 5, 1, 9, tzinfo=UTC)
    made = log_interaction(seller, anna, "call", title="Offer", body="Text", occurred_at=at)
    with pytest.raises(StateError):
        restore(seller, made)
    retract(seller, made, "mistake")
    back = restore(seller, made)
    assert restore(seller, made) == back
    assert (back.title, back.body, back.occurred_at, back.details) == (
        "Offer",
        "Text",
        at,
        {"restored_from": made.public_id},
    )
    assert chain([anna.pk]) == [back]


def test_purchases_are_not_put_back_by_hand(anna: Customer, manager: Actor) -> None:
    made = log_interaction(system(), anna, "purchase", amount=100)
    retract(manager, made, "test data")
    with pytest.raises(StateError, match="import them again"):
        restore(manager, made)


def test_a_contact_names_what_it_is_about_and_keeps_it_when_put_back(anna: Customer, seller: Actor) -> None:
    food, gifts = (Category.objects.create(name=name, path=name, depth=1) for name in ("FOOD", "GIFTS"))
    for parent, name in ((food, "COFFEE"), (gifts, "COFFEE"), (food, "TEA")):
        Category.objects.create(parent=parent, name=name, path=f"{parent.path} > {name}", depth=2)
    coffee = Category.objects.get(path="FOOD > COFFEE")
    bean = Product.objects.create(source=Source.objects.create(name="till"), number="P7", category=coffee)
    made = log_interaction(seller, anna.public_id, "call", category=" tea ")
    assert made.about.category is not None and made.about.category.path == "FOOD > TEA"
    retract(seller, made, "by mistake")
    assert restore(seller, made).about.category == made.about.category
    by_path = log_interaction(seller, anna.public_id, "note", category="food>coffee", product=bean.number)
    assert by_path.about.category == bean.category and by_path.about.product == bean
    assert not hasattr(log_interaction(seller, anna.public_id, "note", category=""), "about")
    before = Interaction.objects.count()
    refused: list[tuple[dict[str, Any], str]] = [
        ({"category": "coffee"}, "give the path to one"),
        ({"category": "x"}, "no category “x”"),
        ({"product": "P1"}, "no product P1"),
    ]
    for wrong, said in refused:
        with pytest.raises(InputError, match=said):
            log_interaction(seller, anna.public_id, "note", **wrong)
    assert Interaction.objects.count() == before
