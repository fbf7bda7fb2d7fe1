"""The index of name words equals one built anew, whatever was done to names and merges, and fills existing homes."""

import random
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rondo.customers import names
from rondo.customers.actions import change_customer, create_customer, merge, unmerge
from rondo.customers.models import Customer, Merge, NameWord
from rondo.foundation.actors import Actor
from rondo.foundation.search import fold

pytestmark = pytest.mark.django_db

Entries = set[tuple[int, str, bool]]


def entries() -> Entries:
    """What stands in the index."""
    return set(NameWord.objects.values_list("customer_id", "word", "later"))


def wanted() -> Entries:
    """What a rebuild makes of the customers as they are."""
    names.rebuild()
    return entries()


def test_words_are_those_of_all_names_each_once() -> None:
    found = names.words_of(fold("Anna-Maria Weiß, Anna"), [fold("Müller Anna")])
    assert found == {"anna": False, "maria": True, "weiss": True, "muller": True}
    assert names.words_of("", ["ada"]) == {"ada": True}


@pytest.mark.parametrize("seed", range(4))
def test_after_any_course_of_changes_the_index_is_the_one_built_anew(manager: Actor, seed: int) -> None:
    chance = random.Random(seed)
    said = ["Anna", "Müller", "Weiß", "Lee-Smith", "", "anna", "Ö"]
    people = [create_customer(manager, name=f"Person {n}") for n in range(6)]
    for _step in range(40):
        one, other = chance.sample(people, 2)
        standing = list(Merge.objects.filter(undone_at__isnull=True).values_list("pk", flat=True))
        act = chance.choice(["rename", "merge", "unmerge", "create"])
        one.refresh_from_db()
        if act == "rename" and not one.is_merged:
            name = " ".join(chance.choices(said, k=3)).strip() or "Nobody"
            change_customer(manager, one.pk, expected_version=one.version, name=name)
        elif act == "merge" and names_survivor(one) != names_survivor(other):
            merge(manager, one.pk, other.pk)
        elif act == "unmerge" and standing:
            unmerge(manager, chance.choice(standing))
        elif act == "create":
            people.append(create_customer(manager, name=chance.choice(said) or "Anna B"))
        assert entries() == wanted()


def names_survivor(row: Customer) -> int:
    """The record that stands for this one."""
    from rondo.customers.queries import survivor_id

    return survivor_id(row.pk)


def test_merged_names_lead_to_the_survivor_until_the_merge_is_undone(manager: Actor) -> None:
    kept, lost = create_customer(manager, name="Anna Berg"), create_customer(manager, name="Anna Lost")
    edge = merge(manager, lost, kept)
    assert entries() == {(kept.pk, "anna", False), (kept.pk, "berg", True), (kept.pk, "lost", True)}
    unmerge(manager, edge.pk)
    assert {row for row in entries() if row[0] == lost.pk} == {(lost.pk, "anna", False), (lost.pk, "lost", True)}


def test_the_number_of_queries_does_not_grow_with_the_records(manager: Actor) -> None:
    def queries(people: list[Customer]) -> int:
        Customer.objects.filter(pk__in=[row.pk for row in people]).update(folded_name="new words")
        with CaptureQueriesContext(connection) as caught:
            names.reindex([row.pk for row in people])
        return len(caught)

    few = [create_customer(manager, name=f"Old {n}") for n in range(2)]
    many = [create_customer(manager, name=f"Old {n}") for n in range(60)]
    assert queries(many) == queries(few)


def test_the_migration_fills_a_home_as_a_rebuild_does(manager: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    migration: Any = import_module("rondo.customers.migrations.0004_fill_name_words")
    monkeypatch.setattr(migration, "CHUNK", 2)
    kept, lost, *_more = [create_customer(manager, name=name) for name in ("Anna B", "Bert B C", "Cleo", "Dora A")]
    Customer.objects.create(name="")
    merge(manager, lost, kept)
    expected = entries()
    NameWord.objects.all().delete()
    migration.fill(apps, None)
    assert entries() == expected
    NameWord.objects.filter(customer_id__gt=lost.pk).delete()  # as if it had been stopped after the first chunk
    migration.fill(apps, None)
    assert entries() == expected == wanted()
