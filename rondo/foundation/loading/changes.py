"""Updates of records that were there before: only what differs, with an audit entry each, so that an undo can restore
it."""

from typing import Any

import pyarrow as pa
from django.db import models

from rondo.foundation import audit
from rondo.foundation.loading import bulk
from rondo.foundation.loading.job import LoadJob


def quoted(text: str) -> str:
    """A text as an SQL literal (of DuckDB)."""
    return "'" + text.replace("'", "''") + "'"


Difference = tuple[int, dict[str, list[Any]], list[Any], int]
"""Key, the differing columns with what stands there and what is given, all final values in the columns' order, and the
row's version (0 where the table has none)."""


def _versioned(model: type[models.Model]) -> bool:
    return any(field.column == "version" for field in model._meta.concrete_fields)


def differences(model: type[models.Model], keys: Any, columns: dict[str, Any]) -> list[Difference]:
    """Which of the rows ``keys`` differ from the given columns; empty cells differ from nothing. Reads only."""
    names = list(columns)
    versioned = _versioned(model)
    wanted = ["id", *names, *(["version"] if versioned else [])]
    before = {row[0]: row[1:] for row in bulk.lookup(model, "id", keys.to_pylist(), wanted)}
    lists = [columns[name].to_pylist() for name in names]
    changes: list[Difference] = []
    for key, *values in zip(keys.to_pylist(), *lists, strict=True):
        old = [_comparable(value) for value in before[key]]
        new = [_comparable(value) for value in values]
        final = [o if n is None or n == "" else n for o, n in zip(old, new, strict=False)]
        differing = {name: [o, f] for name, o, f in zip(names, old, final, strict=False) if _differs(o, f)}
        if differing:
            changes.append((key, differing, final, old[-1] if versioned else 0))
    return changes


Foreseen = tuple[int, str, Any, Any]
"""What an update would change: line of the file, field, before, after."""


def told(lines: Any, keys: Any, found: list[Difference]) -> list[Foreseen]:
    """Differences by the line of the file that gives them; ``lines`` and ``keys`` are Arrow arrays of one length."""
    line_of = dict(zip(keys.to_pylist(), lines.to_pylist(), strict=True))
    return [
        (line_of[key], field, before, after)
        for key, differing, _final, _version in found
        for field, (before, after) in differing.items()
        if field != "folded_name"  # follows the name
    ]


def update_changed(
    job: LoadJob,
    model: type[models.Model],
    record_type: str,
    keys: Any,
    columns: dict[str, Any],
    customers: Any = None,
) -> int:
    """Update the rows ``keys`` where a given column differs from what stands there; empty cells change nothing.

    Each changed row gets an audit entry ``<record_type>.imported`` with the values before and after, and its
    ``version`` counts up where the table has one. ``customers``, where given, are those that the rows belong to, and
    those of changed rows are noted in ``job.touched``. Returns how many rows changed. Must run in the publishing
    transaction.
    """
    names = list(columns)
    versioned = _versioned(model)
    changes = differences(model, keys, columns)
    if not changes:
        return 0
    final_columns: dict[str, Any] = {}
    for i, name in enumerate(names):
        values = pa.array(
            [change[2][i] for change in changes], None if any(c[2][i] is not None for c in changes) else pa.string()
        )
        kind = columns[name].type
        if pa.types.is_boolean(kind):
            values = pa.array([None if v is None else bool(v) for v in values.to_pylist()], pa.bool_())
        final_columns[name] = values.cast(kind)
    if versioned:
        final_columns["version"] = pa.array([change[3] + 1 for change in changes], pa.int64())
    bulk.update(model, pa.array([change[0] for change in changes], pa.int64()), final_columns)
    parts: dict[int, int] = {}
    if customers is not None:
        owner = dict(zip(keys.to_pylist(), customers.to_pylist(), strict=True))
        job.touched.update(owner[change[0]] for change in changes)
        parts = owner if record_type != "customer" else {}
    audit.record_many(
        audit.entry(job.actor, f"{record_type}.imported", record_type, key, differing, parts.get(key))
        for key, differing, _final, _version in changes
    )
    return len(changes)


def _comparable(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def same_value(value: Any, written: Any) -> bool:
    """Whether a record's value is still what an audit entry says was written (dates are kept as text)."""
    return not _differs(_comparable(value), written)


def _differs(old: Any, new: Any) -> bool:
    if isinstance(old, bool) or isinstance(new, bool):
        return (old is None) != (new is None) or bool(old) != bool(new)
    return bool(old != new)
