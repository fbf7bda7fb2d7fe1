"""What a trial foretold of each row, read page by page from its file: nothing holds all rows at once."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rondo.customers.models import Customer
from rondo.customers.queries import visible
from rondo.foundation.models import User
from rondo.foundation.spreadsheets import harmless
from rondo.interactions.importing.foretelling import CELL, OUTCOMES

LABELS = {
    "create": gettext_lazy("new"),
    "update": gettext_lazy("changed"),
    "keep": gettext_lazy("as it is"),
    "leave_out": gettext_lazy("left out"),
    "refuse": gettext_lazy("refused"),
}
CHIPS = {"create": "good", "update": "accent", "refuse": "risk"}
PAGE = 100
_BATCH = 5_000


@dataclass(frozen=True)
class Change:
    """A field that an update would change."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Row:
    """What would become of one row. ``cells`` as they were read; ``customer``, and what of them would change, where it
    is one that the viewer sees."""

    line: int
    outcome: str
    label: str
    chip: str
    cells: list[str]
    why: str
    changes: list[Change]
    customer: Customer | None


def _batches(path: Path, after: int, outcome: str) -> Iterator[Any]:
    """Batches of the rows behind a line, of one outcome or all; row groups before the line are not read."""
    file = pq.ParquetFile(path)
    with file:
        place = file.schema_arrow.get_field_index("line")
        groups = []
        for number in range(file.num_row_groups):
            told = file.metadata.row_group(number).column(place).statistics
            if told is None or not told.has_min_max or told.max > after:
                groups.append(number)
        for batch in file.iter_batches(batch_size=_BATCH, row_groups=groups):
            wanted = pc.greater(batch.column("line"), after)
            if outcome:
                wanted = pc.and_(wanted, pc.equal(batch.column("outcome"), outcome))
            kept = batch.filter(wanted)
            if len(kept):
                yield kept


def read(
    path: Path, viewer: User, kind: str, labels: dict[str, str], *, after: int = 0, outcome: str = "", limit: int = PAGE
) -> list[Row]:
    """The next rows behind line ``after``, at most ``limit``."""
    found: list[dict[str, Any]] = []
    for batch in _batches(path, after, outcome):
        found += batch.slice(0, limit - len(found)).to_pylist()
        if len(found) >= limit:
            break
    people = _seen(found, viewer, kind)
    return [_row(row, labels, people, kind) for row in found]


def _seen(rows: list[dict[str, Any]], viewer: User, kind: str) -> dict[int, Customer]:
    """The customers whom rows would change, of those that the viewer sees, by key."""
    if kind != "customers":
        return {}
    return visible(viewer).in_bulk({row["record_id"] for row in rows if row["record_id"]})


def _changes(row: dict[str, Any], people: dict[int, Customer], kind: str) -> list[dict[str, Any]]:
    """What would change; nothing is told of a customer whom the viewer does not see: it is what they have now."""
    return [] if kind == "customers" and row["record_id"] not in people else row["changes"] or []


def _row(row: dict[str, Any], labels: dict[str, str], people: dict[int, Customer], kind: str) -> Row:
    changes = [
        Change(labels.get(one["field"], one["field"]), one["before"] or "", one["after"] or "")
        for one in _changes(row, people, kind)
    ]
    return Row(
        row["line"],
        row["outcome"],
        str(LABELS[row["outcome"]]),
        CHIPS.get(row["outcome"], ""),
        ["" if value is None else str(value) for name, value in row.items() if name.startswith(CELL)],
        why(row, labels),
        changes,
        people.get(row["record_id"]),
    )


def why(row: dict[str, Any], labels: dict[str, str]) -> str:
    """Why a row comes to its outcome, in words."""
    if row["outcome"] == "refuse":
        what = f"{labels.get(row['field'], row['field'])}: " if row["field"] else ""
        said = row["reason"] or ""
        value = f"“{row['value']}” " if row["value"] and row["value"] not in said else ""
        return f"{what}{value}{said}"
    if row["outcome"] == "leave_out":
        return _("nobody here is known by it, and new ones are left out")
    if row["known_by"]:
        by = ", ".join(labels.get(name, name) for name in row["known_by"].split(","))
        return _("known by %(fields)s") % {"fields": by}
    if row["outcome"] == "keep":
        return _("in already")
    return ""


def fields(path: Path) -> list[str]:
    """The fields that the rows have, in their order."""
    return [name.removeprefix(CELL) for name in pq.read_schema(path).names if name.startswith(CELL)]


def as_csv(path: Path, viewer: User, kind: str, labels: dict[str, str], outcome: str = "") -> Iterator[str]:
    """Every row as lines of CSV, safe against spreadsheet formulas."""

    class Echo:
        def write(self, line: str) -> str:
            return line

    writer = csv.writer(Echo())
    names = fields(path)
    head = [_("Line"), _("Outcome"), _("Why"), _("Changes"), *(labels.get(name, name) for name in names)]
    yield "\ufeff" + str(writer.writerow([harmless(text) for text in head]))
    for batch in _batches(path, 0, outcome):
        rows = batch.to_pylist()
        people = _seen(rows, viewer, kind)
        for row in rows:
            changes = "; ".join(
                f"{labels.get(one['field'], one['field'])}: {one['before'] or ''} → {one['after'] or ''}"
                for one in _changes(row, people, kind)
            )
            cells = ["" if row[CELL + name] is None else str(row[CELL + name]) for name in names]
            told = [str(row["line"]), str(LABELS[row["outcome"]]), why(row, labels), changes, *cells]
            yield str(writer.writerow([harmless(text) for text in told]))


def counted(outcomes: dict[str, int]) -> list[tuple[str, str, str, int]]:
    """(key, label, chip, rows) of every outcome that occurs."""
    return [(key, str(LABELS[key]), CHIPS.get(key, ""), outcomes[key]) for key in OUTCOMES if outcomes.get(key)]
