"""What a person is told when Spark cannot be had, and what its dialect mends."""

import shutil
import socket
from pathlib import Path
from typing import Any

import ibis
import pytest

from rondo.errors import StateError
from rondo.warehouse.engines import cluster, connect, spark
from rondo.warehouse.engines.dialect import compiler

pytestmark = pytest.mark.once


@pytest.fixture
def engine(settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a master that is not there, on a machine that has what Spark needs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        settings.RONDO_ENGINE = f"spark://127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setattr(cluster, "find_spec", lambda _name: object())
    monkeypatch.setattr(shutil, "which", lambda _name: "/usr/bin/java")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return str(settings.RONDO_ENGINE)


def told() -> str:
    with pytest.raises(StateError) as caught:
        connect()
    return str(caught.value)


def test_without_the_extra_it_is_named(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "find_spec", lambda _name: None)
    assert told() == f"RONDO_ENGINE={engine}: Spark is not installed here; run “pip install rondo-crm[spark]”."


@pytest.mark.parametrize("home", [None, "/nowhere"])
def test_without_java_it_is_named(engine: str, home: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None if home is None else "/usr/bin/java")
    if home is not None:
        monkeypatch.setenv("JAVA_HOME", home)
    assert told().startswith(f"RONDO_ENGINE={engine}: Spark needs Java 17 or newer")


def test_without_a_master_the_address_is_named_at_once(engine: str, settings: Any) -> None:
    settings.RONDO_ENGINE = f"{engine},{engine.removeprefix('spark://')}"
    assert told().startswith(f"RONDO_ENGINE={settings.RONDO_ENGINE}: no master answers there (")


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("/data/a b/x.parquet", "file:///data/a b/x.parquet"),
        ("/data/[old]/x.parquet", "file:///data/\\[old\\]/x.parquet"),
        ("s3a://bucket/x.parquet", "s3a://bucket/x.parquet"),
    ],
)
def test_a_file_is_named_so_that_the_cluster_takes_it_as_it_is(uri: str, path: str) -> None:
    assert spark._path(uri) == path
    assert Path(uri).name in path


def test_the_dialect_writes_what_ibis_alone_does_not() -> None:
    t = ibis.table({"n": "int64", "share": "float64", "day": "date", "path": "string"}, name="t")
    parts = t.path.split(" > ")[:2]

    def sql(expression: Any) -> str:
        return str(compiler.to_sqlglot(expression.as_table()).sql("spark"))

    assert "COUNT_IF(`t0`.`n` > 1)" in sql(t.count(where=t.n > 1))
    assert "DATEDIFF(`t0`.`day`, MAKE_DATE(1970, 1, 1))" in sql(t.day.delta(ibis.date("1970-01-01"), unit="day"))
    assert "TRUNC(`t0`.`day`, 'week')" in sql(t.day.truncate("W"))
    assert "CAST('0.1' AS DOUBLE)" in sql(t.share * 0.1)
    assert "SLICE(SPLIT(`t0`.`path`, ' > '), 1, 2)" in sql(parts.join(" > "))
    assert ", -1)" in sql(parts[-1])
    assert "MAKE_INTERVAL(0, 0, 0, CAST(`t0`.`n` AS INT))" in sql(ibis.date("1970-01-01") + t.n.as_interval("D"))
