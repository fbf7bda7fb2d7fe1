"""Rows put into SQLite as an image read as those put in one by one."""

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from django.db import connection

from rondo.analysis import images, scores
from rondo.analysis.models import History, Score

CREATE = 'CREATE TABLE "t" ("key" integer NOT NULL PRIMARY KEY, "whole" bigint, "part" real, "day" date, "word" text)'
EDGES = [
    edge + off for bits in (0, 1, 7, 8, 15, 16, 23, 24, 31, 32, 47, 48, 62) for edge in (1 << bits,) for off in (-1, 0)
]
WHOLE = [None, *EDGES, *(-edge for edge in EDGES), *(-edge - 1 for edge in EDGES), 2**63 - 1, -(2**63)]
PARTS = [None, 0.0, 1.0, -1.5, 385.0, 1e300, 5e-324, math.inf, -math.inf, math.pi]
DAYS = [None, date(1970, 1, 1), date(1, 1, 1), date(9999, 12, 31), date(2024, 2, 29)]
WORDS = [None, "", "a", "ä€😀", "x" * 57, "x" * 58, "y" * 8185, "y" * 8186, "line\nline", "0"]


def table(rows: int, **columns: list[Any]) -> pa.Table:
    """Columns of different lengths, each repeated, under keys with gaps."""
    kinds = {"whole": pa.int64(), "part": pa.float64(), "day": pa.date32(), "word": pa.string()}
    keys = np.cumsum(np.arange(rows) % 300 + 1)
    return pa.table(
        {"key": pa.array(keys)}
        | {
            name: pa.array([values[row % len(values)] for row in range(rows)], kinds[name])
            for name, values in columns.items()
        }
    )


def read(image: bytes) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(":memory:")) as memory:
        memory.deserialize(image)
        assert memory.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return memory.execute('SELECT * FROM "t" ORDER BY "key"').fetchall()


def told(rows: pa.Table) -> list[tuple[Any, ...]]:
    lines = [tuple(row.values()) for row in rows.to_pylist()]
    return [tuple(one.isoformat() if isinstance(one, date) else one for one in line) for line in lines]


@pytest.mark.parametrize("rows", [0, 1, 2, 127, 1000, 5000])
def test_an_image_holds_every_value_as_it_is(rows: int) -> None:
    found = table(rows, whole=WHOLE, part=PARTS, day=DAYS, word=WORDS)
    image = images.image(CREATE, found)
    assert image is not None and len(image) % images.PAGE == 0
    assert read(image) == told(found)


def test_a_part_of_a_table_in_several_pieces_is_taken_as_one() -> None:
    found = table(700, whole=WHOLE, part=PARTS, day=DAYS, word=WORDS[:5])
    pieces = pa.concat_tables([found.slice(0, 300), found.slice(300)]).slice(100, 500)
    image = images.image(CREATE, pieces)
    assert image is not None and read(image) == told(pieces)


def test_what_is_not_a_number_is_null_as_for_sqlite() -> None:
    image = images.image(CREATE, table(2, whole=[1], part=[math.nan, 2.0], day=DAYS, word=WORDS))
    assert image is not None and [row[2] for row in read(image)] == [None, 2.0]


def test_there_is_no_image_of_keys_that_do_not_ascend_or_of_a_row_beyond_a_page() -> None:
    found = table(3, whole=[5], part=[0.5], day=DAYS, word=["a"])
    assert images.image(CREATE, found.take([0, 2, 1])) is None
    assert images.image(CREATE, found.take([0, 0, 1])) is None
    assert images.image(CREATE, found.set_column(0, "key", pa.array([-1, 2, 3]))) is None
    for length, there in ((images.LARGEST - 40, True), (images.LARGEST, False)):
        wide = found.set_column(4, "word", pa.array(["z" * length] * 3))
        image = images.image(CREATE, wide)
        assert (image is not None) is there
        assert image is None or read(image) == told(wide)


def of(model: Any, rows: int) -> pa.Table:
    """A table of as many rows in the columns of a served table."""
    ways: dict[Any, list[Any]] = {
        pa.int64(): [None, 0, 1, 70_000, -3],
        pa.float64(): PARTS,
        pa.date32(): DAYS[2:],
        pa.string(): ["gone", "ä€😀", "x" * 8],
    }
    schema = scores.schema(model)
    columns = {
        field.name: pa.array([ways[field.type][row % len(ways[field.type])] for row in range(rows)], field.type)
        for field in schema
    }
    return pa.table(columns | {"customer_id": pa.array(range(1, rows + 1))}, schema)


@pytest.fixture
def tables() -> Iterator[None]:
    yield
    scores.drop(scores.leftovers())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", [Score, History])
def test_rows_are_served_alike_whether_by_images_or_one_by_one(model: Any, tables: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(scores, "_CHUNK", 400)
    rows, served = of(model, 1000), []
    put: list[bool] = []
    insert = scores._insert

    def noted(quoted: str, part: pa.Table, *, imaged: bool) -> None:
        put.append(imaged)
        insert(quoted, part, imaged=imaged)

    monkeypatch.setattr(scores, "_insert", noted)
    for run in (1, 2):
        if run == 2:
            monkeypatch.setattr(images, "image", lambda _create, _rows: None)
        name = scores.prepare(run, rows, model)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)} ORDER BY customer_id")
            served.append(cursor.fetchall())
            assert connection.vendor != "sqlite" or cursor.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert len(served[0]) == 1000 and served[0] == served[1]
    assert put == [connection.vendor == "sqlite"] * 3 + [False] * 3
