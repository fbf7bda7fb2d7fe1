"""Files and tables as Arrow batches with line numbers: CSV (also gzip), Parquet, XLSX, Arrow tables and readers."""

import csv
import hashlib
import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
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

    @abstractmethod
    def batches(self, columns: Sequence[str]) -> Generator[tuple[Lines, pa.RecordBatch], None, None]:
        """The rows with their line numbers, the given columns only. Rows with too few or too many cells are left out
        and noted in ``ragged`` as (line, text)."""

    def rows_at(self, lines: Lines) -> Iterator[tuple[int, list[str]]]:
        """The original cells of the given lines (sorted), all columns, as text."""
        for numbers, batch in self.batches(self.columns):
            inside = np.isin(numbers, lines, assume_unique=True)
            if inside.any():
                rows = batch.filter(pa.array(inside))
                cells_of = [texts(column) for column in rows.columns]
                for line, *cells in zip(numbers[inside].tolist(), *cells_of, strict=True):
                    yield line, ["" if cell is None else cell for cell in cells]


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
        self._quotes = _Quotes(raw)
        self._open_row = 0
        self._open_cells: list[str] = []
        encoding = self.file.encoding.lower()
        if encoding in {"utf-8", "utf8", "utf-8-sig"}:
            return pa.PythonFile(self._quotes, mode="r")
        return pa.transcoding_input_stream(pa.PythonFile(self._quotes, mode="r"), encoding, "utf-8")

    def _refuse_open_quote(self) -> None:
        """Raise InputError if a row ran on to the end of the file behind a quotation mark that nothing closes."""
        if self._open_row and self._quotes.odd and (not self._open_cells or self._ends_the_file()):
            raise InputError(
                _(
                    "%(file)s, line %(line)d: a quotation mark opens a field there and is never closed, so that every "
                    "line after it would be part of that field. Close it, or double it if it is part of the text."
                )
                % {"file": self.name, "line": self._open_row}
            )

    def _ends_the_file(self) -> bool:
        """Whether a cell with line breaks runs to the last character: a closed one has its quotation mark behind it."""
        end = self._quotes.tail.decode(self.file.encoding, errors="ignore").rstrip("\r\n")[-20:]
        return any(cell.rstrip("\r\n").replace('"', '""').endswith(end) for cell in self._open_cells)

    def batches(self, columns: Sequence[str]) -> Generator[tuple[Lines, pa.RecordBatch], None, None]:
        self.ragged = []
        skipped: list[int] = []
        ragged = self.ragged

        def invalid(row: Any) -> str:
            skipped.append(row.number)
            open_quote = "\n" in row.text and row.text.count('"') % 2
            self._open_row, self._open_cells = (row.number if open_quote else 0), []
            if row.text.strip():
                ragged.append((row.number, row.text))
            return "skip"

        with self.file.open() as raw:
            yield from self._parsed(raw, columns, invalid, skipped)

    def _parsed(
        self, raw: BinaryIO, columns: Sequence[str], invalid: Callable[[Any], str], skipped: list[int]
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
                    include_columns=list(columns),
                ),
            )
            yield from self._numbered(reader, skipped)
            self._refuse_open_quote()
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

    def _numbered(self, reader: Any, skipped: list[int]) -> Generator[tuple[Lines, pa.RecordBatch], None, None]:
        """Batches with line numbers: the parser counts rows, quoted line breaks add to them."""
        row = self._header_lines + 1
        extra = 0
        for batch in reader:
            count = len(batch)
            if count == 0:
                continue
            gone = np.array([number for number in skipped if number >= row], dtype=np.int64)
            candidates = np.arange(row, row + count + len(gone), dtype=np.int64)
            numbers = candidates[~np.isin(candidates, gone)][:count]
            row = int(numbers[-1]) + 1
            breaks = np.zeros(count, dtype=np.int64)
            for column in batch.columns:
                found = pc.count_substring(column, "\n")
                if pc.sum(found).as_py():
                    breaks += np.asarray(found)
            before = extra + np.cumsum(breaks) - breaks
            extra += int(breaks.sum())
            if not skipped or skipped[-1] < int(numbers[-1]):
                self._open_row = int(numbers[-1] + before[-1]) if breaks[-1] else 0
                self._open_cells = [c[-1].as_py() for c in batch.columns if breaks[-1] and "\n" in c[-1].as_py()]
            yield numbers + before, batch


class _Quotes:
    """A stream that counts the quotation marks that pass through it."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self.odd = False
        self.tail = b""
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        some = self._raw.read(size)
        self.odd ^= bool(some.count(b'"') % 2)
        self.tail = (self.tail + some[-200:])[-200:]
        return some

    def close(self) -> None:
        self.closed = True


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
    if head == b"PK\x03\x04":
        from rondo.interactions.importing import workbooks  # needs this module's Reader

        return workbooks.WorkbookReader(path, options.header_line)
    return CsvReader(path, options)
