"""Which line a row stands in: what is told of a row, and what the reject file holds, is that row and no other, however
the file quotes and whichever columns are imported."""

import csv
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from rondo.customers.models import Customer
from rondo.errors import InputError
from rondo.foundation.loading.fields import ImportOptions
from rondo.foundation.models import Installation
from rondo.interactions.importing import reading
from rondo.interactions.importing.reading import open_source
from rondo.interactions.tests.import_files import load, rejects, write

MAPPING = {"external_id": "Kundennummer", "name": "Name", "birth_date": "Geburtsdatum"}
HEAD = "Kundennummer;Name;Geburtsdatum;Bemerkung\n"


@pytest.fixture
def _company(installation: Installation) -> None:
    """New York, US dollars."""


@pytest.mark.django_db
@pytest.mark.usefixtures("_company")
def test_the_reject_file_holds_the_refused_rows_though_a_column_that_is_not_imported_holds_line_breaks(
    tmp_path: Path,
) -> None:
    rows = [
        f'{n};Person {n};{"1980-02-03" if n % 10 else "unbekannt"};"Zeile 1\nZeile 2 mit ""Zitat"""\n'
        for n in range(1, 101)
    ]
    run = load("customers", write(tmp_path, HEAD + "".join(rows)), MAPPING)
    assert (run.counts["customers_created"], run.counts["rows_rejected"]) == (90, 10)
    refused = rejects(run)
    assert [row["Name"] for row in refused] == [f"Person {n}" for n in range(10, 101, 10)]
    assert [row["line"] for row in refused] == [str(2 * n) for n in range(10, 101, 10)]
    assert {row["Bemerkung"] for row in refused} == {'Zeile 1\nZeile 2 mit "Zitat"'}

    mended = Path(run.reject_file).read_text().replace("unbekannt", "1980-02-04")
    load("customers", write(tmp_path, mended, "mended.csv"), MAPPING)
    assert Customer.objects.filter(birth_date="1980-02-04").count() == 10


@pytest.mark.django_db
@pytest.mark.usefixtures("_company")
def test_one_line_break_in_a_column_that_is_not_imported_does_not_push_the_rejects_down(tmp_path: Path) -> None:
    rows = [
        f"m{n};Person {n};{'kaputt' if n in (11, 12) else '1980-02-03'};" + ('"Zeile 1\nZeile 2"' if n == 3 else "x")
        for n in range(1, 21)
    ]
    run = load("customers", write(tmp_path, HEAD + "\n".join(rows) + "\n"), MAPPING)
    assert [(row["line"], row["Name"]) for row in rejects(run)] == [("13", "Person 11"), ("14", "Person 12")]


@pytest.mark.django_db
@pytest.mark.usefixtures("_company")
def test_a_mark_that_is_never_closed_in_a_column_that_is_not_imported_swallows_nothing(tmp_path: Path) -> None:
    rows = [f"{n};Person {n};;{chr(34) + 'offen' if n == 59_990 else 'x'}\n" for n in range(1, 60_001)]
    with pytest.raises(InputError, match="line 59991: a quotation mark opens a field there and is never closed"):
        load("customers", write(tmp_path, HEAD + "".join(rows)), MAPPING)
    assert not Customer.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("_company")
def test_a_file_that_changes_under_the_import_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, HEAD + "1;Ann;1980-02-03;\n2;Bob;unbekannt;\n")
    of_all = reading.CsvReader.rows_at

    def later(self: reading.CsvReader, lines: reading.Lines) -> Iterator[tuple[int, list[str]]]:
        path.write_text(HEAD + "1;Ann;1980-02-03;\n")
        return of_all(self, lines)

    monkeypatch.setattr(reading.CsvReader, "rows_at", later)
    with pytest.raises(InputError, match="was changed while it was read"):
        load("customers", path, MAPPING)
    assert not Customer.objects.exists()


_CELLS = ("", "x", 'a "word"', "two\nlines", "two\r\nlines", "\n", 'a ""\n\n"', "a;b", "a,b", "ü\n", '"')


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("quoting", [csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_rows_of_csv_stand_in_the_line_where_they_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, quoting: int, ends: str, encoding: str
) -> None:
    """Cells of every kind, rows with too few and too many of them, blank lines; and blocks so small that there are
    many. Any choice of columns sees the same lines."""
    monkeypatch.setattr(reading, "_BLOCK", 400)
    some = random.Random(seed)
    begins: dict[str, int] = {}
    ragged: list[int] = []
    path = tmp_path / "file.csv"
    line = 1
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=";", quoting=quoting, lineterminator=ends)  # type: ignore[arg-type]

        def put(cells: list[str]) -> None:
            nonlocal line
            writer.writerow(cells)
            line += sum(cell.count("\n") for cell in cells) + 1

        put(["key", "first\nname" if seed % 2 else "first", "second", "third"])
        for n in range(200):
            kind = some.random()
            if kind < 0.05:
                file.write(ends)
                line += 1
            elif kind < 0.1:
                ragged.append(line)
                put([f"r{n}", *some.choices(_CELLS, k=some.choice([1, 2, 4]))])
            else:
                begins[f"k{n}"] = line
                put([f"k{n}", *some.choices(_CELLS, k=3)])
    reader = open_source(path, ImportOptions(delimiter=";"))
    for columns in (["key"], [reader.columns[2], "key"], reader.columns):
        seen: dict[str, int] = {}
        for lines, batch in reader.batches(columns):
            assert batch.schema.names == columns
            seen |= dict(zip(batch.column(columns.index("key")).to_pylist(), lines.tolist(), strict=True))
        seen.pop("", None)  # blank lines
        assert seen == begins
        assert [at for at, _text in reader.ragged] == ragged
    wanted = sorted(some.sample(sorted(begins.values()), 20))
    assert {line: cells[0] for line, cells in reader.rows_at(np.array(wanted))} == {
        line: key for key, line in begins.items() if line in wanted
    }


def test_rows_of_workbooks_and_parquet_stand_where_they_stood(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A3"], sheet["B3"] = "key", "remark"  # two blank rows above, one between
    sheet["A4"], sheet["B4"] = "k4", "two\nlines"
    sheet["A6"] = "k6"
    book.save(tmp_path / "file.xlsx")
    table = pa.table({"key": [f"k{n}" for n in range(1, 7)], "remark": ["two\nlines"] * 6})
    pq.write_table(table, tmp_path / "file.parquet", row_group_size=2)
    for name, lines in (("file.xlsx", [4, 6]), ("file.parquet", range(1, 7))):
        reader = open_source(tmp_path / name, ImportOptions())
        for columns in (["key"], ["remark", "key"]):
            seen = [
                (line, key)
                for numbers, batch in reader.batches(columns)
                for line, key in zip(numbers.tolist(), batch.column("key").to_pylist(), strict=True)
            ]
            assert [(line, key) for line, key in seen if key] == [(line, f"k{line}") for line in lines]
        assert [cells[0] for _line, cells in reader.rows_at(np.array([4, 6]))] == ["k4", "k6"]
