"""How a rule over the chain is looked up: for all customers in one pass over an index that holds all it adds up, for
one customer along their own chain."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rondo.customers.models import Customer, Survivor
from rondo.customers.queries import visible
from rondo.foundation.actors import system
from rondo.foundation.installation import change_installation
from rondo.interactions.models import Interaction
from rondo.rules import Context, compile_q, parse, schema

pytestmark = pytest.mark.django_db

AS_OF = date(2024, 3, 15)
RULES = [
    "did purchase for at least 500 within 90 days",
    "not did purchase for at least 500 within 90 days",
    "did purchase at least 3 times for at most 500 within 90 days",
    "did purchase at most 2 times within 90 days",
    "did purchase within 30 days",
    "did not purchase within 30 days",
]


@pytest.fixture(autouse=True)
def _chains() -> None:
    change_installation(system(), currency="EUR", time_zone="Europe/Berlin")
    for number in range(1, 6):
        who = Customer.objects.create(name=f"{number}")
        Interaction.objects.bulk_create(
            Interaction(
                customer=who,
                kind="purchase",
                occurred_at=f"2024-03-{day + 1:02}T12:00Z",
                business_date=AS_OF - timedelta(days=14 - day),
                amount=10_000 * number,
                currency="EUR",
            )
            for day in range(number)
        )


def _asked(text: str, *, as_set: bool) -> tuple[list[str], Callable[[], list[str]]]:
    """Statements that look at the chain, with their plans, in the order they are asked."""
    known = schema()
    with CaptureQueriesContext(connection) as queries:
        condition = compile_q(parse(text, known), known, Context(AS_OF), as_set=as_set)
        list(visible(None).filter(condition).order_by("pk").values_list("pk", flat=True))
    statements = [query["sql"] for query in queries]
    chains = [sql for sql in statements if '"interactions_interaction"' in sql]
    return chains, lambda: [_plan(sql) for sql in chains]


def _plan(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(("EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN ") + statement)
        return "\n".join(str(row) for row in cursor.fetchall())


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("text", RULES)
def test_a_set_is_gathered_in_one_pass_from_the_index_alone(text: str, merged: bool) -> None:
    """It asks of no customer in turn, and the customers are compared with what was found."""
    if merged:
        first, second = Customer.objects.order_by("pk")[:2]
        Survivor.objects.create(customer=second, survivor=first)
    chains, plans = _asked(text, as_set=True)
    assert len(chains) == 1
    assert '"customers_customer"' not in chains[0]
    (plan,) = plans()
    if connection.vendor == "sqlite":  # PostgreSQL would rather read all of so few rows
        assert "COVERING INDEX interaction_kind (kind=? AND business_date>? AND business_date<?)" in plan, plan


@pytest.mark.parametrize("text", RULES)
def test_one_customer_is_asked_along_their_own_chain(text: str) -> None:
    """Without statistics SQLite would take an index of kinds for it, and go through everybody's."""
    chains, plans = _asked(text, as_set=False)
    assert len(chains) == 1
    if connection.vendor == "sqlite":
        (plan,) = plans()
        assert "interaction_chain (customer_id=?)" in plan, plan
        assert "interaction_kind" not in plan, plan


def test_what_was_gathered_is_not_asked_again(django_assert_num_queries: Any) -> None:
    known = schema()
    rule = parse("did purchase for at least 500 within 90 days and not did purchase at least 5 times", known)
    context = Context(AS_OF)
    with django_assert_num_queries(4):  # two parts; whether anybody was merged, for each
        condition = compile_q(rule, known, context, as_set=True)
    found = set(visible(None).filter(condition).values_list("name", flat=True))
    with django_assert_num_queries(0):
        again = compile_q(rule, known, context)
    assert set(visible(None).filter(again).values_list("name", flat=True)) == found == {"3", "4"}
