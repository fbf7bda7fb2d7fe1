"""Who moved from which state of a scale to which between two days, read from the ledger of the current run.

The scales are those of the ledger: ``stage`` (life cycle), ``ladder``, ``relationship``.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.core.cache import cache

from rondo.analysis.models import Run
from rondo.analysis.queries import digest_of, seen_keys
from rondo.foundation.models import User

if TYPE_CHECKING:
    from rondo.analysis.queries import Keys
    from rondo.warehouse.tables import Tables

_KEPT_SECONDS = 3600


@dataclass(frozen=True)
class Move:
    """Customers who stood in ``before`` on the first day and stand in ``after`` on the second, and their value by the
    run."""

    before: str
    after: str
    customers: int
    value: int


def moves(viewer: User | None, run: Run, since: date, until: date, scale: str = "stage") -> list[Move] | None:
    """Every pair of states that a customer of the viewer's was in on the two days, those who stayed included; None
    where the run, being older, left no ledger. States are read on Sundays and on the day of the run."""
    seen = seen_keys(viewer)
    key = f"analysis.moves.{run.pk}.{scale}.{since}.{until}.{digest_of(seen)}"
    found: list[Move] | None = cache.get(key)
    if found is None:
        found = _counted(seen, since, until, scale)
        cache.set(key, found, _KEPT_SECONDS)
    return found


def _counted(seen: "Keys | None", since: date, until: date, scale: str) -> list[Move] | None:
    from rondo.warehouse.tables import open_tables

    with open_tables() as tables:
        stood = _stood(tables, seen, since, until, scale)
        if stood is None:
            return None
        counted = stood.group_by("before", "after").aggregate(
            customers=stood.count(), value=stood.value.sum().cast("int64")
        )
        return [Move(**row) for row in tables.arrow(counted.order_by("before", "after")).to_pylist()]


def _stood(tables: "Tables", seen: "Keys | None", since: date, until: date, scale: str) -> Any:
    """One row per customer with the states of both days and the value; None without a ledger."""
    import ibis
    import pyarrow as pa

    if not {"standing", "scores"} <= set(tables.names):
        return None
    ledger = tables.standing.filter(tables.standing.scale == scale)
    if seen is not None:
        chosen = tables.take(pa.table({"member": pa.array(seen, pa.int64())}))
        ledger = ledger.filter(ledger.customer_id.isin(chosen.member))

    def on(day: date, name: str) -> Any:
        known = ledger.filter(ledger.day <= ibis.literal(day))
        return known.group_by(**{f"{name}_of": "customer_id"}).aggregate(**{name: known.after.argmax(known.day)})

    first, last = on(since, "before"), on(until, "after")
    both = first.join(last, first.before_of == last.after_of)
    values = tables.scores.select("customer_id", "value")
    joined = both.join(values, both.before_of == values.customer_id)
    return joined.select("customer_id", "before", "after", value=joined.value.fill_null(0).cast("int64"))
