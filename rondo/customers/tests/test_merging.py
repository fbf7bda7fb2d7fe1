"""Merging is a pointer: compared step by step with a plain model, in random orders of merges and undos."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rondo.customers import actions, queries
from rondo.customers.models import AttributeDefinition, AttributeValue, Customer, Identifier, Merge, Survivor
from rondo.errors import NotFound, PermissionRefused, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor, system

pytestmark = pytest.mark.django_db


@dataclass
class Model:
    """Who points to whom, and nothing else; everything is worked out anew from it."""

    pointer: dict[int, int] = field(default_factory=dict)
    edges: dict[int, tuple[int, int]] = field(default_factory=dict)

    def root(self, key: int) -> int:
        while key in self.pointer:
            key = self.pointer[key]
        return key

    def group(self, key: int, everybody: list[int]) -> set[int]:
        return {other for other in everybody if self.root(other) == self.root(key)}


SIZE = 7
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("merge"), st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)),
        st.tuples(st.just("undo"), st.integers(0, 30), st.just(0)),
    ),
    max_size=25,
)


def _base() -> list[int]:
    """Customers 0 to 4 are known, 5 and 6 are browsers; every one has an identifier, most an attribute."""
    AttributeValue.objects.all().delete()
    Merge.objects.all().delete()
    Customer.objects.all().delete()
    size, _made = AttributeDefinition.objects.get_or_create(key="size", label_en="Size", type="number", form="benefit")
    keys = []
    for n in range(SIZE):
        known = n < 5
        row = Customer.objects.create(name=f"N{n}" if known else "")
        kind = "card" if known else "anonymous"
        Identifier.objects.create(customer=row, kind=kind, value=f"V{n}", shown=f"V{n}")
        if n % 3:
            AttributeValue.objects.create(customer=row, definition=size, number=n)
        keys.append(row.pk)
    return keys


def _check(model: Model, keys: list[int]) -> None:
    roots = {key: model.root(key) for key in keys}
    table = dict(Survivor.objects.values_list("customer_id", "survivor_id"))
    assert table == {key: root for key, root in roots.items() if key != root}
    assert set(Customer.objects.filter(is_merged=True).values_list("pk", flat=True)) == set(table)
    assert set(queries.visible(None).values_list("pk", flat=True)) == set(roots.values())
    for root in set(roots.values()):
        group = model.group(root, keys)
        records = queries.record_ids(root)
        assert records[0] == root
        assert set(records) == group
        assert len(records) == len(group)
        assert {i.value for i in queries.identifiers_of(None, records)} == {f"V{keys.index(k)}" for k in group}
        wanted = [keys.index(k) for k in [root, *sorted(group - {root})] if keys.index(k) % 3]
        assert [v.number for v in queries.all_attributes_of(records)] == wanted[:1]
    # nothing was moved or copied
    assert list(Identifier.objects.order_by("pk").values_list("customer_id", "value")) == [
        (key, f"V{n}") for n, key in enumerate(keys)
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(steps=STEPS)
def test_random_merges_and_undos_agree_with_a_plain_model(db: None, steps: list[tuple[str, int, int]]) -> None:
    keys = _base()
    model = Model()
    known = {key: n < 5 for n, key in enumerate(keys)}
    for verb, first, second in steps:
        if verb == "merge":
            lost, kept = model.root(keys[first]), model.root(keys[second])
            if lost == kept:
                with pytest.raises(StateError, match="one customer already"):
                    actions.merge(system(), keys[first], keys[second])
                continue
            edge = actions.merge(system(), keys[first], keys[second])
            lost_known = any(known[k] for k in model.group(lost, keys))
            kept_known = any(known[k] for k in model.group(kept, keys))
            if lost_known and not kept_known:
                lost, kept = kept, lost
            model.pointer[lost] = kept
            model.edges[edge.pk] = (lost, kept)
        elif model.edges:
            edge_id = sorted(model.edges)[first % len(model.edges)]
            lost, _kept = model.edges.pop(edge_id)
            assert actions.unmerge(system(), edge_id).pk == lost
            del model.pointer[lost]
            with pytest.raises(StateError, match="undone already"):
                actions.unmerge(system(), edge_id)
        _check(model, keys)
    for edge_id in list(model.edges):
        actions.unmerge(system(), edge_id)
    _check(Model(), keys)


def test_a_known_record_outlives_an_anonymous_one(manager: Actor) -> None:
    known = actions.create_customer(manager, name="Anna")
    browser = actions.create_customer(manager, identifiers=[("anonymous", "a1")])
    edge = actions.merge(manager, known, browser)
    assert (edge.loser, edge.winner) == (browser, known)


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
    model = Model()
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
