"""The pairs of many records on a cluster: Apache Spark blocks and scores them, by the same keys and the same model.

The model is estimated beside it, on samples, as ever; what grows with the records (pairs, and their weights) is worked
out by the workers. SQL is written once, for DuckDB, and said in Spark's words here.
"""

import logging
from typing import Any, cast

import pyarrow as pa
import sqlglot
from sqlglot import exp

from rondo.duplicates.engine.blocking import BLOCKS, candidates, keyed, keys_of
from rondo.duplicates.engine.comparisons import Comparison
from rondo.duplicates.engine.weighing import COUNTED, Weighing, weighed

Parts = dict[str, Any]


class Workers:
    """The records of one search on the cluster of ``session``, whose names it keeps until it is closed.

    Raises whatever Spark raises; the caller says it in words.
    """

    def __init__(self, session: Any, records: pa.Table) -> None:
        self._session = session
        self._kept: list[Any] = []
        session.sql(f"ADD JAR '{_jar()}'")
        self._keep("records", session.createDataFrame(records))

    def block(self, used: list[Comparison], limit: int) -> tuple[int, int]:
        """Make the view ``candidates``, as :func:`rondo.duplicates.engine.blocking.block` does; answers the same."""
        self._keep("keyed", self._ask(" UNION ALL ".join(keyed(name) for name in keys_of(used))))
        self._view("blocks", BLOCKS)
        self._keep("candidates", self._ask(candidates(limit)))
        return self._count("candidates"), self._count(f"blocks WHERE records > {limit}")

    def score(self, settings: dict[str, Any], weighing: Weighing) -> None:
        """Score every candidate; ``weighing`` gets the counts of all pairs, and the pairs that may be kept."""
        from splink import Linker
        from splink.internals.spark import database_api

        api = cast(Any, database_api).SparkAPI(spark_session=self._session, break_lineage_method="persist")
        linker = Linker(api.register("records"), _in_spark(settings), log_level=logging.ERROR, validate_settings=False)
        self._view("blocked", "SELECT '0' AS match_key, join_key_l, join_key_r FROM candidates")
        linker.table_management.register_blocked_pairs_for_predict(api.register("blocked"))
        predicted = linker.inference.predict(warning_mode="never")
        self._view("scored", weighing.scored(predicted.physical_name))
        weighing.take("counted", self._ask(COUNTED).toArrow())
        weighing.take("weighed", self._ask(weighed(weighing.used, weighing.floor)).toArrow())

    def close(self) -> None:
        """Free the memory of the workers."""
        self._session.catalog.clearCache()
        while self._kept:
            self._kept.pop().unpersist()

    def _ask(self, query: str) -> Any:
        return self._session.sql(spoken(query))

    def _view(self, name: str, query: str) -> None:
        self._ask(query).createOrReplaceTempView(name)

    def _keep(self, name: str, rows: Any) -> None:
        self._kept.append(rows.persist())
        rows.createOrReplaceTempView(name)

    def _count(self, rows: str) -> int:
        return int(self._ask(f"SELECT count(*) FROM {rows}").collect()[0][0])


def spoken(query: str) -> str:
    """A query or condition of DuckDB in the words of Spark, as far as the engine's own use them.

    >>> spoken("SELECT given[1:3], len(mails), list_has_any(mails, boxes), jaro_winkler_similarity(given, family)")
    'SELECT SUBSTRING(given, 1, 3), SIZE(mails), ARRAYS_OVERLAP(mails, boxes), JARO_WINKLER(given, family)'
    """
    tree = sqlglot.parse_one(query, read="duckdb").transform(_word)
    return tree.sql(dialect="spark")


def _word(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.Bracket) and isinstance(node.expressions[0], exp.Slice):
        part = node.expressions[0]
        first, last = int(part.this.name), int(part.expression.name)
        length = exp.Literal.number(last - first + 1)
        return exp.Substring(this=node.this, start=exp.Literal.number(first), length=length)
    if isinstance(node, exp.ArrayOverlaps):
        return exp.Anonymous(this="ARRAYS_OVERLAP", expressions=[node.this, node.expression])
    if isinstance(node, exp.JarowinklerSimilarity):
        return exp.Anonymous(this="JARO_WINKLER", expressions=[node.this, node.expression])
    if isinstance(node, exp.Anonymous) and node.name.lower() == "hash":
        return exp.Anonymous(this="XXHASH64", expressions=node.expressions)
    if isinstance(node, exp.Length) and node.this.name in _LISTS:
        return exp.Anonymous(this="SIZE", expressions=[node.this])
    return node


_LISTS = frozenset(f"{name}{side}" for name in ("mails", "phones", "boxes") for side in ("", "_l", "_r"))
"""Columns that are lists: DuckDB's ``len`` is of both these and texts."""


def _in_spark(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings of a model whose conditions are said for Spark."""
    comparisons: list[Parts] = []
    for comparison in settings["comparisons"]:
        levels = [
            level if level["sql_condition"] == "ELSE" else level | {"sql_condition": _condition(level["sql_condition"])}
            for level in comparison["comparison_levels"]
        ]
        comparisons.append(comparison | {"comparison_levels": levels})
    return settings | {"comparisons": comparisons, "sql_dialect": "spark"}


def _condition(text: str) -> str:
    return spoken(f"SELECT {text}").removeprefix("SELECT ")


def _jar() -> str:
    from splink.internals.spark.jar_location import similarity_jar_location

    return str(similarity_jar_location())
