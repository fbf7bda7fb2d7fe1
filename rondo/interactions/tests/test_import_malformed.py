"""Broken files: each gets a sentence that names what is wrong, or reject rows; none a traceback, none half an
import."""

import gzip
import os
import re
import resource
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rondo.customers.models import Customer
from rondo.errors import InputError
from rondo.foundation.models import Installation, Load
from rondo.interactions.models import Interaction, Order
from rondo.interactions.tests.import_files import ORDERS, load, rejects, state, write

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _company(installation: Installation) -> None:
    """New York, US dollars."""


@pytest.fixture(autouse=True)
def _nothing_half_in(_company: None) -> Iterator[None]:
    yield
    assert not Load.objects.filter(status=Load.Status.LOADING).exists()
    failed = Load.objects.filter(status=Load.Status.FAILED)
    assert not Order.objects.filter(load__in=failed).exists()


def refused(path: Path, match: str, kind: str = "orders", **options: Any) -> None:
    """The file is refused with a sentence, and what is seen does not change."""
    before = state()
    with pytest.raises(InputError, match=match):
        load(kind, path, **options)
    assert state() == before


def test_wrong_delimiter_given(tmp_path: Path) -> None:
    refused(write(tmp_path, ORDERS), "no column for order.*order,customer,product", delimiter=";")
    for impossible in ("§", '"', "\n", ";;"):
        refused(write(tmp_path, ORDERS), "one character is needed", delimiter=impossible)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found(tmp_path: Path, delimiter: str) -> None:
    run = load("orders", write(tmp_path, ORDERS.replace(",", delimiter)))
    assert run.counts["lines_created"] == 4


def test_wrong_encoding_given_names_the_place(tmp_path: Path) -> None:
    path = write(tmp_path, "external_id,name\n1,Ann\n2,Jürgen\n".encode("latin-1"))
    refused(path, r"encoding utf-8: byte 0xfc at position 26 \(line 3\)", "customers", encoding="utf-8")
    for name in ("klingon", "rot13", "hex", "undefined"):
        refused(path, f"Encoding '{name}' is not known", "customers", encoding=name)
    unmarked = write(tmp_path, "external_id,name\n1,Ann\n".encode("utf-16-le"))
    refused(unmarked, "utf-16: .* BOM", "customers", encoding="utf-16")
    load("customers", unmarked, encoding="utf-16-le")
    assert Customer.objects.get().name == "Ann"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings_are_found(tmp_path: Path, encoding: str) -> None:
    load("customers", write(tmp_path, "external_id,name\n1,Jürgen Groß – Söhne\n".encode(encoding)))
    assert Customer.objects.get().name == "Jürgen Groß – Söhne"


def test_latin_1_is_taken_where_cp1252_has_no_letter(tmp_path: Path) -> None:
    load("customers", write(tmp_path, b"external_id,street\n1,caf\xe9\n2,Jos\xe9\n"))
    run = load("customers", write(tmp_path, b"external_id,name\n3,M\xfcller\n4,x\x81y\n"))
    assert run.options["found"]["encoding"] == "latin-1"
    assert Customer.objects.filter(name="Müller").exists()


def test_truncated_gzip(tmp_path: Path) -> None:
    packed = gzip.compress((ORDERS * 500).encode())
    refused(write(tmp_path, packed[: len(packed) // 2], "orders.csv.gz"), "gzip file is cut off or damaged")


def test_truncated_or_damaged_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.table({"order": ["1"] * 1000}), tmp_path / "whole.parquet")
    whole = (tmp_path / "whole.parquet").read_bytes()
    refused(write(tmp_path, whole[: len(whole) // 2], "cut.parquet"), "Parquet file is cut off or damaged")
    refused(write(tmp_path, b"PAR1", "tiny.parquet"), "Parquet file is cut off or damaged")


def test_a_damaged_page_in_the_middle_of_parquet(tmp_path: Path) -> None:
    names = ("order", "customer", "product", "occurred_at", "total")
    columns = {name: [f"{i}" for i in range(60_000)] for name in names}
    pq.write_table(pa.table(columns), tmp_path / "whole.parquet", row_group_size=20_000, use_dictionary=False)
    content = bytearray((tmp_path / "whole.parquet").read_bytes())
    content[len(content) // 3 : len(content) // 3 + 4000] = os.urandom(4000)
    refused(write(tmp_path, bytes(content), "damaged.parquet"), "damaged|all rows are bad")


def test_columns_of_parquet_that_are_no_text_stand_in_the_rejects(tmp_path: Path) -> None:
    columns = {
        "external_id": ["1", "2"],
        "birth_date": ["1980-01-01", "someday"],
        "tags": pa.array([["a"], ["b"]]),
        "place": pa.array([{"x": 1}, {"x": 2}]),
        "picture": pa.array([b"\xff", b"\xfe"]),
    }
    pq.write_table(pa.table(columns), tmp_path / "people.parquet")
    row = rejects(load("customers", tmp_path / "people.parquet"))[0]
    assert (row["line"], row["tags"], row["place"], row["picture"]) == ("2", "['b']", "{'x': 2}", r"b'\xfe'")


def test_parquet_with_two_columns_of_one_name_is_refused(tmp_path: Path) -> None:
    table = pa.table([pa.array(["1"]), pa.array(["Ann"]), pa.array(["Bob"])], names=["external_id", "name", "name"])
    pq.write_table(table, tmp_path / "twice.parquet")
    refused(tmp_path / "twice.parquet", "several columns are called 'name'", "customers")


def test_an_order_that_adds_up_to_too_much_is_refused_and_the_rest_goes_in(tmp_path: Path) -> None:
    head, *_rest = ORDERS.splitlines()
    lines = ["b8,h1,p1,2017-03-01 10:00:00,1,10000000000000,0,s1"] * 10_000
    run = load("orders", write(tmp_path, "\n".join([head, *lines, "b9,h1,p1,2017-03-01 10:00:00,1,-5.00,0,s1\n"])))
    assert len(rejects(run)) == 10_000
    assert "beyond the largest amount" in rejects(run)[0]["reason"]
    assert Order.objects.get().total == -500


def test_the_least_whole_number_is_no_amount(tmp_path: Path) -> None:
    columns = {name: ["1", "2"] for name in ("order", "customer", "product")} | {"occurred_at": ["2017-03-01"] * 2}
    pq.write_table(pa.table(columns | {"total": pa.array([-(2**63), 5])}), tmp_path / "least.parquet")
    run = load("orders", tmp_path / "least.parquet")
    assert [(row["line"], row["column"]) for row in rejects(run)] == [("1", "total")]
    assert Order.objects.get().total == 500


FAR = [2**62, -(2**62), 2**63 - 1, -(2**63)]


def ordered_at(times: pa.Array) -> pa.Table:
    """Orders numbered from 1, one for each time."""
    numbers = [str(number) for number in range(1, len(times) + 1)]
    columns = dict.fromkeys(("order", "customer", "product", "total"), numbers)
    return pa.table(columns | {"occurred_at": times, "lasted": pa.array([*FAR, 1][: len(times)], pa.duration("s"))})


@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York", "Mars/Base"])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_outside_the_calendar_are_rejects(tmp_path: Path, unit: str, zone: str | None) -> None:
    """As microseconds, 2^62 seconds would come round to the first of January 1970, which is an ordinary day."""
    good = int(datetime(2017, 3, 4, 10, tzinfo=UTC).timestamp()) * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    table = ordered_at(pa.array([*FAR, good], pa.int64()).cast(pa.timestamp(unit, zone)))
    if unit != "s":  # which Parquet does not know, but Arrow does
        pq.write_table(table, tmp_path / "far.parquet")
    run = load("orders", table if unit == "s" else tmp_path / "far.parquet")
    refused = rejects(run)
    assert [(row["line"], row["column"]) for row in refused] == [(line, "occurred_at") for line in "1234"]
    for row, number in zip(refused, FAR, strict=True):
        assert row["reason"].startswith("is no date between 1900 and 2100")
        assert row["value"] == row["occurred_at"]
        # Arrow writes any year of a time with a zone, and all that nanoseconds reach; else the number stands.
        written = r"-?\d{4,}-\d\d-\d\d .*" if zone or unit == "ns" else re.escape(str(number))
        assert re.fullmatch(written, row["value"].removeprefix("'"))
        assert row["lasted"].endswith(str(number))
    order = Order.objects.get()
    hour = 10 if zone else 15  # without a zone it is the company's clock that is meant
    assert (order.number, order.interaction.occurred_at) == ("5", datetime(2017, 3, 4, hour, tzinfo=UTC))


@pytest.mark.parametrize("type_", [pa.date32(), pa.date64(), pa.dictionary(pa.int8(), pa.date32())])
def test_days_outside_the_calendar_are_rejects(tmp_path: Path, type_: pa.DataType) -> None:
    days = [2**31 - 1, -(2**31), 47_847, 17_229]  # in between: 2101-01-01 and 2017-03-04
    stored = pa.array(days, pa.int32()).cast(pa.date32())
    if pa.types.is_date64(type_):
        stored = pa.array([day * 86_400_000 for day in days], pa.int64()).view(type_)
    if pa.types.is_dictionary(type_):
        stored = stored.dictionary_encode()
    pq.write_table(ordered_at(stored), tmp_path / "far.parquet")
    refused = rejects(load("orders", tmp_path / "far.parquet"))
    assert [(row["line"], row["column"]) for row in refused] == [(line, "occurred_at") for line in "123"]
    assert refused[2]["value"] == refused[2]["occurred_at"] == "2101-01-01"
    assert all(row["value"] == row["occurred_at"] != "" for row in refused)
    assert str(Order.objects.get().interaction.business_date) == "2017-03-04"


def test_header_only(tmp_path: Path) -> None:
    refused(write(tmp_path, ORDERS.splitlines()[0] + "\n"), "no rows; nothing to import")
    refused(write(tmp_path, ORDERS.splitlines()[0]), "no rows; nothing to import")


def test_empty_folder_missing(tmp_path: Path) -> None:
    refused(write(tmp_path, ""), "is empty")
    refused(write(tmp_path, "\n\n"), "is empty")
    refused(tmp_path, "is a folder")
    refused(tmp_path / "nowhere.csv", "cannot be read")


def test_one_line_of_a_gigabyte_fails_early_and_small(tmp_path: Path) -> None:
    path = write(tmp_path, ORDERS + "b9,h1,")
    os.truncate(path, 2**30)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(path, "line 6 is longer than 4 MiB")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100 * 1024, "KiB: the line must not be held in memory"


def test_ragged_rows_go_to_the_rejects(tmp_path: Path) -> None:
    text = (
        ORDERS + "b4,h3\nb5,h3,p1,2017-04-01 09:00:00,1,2.00,0,s1\nb6,h3,p1,2017-04-01 09:00:00,1,2.00,0,s1,extra\n\n"
    )
    run = load("orders", write(tmp_path, text))
    assert [row["line"] for row in rejects(run)] == ["6", "8"]
    assert Order.objects.filter(number="b5").exists()


def test_line_numbers_count_lines_also_behind_quoted_breaks(tmp_path: Path) -> None:
    text = 'external_id,name,birth_date\n1,"Ann\nBell",\n2,Bob,1980-01-01\n3,Cy,1980-02-31\n'
    run = load("customers", write(tmp_path, text))
    assert [(row["line"], row["column"]) for row in rejects(run)] == [("2", "name"), ("5", "birth_date")]


def test_a_quotation_mark_that_is_never_closed_swallows_nothing(tmp_path: Path) -> None:
    rows = [f"b{n},h3,p1,2017-04-0{n} 09:00:00,1,2.00,0,s1" for n in range(1, 5)]
    rows[1] = rows[1].replace("p1", '"p1')
    refused(write(tmp_path, ORDERS + "\n".join(rows) + "\n"), "a quotation mark opens a field there")
    head = "customer,kind,occurred_at,body\n"
    text = head + 'q1,note,2024-03-01,"Hello\nq2,note,2024-03-02,Hi\n'
    refused(write(tmp_path, text), "line 2: a quotation mark opens a field there", "interactions")
    text = head + 'q1,note,2024-03-01,a 5" pipe\nq2,note,2024-03-02,"Hi\nthere"\n'
    load("interactions", write(tmp_path, text))
    assert list(Interaction.objects.order_by("pk").values_list("body", flat=True)) == ['a 5" pipe', "Hi\nthere"]


def test_columns_without_a_name_are_called_by_their_place(tmp_path: Path) -> None:
    path = write(tmp_path, "external_id,name,,\n1,Ann,,\n2,Bob,x,1980-01-01\n")
    load("customers", path, {"external_id": "external_id", "name": "name", "birth_date": "column 4"})
    assert list(Customer.objects.order_by("pk").values_list("name", flat=True)) == ["Ann", "Bob"]
    assert str(Customer.objects.get(name="Bob").birth_date) == "1980-01-01"


def test_line_ends_of_old_macs_are_told(tmp_path: Path) -> None:
    path = write(tmp_path, "external_id,name\r1,Ann\r2,Bob\r")
    refused(path, "save it with line feeds", "customers")


def test_nuls(tmp_path: Path) -> None:
    run = load("customers", write(tmp_path, "external_id,name\n1,A\x00nn\n2,Bob\n"))
    assert [row["line"] for row in rejects(run)] == ["2"]
    assert Customer.objects.get().name == "Bob"
    refused(write(tmp_path, "external_id,name\n1,Ann\n".encode("utf-16-le")), "NUL characters", "customers")


def test_formulas_stay_text_and_are_harmless_in_the_rejects(tmp_path: Path) -> None:
    text = 'external_id,name,birth_date\n1,"=HYPERLINK(""x"")",\n2,@cmd,yesterday\n'
    run = load("customers", write(tmp_path, text))
    assert Customer.objects.get().name == '=HYPERLINK("x")'
    row = rejects(run)[0]
    assert (row["name"], row["value"]) == ("'@cmd", "yesterday")


def test_duplicate_ids(tmp_path: Path) -> None:
    run = load("customers", write(tmp_path, "external_id,name\n1,Ann\n2,Bob\n1,Cy\n"))
    assert [(row["line"], row["column"], row["value"]) for row in rejects(run)] == [("4", "external_id", "1")]
    run = load("products", write(tmp_path, "number,name\n1,A\n1,B\n"))
    assert [row["line"] for row in rejects(run)] == ["3"]


def test_columns_that_do_not_exist_are_named_with_those_that_do(tmp_path: Path) -> None:
    path = write(tmp_path, ORDERS)
    with pytest.raises(InputError, match=r"no column 'basket'.*order, customer, product"):
        load("orders", path, {"order": "basket"})
    with pytest.raises(InputError, match=r"no field 'colour'.*order, customer"):
        load("orders", path, {"colour": "order"})
    with pytest.raises(InputError, match="cannot be imported; one of customers"):
        load("unicorns", path)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (["2017-03-04", "2017-03-25"], "2017-03-04"),
        (["04.03.2017", "25.03.2017"], "2017-03-04"),
        (["4.3.2017", "25.3.2017"], "2017-03-04"),
        (["03/04/2017", "03/25/2017"], "2017-03-04"),
        (["04/03/2017", "25/03/2017"], "2017-03-04"),
    ],
)
def test_date_formats_are_found_from_the_whole_column(tmp_path: Path, written: list[str], read: str) -> None:
    rows = "".join(f"{i},{day}\n" for i, day in enumerate(written, 1))
    load("customers", write(tmp_path, "external_id,birth_date\n" + rows))
    assert str(Customer.objects.get(identifiers__value="1").birth_date) == read


def test_ambiguous_dates_are_told_and_a_given_format_decides(tmp_path: Path) -> None:
    path = write(tmp_path, "external_id,birth_date\n1,03/04/1980\n2,05/06/1980\n")
    refused(path, "may be day/month or month/day; say how dates are written: %d/%m/%Y or %m/%d/%Y", "customers")
    load("customers", path, date_format="%d/%m/%Y")
    assert str(Customer.objects.get(identifiers__value="1").birth_date) == "1980-04-03"
    refused(path, "date format '%Q'", "customers", date_format="%Q")


def test_a_file_of_bad_rows_only_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "external_id,birth_date\n1,someday\n2,never\n")
    refused(path, "all rows are bad.*line 2, birth_date: 'someday' is no date.*customers-run-", "customers")


def test_decimal_commas_are_found(tmp_path: Path) -> None:
    text = "order;customer;product;occurred_at;total\n1;c;p;04.03.2017 10:00;1.234,50\n2;c;p;25.03.2017 10:00;3,5\n"
    run = load("orders", write(tmp_path, text))
    assert set(Order.objects.values_list("number", "total")) == {("1", 123450), ("2", 350)}
    assert run.options["found"]["decimals"] == ","


@pytest.mark.parametrize("name", ["Europe", "Mars/Base", "x" * 300, "../zone"])
def test_a_zone_that_is_none_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="time zone"):
        load("interactions", write(tmp_path, "customer,kind,occurred_at\nc1,note,2017-03-01\n"), time_zone=name)
