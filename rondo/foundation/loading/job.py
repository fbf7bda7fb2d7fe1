"""One run of an import as its loader sees it: the staged rows, refusals, chunks that commit on their own, and the face
that every loader has."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.errors import StateError
from rondo.foundation.actors import Actor
from rondo.foundation.keys import allocate
from rondo.foundation.loading import bulk
from rondo.foundation.loading.columns import Context
from rondo.foundation.loading.fields import Field, ImportOptions
from rondo.foundation.loads import hidden_loads
from rondo.foundation.models import Load

if TYPE_CHECKING:
    import duckdb

LEASE = timedelta(minutes=2)
Progress = Callable[[int, int], None]
"""Called with rows done and rows to do; 0 to do while the file is still being read."""


class LoadJob:
    """A run. ``staging`` is a DuckDB connection whose table ``staged`` holds the good rows under their field names,
    with
    ``line``; loaders work on it in sets, and write through :meth:`chunk` and :meth:`insert` only."""

    def __init__(
        self,
        actor: Actor,
        load: Load,
        source_id: int | None,
        options: ImportOptions,
        context: Context,
        staging: "duckdb.DuckDBPyConnection",
        columns: Sequence[str],
        progress: Progress | None,
        group: str = "",
    ) -> None:
        self.actor = actor
        self.load = load
        self.source_id = source_id
        self.options = options
        self.context = context
        self.staging = staging
        self.columns = list(columns)
        self.counts: dict[str, int] = {}
        self.hidden = hidden_loads()
        self.touched: set[int] = set()
        """Customers of others that the run changed something of; they take its number of a change when it ends."""
        self._progress = progress
        self._group = group
        self.rows_total = 0
        self.rows_done = 0

    @property
    def change(self) -> int:
        """The number of a change that records carry which the run makes or changes."""
        if self.load.change is None:
            raise StateError(_("Import %(run)d has no number of a change; start it again.") % {"run": self.load.pk})
        return self.load.change

    def query(self, sql: str) -> pa.Table:
        """The result of a query over the staged tables."""
        return self.staging.sql(sql).to_arrow_table()

    def run(self, sql: str) -> None:
        """Run a statement over the staged tables."""
        self.staging.execute(sql)

    def number(self, sql: str) -> int:
        """The one whole number that a query answers with."""
        row = self.staging.sql(sql).fetchall()[0]
        return int(row[0] or 0)

    def put(self, name: str, table: pa.Table) -> None:
        """Make (or replace) a staged table from Arrow."""
        self.staging.register("rondo_incoming", table)
        self.staging.execute(f'CREATE OR REPLACE TABLE "{name}" AS SELECT * FROM rondo_incoming')
        self.staging.unregister("rondo_incoming")

    def has(self, field: str) -> bool:
        """Whether the file (or a constant) gives the field."""
        return field in self.columns

    def column(self, field: str, default: str = "NULL") -> str:
        """The field as an SQL expression over ``staged``: its column, or ``default`` where the file has none."""
        return f'"{field}"' if field in self.columns else default

    def refuse(self, query: str) -> int:
        """Move rows to the rejects: ``query`` yields (line, field, value, reason). Returns how many lines it were."""
        self.run(f"CREATE OR REPLACE TEMP TABLE refused AS {query}")
        count = self.number("SELECT count(DISTINCT line) FROM refused")
        if count:
            group = f's."{self._group}"' if self._group else "NULL"
            self.run(
                f"INSERT INTO rejected SELECT line, any_value(r.field), any_value(r.value), any_value(r.reason), "
                f"any_value({group}) FROM refused AS r JOIN staged AS s USING (line) GROUP BY line"
            )
            self.run("DELETE FROM staged WHERE line IN (SELECT line FROM refused)")
        return count

    @contextmanager
    def chunk(self) -> Iterator[None]:
        """A transaction of its own that also renews the lease and keeps the spans of ids given out in it.

        Raises:
            StateError: the run was swept meanwhile, so its rows must not be added to.
        """
        with transaction.atomic():
            alive = Load.objects.filter(pk=self.load.pk, status=Load.Status.LOADING).update(
                lease_until=timezone.now() + LEASE
            )
            if not alive:
                raise StateError(
                    _("Import %(run)d was ended by another process; start it again.") % {"run": self.load.pk}
                )
            yield
            Load.objects.filter(pk=self.load.pk).update(spans=self.load.spans)

    def allocate(self, model: type[models.Model], count: int) -> int:
        """Reserve keys inside a chunk and note their span; see :func:`rondo.foundation.keys.allocate`."""
        first = allocate(model, count)
        self.note(model, [first, first + count - 1])
        return first

    def note(self, model: type[models.Model], keys: Sequence[int]) -> None:
        """Remember inside a chunk that rows with these keys are the run's, so that they are found if it dies."""
        if not keys:
            return
        key, first, last = model._meta.db_table, min(keys), max(keys)
        low, high = self.load.spans.get(key, [first, last])
        self.load.spans[key] = [min(low, first), max(high, last)]

    def insert(self, model: type[models.Model], columns: bulk.Columns, count: int, *, keyed: bool = False) -> pa.Array:
        """Insert rows of a load inside a chunk and return their keys; ``keyed`` rows bring their primary key along."""
        if count == 0:
            return pa.array([], pa.int64())
        names = {field.column for field in model._meta.concrete_fields}
        given = dict(columns)
        if "load_id" in names:
            given.setdefault("load_id", self.load.pk)
        if "changed_in" in names:
            given.setdefault("changed_in", self.change)
        key = str(model._meta.pk.column)
        if not keyed:
            first = self.allocate(model, count)
            given[key] = pa.array(range(first, first + count), pa.int64())
        bulk.insert(model, given, count)
        if keyed:
            keys = pc.min_max(given[key]).as_py()
            self.note(model, [keys["min"], keys["max"]])
        return given[key]

    def count(self, name: str, number: int) -> None:
        """Add to a figure of the run's summary; zeros are left out."""
        if number:
            self.counts[name] = self.counts.get(name, 0) + number

    def foresee(self, rows: Sequence[tuple[int, str, Any, Any]]) -> None:
        """Note what an update would change: (line, field, before, after)."""
        if not rows:
            return
        lines, fields, before, after = zip(*rows, strict=True)
        table = pa.table(
            {
                "line": pa.array(lines, pa.int64()),
                "field": pa.array(fields, pa.string()),
                "before": pa.array([None if value in (None, "") else str(value) for value in before], pa.string()),
                "after": pa.array([None if value in (None, "") else str(value) for value in after], pa.string()),
            }
        )
        self.staging.register("rondo_foreseen", table)
        self.run("INSERT INTO foreseen SELECT * FROM rondo_foreseen")
        self.staging.unregister("rondo_foreseen")

    def tick(self, rows: int) -> None:
        """Tell the progress callback that ``rows`` more rows of the file are written."""
        self.rows_done += rows
        if self._progress is not None:
            self._progress(min(self.rows_done, self.rows_total), self.rows_total)

    def states(self, load_ids: pa.Array) -> pa.Array:
        """Of rows found in the database by their load: ``hidden`` (a load taken back or dead) or ``known``."""
        gone = pc.is_in(load_ids, value_set=pa.array(self.hidden, pa.int64()))
        return pc.if_else(gone, "hidden", "known")


class Loader(ABC):
    """What one import kind does with staged rows. ``fields`` are its own; :meth:`available` may add to them.

    The engine calls :meth:`plan` (reads only; counts, refuses), then :meth:`write` (chunks; nothing visible yet), then
    :meth:`publish` inside the transaction that makes the load visible.
    """

    fields: ClassVar[dict[str, Field]]

    def __init__(self, job: LoadJob) -> None:
        self.job = job

    @classmethod
    def available(cls, options: ImportOptions) -> dict[str, Field]:
        """All fields that a mapping may name."""
        return dict(cls.fields)

    @abstractmethod
    def plan(self) -> None:
        """Resolve the staged rows against the database, refuse what cannot go in, count what will happen."""

    @abstractmethod
    def write(self) -> None:
        """Write the new rows in chunks; they carry the load's id and are not visible yet."""

    def outcomes(self) -> str:
        """A query over the staged tables, after :meth:`plan`: (line, outcome create/update/keep/leave_out, record_id
        or NULL, known_by: the fields that tell which record it is, or NULL) of every row that is not refused; rows it
        does not name are known already."""
        return "SELECT line, 'create' AS outcome, NULL::BIGINT AS record_id, NULL::VARCHAR AS known_by FROM staged"

    def foresee(self) -> None:  # noqa: B027 - kinds that update nothing change nothing
        """Note with :meth:`LoadJob.foresee` what an update would change. Reads only; after :meth:`plan`."""

    def publish(self) -> None:  # noqa: B027 - most loaders have nothing that must wait for the last moment
        """Change what was there before (updates, revived rows): runs inside the publishing transaction."""


def chunks(total: int, size: int) -> Iterator[tuple[int, int]]:
    """(first, last) of consecutive ranges of row numbers 1..total."""
    for start in range(1, total + 1, size):
        yield start, min(start + size - 1, total)
