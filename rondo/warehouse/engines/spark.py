"""Apache Spark on a cluster: the same expressions, the same names, the same figures as on DuckDB."""

from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ibis
import pyarrow as pa
from deltalake import DeltaTable

from rondo.warehouse.engines import cluster
from rondo.warehouse.engines.dialect import compiler
from rondo.warehouse.engines.engine import Engine, nothing, typed


class Spark(Engine):
    """A session of its own on the cluster at ``address``, which names it keeps until it is closed."""

    def __init__(self, address: str) -> None:
        self._session = cluster.session(address)
        self._kinds, self.backend = _backend(self._session)
        self._kept: list[Any] = []

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with cluster.answering():
            return [tuple(row) for row in self._session.sql(sql).collect()]

    def view(self, name: str, sql: str) -> None:
        self._session.sql(f"CREATE TEMPORARY VIEW {name} AS {sql}")

    def files(self, name: str, table: DeltaTable, schema: pa.Schema) -> None:
        uris = table.file_uris()
        if uris:
            # With the schema said, Spark opens no file before it is read, and gives nulls for a column not there.
            reader = self._session.read.schema(self._kinds(ibis.schema(schema)))
            reader.parquet(*map(_path, uris)).createTempView(name)
        else:
            self.view(name, nothing(schema, self.backend))

    def keep(self, name: str, expression: Any) -> Any:
        """Computed when it is first read: Spark then plans the reader and what it reads as one."""
        self.backend._register_in_memory_tables(expression)
        rows = self._session.sql(typed(expression, self.backend)).persist()
        self._kept.append(rows)
        rows.createTempView(name)
        return self.table(name, expression.schema())

    def take(self, name: str, rows: pa.Table) -> Any:
        schema = ibis.schema(rows.schema)
        self._session.createDataFrame(rows, schema=self._kinds(schema)).createTempView(name)
        return self.table(name, schema)

    def arrow(self, expression: Any) -> Any:
        with cluster.answering():
            return super().arrow(expression)

    def close(self) -> None:
        """Free the memory of the workers; the application stays for the next to open the copy."""
        with suppress(Exception):  # what is gone already holds no memory
            while self._kept:
                self._kept.pop().unpersist()


def _path(uri: str) -> str:
    """A file's address as Spark takes it: with its scheme, since the cluster's usual one may be another, and with the
    signs of a pattern taken as they are."""
    address = uri if len(urlsplit(uri).scheme) > 1 else f"file://{Path(uri).absolute()}"
    return "".join(f"\\{sign}" if sign in "{}[]*?\\" else sign for sign in address)


def _backend(session: Any) -> tuple[Any, Any]:
    """How a schema is said to Spark, and Ibis' backend, made to pass rows as Arrow batches."""
    from ibis.backends.pyspark import Backend
    from ibis.backends.pyspark.datatypes import PySparkSchema
    from ibis.formats.pyarrow import PyArrowData

    class SparkBackend(Backend):  # type: ignore[misc]
        """By way of pandas, as Ibis 12 does it, whole numbers that may be null would become floats."""

        def to_pyarrow(self, expr: Any, /, *, params: Any = None, limit: Any = None, **_options: Any) -> Any:
            self._run_pre_execute_hooks(expr)
            table = expr.as_table()
            rows = self._session.sql(self.compile(table, params=params, limit=limit)).toArrow()
            return expr.__pyarrow_result__(PyArrowData.convert_table(rows, table.schema()))

        def _register_in_memory_table(self, op: Any) -> None:
            rows, kinds = op.data.to_pyarrow(op.schema), PySparkSchema.from_ibis(op.schema)
            self._session.createDataFrame(rows, schema=kinds).createOrReplaceTempView(op.name)

    SparkBackend.compiler = compiler
    return PySparkSchema.from_ibis, SparkBackend().connect(session)
