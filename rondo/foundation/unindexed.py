"""Steering SQLite's planner, which has no statistics, away from an index."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func
from django.db.models.sql.compiler import SQLCompiler


class Unindexed(Func):
    """A column as an expression that SQLite serves from no index; elsewhere statistics decide, and it is the column."""

    template = "%(expressions)s"
    arity = 1

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, Any]:
        """The unary plus that SQLite's manual names for this."""
        return super().as_sql(compiler, connection, template="+%(expressions)s", **context)
