"""Reads of buying stages: of one customer, of the whole base, and who moved between two days in a category."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, cast

from django.core.cache import cache
from django.db.models import QuerySet

from rondo.analysis.buying_stages.shapes import CategoryStages, Found
from rondo.analysis.buying_stages.texts import STAGES, Entry, entries
from rondo.analysis.models import StageFound, StageOf
from rondo.analysis.movements import Move
from rondo.analysis.queries import digest_of, seen_keys
from rondo.catalogue.queries import paths_of
from rondo.customers.queries import visible
from rondo.foundation.models import User
from rondo.foundation.prepared import prepared

if TYPE_CHECKING:
    from rondo.analysis.queries import Keys
    from rondo.warehouse.tables import Tables

_KEPT_SECONDS = 3600
NO_SIGN = "none"
"""Stands for who had given no sign in a category yet."""


@dataclass(frozen=True)
class Line:
    """Where a customer stands in one category."""

    path: str
    entry: Entry


@dataclass(frozen=True)
class StagesOfOne:
    """Where one customer stands, as of a day, in every category in which they gave a sign."""

    as_of: date
    lines: list[Line]


def stages_of(customer_id: int) -> StagesOfOne | None:
    """Where a surviving customer stands; None where nothing is known."""
    row, found = next(iter(_row(customer_id)), None), next(iter(_found()), None)
    if row is None or found is None:
        return None
    told = entries(row.stages, found.as_of)
    paths = paths_of([one.category for one in told])
    return StagesOfOne(found.as_of, [Line(paths[one.category], one) for one in told if one.category in paths])


@prepared
def _row(customer_id: int) -> QuerySet[StageOf]:
    return StageOf.objects.filter(pk=customer_id)


@prepared
def _found() -> QuerySet[StageFound]:
    return StageFound.objects.only("as_of").order_by("pk")[:1]


@dataclass(frozen=True)
class FoundAsOf:
    """What a viewer may see of the buying stages, the run and the day they are of."""

    run: int
    as_of: date
    results: Found


def found_for(viewer: User | None) -> FoundAsOf | None:
    """What was found, over the customers of the viewer's; None before it was worked out."""
    row = StageFound.objects.first()
    if row is None:
        return None
    whole = cast("Found", row.results)
    seen = seen_keys(viewer)
    if seen is None:
        return FoundAsOf(row.run_id, row.as_of, whole)
    key = f"analysis.buying-stages.{row.run_id}.{digest_of(seen)}"
    part: Found | None = cache.get(key)
    if part is None:
        part = _part(whole, seen, visible(viewer).count())
        cache.set(key, part, _KEPT_SECONDS)
    return FoundAsOf(row.run_id, row.as_of, part)


def largest_categories(limit: int) -> list[str]:
    """Paths of the categories in which most customers stand anywhere."""
    row = StageFound.objects.first()
    return [one["path"] for one in row.results.get("categories", [])[:limit]] if row else []


def _part(whole: Found, seen: "Keys", customers: int) -> Found:
    """The counts over some customers; what is of all alone (contacts, what became of it) is left as it is."""
    from rondo.warehouse.tables import open_tables

    with open_tables() as tables:
        t = _chosen(tables, tables.buying_stages, seen)
        cells = tables.arrow(t.group_by("category_id", "stage").aggregate(n=t.count())).to_pylist()
        owners = tables.arrow(t.group_by("stage").aggregate(n=t.customer_id.nunique())).to_pylist()
        known = int(tables.arrow(t.customer_id.nunique().as_table())[0][0].as_py())
    counts: dict[int, list[int]] = {}
    for cell in cells:
        counts.setdefault(cell["category_id"], [0] * len(STAGES))[STAGES.index(cell["stage"])] = cell["n"]
    rows = [CategoryStages(category=row["category"], path=row["path"], customers=counts[row["category"]])
            for row in whole["categories"] if row["category"] in counts]  # fmt: skip
    rows.sort(key=lambda row: (-sum(row["customers"]), row["path"]))
    per_stage = {row["stage"]: row["n"] for row in owners}
    return Found(
        customers=customers,
        known=known,
        per_stage=[per_stage.get(stage, 0) for stage in STAGES],
        pairs=[sum(row["customers"][place] for row in rows) for place in range(len(STAGES))],
        categories=rows,
        signals=whole["signals"],
        check=None,
        first=whole["first"],
        rules=whole["rules"],
        version=whole["version"],
    )


def moves(viewer: User | None, category: int, since: date, until: date) -> list[Move]:
    """Every pair of stages of a category that a customer of the viewer's was in on the two days, those who stayed
    included; :data:`NO_SIGN` for who had given none. Stages are read on Sundays and on the day of the run."""
    row = StageFound.objects.only("run_id").first()
    if row is None:
        return []
    seen = seen_keys(viewer)
    key = f"analysis.buying-moves.{row.run_id}.{category}.{since}.{until}.{digest_of(seen)}"
    found: list[Move] | None = cache.get(key)
    if found is None:
        found = _counted(seen, category, since, until)
        cache.set(key, found, _KEPT_SECONDS)
    return found


def _chosen(tables: "Tables", table: Any, seen: "Keys | None") -> Any:
    import pyarrow as pa

    if seen is None:
        return table
    chosen = tables.take(pa.table({"member": pa.array(seen, pa.int64())}))
    return table.filter(table.customer_id.isin(chosen.member))


def _counted(seen: "Keys | None", category: int, since: date, until: date) -> list[Move]:
    from rondo.warehouse.tables import open_tables

    with open_tables() as tables:
        stood = _stood(tables, seen, category, since, until)
        if stood is None:
            return []
        counted = stood.group_by("before", "after").aggregate(
            customers=stood.count(), value=stood.value.sum().cast("int64")
        )
        return [Move(**row) for row in tables.arrow(counted.order_by("before", "after")).to_pylist()]


def _stood(tables: "Tables", seen: "Keys | None", category: int, since: date, until: date) -> Any:
    """One row per customer with a sign up to ``until``: the stages of both days and the value; None without a
    ledger."""
    import ibis

    if not {"buying_moves", "scores"} <= set(tables.names):
        return None
    ledger = _chosen(tables, tables.buying_moves.filter(tables.buying_moves.category_id == category), seen)
    last = ledger.filter(ledger.day <= ibis.literal(until))
    last = last.group_by(after_of="customer_id").aggregate(after=last.after.argmax(last.day))
    first = ledger.filter(ledger.day <= ibis.literal(since))
    first = first.group_by(before_of="customer_id").aggregate(before=first.after.argmax(first.day))
    both = last.left_join(first, last.after_of == first.before_of)
    values = tables.scores.select("customer_id", "value")
    joined = both.join(values, both.after_of == values.customer_id)
    return joined.select(
        "customer_id",
        before=joined.before.fill_null(NO_SIGN),
        after=joined.after,
        value=joined.value.fill_null(0).cast("int64"),
    )
