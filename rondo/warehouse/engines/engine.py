"""What the copy asks of an engine."""

from abc import ABC, abstractmethod
from typing import Any

import ibis
import ibis.expr.operations as ops
import pyarrow as pa
from deltalake import DeltaTable


class Engine(ABC):
    """An opened engine with its own names. ``backend`` is the Ibis backend."""

    backend: Any
    in_process = False
    """Whether its rows are in this process, so that taking many of them costs little."""

    @abstractmethod
    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query in plain SQL gives; columns are quoted by double quotes."""

    @abstractmethod
    def view(self, name: str, sql: str) -> None:
        """Give a query a name."""

    @abstractmethod
    def files(self, name: str, table: DeltaTable, schema: pa.Schema) -> None:
        """Give a name to the rows of a table's Parquet files, of which there may be none.

        A column that a newer version added is empty until the next refresh; what does not ask for it goes on.
        """

    @abstractmethod
    def keep(self, name: str, expression: Any) -> Any:
        """The table of an expression, computed once and held under a name until the engine is closed."""

    @abstractmethod
    def take(self, name: str, rows: pa.Table) -> Any:
        """The table of rows that come from elsewhere, held under a name until the engine is closed."""

    def arrow(self, expression: Any) -> Any:
        """The result of an expression: an Arrow table, array or scalar."""
        return self.backend.to_pyarrow(expression)

    def table(self, name: str, schema: Any) -> Any:
        """The table of a name whose Ibis schema is known: asking the engine for it costs more than many a query."""
        return ops.DatabaseTable(name, schema=schema, source=self.backend, namespace=ops.Namespace()).to_expr()

    @abstractmethod
    def close(self) -> None:
        """Free what is held."""


def quoted(column: str) -> str:
    """A column's name as both engines read it."""
    return f'"{column}"'


def empty(field: pa.Field, backend: Any) -> str:
    """A column without a value."""
    kind = backend.compiler.type_mapper.to_string(ibis.schema(pa.schema([field]))[field.name])
    return f"CAST(NULL AS {kind}) AS {quoted(field.name)}"


def nothing(schema: pa.Schema, backend: Any) -> str:
    """The query that gives columns and no row."""
    return f"SELECT {', '.join(empty(field, backend) for field in schema)} WHERE false"


def typed(expression: Any, backend: Any) -> str:
    """The query of an expression whose columns have the types that Ibis promises: engines add whole numbers up in
    wider ones."""
    types, names = backend.compiler.type_mapper, expression.schema().items()
    columns = [f"CAST({quoted(name)} AS {types.to_string(kind)}) AS {quoted(name)}" for name, kind in names]
    return f"SELECT {', '.join(columns)} FROM ({backend.compile(expression)})"
