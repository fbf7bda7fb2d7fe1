"""One record becomes two and one again: what both have adds up to what one had, and the undo restores it exactly."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rondo.catalogue.models import Category, Product
from rondo.customers import actions as customers
from rondo.customers.consents import state
from rondo.customers.models import Customer, Identifier, Source
from rondo.customers.queries import binned, record_ids, visible
from rondo.errors import InputError, StateError
from rondo.foundation.actors import system
from rondo.interactions.actions import log_interaction, retract
from rondo.interactions.models import About, Departure, Interaction, Order, OrderLine, Retraction
from rondo.interactions.queries import standing
from rondo.interactions.splitting.choosing import Choice, both, holdings, taken
from rondo.interactions.splitting.remains import merges_of
from rondo.interactions.splitting.splitting import split, take_back_split

pytestmark = pytest.mark.django_db
ACTOR = system()
NOON = datetime(2017, 6, 1, 16, 0, tzinfo=UTC)


def _order(customer: Customer, source: Source, product: Product, n: int) -> Interaction:
    at = NOON + timedelta(days=n)
    row = Interaction.objects.create(
        customer=customer, kind="purchase", channel="store", direction="inbound", initiative="pull", medium="owned",
        occurred_at=at, business_date=at.date(), amount=100 + n, currency="USD", source=source, message_id=f"m{n}",
    )  # fmt: skip
    order = Order.objects.create(
        interaction=row, source=source, number=str(n), total=100 + n, currency="USD", line_count=1
    )
    OrderLine.objects.create(order=order, product=product, quantity_milli=1000, total=100 + n, discount=n)
    return row


@pytest.fixture
def mixed(db: None) -> Customer:
    """Two people in one record, one of them merged into it: orders from two tills, calls and answers, notes."""
    tills = [Source.objects.create(name=name) for name in ("shop", "web")]
    category = Category.objects.create(name="COFFEE", path="COFFEE", depth=0)
    product = Product.objects.create(source=tills[0], number="1", name="Beans", category=category)
    row, other = (customers.create_customer(ACTOR, name=name) for name in ("Mixed", "Mixed too"))
    for one, mail in ((row, "a@rondo.example.org"), (other, "b@rondo.example.org")):
        customers.add_identifier(ACTOR, one, "email", mail)
    for n in range(12):
        _order((row, other)[n % 2], tills[n % 3 % 2], product, n)
    asked = log_interaction(ACTOR, row, "call_in", title="Where is it?", category="COFFEE", occurred_at=NOON)
    log_interaction(ACTOR, row, "email_out", title="On its way", in_response_to=asked, direction="outbound")
    log_interaction(ACTOR, row, "cancellation", reason="natural", sub_reason="moved")
    customers.note_consent(ACTOR, row, "email", "withdrawn")
    customers.note_consent(ACTOR, row, "phone", "given")
    customers.merge(ACTOR, other, row)
    return row


def _shown(customer: Customer) -> dict[str, Any]:
    """All that one sees of a customer."""
    records = record_ids(customer.pk)
    rows = standing().filter(customer_id__in=records).order_by("pk")
    return {
        "chain": list(rows.values()),
        "orders": list(Order.objects.filter(interaction__in=rows).order_by("pk").values()),
        "lines": list(OrderLine.objects.filter(order__interaction__in=rows).order_by("pk").values()),
        "about": list(About.objects.filter(interaction__in=rows).order_by("pk").values()),
        "left": list(Departure.objects.filter(interaction__in=rows).order_by("pk").values()),
        "identifiers": list(Identifier.objects.filter(customer_id__in=records).order_by("pk").values()),
        "consents": [state(records, channel) for channel in ("email", "phone", "mail")],
        "name": visible(None).get(pk=customer.pk).name,
    }


def _sums(*shown: dict[str, Any]) -> dict[str, Any]:
    """What a customer comes to, or several together: whatever analysis counts."""
    chain = [row for one in shown for row in one["chain"]]
    return {
        "contacts": sorted((row["kind"], row["occurred_at"], row["amount"], row["source_id"]) for row in chain),
        "orders": sorted((row["number"], row["total"]) for one in shown for row in one["orders"]),
        "lines": sorted((row["product_id"], row["total"], row["discount"]) for one in shown for row in one["lines"]),
        "about": sorted(row["category_id"] for one in shown for row in one["about"]),
        "left": sorted(row["sub_reason"] for one in shown for row in one["left"]),
        "identifiers": sorted(row["value"] for one in shown for row in one["identifiers"]),
    }


def test_what_both_have_adds_up_and_the_undo_puts_it_back_exactly(mixed: Customer) -> None:
    chance = random.Random(3)
    before = _shown(mixed)
    sources = [*Source.objects.filter(name__in=["shop", "web"]).values_list("pk", flat=True), 0]
    identifiers = [row["id"] for row in before["identifiers"]]
    for _step in range(25):
        choice = Choice(
            frozenset(chance.sample(sources, chance.randint(0, 2))),
            chance.choice([None, NOON.date() + timedelta(days=chance.randint(0, 12))]),
            None,
            frozenset(row["id"] for row in chance.sample(before["chain"], chance.randint(0, 4))),
        )
        given = chance.sample(identifiers, chance.randint(0, 2))
        going = taken(record_ids(mixed.pk), choice)
        if not going.keys and not given:
            continue
        stays, goes = both(record_ids(mixed.pk), going.keys)
        done = split(ACTOR, mixed, choice, given, name="Second")
        one, other = _shown(mixed), _shown(done.made)
        assert _sums(one, other) == _sums(before)
        assert {row["value"] for row in other["identifiers"]} == {
            row["value"] for row in before["identifiers"] if row["id"] in given
        }
        # what the trial foretold
        for told, customer in ((stays, mixed), (goes, done.made)):
            assert holdings(standing().filter(customer_id__in=record_ids(customer.pk))) == told
        # an answer goes with what it answers, and refers to it there
        for shown in (one, other):
            answered = {row["in_response_to_id"] for row in shown["chain"] if row["kind"] == "email_out"}
            assert answered <= {row["id"] for row in shown["chain"] if row["kind"] == "call_in"}
        assert (one["consents"], other["consents"]) == (before["consents"], ["withdrawn", "unknown", "unknown"])
        assert take_back_split(ACTOR, done.pk) == (mixed, 0)
        assert _shown(mixed) == before
        with pytest.raises(StateError, match="already"):
            take_back_split(ACTOR, done.pk)
    assert list(visible(None)) == [mixed]


def test_what_happened_meanwhile_is_kept_by_the_undo(mixed: Customer) -> None:
    mail = Identifier.objects.get(value="a@rondo.example.org")
    orders = list(Interaction.objects.filter(kind="purchase").order_by("pk").values_list("pk", flat=True))
    done = split(ACTOR, mixed, Choice(single=frozenset(orders[:2])), [mail.pk], given_name="Anna", family_name="Second")
    new = log_interaction(ACTOR, done.made, "note", title="Since")
    wrong = standing().filter(customer=done.made, kind="purchase").order_by("pk")[0]
    retract(ACTOR, wrong, "entered twice")
    customers.remove_identifier(ACTOR, mail.pk)
    assert take_back_split(ACTOR, done.pk).left == 1
    chain = set(standing().filter(customer_id__in=record_ids(mixed.pk)).values_list("pk", flat=True))
    assert new.pk in chain and orders[1] in chain
    assert orders[0] not in chain  # it was found wrong meanwhile, and is


def test_what_the_undo_leaves_is_no_record_until_something_came_to_it(mixed: Customer) -> None:
    records = record_ids(mixed.pk)
    mail = Identifier.objects.get(value="a@rondo.example.org")
    merged = list(merges_of(records))
    house = customers.create_customer(ACTOR, kind="household", name="House")
    came: list[Callable[[Customer], object]] = [
        lambda made: log_interaction(ACTOR, made, "note", title="Since"),
        lambda made: customers.link(ACTOR, made, house, "member"),
        lambda made: customers.note_consent(ACTOR, made, "email", "given"),
        lambda made: customers.add_identifier(ACTOR, made, "email", "since@rondo.example.org"),
        lambda made: customers.merge(ACTOR, customers.create_customer(ACTOR, name="Third"), made),
    ]
    for number in range(3):
        done = split(ACTOR, mixed, Choice(single=frozenset(_orders())), [mail.pk], name="Second")
        take_back_split(ACTOR, done.pk)
        assert list(merges_of(record_ids(mixed.pk))) == merged, number
    assert set(visible(None)) == {mixed, house} and not binned(None).exists()
    for come in came:
        done = split(ACTOR, mixed, Choice(), [mail.pk], name="Second")
        come(done.made)
        take_back_split(ACTOR, done.pk)
        assert done.made_id in {edge.loser_id for edge in merges_of(record_ids(mixed.pk))}


def _orders() -> list[int]:
    return list(standing().filter(kind="purchase").values_list("pk", flat=True))[:2]


def test_what_cannot_be_split_is_refused_and_nothing_is_done(mixed: Customer) -> None:
    order = Interaction.objects.filter(kind="purchase").order_by("pk")[0]
    for choice, identifiers, name in (
        (Choice(), [], "Second"),
        (Choice(single=frozenset([order.pk])), [], " "),
        (Choice(single=frozenset([order.pk])), [10_000], "Second"),
    ):
        with pytest.raises(InputError):
            split(ACTOR, mixed, choice, identifiers, name=name)
    assert not Retraction.objects.exists() and visible(None).count() == 1
    done = split(ACTOR, mixed, Choice(single=frozenset([order.pk])), name="Second")
    edge = customers.merge(ACTOR, done.made, mixed)
    with pytest.raises(StateError, match="merge back first"):
        take_back_split(ACTOR, done.pk)
    customers.unmerge(ACTOR, edge.pk)
    take_back_split(ACTOR, done.pk)
