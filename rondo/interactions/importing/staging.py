"""From a file to staged rows: the mapping, how dates and decimals are written, conversion, refusals."""

import fcntl
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings
from django.utils.translation import gettext as _

from rondo.errors import InputError
from rondo.foundation.loading import dates
from rondo.foundation.loading.columns import STAGED_TYPES, Context, convert, plain_text
from rondo.foundation.loading.fields import Field, ImportOptions
from rondo.foundation.loading.job import Progress
from rondo.interactions.importing import decimals
from rondo.interactions.importing.reading import Reader, texts

if TYPE_CHECKING:
    import duckdb

_MEMORY = "1GB"
_FOLDER = "import-"
_MARK = "in-use"


def open_staging() -> tuple["duckdb.DuckDBPyConnection", "AbstractContextManager[None]"]:
    """A DuckDB of the run's own that spills to a temporary folder under RONDO_HOME instead of filling the memory."""
    import duckdb  # needed by the import that runs, not by every process that knows the import kinds

    home = Path(settings.RONDO_HOME)
    home.mkdir(parents=True, exist_ok=True)
    folder = tempfile.TemporaryDirectory(prefix=_FOLDER, dir=home)
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": _MEMORY,
        "temp_directory": str(Path(folder.name) / "spilled"),
        "preserve_insertion_order": "true",
    }
    mark = (Path(folder.name) / _MARK).open("wb")
    fcntl.flock(mark, fcntl.LOCK_EX)
    staging = duckdb.connect(":memory:", config=config)
    staging.execute("SET TimeZone = 'UTC'")
    return staging, _kept(folder, mark)


@contextmanager
def _kept(folder: "tempfile.TemporaryDirectory[str]", mark: IO[bytes]) -> Iterator[None]:
    with mark, folder:
        yield


def remove_dead_folders() -> None:
    """Remove the temporary folders of runs whose process died: nobody holds the lock on their mark any more."""
    for folder in Path(settings.RONDO_HOME).glob(f"{_FOLDER}*/"):
        try:
            with (folder / _MARK).open("rb") as mark:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # somebody works in it, or it is just being made or removed
            continue


def resolve_mapping(
    reader: Reader, fields: Mapping[str, Field], mapping: Mapping[str, str] | None, options: ImportOptions
) -> dict[str, str]:
    """Field → column of the file; without a mapping, columns called like fields map themselves.

    Raises:
        InputError: an unknown field, a column that the file lacks, a required field without a column.
    """
    where = {"file": reader.name, "columns": ", ".join(reader.columns) or "-"}
    if mapping is None or not mapping:
        folded = {re.sub(r"[\s\-]+", "_", name.strip().lower()): name for name in reader.columns}
        mapping = {name: folded[name.lower()] for name in fields if name.lower() in folded}
    for name in [*mapping, *options.constants]:
        if name not in fields:
            raise InputError(
                _("There is no field %(field)r; the fields are: %(fields)s.")
                % {"field": name, "fields": ", ".join(fields)}
            )
    for name, column in mapping.items():
        if column not in reader.columns:
            raise InputError(
                _("%(file)s has no column %(column)r (for the field %(field)s); its columns are: %(columns)s.")
                % {**where, "column": column, "field": name}
            )
    both = sorted(set(mapping) & set(options.constants))
    if both:
        raise InputError(
            _("%(fields)s: given by a column and by one value for every row; leave one out.")
            % {"fields": ", ".join(both)}
        )
    missing = [name for name, spec in fields.items() if spec.required and name not in {*mapping, *options.constants}]
    if missing:
        raise InputError(
            _("%(file)s: no column for %(missing)s; say which column each is. Its columns are: %(columns)s.")
            % {**where, "missing": ", ".join(missing)}
        )
    return dict(mapping)


def _sample(reader: Reader, column: str) -> pa.Array | None:
    with closing(reader.batches([column])) as batches:
        first = next(batches, None)
    return None if first is None else first[1].column(0)


def detect(
    reader: Reader, fields: Mapping[str, Field], mapping: Mapping[str, str], options: ImportOptions, context: Context
) -> None:
    """Find how the file writes dates and decimals; fills ``context`` and ``reader.found``.

    Raises:
        InputError: day and month, or thousands and decimals, cannot be told apart anywhere in the column.
    """
    chosen = dates.given(options.date_format) if options.date_format else None
    numbers: dict[str, str] = {}
    for name, column in mapping.items():
        kind = fields[name].type
        if kind not in {"date", "instant", "money", "quantity", "number"}:
            continue
        sample = _sample(reader, column)
        if sample is None or not (pa.types.is_string(sample.type) or pa.types.is_large_string(sample.type)):
            continue
        if kind in {"date", "instant"}:
            form = chosen or _date_format(reader, column, plain_text(sample))
            context.date_formats[name] = form
            reader.found["dates"] = form.name
        else:
            numbers[name] = column
    marks = decimals.marks(reader, list(dict.fromkeys(numbers.values())), options.decimal)
    context.decimals |= {name: marks[column] for name, column in numbers.items()}
    for name, value in options.constants.items():
        kind = fields[name].type
        if kind in {"date", "instant"} and chosen:
            context.date_formats[name] = chosen
        elif kind in {"money", "quantity", "number"}:
            context.decimals[name] = decimals.mark_of(name, value, options.decimal)


def _date_format(reader: Reader, column: str, text: pa.Array) -> dates.DateFormat:
    forms = dates.fitting(text)
    if not forms:  # every value will be refused, each with its reason
        return dates.KNOWN[0]
    if len(forms) > 1:
        for _lines, batch in reader.batches([column]):
            text = pc.unique(pa.concat_arrays([text, plain_text(batch.column(0))]))
        forms = dates.fitting(text)
        if len(forms) > 1 and not dates.same(text, forms):
            raise InputError(
                _(
                    "%(file)s, column %(column)s: dates such as %(value)r may be day/month or month/day; say how "
                    "dates are written: %(forms)s."
                )
                % {
                    "file": reader.name,
                    "column": column,
                    "value": pc.drop_null(text)[0].as_py(),
                    "forms": _(" or ").join(form.name for form in forms),
                }
            )
    return forms[0]


def stage(
    reader: Reader,
    fields: Mapping[str, Field],
    mapping: Mapping[str, str],
    options: ImportOptions,
    context: Context,
    staging: "duckdb.DuckDBPyConnection",
    group: str,
    progress: Progress | None,
) -> int:
    """Fill ``staged`` (line, one column per field) and ``rejected`` (line, field, value, reason, group_key).

    ``group`` names the field whose rows belong together ("" for none). Returns the number of rows read.
    """
    names = [*mapping, *options.constants]
    specified = ", ".join(f'"{name}" {STAGED_TYPES[fields[name].type]}' for name in names)
    staging.execute(f"CREATE TABLE staged (line BIGINT, {specified})")
    staging.execute(
        "CREATE TABLE rejected (line BIGINT, field VARCHAR, value VARCHAR, reason VARCHAR, group_key VARCHAR)"
    )
    wanted = list(dict.fromkeys(mapping.values()))
    read = 0
    for lines, batch in reader.batches(wanted):
        filled = _filled(batch)
        lines, batch = lines[filled], batch.filter(pa.array(filled))
        if len(batch):
            _stage_batch(lines, batch, fields, mapping, options, context, staging, group)
        read += len(batch)
        if progress is not None:
            progress(read, 0)
    if reader.ragged:
        expected = len(reader.columns)
        reason = _("has not %(count)d cells as the first line has") % {"count": expected}
        _insert(
            staging,
            "rejected",
            pa.table(
                {
                    "line": pa.array([line for line, _text in reader.ragged], pa.int64()),
                    "field": pa.nulls(len(reader.ragged), pa.string()),
                    "value": pa.array([text[:200] for _line, text in reader.ragged], pa.string()),
                    "reason": pa.repeat(reason, len(reader.ragged)),
                    "group_key": pa.nulls(len(reader.ragged), pa.string()),
                }
            ),
        )
    return read + len(reader.ragged)


def _filled(batch: pa.RecordBatch) -> Any:
    """Which rows hold anything: a blank line at the end of a file is no bad row."""
    filled = np.zeros(len(batch), dtype=bool)
    for column in batch.columns:
        holds = pc.is_valid(column)
        if pa.types.is_string(column.type):
            holds = pc.fill_null(pc.not_equal(column, ""), False)
        filled |= holds.to_numpy(zero_copy_only=False)
        if filled.all():
            break
    return filled


def _insert(staging: "duckdb.DuckDBPyConnection", table: str, rows: pa.Table) -> None:
    staging.register("rondo_rows", rows)
    staging.execute(f'INSERT INTO "{table}" SELECT * FROM rondo_rows')
    staging.unregister("rondo_rows")


def _stage_batch(
    lines: Any,
    batch: pa.RecordBatch,
    fields: Mapping[str, Field],
    mapping: Mapping[str, str],
    options: ImportOptions,
    context: Context,
    staging: "duckdb.DuckDBPyConnection",
    group: str,
) -> None:
    count = len(batch)
    problems: dict[int, tuple[str, str]] = {}
    done: dict[str, pa.Array] = {}
    names: Sequence[str] = sorted([*mapping, *options.constants], key=lambda name: name != "currency")
    for name in names:
        if name in mapping:
            given = batch.column(batch.schema.get_field_index(mapping[name]))
        else:
            given = pa.repeat(pa.scalar(options.constants[name]), count)
        try:
            converted = convert(given, name, fields[name], context, done.get("currency"))
        except InputError as error:
            raise InputError(
                _("column %(column)s: %(error)s") % {"column": mapping.get(name, name), "error": error}
            ) from error
        done[name] = converted.values
        for row, reason in converted.problems.items():
            problems.setdefault(row, (name, reason))
    good = np.ones(count, dtype=bool)
    if problems:
        rows = sorted(problems)
        good[rows] = False
        picked = batch.take(pa.array(rows))
        refused = {name for name, _reason in problems.values()} & set(mapping)
        shown = {name: texts(picked.column(mapping[name])) for name in refused}
        values = [
            (shown[name][index] or "")[:200] or None if name in shown else options.constants[name]
            for index, name in enumerate(problems[row][0] for row in rows)
        ]
        keys = done[group].take(pa.array(rows)) if group in done else pa.nulls(len(rows), pa.string())
        _insert(
            staging,
            "rejected",
            pa.table(
                {
                    "line": pa.array(lines[rows], pa.int64()),
                    "field": pa.array([problems[row][0] for row in rows], pa.string()),
                    "value": pa.array(values, pa.string()),
                    "reason": pa.array([problems[row][1] for row in rows], pa.string()),
                    "group_key": keys,
                }
            ),
        )
    table = pa.table(
        {"line": pa.array(lines, pa.int64()), **{name: done[name] for name in [*mapping, *options.constants]}}
    )
    _insert(staging, "staged", table if good.all() else table.filter(pa.array(good)))
