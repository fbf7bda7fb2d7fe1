"""A filtered list as a workbook (XLSX) or as Parquet: typed cells, the rows of the CSV in its order.

A text in a workbook is a cell of the type text, which no spreadsheet takes for a formula, so it stays as it is. Parquet
has the keys of the columns as names and their headings as metadata.
"""

import re
import tempfile
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any
from wsgiref.util import FileWrapper

from babel.numbers import get_currency_precision
from django.db.models import FloatField
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from rondo.analysis.models import Score
from rondo.customers.models import AttributeValue
from rondo.errors import InputError
from rondo.foundation.actors import Actor
from rondo.foundation.installation import business_now, installation
from rondo.foundation.money import Money
from rondo.foundation.shown_lists import ListFile
from rondo.web.customers.export import FORMS, Chunk, chunks, headings, lines, record
from rondo.web.customers.fields import Field
from rondo.web.customers.query import ListQuery
from rondo.web.customers.rows import Cell

if TYPE_CHECKING:
    import pyarrow as pa

MOST_IN_WORKBOOK = 100_000
"""Customers that a workbook may hold: it cannot be sent before it is whole, and spreadsheets halt at 1,048,576 rows."""
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that XML, and so a workbook, cannot hold."""
_DAY = "yyyy-mm-dd"
_PIECE = 1 << 16


def list_file(actor: Actor, query: ListQuery, form: str) -> ListFile:
    """The whole list as a file, all its pages in its order and with its columns; who took it is noted.

    Raises:
        PermissionRefused: the actor may not export. InputError: it is too long for a workbook.
    """
    record(actor, query, form)
    language = get_language() or "en"
    name = f"customers-{business_now().date().isoformat()}.{form}"
    if form == "xlsx":
        return ListFile(name, FORMS[form], FileWrapper(workbook(query, language), _PIECE))
    parts = lines(query, language) if form == "csv" else parquet(query, language)
    return ListFile(name, FORMS[form], parts)


def typed(cell: Cell) -> str | int | float | Decimal | date | None:
    """What a cell holds, as itself: money in units of its currency, choices and names in the language in force."""
    raw: Any = cell.raw
    if raw is None or raw == "":
        return None
    if cell.field.type == "money":
        return Money(round(raw), installation().currency).major
    if cell.field.type in ("choice", "boolean") or cell.field.words is not None:
        return cell.text
    if isinstance(raw, datetime):
        return raw.date()
    return raw if isinstance(raw, (date, int, float, Decimal)) else str(raw)


def workbook(query: ListQuery, language: str) -> IO[bytes]:
    """The list as a workbook in a file without a name, at its beginning; the file goes with the last reference.

    Raises:
        InputError: more than :data:`MOST_IN_WORKBOOK` customers.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    if query.selection.count()[0] > MOST_IN_WORKBOOK:
        raise InputError(
            _(
                "The list has more than %(most)s customers, more than a workbook is made for. Narrow it by a filter, "
                "or take it as CSV or Parquet."
            )
            % {"most": f"{MOST_IN_WORKBOOK:,}"}
        )
    columns = [query.fields[key] for key in query.columns]
    formats = ["", "", *map(_format, columns)]
    book = Workbook(write_only=True)
    with override(language):
        sheet = book.create_sheet(_("Customers"))
        heads = [_text(WriteOnlyCell(sheet), text) for text in headings(columns)]
    for head in heads:
        head.font = Font(bold=True)
    sheet.freeze_panes = "C2"
    sheet.column_dimensions["B"].width = 32
    try:
        sheet.append(heads)
        for chunk in chunks(query, language):
            with override(language):
                rows = [(key, name, *map(typed, cells)) for key, name, cells in chunk]
            for values in rows:
                made = [WriteOnlyCell(sheet) for _value in values]
                for cell, value, form in zip(made, values, formats, strict=True):
                    _fill(cell, value, form)
                sheet.append(made)
    except BaseException:
        sheet.close()
        raise
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response that sends it closes it
    book.save(file)
    file.seek(0)
    return file


def _fill(cell: Any, value: Any, form: str) -> None:
    if isinstance(value, str):
        _text(cell, value)
        return
    cell.value = value
    if form:
        cell.number_format = form


def _text(cell: Any, text: str) -> Any:
    cell.value = _CONTROLS.sub("", text)[:32_767]
    cell.data_type = "s"  # not what it was read as: "=1" would be a formula
    return cell


def _format(field: Field) -> str:
    if field.type == "money":
        digits = get_currency_precision(installation().currency)
        return "#,##0" + ("." + "0" * digits if digits else "")
    return {"date": _DAY, "share": "0.0%", "count": "#,##0"}.get(field.type, "")


class _Sink:
    """A file that keeps what was written until it is taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._at = 0
        self.closed = False

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._at += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        self.closed = True

    def seekable(self) -> bool:
        return False

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def parquet(query: ListQuery, language: str) -> Iterator[bytes]:
    """The list as Parquet, sent as it grows, a row group for each chunk."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    columns = [query.fields[key] for key in query.columns]
    with override(language):
        names = headings(columns)
    keys = ["id", "name", *(column.key for column in columns)]
    types = [pa.string(), pa.string(), *(_arrow(column) for column in columns)]
    schema = pa.schema(
        [pa.field(key, kind, metadata={"label": name}) for key, kind, name in zip(keys, types, names, strict=True)]
    )
    sink = _Sink()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        for chunk in chunks(query, language):
            if chunk:
                with override(language):
                    batch = _batch(chunk, schema)
                writer.write_batch(batch)
                yield sink.taken()
    yield sink.taken()


def _batch(chunk: Chunk, schema: "pa.Schema") -> "pa.RecordBatch":
    import pyarrow as pa

    rows = [(key, name, *map(typed, cells)) for key, name, cells in chunk]
    arrays = [pa.array(list(values), kind) for values, kind in zip(zip(*rows, strict=True), schema.types, strict=True)]
    return pa.record_batch(arrays, schema=schema)


def _arrow(field: Field) -> "pa.DataType":
    import pyarrow as pa

    if field.type == "money":
        return pa.decimal128(20, get_currency_precision(installation().currency))
    if field.type == "date":
        return pa.date32()
    if not field.numeric:
        return pa.string()
    model: Any = {"fact": Score, "attribute": AttributeValue}.get(field.place, field.model)
    floating = model is None or isinstance(model._meta.get_field(field.column), FloatField)
    return pa.float64() if floating or field.type == "number" else pa.int64()
