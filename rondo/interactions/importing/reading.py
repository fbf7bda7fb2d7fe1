"""Files and tables as Arrow batches with line numbers: CSV (also gzip), Parquet, XLSX, Arrow tables and readers."""

import codecs
import csv
import hashlib
import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from django.utils.translation import gettext as _

from rondo.errors import InputError
from rondo.foundation.loading.fields import ImportOptions
from rondo.interactions.importing import heading, sniffing

Lines = npt.NDArray[np.int64]
Source: TypeAlias = Any
"""A path, an Arrow table or a record batch reader."""
_BLOCK = 8 * 1024 * 1024
_ROWS = 131_072


class Reader(ABC):
    """A table to import. ``found`` says what was detected, for the person who started the import."""

    name: str
    digest: str
    columns: list[str]
    found: dict[str, str]
    unit: str = "line"

    def __init__(self) -> None:
        self.ragged: list[tuple[int, str]] = []
        self.marks: dict[str, str] = {}
        """Column → the mark that real numbers are written with where cells are text; "" leaves such numbers out."""

    @abstractmethod
    def batches(self, columns: Sequence[str]) -> Generator[tuple[Lines, pa.RecordBatch], None, None]:
        """The rows with their line numbers, the given columns only. Rows with too few or too many cells are left out
        and noted in ``ragged`` as (line, text)."""

    def rows_at(self, lines: Lines) -> Iterator[tuple[int, list[str]]]:
        """The original cells of the given lines (sorted), all columns, as text; of ``ragged`` ones nothing.

        Raises:
            InputError: a line is not there: it is not the file that was read before.
        """
        found = 0
        for numbers, batch in self.batches(self.columns):
            inside = np.isin(numbers, lines, assume_unique=True)
            if inside.any():
                found += int(inside.sum())
                rows = batch.filter(pa.array(inside))
                cells_of = [texts(column) for column in rows.columns]
                for line, *cells in zip(numbers[inside].tolist(), *cells_of, strict=True):
                    yield line, ["" if cell is None else cell for cell in cells]
        found += int(np.isin([line for line, _text in self.ragged], lines).sum())
        if found < len(lines):
            raise InputError(
                _("%(file)s was changed while it was read; nothing was imported. Bring it in again.")
                % {"file": self.name}
            )


def refuse_doubles(columns: list[str], name: str) -> None:
    """Raise InputError where two columns have one name."""
    if doubles := sorted({column for column in columns if columns.count(column) > 1}):
        raise InputError(
            _("%(file)s: several columns are called %(names)s; give each its own name.")
            % {"file": name, "names": ", ".join(map(repr, doubles))}
        )


def texts(column: pa.Array) -> list[str | None]:
    """A column as text for people; one that is not imported may hold lists, bytes or whatever else Parquet can.

    A time that no calendar reaches is the number that stands in the file.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if not pa.types.is_nested(kind) and "binary" not in str(kind):
        with suppress(pa.ArrowNotImplementedError):
            try:
                text = pc.cast(column, pa.string(), safe=False)
            except pa.ArrowInvalid:  # a time zone that there is not
                text = pc.cast(column.view(pa.timestamp(kind.unit, "UTC")), pa.string())
            if pa.types.is_temporal(kind):
                text = pc.replace_substring_regex(text, r"^<[^<>]*: (-?\d+)>$", r"\1")
            return list(text.to_pylist())
    return [_text(column, row) for row in range(len(column))]


def _text(column: pa.Array, row: int) -> str | None:
    try:
        value = column[row].as_py()
    except (ValueError, OverflowError):  # a time in it that Python does not know
        return " ".join(column.slice(row, 1).to_string().split())
    return None if value is None else str(value)


class CsvReader(Reader):
    """A CSV file: every cell as text; line numbers are those of the file, also where quoted cells hold line breaks."""

    def __init__(self, path: Path, options: ImportOptions) -> None:
        super().__init__()
        self.file = sniffing.inspect(path, options.encoding)
        self.name = path.name
        self.digest = self.file.digest
        self.delimiter = (
            options.delimiter
            or heading.said_mark(self.file.sample)
            or sniffing.find_delimiter(self.file.sample, path.name)
        )
        if len(self.delimiter) != 1 or not self.delimiter.isascii() or self.delimiter in '"\r\n':
            raise InputError(_("delimiter=%(value)r: one character is needed.") % {"value": self.delimiter})
        self._header_lines, header = self._header(options.header_line)
        # Spreadsheets often leave columns without a name at the end; they can still be mapped, by their place.
        self.columns = heading.names(header)
        shown = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}.get(self.delimiter, self.delimiter)
        self.found = {"format": "CSV, gzip" if self.file.compressed else "CSV", "delimiter": shown}
        self.found["encoding"] = self.file.encoding.replace("-sig", "")
        if self._header_lines > 1:
            self.found["header"] = str(self._header_lines)

    def _header(self, wanted: int) -> tuple[int, list[str]]:
        """The last line of the row that holds the names, and its cells."""
        sample = self.file.sample
        rows = csv.reader(io.StringIO(sample), delimiter=self.delimiter)
        found: list[tuple[int, list[str]]] = []
        try:
            for row in rows:
                if row and not (rows.line_num == 1 and heading.said_mark(sample)) and rows.line_num >= wanted:
                    found.append((rows.line_num, row))
                if len(found) >= heading.LOOKED_AT or (wanted and found):
                    break
        except csv.Error as error:
            if not found:
                raise InputError(
                    _("%(file)s: its first line cannot be read (%(error)s); save it with line feeds as line ends.")
                    % {"file": self.name, "error": str(error).partition(" - ")[0]}
                ) from error
        if not found:
            return rows.line_num, []
        return found[heading.place_of_names([row for _line, row in found])]

    def _stream(self, raw: BinaryIO) -> Any:
        plain: Any = raw
        encoding = self.file.encoding.lower()
        if self.file.damaged:
            plain = _Lenient(raw)
        elif encoding not in {"utf-8", "utf8", "utf-8-sig"}:
            plain = pa.transcoding_input_stream(pa.PythonFile(raw, mode="r"), encoding, "utf-8")
        self._quotes = _Quotes(plain)
        return pa.PythonFile(self._quotes, mode="r")

    def _refuse_open_quote(self, line: int, cells: Sequence[str]) -> None:
        """Raise InputError if the last row ran on to the end of the file behind a quotation mark that nothing closes.

        ``line`` is where it begins, ``cells`` are those with line breaks; none of a row with too few or too many.
        """
        if self._quotes.odd and (not cells or self._ends_the_file(cells)):
            raise InputError(
                _(
                    "%(file)s, line %(line)d: a quotation mark opens a field there and is never closed, so that every "
                    "line after it would be part of that field. Close it, or double it if it is part of the text."
                )
                % {"file": self.name, "line": line}
            )

    def _ends_the_file(self, cells: Sequence[str]) -> bool:
        """Whether a cell with line breaks runs to the last character: a closed one has its quotation mark behind it."""
        end = self._quotes.tail.decode(errors="ignore").rstrip("\r\n")[-20:]
        return any(cell.rstrip("\r\n").replace('"', '""').endswith(end) for cell in cells)

    def batches(self, columns: Sequence[str]) -> Generator[tuple[Lines, pa.RecordBatch], None, None]:
        """As in :class:`Reader`. All columns are read, for the line breaks in them count, and the given ones handed
        on."""
        self.ragged = []
        skipped: list[tuple[int, str]] = []

        def invalid(row: Any) -> str:
            skipped.append((row.number, row.text))
            return "skip"

        with self.file.open() as raw:
            for lines, batch in self._parsed(raw, invalid, skipped):
                yield lines, batch.select(list(columns))

    def _parsed(
        self, raw: BinaryIO, invalid: Callable[[Any], str], skipped: list[tuple[int, str]]
    ) -> Generator[tuple[Lines, pa.RecordBatch], None, None]:
        try:
            reader = pa_csv.open_csv(
                self._stream(raw),
                pa_csv.ReadOptions(
                    use_threads=False,
                    block_size=_BLOCK,
                    column_names=self.columns,
                    skip_rows_after_names=0,
                    skip_rows=self._header_lines,
                ),
                pa_csv.ParseOptions(
                    delimiter=self.delimiter,
                    newlines_in_values=True,
                    ignore_empty_lines=False,
                    invalid_row_handler=invalid,
                ),
                pa_csv.ConvertOptions(
                    check_utf8=True,
                    column_types=dict.fromkeys(self.columns, pa.string()),
                    strings_can_be_null=False,
                ),
            )
            yield from self._numbered(reader, skipped)
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            if "Empty CSV" in str(error) or "file is too short" in str(error):
                return
            raise InputError(
                _("%(file)s cannot be read as CSV with delimiter %(delimiter)r and encoding %(encoding)s: %(error)s")
                % {
                    "file": self.name,
                    "delimiter": self.delimiter,
                    "encoding": self.file.encoding,
                    "error": str(error).splitlines()[0],
                }
            ) from error

    def _numbered(
        self, reader: Any, skipped: list[tuple[int, str]]
    ) -> Generator[tuple[Lines, pa.RecordBatch], None, None]:
        """Batches with line numbers: the parser counts rows, and line breaks in the cells of all columns, also of rows
        that it skips, add to them."""
        row = self._header_lines + 1
        extra = 0
        placed = 0
        open_line, open_cells = 0, list[str]()
        for batch in reader:
            count = len(batch)
            if count == 0:
                continue
            ahead = np.array([number for number, _text in skipped[placed:]], dtype=np.int64)  # some of later batches
            numbers = np.arange(row, row + count + len(ahead), dtype=np.int64)
            numbers = numbers[~np.isin(numbers, ahead)][:count]
            after = int(numbers[-1]) + 1
            passed = skipped[placed : placed + int((ahead < after).sum())]
            breaks = np.zeros(after - row, dtype=np.int64)
            for column in batch.columns:
                found = pc.count_substring(column, "\n")
                if pc.sum(found).as_py():
                    breaks[numbers - row] += np.asarray(found)
            for number, text in passed:
                breaks[number - row] = text.count("\n")
            lines = np.arange(row, after, dtype=np.int64) + extra + np.cumsum(breaks) - breaks
            self._note_ragged((int(lines[number - row]), text) for number, text in passed)
            open_cells = [cell for column in batch.columns if "\n" in (cell := column[-1].as_py())]
            open_line = int(lines[-1]) if open_cells else 0
            yield lines[numbers - row], batch
            row = after
            extra += int(breaks.sum())
            placed += len(passed)
        for number, text in skipped[placed:]:
            self._note_ragged([(number + extra, text)])
            open_line = number + extra if "\n" in text and text.count('"') % 2 else 0
            open_cells = []
            extra += text.count("\n")
        if open_line:
            self._refuse_open_quote(open_line, open_cells)

    def _note_ragged(self, rows: Iterable[tuple[int, str]]) -> None:
        self.ragged += [(line, text) for line, text in rows if text.strip()]


class _Quotes:
    """A stream of UTF-8 that counts the quotation marks that pass through it.

    No piece of it ends between a carriage return and a line feed: the parser would take the feed for the rest of a line
    end and drop it, within quotation marks, too.
    """

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._held = b""
        self.odd = False
        self.tail = b""
        self.closed = False

    def read(self, size: int) -> bytes:
        some: bytes = self._held + self._raw.read(size - len(self._held))
        if some == b"\r":
            some += self._raw.read(1)
        self._held = b"\r" if len(some) > 1 and some.endswith(b"\r") else b""
        some = some.removesuffix(self._held)
        self.odd ^= bool(some.count(b'"') % 2)
        self.tail = (self.tail + some[-200:])[-200:]
        return some

    def close(self) -> None:
        self.closed = True


class _Lenient:
    """UTF-8 of which some bytes are not, with a control character in place of each of those."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._decoder = codecs.getincrementaldecoder("utf-8")(sniffing.DAMAGED)
        self._made = b""

    def read(self, size: int) -> bytes:
        # always as much as is asked for: the parser takes each piece for a block, and a row may lie in two of them only
        while len(self._made) < size and (piece := self._raw.read(size)):
            self._made += self._decoder.decode(piece).encode()
        if len(self._made) < size:
            self._made += self._decoder.decode(b"", final=True).encode()
        some, self._made = self._made[:size], self._made[size:]
        return some


class ParquetReader(Reader):
    """A Parquet file, types kept; the line number is the number of the row."""

    unit = "row"

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.name = path.name
        try:
            schema = pq.read_schema(path)
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(
                _("%(file)s: the Parquet file is cut off or damaged (%(error)s); copy it again.")
                % {"file": path.name, "error": str(error).splitlines()[0]}
            ) from error
        self.columns = list(schema.names)
        refuse_doubles(self.columns, path.name)
        self.found = {"format": "Parquet"}
        with path.open("rb") as stream:
            self.digest = hashlib.file_digest(stream, "sha256").hexdigest()

    def batches(self, columns: Sequence[str]) -> Generator[tuple[Lines, pa.RecordBatch], None, None]:
        row = 1
        try:
            with pq.ParquetFile(self.path) as file:
                for batch in file.iter_batches(batch_size=_ROWS, columns=list(columns)):
                    yield np.arange(row, row + len(batch), dtype=np.int64), batch
                    row += len(batch)
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(
                _("%(file)s: the Parquet file is cut off or damaged (%(error)s); copy it again.")
                % {"file": self.name, "error": str(error).splitlines()[0]}
            ) from error


class TableReader(Reader):
    """An Arrow table in memory."""

    unit = "row"

    def __init__(self, table: pa.Table, name: str = "table") -> None:
        super().__init__()
        self.table = table
        self.name = name
        self.columns = list(table.column_names)
        self.found = {"format": "Arrow"}
        sink = _Digest()
        with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), table.schema.remove_metadata()) as writer:
            writer.write_table(table.replace_schema_metadata(None).combine_chunks(), max_chunksize=_ROWS)
        self.digest = sink.hash.hexdigest()

    def batches(self, columns: Sequence[str]) -> Generator[tuple[Lines, pa.RecordBatch], None, None]:
        row = 1
        for batch in self.table.select(list(columns)).to_batches(max_chunksize=_ROWS):
            yield np.arange(row, row + len(batch), dtype=np.int64), batch
            row += len(batch)


class _Digest(io.RawIOBase):
    """A file that only keeps the hash of what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.hash = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.hash.update(data)
        return memoryview(data).nbytes


def open_source(source: Source, options: ImportOptions) -> Reader:
    """The reader of a path, an Arrow table or a record batch reader; Parquet and XLSX are known by their first bytes.

    Raises:
        InputError: no such file, a folder, unreadable, empty, cut off or no table.
    """
    if isinstance(source, pa.RecordBatchReader):
        source = source.read_all()
    if isinstance(source, pa.Table):
        return TableReader(source)
    path = Path(source)
    if path.is_dir():
        raise InputError(_("%(file)s is a folder; name a CSV, XLSX or Parquet file.") % {"file": path})
    try:
        with path.open("rb") as stream:
            head = stream.read(4)
    except OSError as error:
        raise InputError(
            _("%(file)s cannot be read (%(error)s); name a readable CSV, XLSX or Parquet file.")
            % {"file": path, "error": error.strerror}
        ) from error
    if head == b"PAR1" or path.suffix.lower() == ".parquet":
        return ParquetReader(path)
    if head == b"\xd0\xcf\x11\xe0":
        raise InputError(
            _("%(file)s is a workbook of the old kind (.xls), or one with a password; save it as .xlsx without one.")
            % {"file": path.name}
        )
    if head == b"PK\x03\x04":
        from rondo.interactions.importing import workbooks  # needs this module's Reader

        return workbooks.WorkbookReader(path, options.header_line)
    return CsvReader(path, options)
