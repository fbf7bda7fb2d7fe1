"""What a dry run foretells: of every row of the file what would become of it, and why, as one Parquet file.

Columns: ``line``, ``outcome`` (create, update, keep: known and left as it is, leave_out: new and not wanted, refuse),
``record_id`` (of the customer, product or campaign that the row is, where one is known), ``known_by`` (the fields by
which it is), ``field``, ``value`` and
``reason`` (of a refusal), ``changes`` (list of field, before, after), and the row's fields as they were read, each
under its name with ``row.`` before it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from rondo.foundation.loading.changes import quoted

if TYPE_CHECKING:
    from rondo.foundation.loading.job import Loader, LoadJob

OUTCOMES = ("create", "update", "keep", "leave_out", "refuse")
CELL = "row."


def begin(job: "LoadJob") -> None:
    """Keep the rows as they were read: planning takes those out that are known or refused."""
    job.run("CREATE TABLE rows_read AS SELECT * FROM staged")
    job.run("CREATE TABLE foreseen (line BIGINT, field VARCHAR, before VARCHAR, after VARCHAR)")


def write(job: "LoadJob", plan: "Loader", path: Path) -> dict[str, int]:
    """Write the report of a planned job to ``path``; how many rows come to each outcome."""
    plan.foresee()
    cells = ", ".join(f'r."{name}" AS "{CELL}{name}"' for name in job.columns)
    made = path.with_suffix(".part")
    job.run(
        "CREATE OR REPLACE TABLE foretold AS SELECT coalesce(r.line, x.line) AS line, CASE WHEN x.line IS NOT NULL "
        "THEN 'refuse' WHEN o.outcome = 'update' AND f.changes IS NULL THEN 'keep' ELSE coalesce(o.outcome, 'keep') "
        "END AS outcome, o.record_id, o.known_by, x.field, x.value, x.reason, f.changes"
        + (f", {cells}" if cells else "")
        + " FROM rows_read AS r FULL JOIN (SELECT line, any_value(field) AS field, any_value(value) AS value, "
        "any_value(reason) AS reason FROM rejected GROUP BY line) AS x ON x.line = r.line "
        f"LEFT JOIN ({plan.outcomes()}) AS o ON o.line = r.line "
        "LEFT JOIN (SELECT line, list({'field': field, 'before': before, 'after': after} ORDER BY field) AS changes "
        "FROM foreseen GROUP BY line) AS f ON f.line = r.line"
    )
    job.run(f"COPY (SELECT * FROM foretold ORDER BY line) TO {quoted(str(made))} (FORMAT parquet, COMPRESSION zstd)")
    made.replace(path)
    counts = dict(job.staging.sql("SELECT outcome, count(*) FROM foretold GROUP BY outcome").fetchall())
    return {name: int(counts.get(name, 0)) for name in OUTCOMES}
