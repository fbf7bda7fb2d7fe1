"""Many at work on the same customers at once, over connections of their own: whatever was accepted is found again, as
it stands or as the log says that it was overwritten, and nobody sees an error of the database.

A plain model replays the audit log: each change of a field has to begin with what the one before it left, and the last
one with what stands. So a write that did not see another one's shows, whoever made it.
"""

import os
import random
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from django.db import connection

from rondo.customers import actions, names
from rondo.customers.actions.cells import change_cell, take_back_cell, written
from rondo.customers.actions.together import change_together, take_back_together
from rondo.customers.models import AttributeValue, Customer, Identifier, Merge, NameWord, Survivor
from rondo.customers.queries import record_ids
from rondo.errors import InputError, NotFound, StateError
from rondo.foundation.actors import system
from rondo.foundation.models import AuditEntry, Load, User
from rondo.interactions.actions import log_interaction
from rondo.interactions.importing import ImportOptions, run_import, undo
from rondo.interactions.models import Interaction, Split
from rondo.interactions.queries import standing
from rondo.interactions.splitting.choosing import Choice
from rondo.interactions.splitting.splitting import split, take_back_split

STEPS = int(os.environ.get("AT_ONCE_STEPS", "30"))
"""Changes that each of the people makes; more of them when asked for."""
PEOPLE = 30
FIELDS = ("name", "language", "birth_date", "known_since", "owner")
REFUSED = (InputError, NotFound, StateError)
"""What an action says to who came too late: a sentence for a person."""
ACTOR = system()

Said = tuple[str, Any]
"""A field as the log calls it, and the value that an accepted change gave it."""
Person = Callable[[random.Random, str, list[Said]], None]


@pytest.fixture
def crowd(transactional_db: None) -> list[int]:
    """Thirty customers, each with a card, a number in the shop, a size and three contacts; two users own some."""
    actions.define_attribute(ACTOR, "size", label_en="Size", type="number", form="benefit")
    for n in range(2):
        User.objects.create_user(f"u{n}@example.org", name=f"U{n}", role="sales", reach="all")
    keys = []
    for n in range(PEOPLE):
        row = actions.create_customer(
            ACTOR, name=f"N{n}", language="en", source="shop", attributes={"size": n},
            identifiers=[("card", f"77{n:04d}"), ("external", f"k{n}")],
        )  # fmt: skip
        for m in range(3):
            log_interaction(ACTOR, row, "note", title=f"note {n} {m}", occurred_at=datetime(2026, 5, 1, m, tzinfo=UTC))
        keys.append(row.pk)
    return keys


def _one_of(keys: list[int], chance: random.Random) -> int:
    return chance.choice([*keys, *Customer.objects.order_by("-pk").values_list("pk", flat=True)[:3]])


def _edits_cells(keys: list[int]) -> Person:
    def step(chance: random.Random, mark: str, said: list[Said]) -> None:
        row = Customer.objects.get(pk=Customer.objects.get(pk=_one_of(keys, chance)).pk)
        field, value = chance.choice((("name", f"Cell {mark}"), ("attr.size", mark.replace("-", "")), ("owner", "")))
        if field == "owner":
            value = str(chance.choice(User.objects.values_list("pk", flat=True)))
        done = change_cell(ACTOR, row.pk, field, value, seen=written(ACTOR, row, field))
        if done is not None and field != "owner":
            said.append(("name", value) if field == "name" else ("attribute.size", float(value)))
        if done is not None and chance.random() < 0.3:
            take_back_cell(ACTOR, done)

    return step


def _edits_forms(keys: list[int]) -> Person:
    def step(chance: random.Random, mark: str, said: list[Said]) -> None:
        row = Customer.objects.get(pk=_one_of(keys, chance))
        day = date(1950, 1, 1) + timedelta(days=int(mark.replace("-", "")))
        actions.change_customer(ACTOR, row, expected_version=row.version, birth_date=day)
        said.append(("birth_date", day.isoformat()))

    return step


def _edits_many(keys: list[int]) -> Person:
    def step(chance: random.Random, mark: str, said: list[Said]) -> None:
        some = [Customer.objects.get(pk=key).public_id for key in chance.sample(keys, 6)]
        field, value = chance.choice((("attr.size", mark.replace("-", "")), ("owner", None)))
        done = change_together(ACTOR, some, field, value)
        if field != "owner" and done.was:
            said.append(("attribute.size", float(value or 0)))
        if chance.random() < 0.3:
            take_back_together(ACTOR, done)

    return step


def _merges(keys: list[int]) -> Person:
    def step(chance: random.Random, mark: str, said: list[Said]) -> None:
        standing_edges = list(Merge.objects.filter(undone_at__isnull=True).values_list("pk", flat=True))
        if standing_edges and chance.random() < 0.5:
            actions.unmerge(ACTOR, chance.choice(standing_edges))
            return
        one, other = chance.sample(keys, 2)
        actions.merge(ACTOR, one, other, mark, fields={"name": one} if chance.random() < 0.5 else None)

    return step


def _splits(keys: list[int]) -> Person:
    def step(chance: random.Random, mark: str, said: list[Said]) -> None:
        done = list(Split.objects.filter(undone_at__isnull=True).values_list("pk", flat=True))
        if len(done) > 2 and chance.random() < 0.6:
            take_back_split(ACTOR, chance.choice(done))
            return
        records = record_ids(actions.gate.seen(ACTOR, chance.choice(keys)).pk)
        held = list(Identifier.objects.filter(customer_id__in=records).values_list("pk", flat=True))
        rows = list(standing().filter(customer_id__in=records).values_list("pk", flat=True))
        some = frozenset(rows[: chance.randint(0, 2)])
        split(ACTOR, records[0], Choice(single=some), held[:1], name=f"Split {mark}")
        said.append(("name", f"Split {mark}"))

    return step


def _imports(_keys: list[int]) -> Person:
    def step(chance: random.Random, mark: str, said: list[Said]) -> None:
        people = chance.sample(range(PEOPLE), 12)
        if chance.random() < 0.5:
            rows = {"customer": [f"k{n}" for n in people], "title": [f"brought {mark} {n}" for n in people]}
            fixed = {"kind": "note", "occurred_at": "2026-05-02 12:00"}
            table = pa.table(rows | {name: [value] * len(people) for name, value in fixed.items()})
            load = run_import(ACTOR, "interactions", table, source="shop")
        else:
            sizes = [f"{mark.replace('-', '')}.{n:02d}" for n in people]
            table = pa.table(
                {
                    "external_id": [f"k{n}" for n in people],
                    "name": [f"File {mark} {n}" for n in people],
                    "language": [chance.choice(("de", "fr", "")) for _n in people],
                    "size": sizes,
                    "email": [f"p{n}.{mark}@rondo.example.org" for n in people],
                }
            )
            mapping = {name: name for name in ("external_id", "name", "language", "email")} | {"attribute:size": "size"}
            load = run_import(ACTOR, "customers", table, mapping, source="shop", options=ImportOptions(decimal="."))
            said += [("name", f"File {mark} {n}") for n in people]
        if chance.random() < 0.4:
            undo(ACTOR, load.pk)

    return step


def _at_once(work: list[tuple[Person, int]]) -> tuple[list[Said], list[BaseException], dict[str, int]]:
    said: list[list[Said]] = [[] for _one in work]
    failures: list[BaseException] = []
    counts = {"done": 0, "refused": 0}
    start = threading.Barrier(len(work))

    def run(number: int, person: Person, steps: int) -> None:
        chance = random.Random(number)
        try:
            start.wait(timeout=60)
            for step in range(1, steps + 1):
                mine: list[Said] = []
                try:
                    person(chance, f"{number + 1}-{step:04d}", mine)
                    counts["done"] += 1
                except REFUSED as error:
                    assert str(error)
                    counts["refused"] += 1
                said[number] += mine
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n, *one)) for n, one in enumerate(work)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
    return [one for some in said for one in some], failures, counts


def _log() -> Iterator[tuple[int, str, Any, Any, str]]:
    """Record, field, before, after, verb of all that the log says of customers, in order. Of a field that is an
    attribute the record is the one that held it."""
    of_value = dict(AttributeValue.objects.values_list("pk", "customer_id"))
    for entry in AuditEntry.objects.order_by("pk"):
        for name, (before, after) in entry.changes.items():
            if entry.record_type == "customer" and (name in FIELDS or name.startswith("attribute.")):
                yield entry.record_id, name, before, after, entry.verb
            elif entry.record_type == "attribute" and name == "number" and entry.record_id in of_value:
                yield of_value[entry.record_id], "attribute.size", before, after, entry.verb


def _check_log(said: list[Said]) -> None:
    held: dict[tuple[int, str], Any] = {}
    told: set[Said] = set()
    for record, name, before, after, verb in _log():
        known = held.get((record, name))
        if verb not in ("customer.merged", "customer.unmerged") or name in FIELDS:
            assert (before or None) == (known or None) or (name == "attribute.size" and known is None), (
                f"{verb} of customer {record} says that {name} was {before!r}; it was {known!r}"
            )
        held[record, name] = after
        told.add((name, after))
    missing = [one for one in said if one not in told]
    assert not missing, f"accepted, and not in the log: {missing[:5]}"
    for row in Customer.objects.all():
        for name in FIELDS:
            value = row.owner_id if name == "owner" else getattr(row, name)
            value = value.isoformat() if isinstance(value, date) else value
            assert (value or None) == (held.get((row.pk, name)) or None), f"{name} of customer {row.pk}"


def _check_pointers() -> None:
    edges = dict(Merge.objects.filter(undone_at__isnull=True).values_list("loser_id", "winner_id"))

    def root(key: int) -> int:
        return root(edges[key]) if key in edges else key

    keys = list(Customer.objects.values_list("pk", flat=True))
    table = dict(Survivor.objects.values_list("customer_id", "survivor_id"))
    assert table == {key: root(key) for key in keys if root(key) != key}
    assert set(Customer.objects.filter(is_merged=True).values_list("pk", flat=True)) == set(table)
    words = set(NameWord.objects.values_list("customer_id", "word", "later"))
    names.reindex(keys)
    assert set(NameWord.objects.values_list("customer_id", "word", "later")) == words


@pytest.mark.django_db(transaction=True)
def test_people_who_edit_merge_split_and_import_over_the_same_customers_lose_nothing(crowd: list[int]) -> None:
    cards = sorted(Identifier.objects.filter(kind="card").values_list("value", flat=True))
    work = [
        (_edits_cells(crowd), STEPS),
        (_edits_cells(crowd), STEPS),
        (_edits_forms(crowd), STEPS),
        (_edits_many(crowd), STEPS // 2),
        (_merges(crowd), STEPS),
        (_merges(crowd), STEPS),
        (_splits(crowd), STEPS // 2),
        (_imports(crowd), STEPS // 4),
    ]
    said, failures, counts = _at_once(work)
    assert failures == []
    assert counts["done"] > counts["refused"] > 0, counts
    _check_pointers()
    _check_log(said)
    assert sorted(Identifier.objects.filter(kind="card").values_list("value", flat=True)) == cards
    titles = sorted(standing().values_list("title", flat=True))
    assert len(titles) == len(set(titles)), "a contact stands twice"
    taken_back = set(Load.objects.filter(status=Load.Status.UNDONE).values_list("pk", flat=True))
    wanted = {row.title for row in Interaction.objects.exclude(load_id__in=taken_back)}
    assert {*titles} == wanted - {row.title for row in Interaction.objects.filter(load_id__in=taken_back)}
