"""The opened copy: stated schemas are the engine's own, and what is kept is computed once."""

import pytest

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
