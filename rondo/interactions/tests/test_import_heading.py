"""Where the names of columns stand, and columns that share one."""

import io
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from rondo.errors import InputError
from rondo.foundation.loading.fields import ImportOptions
from rondo.interactions.importing import heading
from rondo.interactions.importing.reading import Reader, open_source
from rondo.interactions.tests.import_files import write


def read(folder: Path, text: str | bytes, name: str = "file.csv", **options: Any) -> Reader:
    return open_source(write(folder, text, name), ImportOptions(**options))


def rows_of(reader: Reader) -> list[tuple[int, list[str]]]:
    found = []
    for lines, batch in reader.batches(reader.columns):
        cells = zip(*(column.to_pylist() for column in batch.columns), strict=True)
        found += [(int(line), list(row)) for line, row in zip(lines, cells, strict=True)]
    return found


@pytest.mark.parametrize(
    ("given", "called"),
    [
        (["a", "b"], ["a", "b"]),
        (["Phone", "Phone", "Phone"], ["Phone", "Phone (2)", "Phone (3)"]),
        (["Phone", "Phone (2)", "Phone"], ["Phone", "Phone (2)", "Phone (3)"]),
        (["Phone", "Phone", "Phone (2)"], ["Phone", "Phone (3)", "Phone (2)"]),
        (["a", "", " "], ["a", "column 2", "column 3"]),
    ],
)
def test_every_column_has_a_name_of_its_own(given: list[str], called: list[str]) -> None:
    assert heading.names(given) == called


def test_two_columns_of_one_name_are_read_apart(tmp_path: Path) -> None:
    reader = read(tmp_path, "name,Phone,Phone\nAda,1,2\n")
    assert reader.columns == ["name", "Phone", "Phone (2)"]
    assert rows_of(reader) == [(2, ["Ada", "1", "2"])]


@pytest.mark.parametrize(
    ("text", "line", "delimiter"),
    [
        ("sep=;\nid;name\n1;Ada\n", 2, "semicolon"),
        ('"sep=|"\r\nid|name\r\n1|Ada\r\n', 2, "bar"),
        ("\ufeffsep=\t\nid\tname\n1\tAda\n", 2, "tab"),
        ("Customers of 2026;\n;\nid;name\n1;Ada\n", 3, "semicolon"),
        ("Customers of 2026\n\nid,name\n1,Ada\n2,Ben\n3,Cleo\n", 3, "comma"),
        ("id,name\n1,Ada\n", 1, "comma"),
        ("id,name,mail,,\n1,Ada,,,x\n", 1, "comma"),
    ],
)
def test_what_stands_before_the_names_is_passed_over(tmp_path: Path, text: str, line: int, delimiter: str) -> None:
    reader = read(tmp_path, text)
    assert reader.columns[:2] == ["id", "name"] and reader.found["delimiter"] == delimiter
    assert reader.found.get("header", "1") == str(line)
    first, cells = rows_of(reader)[0]
    assert (first, cells[:2]) == (line + 1, ["1", "Ada"])


def test_the_line_of_the_names_can_be_said(tmp_path: Path) -> None:
    text = "from,to\n1,2\nid,name\n1,Ada\n"
    assert read(tmp_path, text).columns == ["from", "to"]
    reader = read(tmp_path, text, header_line=3)
    assert reader.columns == ["id", "name"] and rows_of(reader) == [(4, ["1", "Ada"])]


def test_names_of_a_workbook_are_found_below_its_title(tmp_path: Path) -> None:
    book, held = Workbook(), io.BytesIO()
    sheet: Any = book.active
    for cells in (["Customers of 2026"], [], ["id", "name", "Phone", "Phone"], ["1", "Ada", "2", "3"]):
        sheet.append(cells)
    book.save(held)
    reader = read(tmp_path, held.getvalue(), "file.xlsx")
    assert reader.columns == ["id", "name", "Phone", "Phone (2)"] and reader.found["header"] == "3"
    assert rows_of(reader) == [(4, ["1", "Ada", "2", "3"])]
    assert read(tmp_path, held.getvalue(), "file.xlsx", header_line=4).columns == ["1", "Ada", "2", "3"]


def test_parquet_still_refuses_two_columns_of_one_name(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), tmp_path / "twice.parquet")
    with pytest.raises(InputError, match="several columns are called"):
        open_source(tmp_path / "twice.parquet", ImportOptions())
