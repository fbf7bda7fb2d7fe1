"""Keeping the columnar copy up to date.

Append-only tables are extended. Rows of an import run are taken once, when the run has become visible; rows without a
run by a watermark. On SQLite that is the key, since writers follow each other and keys are given out inside the
writing transaction. On PostgreSQL keys are not committed in order, so the watermark is the snapshot that the last
refresh read in: the next one takes the rows that it sees and that snapshot did not. Nobody waits for a transaction that
stays open, and what such a one wrote is taken once it has ended.

Tables that change are read as a whole and replaced where their content differs.

All tables are read in one transaction into files beside the copy, then committed one after the other, the import runs
last: a row is seen once its run is. A process killed at any point leaves a copy that the next refresh completes.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from django.conf import settings
from django.db import connection
from django.utils import timezone

from rondo.foundation.installation import installation
from rondo.foundation.models import Load
from rondo.foundation.registry import WarehouseTable, registries
from rondo.warehouse import delta
from rondo.warehouse.extract import arrow_schema, batches, one_row, read_transaction
from rondo.warehouse.locks import exclusive
from rondo.warehouse.models import CopyState

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did to one table: rows added (append) or the rows it now has (snapshot), and the Delta version."""

    table: str
    rows: int
    changed: bool
    version: int


@dataclass(frozen=True)
class _State:
    """How far a table of the copy has come: by key (SQLite) or snapshot (PostgreSQL), and by import runs.

    Version -1 for one that does not exist yet.
    """

    version: int = -1
    mark: int = -1
    snapshot: str = ""
    loads: frozenset[int] = frozenset()


@dataclass(frozen=True)
class _Extract:
    table: WarehouseTable
    file: Path
    rows: int
    digest: int
    fresh: bool
    mark: int
    snapshot: str
    new_loads: frozenset[int]
    loads: frozenset[int]


def table_list() -> list[WarehouseTable]:
    """The registered tables in the order in which they are committed."""
    return sorted(registries.warehouse_tables, key=lambda table: table.order)


def refresh(progress: Progress | None = None, *, rebuild: bool = False) -> list[Refreshed]:
    """Bring every table of the copy up to date, or make all of them anew with ``rebuild``.

    Called inside a transaction it rebuilds: what it then reads may be rolled back, and keys be given out again.
    ``progress(table, tables done, tables)`` is told how far it is.

    Raises:
        StateError: another refresh is under way and does not end.
    """
    with exclusive("refresh"):
        folder = Path(settings.RONDO_WAREHOUSE)
        restored = _forget_foreign_transactions()
        rebuild = rebuild or connection.in_atomic_block or restored or not _is_ours(folder)
        if rebuild:
            _drop(folder)
        if not connection.in_atomic_block:  # else the next refresh finds no identity, and makes the copy anew
            _note_identity(folder)
        work = folder / ".extract"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        try:
            tables = table_list()
            done = []
            for count, extract in enumerate(_extract_all(tables, work)):
                done.append(_commit(extract))
                if progress:
                    progress(extract.table.key, count + 1, len(tables))
            return done
        finally:
            shutil.rmtree(work, ignore_errors=True)


def drop_copy() -> None:
    """Remove the whole columnar copy, also what the analysis wrote to it; the next refresh makes it anew.

    Raises:
        StateError: a refresh is under way and does not end.
    """
    with exclusive("refresh"):
        folder = Path(settings.RONDO_WAREHOUSE)
        (folder / "identity.json").unlink(missing_ok=True)
        for table in folder.iterdir():
            if table.is_dir():
                shutil.rmtree(table, ignore_errors=True)
        CopyState.objects.all().delete()


def identity() -> str:
    """What tells this operational store from another: a copy of a different one must not be extended."""
    return hashlib.sha256(f"{connection.vendor}:{installation().id_alphabet}".encode()).hexdigest()[:32]


def _is_ours(folder: Path) -> bool:
    file = folder / "identity.json"
    if not file.exists():
        return False
    try:
        return bool(json.loads(file.read_text()).get("store") == identity())
    except ValueError:  # cut short by a crash: as good as none
        return False


def _note_identity(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not _is_ours(folder):
        (folder / "identity.json").write_text(json.dumps({"store": identity()}))


def _forget_foreign_transactions() -> bool:
    """Whether the store was restored into another PostgreSQL cluster: rows then name transactions still to come there.

    Their ids are cleared, which makes the rows old ones; the copy has to be made anew.
    """
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE interactions_interaction SET written_in = NULL WHERE load_id IS NULL AND written_in >= "
            "(SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1)"
        )
        return int(cursor.rowcount) > 0


def _drop(folder: Path) -> None:
    """Remove every table. The identity goes first: a drop that is cut short is taken up again by the next refresh."""
    (folder / "identity.json").unlink(missing_ok=True)
    delta.forget_order()
    for table in table_list():
        shutil.rmtree(folder / table.key, ignore_errors=True)
    CopyState.objects.all().delete()


def _extract_all(tables: list[WarehouseTable], work: Path) -> Iterable[_Extract]:
    # Inside a transaction of the caller its own rows count too, which have not ended by any transaction id.
    by_transaction = connection.vendor == "postgresql" and not connection.in_atomic_block
    with read_transaction():
        visible = dict(Load.objects.filter(status=Load.Status.VISIBLE).values_list("id", "spans"))
        return [_extract(table, work, visible, by_transaction) for table in tables]


def _extract(
    table: WarehouseTable, work: Path, visible: dict[int, dict[str, object]], by_transaction: bool
) -> _Extract:
    schema = arrow_schema(table)
    state = _state(table, visible)
    fresh = state.version < 0
    mark, snapshot, new_loads = 0, "", frozenset[int]()
    parts: Iterable[tuple[str, str]]
    if table.mode == "snapshot":
        parts = [("", "")]
    else:
        if by_transaction:
            snapshot = str(one_row("SELECT pg_current_snapshot()::text")[0])
        else:
            mark = _new_mark(table)
        new_loads = frozenset(visible) - state.loads
        parts = _conditions(table, state, new_loads, visible)
    file = work / f"{table.key}.arrow"
    rows = 0
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        for where, join in parts:
            for batch in batches(table, where, join):
                writer.write_batch(batch)
                rows += batch.num_rows
    digest = 0
    if table.mode == "snapshot":
        with file.open("rb") as stream:
            # 62 bits: Delta keeps a signed 64-bit number for an application transaction.
            digest = int.from_bytes(hashlib.file_digest(stream, "sha256").digest()[:8], "big") >> 2
    return _Extract(table, file, rows, digest, fresh, mark, snapshot, new_loads, state.loads | new_loads)


def _state(table: WarehouseTable, visible: Iterable[int]) -> _State:
    """Where the copy of a table stands: by the note in the operational store if it is of the table's own version, else
    read from the table's log."""
    found = delta.existing(table.key)
    if found is None or not delta.same_columns(found, arrow_schema(table)):
        return _State()
    note = CopyState.objects.filter(table=table.key).first()
    if note is not None and note.version == found.version():
        mark, snapshot = note.watermark.get("mark", -1), note.watermark.get("snapshot", "")
        loads = frozenset(note.watermark.get("loads", ()))
    else:
        noted = delta.noted(found, delta.MARK)
        mark, snapshot = -1 if noted is None else noted, delta.snapshot_of(found)
        loads = frozenset(pk for pk in visible if delta.noted(found, delta.load_key(pk)) is not None)
    if table.mode == "append" and connection.vendor == "postgresql":
        # Copies of before there were snapshots noted the transaction below which all was taken.
        snapshot = snapshot or f"{mark}:{mark}:"
        if not _has_been(snapshot):
            return _State()
    return _State(found.version(), mark, snapshot, loads)


def _has_been(snapshot: str) -> bool:
    """Whether a snapshot can be an earlier one of this PostgreSQL cluster, not of one that the store was moved from."""
    bounds = snapshot.split(":")[:2]
    if not all(bound.isdigit() for bound in bounds):
        return False
    return int(bounds[1]) <= int(one_row("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")[0])


def _new_mark(table: WarehouseTable) -> int:
    # The largest key ever given out, not the largest present: a later refresh then need not look below it again.
    base = table.source.split()[0]
    key = table.key_sql.split(".")[1]
    return int(one_row(f"SELECT coalesce(max({key}), 0) FROM {base}")[0])


def _conditions(
    table: WarehouseTable, state: _State, new_loads: frozenset[int], visible: dict[int, dict[str, object]]
) -> Iterator[tuple[str, str]]:
    """The parts to read, each as (SQL condition, extra join): rows without a load since the last time, then new loads.

    On PostgreSQL those are the rows whose transaction the last snapshot did not see; none of them is older than the
    oldest transaction that was open then, which is what the index finds them by.
    """
    if state.version < 0:
        loads = ", ".join(map(str, sorted(new_loads)))
        without = f"{table.load_sql} IS NULL"
        yield (f"({without} OR {table.load_sql} IN ({loads}))" if loads else without), ""
        return
    if connection.vendor == "postgresql":
        written, oldest = table.written_sql, state.snapshot.split(":")[0]
        since = f"{written} >= {oldest} AND NOT pg_visible_in_snapshot({written}::text::xid8, '{state.snapshot}')"
        join = table.written_join
    else:
        since, join = f"{table.key_sql} > {state.mark}", ""
    yield f"({table.load_sql} IS NULL AND {since})", join
    unspanned = []
    for pk in sorted(new_loads):
        span = visible[pk].get(table.span)
        if not isinstance(span, list):
            unspanned.append(pk)  # a run that does not say where its rows lie, or has none here
            continue
        first, last = (int(bound) for bound in span)
        yield f"{table.key_sql} BETWEEN {first} AND {last} AND {table.load_sql} = {pk}", ""
    if unspanned:
        yield f"{table.load_sql} IN ({', '.join(map(str, unspanned))})", ""


def _commit(extract: _Extract) -> Refreshed:
    """Commit what was read of one table, and note it in the operational store."""
    table = extract.table
    snapshot = table.mode == "snapshot"
    found = None if extract.fresh else delta.existing(table.key)
    if snapshot:
        changed = found is None or delta.noted(found, delta.DIGEST) != extract.digest
        notes = {delta.DIGEST: extract.digest}
    else:
        changed = found is None or extract.rows > 0
        notes = {delta.load_key(pk): 1 for pk in extract.new_loads}
        notes |= {delta.SNAPSHOT: 1} if extract.snapshot else {delta.MARK: extract.mark}
    if changed:
        with pa.memory_map(str(extract.file)) as source, pa.ipc.open_stream(source) as reader:
            delta.commit(
                table.key,
                delta.Rows(reader, extract.rows),
                replace=snapshot or found is None,
                notes=notes,
                snapshot=extract.snapshot,
            )
        delta.tidy(table.key)
    extract.file.unlink()
    version = note_state(extract)
    return Refreshed(table.key, extract.rows, changed, version)


def note_state(extract: _Extract) -> int:
    """Write how far the table has come into the operational store; returns the table's version."""
    found = delta.existing(extract.table.key)
    assert found is not None
    version = int(found.version())
    CopyState.objects.update_or_create(
        table=extract.table.key,
        defaults={
            "version": version,
            "rows": found.count(),
            "watermark": {
                "mark": extract.mark,
                "snapshot": extract.snapshot,
                "loads": sorted(extract.loads),
                "digest": extract.digest,
            },
            "refreshed_at": timezone.now(),
        },
    )
    return version
