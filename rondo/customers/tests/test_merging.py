"""Merging is a pointer: compared step by step with a plain model, in random orders of merges and undos."""

import os
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection

from rondo.customers import actions, names, queries
from rondo.customers.models import (
    Address,
    AttributeDefinition,
    AttributeValue,
    Customer,
    Identifier,
    Merge,
    MergePick,
    NameWord,
    Survivor,
)
from rondo.errors import InputError, NotFound, PermissionRefused, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor, system

pytestmark = pytest.mark.django_db


@dataclass
class Model:
    """Who points to whom, what each record holds of its own, and what is shown because of a merge; everything is worked
    out anew from it. A pick: edge, holder, field, origin, value."""

    own: dict[int, dict[str, Any]]
    known: set[int]
    pointer: dict[int, int] = field(default_factory=dict)
    edges: dict[int, tuple[int, int]] = field(default_factory=dict)
    picks: list[tuple[int, int, str, int, Any]] = field(default_factory=list)

    def root(self, key: int) -> int:
        while key in self.pointer:
            key = self.pointer[key]
        return key

    def group(self, key: int) -> list[int]:
        """The records below ``key``, itself first."""
        below = {one for one in self.own if key in self._way(one)} - {key}
        return [key, *sorted(below)]

    def _way(self, key: int) -> set[int]:
        seen = {key}
        while key in self.pointer:
            key = self.pointer[key]
            seen.add(key)
        return seen

    def held(self, key: int, name: str) -> tuple[int, Any]:
        """What a record holds, and of which record it is."""
        mine = [(origin, value) for _edge, holder, which, origin, value in self.picks if (holder, which) == (key, name)]
        return mine[-1] if mine else (key, self.own[key][name])

    def shown(self, root: int, name: str) -> tuple[int, Any]:
        """What a survivor shows: of attributes and the address what the first of its records has. An address that is
        preferred is so of the survivor alone."""
        if name == "size":
            return next((one for key in self.group(root) if (one := self.held(key, name))[1]), (root, None))
        held = self.held(root, name)
        if name == "address" and held[1] is None:
            own = [(key, value) for key in self.group(root) if (value := self.own[key][name])]
            return own[0] if own else held
        return held

    def merge(self, edge: int, lost: int, kept: int, chosen: dict[str, int]) -> None:
        sides = {side: {name: self.shown(side, name) for name in FIELDS} for side in (lost, kept)}
        self.pointer[lost], self.edges[edge] = kept, (lost, kept)
        for name in FIELDS:
            first = chosen.get(name, kept)
            origin, value = sides[first][name]
            if not value:
                origin, value = sides[lost if first == kept else kept][name]
            if value != self.shown(kept, name)[1]:
                self.picks.append((edge, kept, name, origin, value))

    def undo(self, edge: int) -> int:
        lost, _kept = self.edges.pop(edge)
        leaving = set(self.group(lost))
        self.picks = [
            pick
            for pick in self.picks
            if pick[0] != edge and not (pick[3] in leaving and pick[1] not in leaving)
        ]  # fmt: skip
        del self.pointer[lost]
        return lost

    def change(self, key: int, name: str, value: Any) -> None:
        """By hand: nothing goes back to what was before."""
        self.picks = [pick for pick in self.picks if (pick[1], pick[2]) != (key, name)]
        self.own[key][name] = value


SIZE = 7
FIELDS = ("name", "language", "birth_date", "size", "address")
STEPS = int(os.environ.get("MERGE_STEPS", "400"))
"""Merges, undos and changes at random; more of them when asked for."""


def _base() -> Model:
    """Customers 0 to 4 are known, 5 and 6 are browsers; each has an identifier, most have something in every field."""
    size, _made = AttributeDefinition.objects.get_or_create(key="size", label_en="Size", type="number", form="benefit")
    model = Model({}, set())
    for n in range(SIZE):
        known = n < 5
        row = Customer.objects.create(
            name=f"N{n}" if known else "",
            folded_name=f"n{n}" if known else "",
            language=("", "de", "en")[n % 3],
            birth_date=date(1980, 1, n + 1) if n % 2 else None,
        )
        kind = "card" if known else "anonymous"
        Identifier.objects.create(customer=row, kind=kind, value=f"V{n}", shown=f"V{n}")
        if n % 3:
            AttributeValue.objects.create(customer=row, definition=size, number=n)
        places = [Address.objects.create(customer=row, street=f"{n}{m} Elm St").pk for m in range(n % 3)]
        model.own[row.pk] = {
            "name": row.name, "language": row.language, "birth_date": row.birth_date,
            "size": float(n) if n % 3 else None, "address": min(places, default=None),
        }  # fmt: skip
        if known:
            model.known.add(row.pk)
    return model


def _check(model: Model) -> None:
    roots = {key: model.root(key) for key in model.own}
    table = dict(Survivor.objects.values_list("customer_id", "survivor_id"))
    assert table == {key: root for key, root in roots.items() if key != root}
    assert set(Customer.objects.filter(is_merged=True).values_list("pk", flat=True)) == set(table)
    seen = {row.pk: row for row in queries.visible(None)}
    assert set(seen) == set(roots.values())
    words: dict[int, set[str]] = {root: set() for root in seen}
    for owner, word in NameWord.objects.filter(customer__in=seen).values_list("customer_id", "word"):
        words[owner].add(word)
    for root, row in seen.items():
        group = model.group(root)
        assert queries.record_ids(root) == group
        sizes, places = queries.all_attributes_of(group), queries.addresses_of(group)
        said = (row.name, row.language, row.birth_date, sizes[0].number if sizes else None)
        assert (*said, places[0].pk if places else None) == tuple(model.shown(root, name)[1] for name in FIELDS)
        assert words[root] == {word for key in group for word in model.held(key, "name")[1].lower().split()}


def _everything() -> dict[str, list[dict[str, Any]]]:
    """All rows of all that belongs to customers, but for the counts of changes, which only ever go up."""
    models = (Customer, Identifier, Address, AttributeValue, NameWord, Survivor, MergePick)
    rows: dict[str, list[dict[str, Any]]] = {
        model.__name__: [dict(row) for row in model._default_manager.order_by("pk").values()] for model in models
    }
    for row in rows["Customer"]:
        del row["version"], row["changed_in"]
    for row in rows["NameWord"]:
        del row["id"]
    for row in rows["AttributeValue"]:
        del row["id"]
    rows["NameWord"].sort(key=lambda row: (row["customer_id"], row["word"]))
    rows["AttributeValue"].sort(key=lambda row: row["customer_id"])
    return rows


def test_random_merges_and_undos_agree_with_a_plain_model_and_leave_nothing_behind(manager: Actor) -> None:
    chance = random.Random(5)
    model = _base()
    keys = list(model.own)
    names.reindex(keys)
    before = _everything()
    changed = False
    for step in range(STEPS):
        act = chance.random()
        if act < 0.5:
            first, second = chance.sample(keys, 2)
            lost, kept = model.root(first), model.root(second)
            if lost == kept:
                with pytest.raises(StateError, match="one customer already"):
                    actions.merge(manager, first, second)
                continue
            if model.known & set(model.group(lost)) and not model.known & set(model.group(kept)):
                lost, kept = kept, lost  # the known outlives the anonymous
            chosen = {name: chance.choice((lost, kept)) for name in FIELDS if chance.random() < 0.5}
            told = {("attr.size" if name == "size" else name): side for name, side in chosen.items()}
            edge = actions.merge(manager, first, second, fields=told)
            assert (edge.loser_id, edge.winner_id) == (lost, kept)
            model.merge(edge.pk, lost, kept, chosen)
        elif act < 0.9 and model.edges:
            gone = chance.choice(sorted(model.edges))
            assert actions.unmerge(manager, gone).customer.pk == model.undo(gone)
            with pytest.raises(StateError, match="undone already"):
                actions.unmerge(manager, gone)
        elif act > 0.97:
            root = model.root(chance.choice(keys))
            day = date(1990, 1, 1) + timedelta(days=step)
            version = Customer.objects.get(pk=root).version
            actions.change_customer(manager, root, expected_version=version, birth_date=day)
            model.change(root, "birth_date", day)
            changed = True
        _check(model)
        if step % 50 == 49:
            for gone in chance.sample(sorted(model.edges), len(model.edges)):
                actions.unmerge(manager, gone)
                model.undo(gone)
            _check(model)
            if changed:  # what was changed by hand stays as it was changed; all else is as before
                for row in before["Customer"]:
                    row["birth_date"] = model.own[row["id"]]["birth_date"]
            assert _everything() == before


def test_a_known_record_outlives_an_anonymous_one(manager: Actor) -> None:
    known = actions.create_customer(manager, name="Anna")
    browser = actions.create_customer(manager, identifiers=[("anonymous", "a1")])
    edge = actions.merge(manager, known, browser)
    assert (edge.loser, edge.winner) == (browser, known)


def test_parts_of_a_name_are_chosen_one_by_one_and_the_undo_leaves_what_was_changed_since(manager: Actor) -> None:
    kept = actions.create_customer(manager, given_name="Anna", family_name="Maier", language="de")
    lost = actions.create_customer(
        manager, given_name="Anne", family_name="Huber", language="en", birth_date=date(1980, 5, 1),
        known_since=date(2015, 1, 1),
    )  # fmt: skip
    actions.assign_owner(manager, lost, manager.user)
    edge = actions.merge(manager, lost, kept, fields={"family_name": lost, "language": lost})
    kept.refresh_from_db()
    shown = (kept.name, kept.given_name, kept.language, kept.birth_date, kept.owner, kept.known_since)
    assert shown == ("Anna Huber", "Anna", "en", date(1980, 5, 1), manager.user, date(2015, 1, 1))
    (entry,) = [e for e in audit.entries_of("customer", kept.pk) if e.verb == "customer.merged"]
    assert entry.changes["family_name"] == ["Maier", "Huber"]
    assert entry.changes["owner"] == [None, manager.user.pk if manager.user else 0]
    actions.change_customer(manager, kept, expected_version=kept.version, language="fr")
    done = actions.unmerge(manager, edge.pk)
    kept.refresh_from_db()
    assert (kept.name, kept.language, kept.birth_date, kept.owner) == ("Anna Maier", "fr", None, None)
    assert (done.customer, done.left) == (lost, ["language"])


def test_what_cannot_be_chosen_is_refused_and_nothing_is_merged(manager: Actor) -> None:
    one, two, third = (actions.create_customer(manager, name=name) for name in ("One", "Two", "Three"))
    for fields in ({"shoe": one}, {"name": third}, {"attr.none": one}):
        with pytest.raises(InputError):
            actions.merge(manager, one, two, fields=fields)
    assert not Merge.objects.exists()


def test_merging_is_a_right_and_needs_sight_of_both(seller: Actor, manager: Actor, reader: Actor) -> None:
    hers = actions.create_customer(seller, name="Hers")
    his = actions.create_customer(manager, name="His")
    for actor in (seller, reader):
        with pytest.raises(PermissionRefused, match="merge"):
            actions.merge(actor, hers, his)
    assert manager.user is not None
    manager.user.reach = "own"
    with pytest.raises(NotFound):
        actions.merge(manager, his, hers)


def test_audit_on_both_records(manager: Actor) -> None:
    one, two = actions.create_customer(manager, name="One"), actions.create_customer(manager, name="Two")
    edge = actions.merge(manager, one, two, reason="same  person")
    actions.unmerge(manager, edge.pk)
    edge.refresh_from_db()
    assert (edge.reason, edge.undone_by, edge.undone_at is not None) == ("same person", manager.user, True)
    for row in (one, two):
        assert [e.verb for e in audit.entries_of("customer", row.pk)][:2] == ["customer.unmerged", "customer.merged"]


def test_a_merged_record_answers_with_its_survivor_but_is_not_edited_by_mistake(manager: Actor) -> None:
    one, two = actions.create_customer(manager, name="One"), actions.create_customer(manager, name="Two")
    actions.merge(manager, one, two)
    assert queries.get_visible(manager.user, one.public_id) == two
    with pytest.raises(StateError, match=two.public_id):
        actions.change_customer(manager, one.public_id, expected_version=1, name="Wrong")
    assert actions.add_identifier(manager, one, "card", "5").customer_id == two.pk


def test_clearing_an_attribute_clears_it_from_all_records(manager: Actor) -> None:
    actions.define_attribute(system(), "size", label_en="Size", type="number", form="benefit")
    one, two = actions.create_customer(manager, name="One"), actions.create_customer(manager, name="Two")
    for row, value in ((one, 1), (two, 2)):
        actions.set_attribute(manager, row, "size", value)
    actions.merge(manager, one, two)
    records = queries.record_ids(two.pk)
    assert [v.number for v in queries.all_attributes_of(records)] == [2]
    actions.set_attribute(manager, two, "size", None)
    assert queries.all_attributes_of(records) == []


@pytest.mark.django_db(transaction=True)
def test_many_at_once_never_make_a_circle() -> None:
    keys = [Customer.objects.create(name=f"N{n}").pk for n in range(4)]
    failures: list[BaseException] = []

    def run(pairs: list[tuple[int, int]]) -> Callable[[], None]:
        def work() -> None:
            try:
                for lost, kept in pairs:
                    try:
                        edge = actions.merge(system(), keys[lost], keys[kept])
                        if (lost + kept) % 2:
                            actions.unmerge(system(), edge.pk)
                    except StateError:
                        pass
            except BaseException as error:
                failures.append(error)
            finally:
                connection.close()

        return work

    plans = [[(0, 1), (1, 2), (2, 3), (0, 2)], [(1, 0), (2, 1), (3, 2), (2, 0)], [(3, 0), (0, 3), (1, 3), (3, 1)]]
    threads = [threading.Thread(target=run(plan)) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    model = Model({}, set())
    for edge in Merge.objects.filter(undone_at__isnull=True):
        assert edge.loser_id not in model.pointer
        model.pointer[edge.loser_id] = edge.winner_id
    for key in keys:
        seen = {key}
        while key in model.pointer:
            key = model.pointer[key]
            assert key not in seen
            seen.add(key)
    table = dict(Survivor.objects.values_list("customer_id", "survivor_id"))
    assert table == {key: model.root(key) for key in keys if model.root(key) != key}
