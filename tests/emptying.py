"""What a test committed is taken out of PostgreSQL without a look at the tables that it did not write to.

Django truncates all tables after such a test: some hundred files of tables and indices are made anew, and the names of
all tables are written again. SQLite deletes at next to no cost.
"""

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from collections.abc import Sequence

SAME_IN_ALL = {"django_content_type", "auth_permission"}
"""Tables whose rows follow from the program, and which no test writes to."""


def empty_only_what_is_filled() -> None:
    """Has Django delete the rows there are after a test that committed; keys are checked when all are gone.

    As before a TRUNCATE, whoever is still writing is waited for. A test's own ``flush`` stays what it is in service.
    """
    from django.db import connection, transaction
    from django.test import TransactionTestCase

    whole = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def statements(_style: Any, tables: "Sequence[str]", **_how: Any) -> list[str]:
        quote = connection.ops.quote_name
        names = sorted(set(tables) - SAME_IN_ALL)
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {', '.join(map(quote, names))}")
            asked = (f"SELECT '{name}' WHERE EXISTS (SELECT FROM {quote(name)})" for name in names)
            cursor.execute(" UNION ALL ".join(asked))
            return [f"DELETE FROM {quote(name)}" for (name,) in cursor.fetchall()]

    def emptied(case: Any) -> None:
        with transaction.atomic(), patch.object(connection.ops, "sql_flush", statements):
            whole(case)

    TransactionTestCase._fixture_teardown = emptied  # type: ignore[attr-defined]
