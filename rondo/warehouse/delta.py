"""Delta tables of the copy: where they lie, what their log says, and commits that carry their own watermark.

What a commit has taken stands in the commit itself, as Delta application transactions. A process that dies between
the commit and the note in the operational store therefore neither loses nor doubles a row: the log is the truth and
:class:`~rondo.warehouse.models.CopyState` a cache of it.
"""

import shutil
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from uuid import uuid4

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from django.conf import settings

MARK = "rondo.mark"
DIGEST = "rondo.digest"
SNAPSHOT = "rondo.snapshot"
CHRONOLOGY = "chronology"
"""Folder of the order of the chain (:mod:`rondo.warehouse.chronology`), which goes where rows do."""
COMPACT_ABOVE = 32
_KEEP_HOURS = 24
_OPENED_KEPT = 64
_LogState = tuple[frozenset[str], bytes]
_opened: "OrderedDict[Path, tuple[_LogState, DeltaTable]]" = OrderedDict()
_opening = Lock()
# Snappy and rows in groups of this size suit a scan by a few threads best.
_WRITER = WriterProperties(compression="SNAPPY", max_row_group_size=131_072)


def load_key(load_id: int) -> str:
    """The application id under which a commit notes that it took the rows of a load."""
    return f"rondo.load.{load_id}"


def path_of(name: str) -> Path:
    """Folder of a table of the copy."""
    return Path(settings.RONDO_WAREHOUSE) / name


def existing(name: str) -> DeltaTable | None:
    """The table as it stands, to be read alone, or None if the copy does not have it yet.

    Reading a log takes as long as many a query: as long as it is the same, so is the table that was opened.
    """
    path = path_of(name)
    state = _log_state(path)
    if state is None:
        return None
    with _opening:
        kept = _opened.get(path)
    if kept is not None and kept[0] == state:
        return kept[1]
    if not DeltaTable.is_deltatable(str(path)):
        return None
    table = DeltaTable(path)
    if _log_state(path) == state:  # else nobody can say which of the two was read
        with _opening:
            _opened[path] = state, table
            _opened.move_to_end(path)
            while len(_opened) > _OPENED_KEPT:
                _opened.popitem(last=False)
    return table


def _log_state(path: Path) -> _LogState | None:
    """What tells a table's log from any other: its files, and its last commit, which names files found nowhere else."""
    log = path / "_delta_log"
    try:
        names = frozenset(file.name for file in log.iterdir())
        commits = [name for name in names if name.endswith(".json")]
        return names, (log / max(commits)).read_bytes() if commits else b""
    except (FileNotFoundError, NotADirectoryError):
        return None


def noted(table: DeltaTable, key: str) -> int | None:
    """The number that the table's commits last noted under an application id; None where there is none."""
    version = table.transaction_version(key)
    return None if version is None else int(version)


def snapshot_of(table: DeltaTable) -> str:
    """The PostgreSQL snapshot up to which the table's last extension took rows; empty where none ever noted one.

    An application transaction holds a number alone, so the snapshot stands in the description of the commit. What comes
    after that commit in the log is at most a joining of its files.
    """
    if noted(table, SNAPSHOT) is None:
        return ""
    return next((str(commit[SNAPSHOT]) for commit in table.history() if SNAPSHOT in commit), "lost")


def same_columns(table: DeltaTable, schema: pa.Schema) -> bool:
    """Whether the table has the columns and types of ``schema``, in its order."""
    return bool(pa.schema(table.schema().to_arrow()).remove_metadata().equals(schema.remove_metadata()))


@dataclass(frozen=True)
class Rows:
    """Rows to commit: an Arrow reader and how many it gives."""

    reader: pa.RecordBatchReader
    count: int


def commit(name: str, rows: Rows, *, replace: bool, notes: dict[str, int], snapshot: str = "") -> int:
    """Append rows to a table or replace it by them, in one commit that carries ``notes``; returns its version.

    ``snapshot``: the PostgreSQL snapshot that the rows were read in, see :func:`snapshot_of`.
    """
    write_deltalake(
        path_of(name),
        rows.reader,
        mode="overwrite" if replace else "append",
        schema_mode="overwrite" if replace else None,
        writer_properties=_WRITER,
        commit_properties=CommitProperties(
            app_transactions=[Transaction(key, value) for key, value in notes.items()],
            custom_metadata={SNAPSHOT: snapshot} if snapshot else None,
        ),
    )
    written = existing(name)
    assert written is not None
    return int(written.version())


def tidy(name: str) -> None:
    """Join small files where there are many, and delete files that no reader of the last day can still use."""
    found = existing(name)
    assert found is not None
    many, round_number = len(found.file_uris()) > COMPACT_ABOVE, found.version() % COMPACT_ABOVE == 0
    if found.version() == 0 or not (many or round_number):
        return
    table = DeltaTable(path_of(name))  # of its own, since what was opened for reading stays as it was
    if many:
        table.optimize.compact()
    if table.version() % COMPACT_ABOVE == 0:
        table.create_checkpoint()
        table.vacuum(retention_hours=_KEEP_HOURS, enforce_retention_duration=False, dry_run=False)


def delete(name: str, column: str, keys: Sequence[int]) -> int:
    """Delete a table's rows that have one of ``keys`` in ``column``, in one commit; how many. Files that hold none stay
    as they are, and so do the marks that commits noted."""
    if not keys:
        return 0
    listed = ", ".join(str(int(key)) for key in keys)
    count = int(DeltaTable(path_of(name)).delete(f"{column} IN ({listed})")["num_deleted_rows"] or 0)
    if count:
        forget_order()
    return count


def forget_order() -> None:
    """Remove the order of the chain, which has rows that are there no more."""
    folder = path_of(CHRONOLOGY)
    with suppress(FileNotFoundError):
        folder.rename(folder.with_name(f".{CHRONOLOGY}-{uuid4().hex}"))  # who writes it at this moment finds it gone
    for gone in folder.parent.glob(f".{CHRONOLOGY}-*"):
        shutil.rmtree(gone, ignore_errors=True)


def keys_where(table: DeltaTable, key: str, column: str, values: Sequence[int]) -> list[int]:
    """The ``key`` of all rows that have one of ``values`` in ``column``."""
    files = table.file_uris()
    if not files:
        return []
    dataset = ds.dataset(files, format="parquet")
    found = dataset.to_table(columns=[key], filter=ds.field(column).isin(list(values)))
    return [int(one) for one in found[key].to_pylist()]
