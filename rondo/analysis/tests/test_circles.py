"""Households and organisations as facts: of everybody at once they are what the pages of each add up one by one."""

import random
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rondo.analysis.actions import run_analysis
from rondo.analysis.belonging import add_up
from rondo.analysis.circles import FACTS, Circles, read_circles
from rondo.analysis.facts import past
from rondo.analysis.fingerprints import data_fingerprint
from rondo.analysis.models import Score
from rondo.analysis.tests.world import seeded_base
from rondo.customers import actions
from rondo.customers.belonging import circle_of, standing_links, survivors_among
from rondo.customers.models import Customer, Link, Survivor
from rondo.customers.queries import visible
from rondo.foundation.actors import system
from rondo.rules import Context, compile_ibis, compile_q, evaluate, load_record, parse, schema
from rondo.warehouse.refresh import refresh
from rondo.warehouse.tables import open_tables

pytestmark = pytest.mark.django_db
AS_OF = date(2024, 3, 31)


def world(chance: random.Random) -> None:
    """Customers of all kinds linked at random, circles among them; some merged, some in the bin, some links ended."""
    people = [Customer.objects.create(name=f"C{n}", kind=chance.choice(Customer.Kind.values)) for n in range(40)]
    groups = [one for one in people if one.kind != "person"]
    for _number in range(60):
        one, other = chance.sample(people, 2)
        roles = {"household": ["member"], "organisation": ["employee", "subsidiary"]}.get(other.kind, ["member"])
        until = AS_OF if chance.random() < 0.1 else None
        since = chance.choice([None, AS_OF, AS_OF + timedelta(days=1)]) if until is None else None
        Link.objects.get_or_create(
            subject=one, object=other, role=chance.choice(roles), defaults={"until": until, "since": since}
        )
    for one, other in zip(*[iter(chance.sample(groups, 4) + chance.sample(people, 2))] * 2, strict=True):
        if not Survivor.objects.filter(customer__in=[one, other]).exists() and one != other:
            Survivor.objects.create(customer=one, survivor=other)
            Customer.objects.filter(pk=one.pk).update(is_merged=True)
    gone = chance.choice(list(visible(None)))
    actions.put_into_bin(system(), [gone.pk])
    for one in visible(None):
        if chance.random() < 0.8:
            low, high = chance.randrange(50), chance.randrange(100, 900)
            Score.objects.create(customer=one, value=chance.randrange(50, 100), value_low=low, value_high=high)


def expected(key: int, kind: str, scores: dict[int, Score]) -> tuple[Any, ...]:
    """What the page of the group that counts for a customer would say, on the day."""
    row = visible(None).get(pk=key)
    if row.kind == kind:
        roots = [key]
    else:
        rows = standing_links().filter(role__in=Link.BELONGING).exclude(since__gt=AS_OF)
        ends = list(rows.values_list("subject_id", "object_id"))
        stands = survivors_among(end for pair in ends for end in pair)
        above = {stands.get(o, o) for s, o in ends if stands.get(s, s) == key} - {key}
        roots = list(visible(None).filter(pk__in=above, kind=kind).order_by("pk").values_list("pk", flat=True))
    found = []
    for root in roots:
        circle = circle_of(None, root)
        people = {one: visible(None).get(pk=one) for one in circle.keys}
        worth = add_up(people, scores).worth
        sums = (None, None, None) if worth is None else (int(worth.mean), int(worth.low), int(worth.high))
        found.append((len(circle.members), *sums))
    return max(found, key=lambda one: (one[1] is not None, one[1] or 0), default=(None,) * 4)


@pytest.mark.parametrize("seed", range(4))
def test_of_all_at_once_they_are_what_each_page_adds_up(seed: int) -> None:
    world(random.Random(seed))
    refresh()
    scores = {one.pk: one for one in Score.objects.all()}
    ids = list(visible(None).order_by("pk").values_list("pk", flat=True))
    columns = {
        name: pa.array([getattr(scores.get(key), name, None) for key in ids], pa.int64())
        for name in ("value", "value_low", "value_high")
    }
    with open_tables() as tables:
        belong = read_circles(tables, past(tables, AS_OF, "EUR"), np.array(ids, np.int64))
    found = {row["customer_id"]: row for row in belong.beside(pa.table({"customer_id": ids, **columns})).to_pylist()}
    # What is not known on the day is not known to the pages, either, once it is ended.
    Link.objects.filter(since__gt=AS_OF).update(until=AS_OF + timedelta(days=1))
    several = 0
    for key in ids:
        for kind in ("household", "organisation"):
            told = tuple(found[key][f"{kind}_{name}"] for name in ("members", "value", "value_low", "value_high"))
            assert told == expected(key, kind, scores), (key, kind)
            several += (told[0] or 0) > 2
    assert several > 5, "There have to be groups of several, or this says little."


def test_where_nobody_belongs_anywhere_nothing_is_said() -> None:
    empty = np.empty(0, np.int64)
    alone = Circles(2, {"household": empty, "organisation": empty}, empty, empty)
    values = {name: pa.array([1, 2], pa.int64()) for name in ("value", "value_low", "value_high")}
    for row in alone.beside(pa.table(values)).to_pylist():
        assert [row[name] for name in FACTS] == [None] * 8
    nobody = Circles(0, {"household": empty, "organisation": empty}, empty, empty)
    assert nobody.beside(pa.table({name: pa.array([], pa.int64()) for name in values})).num_rows == 0


def linked() -> tuple[list[Customer], Customer]:
    """A base with two who live together and one who works for a company, analysed."""
    people = seeded_base()
    house = actions.create_customer(system(), kind="household", name="Miller household")
    works = actions.create_customer(system(), kind="organisation", name="Acme")
    for one in people[:2]:
        actions.link(system(), one, house, "member")
    actions.link(system(), people[2], works, "employee")
    return people, house


def test_rules_lists_and_sets_ask_for_them_alike() -> None:
    people, house = linked()
    run = run_analysis(system())
    one, other = (Score.objects.get(pk=row.pk) for row in people[:2])
    assert one.household_value == other.household_value == Score.objects.get(pk=house.pk).household_value
    assert one.value is not None and other.value is not None and one.household_value == one.value + other.value
    assert (one.household_members, one.organisation_members) == (2, None)
    known, context = schema(), Context(run.as_of)
    asked = {
        "household_members = 2": {people[0].pk, people[1].pk, house.pk},
        f"household_value >= {one.household_value / 100:.2f}": {people[0].pk, people[1].pk, house.pk},
        "organisation_members is known": {people[2].pk, Customer.objects.get(name="Acme").pk},
    }
    with open_tables() as tables:
        for text, wanted in asked.items():
            rule = parse(text, known)
            everybody = visible(None).values_list("pk", flat=True)
            listed = set(visible(None).filter(compile_q(rule, known, context)).values_list("pk", flat=True))
            copied = set(tables.arrow(compile_ibis(rule, known, context, tables))["customer_id"].to_pylist())
            alone = {
                key
                for key in everybody
                if evaluate(rule, load_record([key], rule, known, context), known, context).holds
            }
            assert listed == copied == alone == wanted, text


def test_a_run_over_other_links_is_of_other_data() -> None:
    people, house = linked()

    def seen() -> str:
        refresh()
        with open_tables() as tables:
            return data_fingerprint(tables, past(tables, AS_OF, "EUR"))

    before = seen()
    actions.link(system(), people[3], people[4], "partner")
    assert seen() == before
    actions.link(system(), people[3], house, "member")
    assert seen() != before
