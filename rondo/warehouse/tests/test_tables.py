"""The opened copy: stated schemas are the engine's own, and what is kept is computed once."""

import pyarrow as pa
import pytest

from rondo.customers.models import Link
from rondo.warehouse import delta
from rondo.warehouse.refresh import refresh
from rondo.warehouse.tables import open_tables
from rondo.warehouse.tests.world import customer, purchase

pytestmark = pytest.mark.django_db


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
