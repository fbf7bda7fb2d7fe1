"""CSV of a filtered list: streamed, safe against spreadsheet formulas, figures the same in every language."""

import csv
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import override

from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.installation import installation
from rondo.foundation.money import Money
from rondo.foundation.spreadsheets import harmless
from rondo.web.customers.fields import Field
from rondo.web.customers.lists import Position, read_page
from rondo.web.customers.query import ListQuery
from rondo.web.customers.rows import Cell, read_rows

FORMS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
"""The forms a list comes in, and their content types."""
LABELS = {"csv": "CSV", "xlsx": "Excel (XLSX)", "parquet": "Parquet"}
CHUNK = 1000
Chunk = list[tuple[str, str, list[Cell]]]
"""Customers one after the other: public id, name, and the cells of the columns."""


class _Echo:
    """A file that hands each line back, so that a CSV writer can feed a stream."""

    def write(self, line: str) -> str:
        return line


def _value(cell: Cell) -> str:
    raw: Any = cell.raw
    if raw is None or raw == "":
        return ""
    if isinstance(raw, date):
        return raw.isoformat()
    if cell.field.type == "money":
        return str(Money(round(raw), installation().currency).major)
    if cell.field.type in ("choice", "boolean") or cell.field.words is not None:
        return harmless(cell.text)
    if isinstance(raw, float):
        return format(raw, ".9f").rstrip("0").rstrip(".")
    if isinstance(raw, int):
        return str(raw)
    return harmless(str(raw))


def headings(columns: Sequence[Field]) -> list[str]:
    """What stands above the columns, in the language in force; those of money name their currency."""
    currency = installation().currency
    shown = [f"{c.label} ({currency})" if c.type == "money" else str(c.label) for c in columns]
    return [_("Id"), _("Name"), *shown]


def chunks(query: ListQuery, language: str) -> Iterator[Chunk]:
    """Every selected customer in the list's order, :data:`CHUNK` at a time."""
    columns = [query.fields[key] for key in query.columns]
    start: Position | None = None
    while True:
        # The language is set anew for each chunk: a stream is read after the request's own language has gone.
        with override(language):
            page = read_page(query.walks, start, limit=CHUNK, eager=True)
            chunk = [(row.key, row.customer.name, row.cells) for row in read_rows(query.viewer, page.ids, columns)]
        yield chunk
        if page.after is None:
            return
        start = page.after


def lines(query: ListQuery, language: str) -> Iterator[str]:
    """The export's lines: a heading in ``language``, then every selected customer in the list's order.

    It begins with a byte order mark, without which spreadsheets misread names that are not plain English.
    """
    columns = [query.fields[key] for key in query.columns]
    writer = csv.writer(_Echo())
    with override(language):
        yield "\ufeff" + str(writer.writerow([harmless(text) for text in headings(columns)]))
    for chunk in chunks(query, language):
        with override(language):
            rows = [[key, harmless(name), *map(_value, cells)] for key, name, cells in chunk]
        yield "".join(str(writer.writerow(row)) for row in rows)


def record(actor: Actor, query: ListQuery, form: str) -> None:
    """Write into the audit log who took which list out of the house, and in what form.

    Raises:
        PermissionRefused: the actor may not export.
    """
    actor.require("export")
    assert actor.user is not None
    asked = {"f": query.filters, "rule": query.rule_text, "q": query.text}
    what = {**asked, "sort": query.sort_key, "columns": query.columns, "form": form}
    audit.record(actor, "customers.exported", "user", actor.user.pk, {"list": [None, what]})
