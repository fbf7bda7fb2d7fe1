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

CHUNK = 1000


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


def _headings(columns: Sequence[Field]) -> list[str]:
    currency = installation().currency
    shown = [f"{c.label} ({currency})" if c.type == "money" else str(c.label) for c in columns]
    return [harmless(text) for text in [_("Id"), _("Name"), *shown]]


def lines(query: ListQuery, language: str) -> Iterator[str]:
    """The export's lines: a heading in ``language``, then every selected customer in the list's order.

    It begins with a byte order mark, without which spreadsheets misread names that are not plain English.
    """
    columns = [query.fields[key] for key in query.columns]
    writer = csv.writer(_Echo())
    with override(language):
        yield "\ufeff" + str(writer.writerow(_headings(columns)))
    start: Position | None = None
    while True:
        # The language is set anew for each chunk: a stream is read after the request's own language has gone.
        with override(language):
            page = read_page(query.walks, start, limit=CHUNK, eager=True)
            rows = read_rows(query.viewer, page.ids, columns)
            chunk = [
                str(writer.writerow([row.key, harmless(row.customer.name), *map(_value, row.cells)])) for row in rows
            ]
        yield "".join(chunk)
        if page.after is None:
            return
        start = page.after


def record(actor: Actor, query: ListQuery) -> None:
    """Write into the audit log who took which list out of the house.

    Raises:
        PermissionRefused: the actor may not export.
    """
    actor.require("export")
    assert actor.user is not None
    asked = {"f": query.filters, "rule": query.rule_text, "q": query.text}
    what = {**asked, "sort": query.sort_key, "columns": query.columns}
    audit.record(actor, "customers.exported", "user", actor.user.pk, {"list": [None, what]})
