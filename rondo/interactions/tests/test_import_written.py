"""Numbers and dates as people and spreadsheets write them: read as they were meant, or refused, and never otherwise."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from rondo.customers.models import Customer
from rondo.errors import InputError
from rondo.foundation.actors import Actor
from rondo.foundation.models import Installation, User
from rondo.interactions.importing import choosing, reading
from rondo.interactions.importing.choices import Choice
from rondo.interactions.models import Order
from rondo.interactions.tests.import_files import load, rejects, write

pytestmark = pytest.mark.django_db

HEAD = "order;customer;product;occurred_at;total;discount\n"


@pytest.fixture(autouse=True)
def _company(installation: Installation) -> None:
    """New York; amounts in euros."""
    installation.currency = "EUR"
    installation.save(update_fields=["currency"])


def orders(folder: Path, *totals: str, discount: str = "") -> Path:
    """A file of one order for each total, as a German spreadsheet writes it."""
    rows = [f'o{n};c1;p1;13.02.2017;"{total}";{discount}\n' for n, total in enumerate(totals, 1)]
    return write(folder, HEAD + "".join(rows))


def totals() -> dict[str, int]:
    """Orders by number, in cents."""
    return dict(Order.objects.values_list("number", "total"))


def test_thousands_that_may_be_decimals_are_refused_until_somebody_says(tmp_path: Path) -> None:
    path = orders(tmp_path, "1.234", "2.500", "12.000", "7")
    with pytest.raises(InputError, match=r"column total: numbers such as '1\.234' may be thousands"):
        load("orders", path)
    assert totals() == {}
    load("orders", path, decimal=",")
    assert totals() == {"o1": 123_400, "o2": 250_000, "o3": 1_200_000, "o4": 700}
    with pytest.raises(InputError, match=r"'1,234' may be thousands"):
        load("orders", orders(tmp_path, "1,234"))


@pytest.mark.parametrize(
    ("written", "cents"),
    [
        (("1.234", "99,90"), (123_400, 9_990)),
        (("1,234", "99.90"), (123_400, 9_990)),
        (("1.234", "1.000.000"), (123_400, 100_000_000)),
        (("1,234", "1,000,000"), (123_400, 100_000_000)),
        (("1.234", "0.125"), (123, 12)),
        (("1.234", "2.5"), (123, 250)),
        (("1 234,50", "1.234"), (123_450, 123_400)),
        (("1'234.50", "1,234"), (123_450, 123_400)),
        (("1.234 €", "EUR 5", "12,00-", "(12,00)"), (123_400, 500, -1_200, -1_200)),
        (("€1,234.50", "-€3", "(€ 4.10)", "− 5.00"), (123_450, -300, -410, -500)),
        (("12,-", "12,-- €", "12,50", "1.234,00\u00a0€", "3,00- €"), (1_200, 1_200, 1_250, 123_400, -300)),
    ],
)
def test_numbers_are_read_as_they_were_meant(tmp_path: Path, written: tuple[str, ...], cents: tuple[int, ...]) -> None:
    run = load("orders", orders(tmp_path, *written))
    assert rejects(run) == []
    assert totals() == {f"o{n}": value for n, value in enumerate(cents, 1)}


def test_what_is_in_another_currency_is_no_number(tmp_path: Path) -> None:
    run = load("orders", orders(tmp_path, "1,50 €", "$ 5", "5 USD", "€", "()"))
    assert [row["line"] for row in rejects(run)] == ["3", "4", "5", "6"]
    currencies = write(tmp_path, "order;customer;product;occurred_at;total;currency\na;c1;p1;2017-02-13;$5.50;USD\n")
    load("orders", currencies)
    assert totals() == {"o1": 150, "a": 550}


def test_one_column_tells_of_the_others_also_late_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load("orders", orders(tmp_path, "1.234", discount="0,50"))
    assert totals() == {"o1": 123_400}
    monkeypatch.setattr(reading, "_BLOCK", 1000)
    run = load("orders", orders(tmp_path, *["1.234"] * 100, "3,5"), source="other")
    assert run.options["found"]["decimals"] == ","


def test_the_mark_of_one_file_is_that_of_the_next_of_its_source(alice: User, settings: Any, tmp_path: Path) -> None:
    settings.RONDO_HOME = tmp_path
    actor = Actor(alice, "web")
    for number, total in (("a1", "99,90"), ("a2", "1.234")):
        place = choosing.place_for("orders.csv")
        place.write_text(orders(tmp_path, total).read_text().replace("o1", number))
        row = choosing.take(actor, place)
        names = ("order", "customer", "product", "occurred_at", "total")
        choice = choosing.known_mapping("till", "orders", names) or Choice(mapping=dict(zip(names, names, strict=True)))
        row = choosing.choose(actor, row, kind="orders", source="till", choice=choice)
        choosing.request(actor, row, "import")
        choosing.work_on_file.func(row.pk)
        row.refresh_from_db()
        assert row.error == ""
    assert totals() == {"a1": 9_990, "a2": 123_400}


def book(folder: Path, *rows: tuple[object, ...], **formats: str) -> Path:
    """A workbook of these rows; ``formats``: cell → format of its number."""
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    for cell, form in formats.items():
        sheet[cell].number_format = form
    workbook.save(folder / "file.xlsx")
    return folder / "file.xlsx"


def test_numbers_of_a_workbook_are_what_they_are_whatever_mark_its_texts_have(tmp_path: Path) -> None:
    head = ("order", "customer", "product", "occurred_at", "total")
    day = datetime(2017, 2, 13)
    cells: list[object] = [1.125, 1234.5, "99,90", "1.234,50", 1234, "x"]
    run = load("orders", book(tmp_path, head, *[(f"o{n}", "c", "p", day, t) for n, t in enumerate(cells, 1)]))
    assert totals() == {"o1": 112, "o2": 123_450, "o3": 9_990, "o4": 123_450, "o5": 123_400}
    assert [row["line"] for row in rejects(run)] == ["7"]


def test_zeros_that_a_format_shows_are_kept(tmp_path: Path) -> None:
    path = book(tmp_path, ("external_id", "name", "postal_code"), (17, "Ann", 1067), (18, "Bob", 1067), C2="00000")
    load("customers", path)
    assert list(Customer.objects.order_by("name").values_list("addresses__postal_code", flat=True)) == ["01067", "1067"]


def test_errors_of_a_spreadsheet_are_refused(tmp_path: Path) -> None:
    text = "external_id,name\n#REF!,Ann\n1,Bob\n2,#NAME?\n3,#1 in town\n"
    run = load("customers", write(tmp_path, text))
    assert [(row["line"], row["reason"]) for row in rejects(run)] == [
        ("2", "is an error of a spreadsheet"),
        ("4", "is an error of a spreadsheet"),
    ]
    run = load("customers", book(tmp_path, ("external_id", "name"), (4, "Cy"), ("#REF!", "Dan")))
    assert [row["line"] for row in rejects(run)] == ["3"]
    assert set(Customer.objects.values_list("name", flat=True)) == {"Bob", "#1 in town", "Cy"}


def test_workbooks_of_the_old_kind_are_told(tmp_path: Path) -> None:
    path = write(tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "people.xls")
    with pytest.raises(InputError, match="of the old kind"):
        load("customers", path)


def test_rows_beyond_the_size_that_a_sheet_claims_are_read(tmp_path: Path) -> None:
    import zipfile

    path = book(tmp_path, ("external_id", "name"), (1, "Ann"), (2, "Bob"))
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert b'ref="A1:B3"' in parts[sheet]
    parts[sheet] = parts[sheet].replace(b'ref="A1:B3"', b'ref="A1:B2"')
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert load("customers", path).counts["customers_created"] == 2


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (("03.02.82", "25.12.49", "01.01.05"), ("1982-02-03", "1949-12-25", "2005-01-01")),
        (("12/31/82", "01/02/83"), ("1982-12-31", "1983-01-02")),
        (("2001-01-01", "2001-01-02", "2001-01-03", "03.02.1982"), (None, None, None, "1982-02-03")),
        (("03.02.1982", "12/31/1990", "04.02.1982"), ("1982-02-03", "refused", "1982-02-04")),
        (("03.02.1982", "12/31/1990"), ("1982-02-03", "refused")),
        (("2001-01-01", "12/31/1990", "01/02/1990"), (None, "1990-12-31", "1990-01-02")),
    ],
)
def test_dates_are_read_as_they_were_meant(
    tmp_path: Path, written: tuple[str, ...], read: tuple[str | None, ...]
) -> None:
    rows = "".join(f"k{n},{day}\n" for n, day in enumerate(written))
    run = load("customers", write(tmp_path, "external_id,birth_date\n" + rows))
    assert [row["line"] for row in rejects(run)] == [str(n + 2) for n, day in enumerate(read) if day == "refused"]
    for n, day in enumerate(read):
        if day != "refused":
            found = Customer.objects.get(identifiers__value=f"k{n}").birth_date
            assert str(found) == (day or written[n])


def test_a_text_beside_real_days_of_a_workbook_is_read(tmp_path: Path) -> None:
    days = [date(1980, 1, n) for n in range(1, 6)]
    rows: list[tuple[object, ...]] = [(f"k{n}", day) for n, day in enumerate([*days, "03.02.1982"])]
    run = load("customers", book(tmp_path, ("external_id", "birth_date"), *rows))
    assert rejects(run) == []
    assert Customer.objects.filter(birth_date="1982-02-03").exists()


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_some_bytes_that_are_not_utf_8_spoil_their_own_rows_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: bytes
) -> None:
    monkeypatch.setattr(reading, "_BLOCK", 401)
    rows = [f"k{n},Jürgen Groß,x\n".encode() for n in range(100)]
    rows[50] = b"k50,J\xfcrgen Gro\xdf,x\n"
    rows[99] = "k99,Jürgen Groß,\n".encode()[:-1] + b"\xc3"
    path = write(tmp_path, mark + b"external_id,name,remark\n" + b"".join(rows))
    run = load("customers", path, {"external_id": "external_id", "name": "name"})
    assert [(row["line"], row["reason"]) for row in rejects(run)] == [
        ("52", "holds a character that is not in the encoding")
    ]
    assert set(Customer.objects.values_list("name", flat=True)) == {"Jürgen Groß"}
    assert Customer.objects.count() == 99
