"""What a dry run foretells: of every row of the file what would become of it, and why, as one Parquet file.

Columns: ``line``, ``outcome`` (create, update, keep: known and left as it is, leave_out: new and not wanted, refuse),
``record_id`` (of the customer, product or campaign that the row is, where one is known), ``known_by`` (the fields by
which it is), ``field``, ``value`` and
``reason`` (of a refusal), ``changes`` (list of field, before, after), and the row's fields as they were read, each
under its name with ``row.`` before it; of a refused row instead ``raw``, their cells as they stand in the file. The
file's metadata tell the ``types`` of the fields and the ``currency`` of amounts that name none.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from rondo.foundation.loading.changes import quoted
from rondo.foundation.loading.fields import Field

if TYPE_CHECKING:
    from rondo.foundation.loading.job import Loader, LoadJob

OUTCOMES = ("create", "update", "keep", "leave_out", "refuse")
CELL = "row."
_AT_ONCE = 10_000


def begin(job: "LoadJob") -> None:
    """Keep the rows as they were read: planning takes those out that are known or refused."""
    job.run("CREATE TABLE rows_read AS SELECT * FROM staged")
    job.run("CREATE TABLE foreseen (line BIGINT, field VARCHAR, before VARCHAR, after VARCHAR)")
    job.run("CREATE TABLE cells_refused (line BIGINT, raw VARCHAR[])")


class Refused:
    """Takes the cells of refused rows from the file and keeps those of mapped columns, in the fields' order."""

    def __init__(self, job: "LoadJob", columns: list[str], mapping: Mapping[str, str]) -> None:
        self.job = job
        self._places = [columns.index(mapping[name]) if name in mapping else None for name in job.columns]
        self._constants = [job.options.constants.get(name, "") for name in job.columns]
        self._rows: list[tuple[int, list[str]]] = []

    def take(self, line: int, cells: list[str]) -> None:
        """Keep a row of the file."""
        picked = zip(self._places, self._constants, strict=True)
        self._rows.append((line, [given if place is None else cells[place] for place, given in picked]))
        if len(self._rows) >= _AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Hand the rows kept so far to the report."""
        lines = pa.array([line for line, _cells in self._rows], pa.int64())
        raw = pa.array([cells for _line, cells in self._rows], pa.list_(pa.string()))
        self.job.staging.register("rondo_refused", pa.table({"line": lines, "raw": raw}))
        self.job.run("INSERT INTO cells_refused SELECT * FROM rondo_refused")
        self.job.staging.unregister("rondo_refused")
        self._rows = []


def write(job: "LoadJob", plan: "Loader", fields: Mapping[str, Field], path: Path) -> dict[str, int]:
    """Write the report of a planned job to ``path``; how many rows come to each outcome."""
    plan.foresee()
    types = json.dumps({name: spec.type for name, spec in fields.items()})
    cells = ", ".join(f'r."{name}" AS "{CELL}{name}"' for name in job.columns)
    made = path.with_suffix(".part")
    job.run(
        "CREATE OR REPLACE TABLE foretold AS SELECT coalesce(r.line, x.line) AS line, CASE WHEN x.line IS NOT NULL "
        "THEN 'refuse' WHEN o.outcome = 'update' AND f.changes IS NULL THEN 'keep' ELSE coalesce(o.outcome, 'keep') "
        "END AS outcome, o.record_id, o.known_by, x.field, x.value, x.reason, f.changes, c.raw"
        + (f", {cells}" if cells else "")
        + " FROM rows_read AS r FULL JOIN (SELECT line, any_value(field) AS field, any_value(value) AS value, "
        "any_value(reason) AS reason FROM rejected GROUP BY line) AS x ON x.line = r.line "
        f"LEFT JOIN ({plan.outcomes()}) AS o ON o.line = r.line "
        "LEFT JOIN (SELECT line, list({'field': field, 'before': before, 'after': after} ORDER BY field) AS changes "
        "FROM foreseen GROUP BY line) AS f ON f.line = r.line "
        "LEFT JOIN cells_refused AS c ON c.line = coalesce(r.line, x.line)"
    )
    about = f"types: {quoted(types)}, currency: {quoted(job.context.currency)}"
    job.run(
        f"COPY (SELECT * FROM foretold ORDER BY line) TO {quoted(str(made))} (FORMAT parquet, COMPRESSION zstd, "
        f"KV_METADATA {{{about}}})"
    )
    made.replace(path)
    counts = dict(job.staging.sql("SELECT outcome, count(*) FROM foretold GROUP BY outcome").fetchall())
    return {name: int(counts.get(name, 0)) for name in OUTCOMES}
