"""Keys given out in blocks inside the writing transaction, for bulk loads whose rows refer to each other."""

from django.db import connection, models
from django.utils.translation import gettext as _

from rondo.errors import StateError


def allocate(model: type[models.Model], count: int) -> int:
    """Reserve ``count`` consecutive keys of the model's table and return the first.

    Must be called inside a transaction, and rows with the keys must be inserted in the same one: on SQLite the
    transaction holds the write lock (IMMEDIATE), on PostgreSQL the block comes from the table's sequence, so that
    inserts by others only ever take other numbers.

    Raises:
        StateError: called outside a transaction.
    """
    if not connection.in_atomic_block:
        raise StateError(
            _("%(table)s: keys are given out inside a transaction only; open one first.")
            % {"table": model._meta.db_table}
        )
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            row = cursor.fetchone()
            first = (row[0] if row else 0) + 1
            last = first + count - 1
            if row:
                cursor.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = %s", [last, table])
            else:
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])
            return int(first)
        cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [table, model._meta.pk.column])
        sequence = cursor.fetchone()[0]
        for _attempt in range(50):
            cursor.execute(
                "SELECT min(v), max(v) FROM (SELECT nextval(%s) AS v FROM generate_series(1, %s)) AS taken",
                [sequence, max(count, 1)],  # even a block of none has a place where it would begin
            )
            first, last = cursor.fetchone()
            if (
                last - first == max(count, 1) - 1
            ):  # else somebody inserted in between: leave the gap and take another block
                return int(first)
    raise StateError(
        _("%(table)s: no block of %(count)d keys in 50 attempts; too many writers at once, try again.")
        % {"table": table, "count": count}
    )
