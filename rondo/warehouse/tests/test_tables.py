"""The opened copy: stated schemas are the engine's own, and what is kept is computed once."""

import shutil
from collections.abc import Callable

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from rondo.customers.actions import merge, put_back, put_into_bin
from rondo.customers.models import Link
from rondo.foundation.actors import system
from rondo.warehouse import delta
from rondo.warehouse.refresh import refresh
from rondo.warehouse.tables import open_tables
from rondo.warehouse.tests.world import customer, purchase

pytestmark = pytest.mark.django_db


@pytest.fixture
def purchased() -> Callable[[], dict[str, int]]:
    """Refreshes the copy and counts the rows of its views."""

    def count() -> dict[str, int]:
        refresh()
        with open_tables() as tables:
            names = ("customers", "orders", "order_lines", "interactions", "links")
            return {name: int(tables.rows(f"SELECT count(*) FROM {name}")[0][0]) for name in names}

    return count


def test_the_stated_schema_of_every_view_is_the_one_the_engine_finds() -> None:
    purchase(customer(), "2024-01-05")
    refresh()
    with open_tables() as tables:
        assert {name: getattr(tables, name).schema() for name in tables.names} == {
            name: tables.connection.table(name).schema() for name in tables.names
        }


def test_what_is_kept_has_the_types_asked_for_and_is_not_computed_again() -> None:
    ann = customer()
    purchase(ann, "2024-01-05", 700)
    purchase(ann, "2024-01-09", 900)
    refresh()
    with open_tables() as tables:
        t = tables.orders
        kept = tables.keep(t.group_by("customer_id").aggregate(spend=t.total.sum(), last=t.business_date.max()))
        assert kept.schema() == tables.connection.table(kept.get_name()).schema()
        tables.connection.raw_sql("CREATE OR REPLACE VIEW orders AS SELECT 1 AS id")
        assert [(row["customer_id"], row["spend"], str(row["last"])) for row in tables.arrow(kept).to_pylist()] == [
            (ann.pk, 1600, "2024-01-09")
        ]


def test_a_table_is_opened_when_it_is_asked_for() -> None:
    refresh()
    with open_tables() as tables:

        def named() -> set[str]:
            return {str(name) for (name,) in tables._engine.rows("SELECT view_name FROM duckdb_views()")}

        assert not {"orders", "products", "raw_products"} & named()
        assert tables.arrow(tables.orders.count()).as_py() == 0
        assert {"orders", "raw_orders"} <= named() and not {"products", "raw_products"} & named()
        assert tables.rows("SELECT count(*) FROM products") == [(0,)]
        assert set(tables.names) | {f"raw_{name}" for name in tables.names} <= named()


def test_nothing_of_a_customer_in_the_bin_is_in_a_view(purchased: Callable[[], dict[str, int]]) -> None:
    """Their orders, lines, links and merged records are left out, and are there again when they are put back."""
    ann, bob, other = customer("Ann"), customer("Bob"), customer("Ann B.")
    for one in (ann, bob, other):
        purchase(one, "2024-01-05")
    merge(system(), other, ann)
    Link.objects.create(subject=ann, object=bob, role=Link.Role.REFERRED)
    before = purchased()
    assert before == {"customers": 2, "orders": 3, "order_lines": 3, "interactions": 3, "links": 1}
    row = put_into_bin(system(), [ann])
    assert purchased() == {"customers": 1, "orders": 1, "order_lines": 1, "interactions": 1, "links": 0}
    put_back(system(), row.pk)
    assert purchased() == before


def test_a_column_that_a_newer_version_added_is_empty_until_the_next_refresh() -> None:
    """After an upgrade the copy is of the version before: what reads it goes on, and the refresh fills the column."""
    Link.objects.create(subject=customer("Ann"), object=customer("Bob"), role=Link.Role.REFERRED)
    refresh()
    with open_tables() as tables:
        older = tables.arrow(tables.raw.links).drop_columns(["created_at"])
    reader = pa.RecordBatchReader.from_batches(older.schema, older.to_batches())
    delta.commit("links", delta.Rows(reader, older.num_rows), replace=True, notes={})
    with open_tables() as tables:
        assert tables.arrow(tables.links)["created_at"].to_pylist() == [None]
    refresh()
    with open_tables() as tables:
        assert tables.arrow(tables.links)["created_at"].null_count == 0


def test_a_table_is_opened_anew_when_its_log_is_another() -> None:
    """Whoever wrote it: this process, another one, or somebody who removed it and made it again."""

    def marks(count: int) -> None:
        rows = pa.table({"id": pa.array(range(count), pa.int64())})
        write_deltalake(delta.path_of("marks"), rows, mode="append")

    assert delta.existing("marks") is None
    marks(1)
    first = delta.existing("marks")
    assert first is not None and first.count() == 1 and delta.existing("marks") is first
    marks(2)
    second = delta.existing("marks")
    assert second is not None and (first.count(), second.count()) == (1, 3)
    assert delta.delete("marks", "id", [1]) == 1
    third = delta.existing("marks")
    assert third is not None and (second.count(), third.count()) == (3, 2)
    shutil.rmtree(delta.path_of("marks"))
    assert delta.existing("marks") is None
    for count in (5, 6, 7):
        marks(count)
    fourth = delta.existing("marks")
    assert fourth is not None and (fourth.version(), fourth.count()) == (third.version(), 18)
