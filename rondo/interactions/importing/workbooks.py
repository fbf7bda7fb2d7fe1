"""XLSX workbooks as Arrow batches: the first sheet that holds anything, read as a stream, every cell as text.

Days and times are written as in ISO 8601, numbers without the noise of binary fractions, so that what follows sees what
the person saw in the spreadsheet. Line numbers are those of the sheet.
"""

import hashlib
import zipfile
from collections.abc import Generator, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from django.utils.translation import gettext as _

from rondo.errors import InputError
from rondo.interactions.importing import heading
from rondo.interactions.importing.reading import Lines, Reader

_ROWS = 20_000
MOST_UNPACKED = 4 * 1024**3
"""Bytes that a workbook may unpack to; beyond, it is taken for one made to fill the memory."""


class WorkbookReader(Reader):
    """An XLSX workbook; ``unit`` is the row of its sheet."""

    unit = "row"

    def __init__(self, path: Path, header_line: int = 0) -> None:
        super().__init__()
        self.path = path
        self.name = path.name
        try:
            with zipfile.ZipFile(path) as archive:
                unpacked = sum(info.file_size for info in archive.infolist())
                holds = any(name.startswith("xl/workbook") for name in archive.namelist())
        except zipfile.BadZipFile as error:
            raise self._damaged(error) from error
        if not holds:
            raise InputError(
                _("%(file)s is an archive without a workbook in it; unpack it, and bring in the file that it holds.")
                % {"file": path.name}
            )
        if unpacked > MOST_UNPACKED:
            raise InputError(
                _("%(file)s unpacks to %(size)d MiB, more than a workbook may (%(limit)d); save it as CSV.")
                % {"file": path.name, "size": unpacked // 1024**2, "limit": MOST_UNPACKED // 1024**2}
            )
        with path.open("rb") as stream:
            self.digest = hashlib.file_digest(stream, "sha256").hexdigest()
        sheet, self._head, header = self._header(header_line)
        self.columns = heading.names(header)
        self.found = {"format": "XLSX", "sheet": sheet}
        if self._head > 1:
            self.found["header"] = str(self._head)

    def _rows(self) -> Iterator[tuple[str, int, tuple[Any, ...]]]:
        """(sheet, number, cells) of the first sheet that holds anything."""
        from openpyxl import load_workbook
        from openpyxl.utils.exceptions import InvalidFileException

        try:
            book = load_workbook(self.path, read_only=True, data_only=True)
        except (InvalidFileException, KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
            raise self._damaged(error) from error
        try:
            for sheet in book.worksheets:
                seen = False
                sheet.reset_dimensions()  # what a sheet says of its size may be wrong
                for number, row in enumerate(sheet.iter_rows(), start=1):
                    cells = tuple(_shown(cell) for cell in row)
                    if seen or any(cell not in (None, "") for cell in cells):
                        seen = True
                        yield sheet.title, number, cells
                if seen:
                    return
        except (ValueError, KeyError, OSError, zipfile.BadZipFile, SyntaxError) as error:
            raise self._damaged(error) from error
        finally:
            book.close()

    def _damaged(self, error: Exception) -> InputError:
        return InputError(
            _("%(file)s: the workbook is cut off or damaged (%(error)s); save it again, or as CSV.")
            % {"file": self.name, "error": str(error).partition("\n")[0]}
        )

    def _header(self, wanted: int) -> tuple[str, int, list[str]]:
        found: list[tuple[str, int, list[str]]] = []
        for sheet, number, cells in self._rows():
            if number >= wanted:
                found.append((sheet, number, [(_text(cell) or "").strip() for cell in cells]))
            if len(found) >= heading.LOOKED_AT or (wanted and found):
                break
        if found:
            sheet, number, names = found[heading.place_of_names([cells for _sheet, _number, cells in found])]
            while names and not names[-1]:
                names.pop()
            return sheet, number, names
        raise InputError(
            _("%(file)s is empty; a first line with the names of the columns is needed.") % {"file": self.name}
        )

    def batches(self, columns: Sequence[str]) -> Generator[tuple[Lines, pa.RecordBatch], None, None]:
        places = [(self.columns.index(name), self.marks.get(name, ".")) for name in columns]
        schema = pa.schema([(name, pa.string()) for name in columns])
        self.ragged = []
        lines: list[int] = []
        cells_of: list[list[str | None]] = [[] for _place in places]
        for _sheet, number, cells in self._rows():
            if number <= self._head:
                continue
            extra = cells[len(self.columns) :]
            if any(cell not in (None, "") for cell in extra):
                self.ragged.append((number, " | ".join(_text(cell) or "" for cell in cells)))
                continue
            lines.append(number)
            for column, (place, mark) in zip(cells_of, places, strict=True):
                column.append(_text(cells[place], mark) if place < len(cells) else None)
            if len(lines) == _ROWS:
                yield np.array(lines, dtype=np.int64), _batch(cells_of, schema)
                lines, cells_of = [], [[] for _place in places]
        if lines:
            yield np.array(lines, dtype=np.int64), _batch(cells_of, schema)


def _shown(cell: Any) -> Any:
    """The value of a cell; a whole number whose format is of zeros alone, such as a postal code, with those zeros."""
    value = cell.value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        zeros = cell.number_format
        if len(zeros) > 1 and zeros.strip("0") == "":
            return str(value).zfill(len(zeros))
    return value


def _batch(cells: list[list[str | None]], schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(column, pa.string()) for column in cells], schema=schema)


def _text(value: Any, mark: str = ".") -> str | None:
    """A cell as text: whole numbers without a mark, others with ``mark`` before the decimals (none: without them all),
    days and times as ISO 8601; None where it is empty."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if not mark and isinstance(value, int | float):
        return None
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < 2**53
        return str(int(value)) if whole else format(value, ".15g").replace(".", mark)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value)
