"""What a trial foretold of each row, read page by page from its file: nothing holds all rows at once."""

import csv
import json
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
from rondo.interactions.importing.cells import Writer, plain, read_back
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
    """What would become of one row. ``cells`` as they were read, of a refused one as they stand in the file;
    ``customer``, and what of them would change, where it is one that the viewer sees."""

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


class Report:
    """The report of a trial for one viewer. ``labels``: what fields are called; ``write`` writes their values."""

    def __init__(
        self, path: Path, viewer: User, kind: str, labels: dict[str, str] | None = None, write: Writer = plain
    ) -> None:
        self.path = path
        self.viewer = viewer
        self.of_customers = kind == "customers"
        self.labels = labels or {}
        self._write = write
        schema = pq.read_schema(path)
        about = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
        self.fields = [name.removeprefix(CELL) for name in schema.names if name.startswith(CELL)]
        """The fields that the rows have, in their order."""
        self._types: dict[str, str] = json.loads(about.get("types", "{}"))
        self._currency = about.get("currency", "")

    def read(self, *, after: int = 0, outcome: str = "", limit: int = PAGE) -> list[Row]:
        """The next rows behind line ``after``, at most ``limit``."""
        found: list[dict[str, Any]] = []
        for batch in _batches(self.path, after, outcome):
            found += batch.slice(0, limit - len(found)).to_pylist()
            if len(found) >= limit:
                break
        return self._rows(found)

    def as_csv(self, outcome: str = "") -> Iterator[str]:
        """Every row as lines of CSV, safe against spreadsheet formulas."""

        class Echo:
            def write(self, line: str) -> str:
                return line

        writer = csv.writer(Echo())
        head = [_("Line"), _("Outcome"), _("Why"), _("Changes"), *(self.labels.get(name, name) for name in self.fields)]
        yield "\ufeff" + str(writer.writerow([harmless(text) for text in head]))
        for batch in _batches(self.path, 0, outcome):
            for row in self._rows(batch.to_pylist()):
                changes = "; ".join(f"{one.field}: {one.before} → {one.after}" for one in row.changes)
                told = [str(row.line), row.label, row.why, changes, *row.cells]
                yield str(writer.writerow([harmless(text) for text in told]))

    def _rows(self, rows: list[dict[str, Any]]) -> list[Row]:
        people: dict[int, Customer] = {}
        if self.of_customers:  # whom rows would change, of those that the viewer sees
            people = visible(self.viewer).in_bulk({row["record_id"] for row in rows if row["record_id"]})
        return [self._row(row, people) for row in rows]

    def _row(self, row: dict[str, Any], people: dict[int, Customer]) -> Row:
        # Nothing is told of a customer whom the viewer does not see: it is what they have now.
        told = row["changes"] or [] if not self.of_customers or row["record_id"] in people else []
        return Row(
            row["line"],
            row["outcome"],
            str(LABELS[row["outcome"]]),
            CHIPS.get(row["outcome"], ""),
            self._cells(row),
            why(row, self.labels),
            self._changes(row, told),
            people.get(row["record_id"]),
        )

    def _money_of(self, row: dict[str, Any]) -> str:
        return str(row.get(f"{CELL}currency") or self._currency)

    def _cells(self, row: dict[str, Any]) -> list[str]:
        if row.get("raw") is not None:
            return list(row["raw"])
        currency = self._money_of(row)
        return [self._write(self._types.get(name, ""), row[CELL + name], currency) for name in self.fields]

    def _changes(self, row: dict[str, Any], told: list[dict[str, Any]]) -> list[Change]:
        after = self._money_of(row)
        before = next((one["before"] for one in told if one["field"] == "currency" and one["before"]), after)
        found = []
        for one in told:
            name = one["field"]
            kind = self._types.get(name, "")
            old, new = (read_back(kind, one[side]) for side in ("before", "after"))
            found.append(
                Change(self.labels.get(name, name), self._write(kind, old, before), self._write(kind, new, after))
            )
        return found


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


def counted(outcomes: dict[str, int]) -> list[tuple[str, str, str, int]]:
    """(key, label, chip, rows) of every outcome that occurs."""
    return [(key, str(LABELS[key]), CHIPS.get(key, ""), outcomes[key]) for key in OUTCOMES if outcomes.get(key)]
