"""DuckDB, in this process."""

from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
from deltalake import DeltaTable
from django.conf import settings
from django.utils.translation import gettext as _

from rondo.errors import InputError
from rondo.warehouse.engines.engine import Engine, empty, nothing, quoted, typed


class Duck(Engine):
    """An in-memory database of its own; ``memory`` bounds it, such as ``4GB``, and what is beyond goes to disk."""

    in_process = True

    def __init__(self, memory: str = "") -> None:
        spill = Path(settings.RONDO_WAREHOUSE) / ".spill"
        self.backend = ibis.duckdb.connect(temp_directory=str(spill), autoinstall_known_extensions=False)
        self.backend.raw_sql("SET TimeZone = 'UTC'")
        if memory:
            try:
                self.backend.raw_sql(f"SET memory_limit = '{memory.replace(chr(39), '')}'")
            except Exception as error:
                raise InputError(
                    _("RONDO_ENGINE=%(value)r: %(memory)r is no size such as 4GB.")
                    % {"value": settings.RONDO_ENGINE, "memory": memory}
                ) from error

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return list(self.backend.raw_sql(sql).fetchall())

    def view(self, name: str, sql: str) -> None:
        self.backend.raw_sql(f"CREATE VIEW {name} AS {sql}")

    def files(self, name: str, table: DeltaTable, schema: pa.Schema) -> None:
        uris = table.file_uris()
        if not uris:
            return self.view(name, nothing(schema, self.backend))
        there = {field.name for field in table.schema().fields}
        columns = [
            quoted(column) if column in there else empty(field, self.backend)
            for column, field in ((field.name, field) for field in schema)
        ]
        listed = ", ".join("'" + uri.replace("'", "''") + "'" for uri in uris)
        return self.view(name, f"SELECT {', '.join(columns)} FROM read_parquet([{listed}])")

    def keep(self, name: str, expression: Any) -> Any:
        # Not by `expression.cache()` of Ibis 12: DuckDB 2 does not take its way of dropping a table.
        self.backend.raw_sql(f"CREATE TEMP TABLE {name} AS {typed(expression, self.backend)}")
        return self.table(name, expression.schema())

    def take(self, name: str, rows: pa.Table) -> Any:
        # Not by `create_table` of Ibis 12: DuckDB 2 does not take its way of dropping a view.
        self.backend.con.register(f"taken_{name}", rows)
        self.backend.raw_sql(f"CREATE TEMP TABLE {name} AS SELECT * FROM taken_{name}")
        self.backend.con.unregister(f"taken_{name}")
        return self.table(name, ibis.schema(rows.schema))

    def close(self) -> None:
        self.backend.disconnect()
