"""CSV export: all rows in the list's order, within reach and right, harmless, figures the same in every language."""

import csv
import io
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook
from pyarrow import parquet as pq

from rondo.foundation.models import AuditEntry
from rondo.foundation.spreadsheets import harmless
from rondo.web.customers import export, export_files
from rondo.web.customers.fields import catalogue
from rondo.web.tests.customers_data import give_score, make_attributes, make_customer, make_run, owned, set_value

pytestmark = pytest.mark.django_db


def rows_of(client: Any, address: str) -> list[list[str]]:
    response = client.get(address)
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


@pytest.fixture
def client(installation: Any, alice: Any, signed_in: Any) -> Any:
    """Alice, who may export."""
    return signed_in(alice)


def test_all_pages_come_in_the_order_and_with_the_columns_of_the_list(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "CHUNK", 2)
    for number in range(5):
        give_score(make_customer(f"C{number}"), value=number * 100 + 50, alive=0.25, last_purchase="2017-12-24")
    make_customer("New")
    rows = rows_of(client, "/customers/export.csv?sort=-value&cols=value,alive,last_purchase")
    assert rows[0] == ["Id", "Name", "Customer value (USD)", "Probability of being active", "Last purchase"]
    assert [row[1] for row in rows[1:]] == ["C4", "C3", "C2", "C1", "C0", "New"]
    assert rows[1][2:] == ["4.50", "0.25", "2017-12-24"] and rows[-1][2:] == ["", "", ""]


def test_the_filter_and_the_picked_rows_hold(client: Any) -> None:
    made = [make_customer(name, kind=kind) for name, kind in (("A", "person"), ("B", "household"), ("C", "person"))]
    assert [r[1] for r in rows_of(client, "/customers/export.csv?f=kind:is:person&sort=name")[1:]] == ["A", "C"]
    picked = f"/customers/export.csv?sort=name&id={made[1].public_id}&id={made[2].public_id}&id=nonsense"
    assert [r[1] for r in rows_of(client, picked)[1:]] == ["B", "C"]
    assert rows_of(client, "/customers/export.csv?id=nonsense")[1:] == []


def test_nobody_exports_without_the_right_or_beyond_reach(client: Any, charlie: Any, bob: Any, signed_in: Any) -> None:
    owned(charlie, "Charlie's own")
    make_customer("Bob's", team=bob.team)
    assert signed_in(charlie).get("/customers/export.csv").status_code == 403
    assert [r[1] for r in rows_of(signed_in(bob), "/customers/export.csv")[1:]] == ["Bob's"]
    assert 'href="/customers/export.csv' not in signed_in(charlie).get("/customers/").content.decode()


def test_the_audit_log_says_who_took_which_list(client: Any, alice: Any) -> None:
    make_customer("A")
    rows_of(client, "/customers/export.csv?f=kind:is:person")
    entry = AuditEntry.objects.get(verb="customers.exported")
    assert entry.actor == alice and entry.changes["list"][1]["f"] == ["kind:is:person"]


@pytest.mark.parametrize(
    "sign", ["=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "＝", "\u200b=", "\ufeff +", "\u2060\u00ad@"]
)
def test_no_text_is_a_formula(client: Any, sign: str) -> None:
    city = make_attributes()["city"]
    customer = make_customer(f"{sign}HYPERLINK(1)")
    set_value(customer, city, text=f"{sign}1+1")
    row = rows_of(client, "/customers/export.csv?cols=attr.city")[1]
    assert row[1].startswith("'") and row[2].startswith("'")


def test_negative_figures_stay_figures(client: Any) -> None:
    give_score(make_customer("A"), spend=-1_050)
    assert rows_of(client, "/customers/export.csv?cols=spend")[1][2] == "-10.50"
    assert harmless("Miller") == "Miller" and harmless("a\x00b") == "ab"


def test_german_has_german_headings_and_the_same_figures(client: Any, alice: Any) -> None:
    alice.language = "de"
    alice.save(update_fields=["language"])
    attributes = make_attributes()
    customer = make_customer("A")
    give_score(customer, value=123_456)
    set_value(customer, attributes["size"], text="l")
    rows = rows_of(client, "/customers/export.csv?cols=value,attr.size")
    assert rows[0][-1] == "Size (de)" and rows[1][2:] == ["1234.56", "groß"]


def test_the_number_of_queries_of_a_chunk_does_not_grow_with_its_rows(client: Any) -> None:
    make_run()

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            rows_of(client, "/customers/export.csv?cols=value,owner&sort=-value")
        return len(caught)

    give_score(make_customer("First"), value=1)
    queries()
    few = queries()
    for number in range(30):
        give_score(make_customer(f"C{number}"), value=number)
    assert queries() == few


def _attachment(client: Any, address: str) -> bytes:
    response = client.get(address)
    assert response.status_code == 200 and "attachment" in response["Content-Disposition"]
    return b"".join(response.streaming_content)


def test_a_workbook_holds_the_same_rows_typed_and_no_formula(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "CHUNK", 2)
    city = make_attributes()["city"]
    for number in range(3):
        give_score(make_customer(f"C{number}"), value=number * 100 + 50, alive=0.25, last_purchase="2017-12-24")
    formula = make_customer("=1+1\x07")
    set_value(formula, city, text="@SUM(A1)")
    asked = "?sort=-value&cols=value,alive,last_purchase,attr.city"
    sheet = load_workbook(io.BytesIO(_attachment(client, f"/customers/export.xlsx{asked}"))).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == ("Id", "Name", "Customer value (USD)", "Probability of being active", "Last purchase", "City")
    assert rows[1][1:] == ("C2", 2.5, 0.25, datetime(2017, 12, 24), None)
    assert rows[4][1] == "=1+1" and rows[4][5] == "@SUM(A1)"
    assert {sheet.cell(5, 2).data_type, sheet.cell(5, 6).data_type} == {"s"}
    assert [row[0] for row in rows[1:]] == [row[0] for row in rows_of(client, f"/customers/export.csv{asked}")[1:]]


def test_parquet_has_types_and_keys_and_the_same_rows(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "CHUNK", 2)
    for number in range(3):
        give_score(make_customer(f"C{number}"), value=number * 100 + 50, orders=number, last_purchase="2017-12-24")
    make_customer("New")
    asked = "?sort=-value&cols=value,alive,last_purchase,orders,kind"
    table = pq.read_table(pa.BufferReader(_attachment(client, f"/customers/export.parquet{asked}")))
    assert table.schema.names == ["id", "name", "value", "alive", "last_purchase", "orders", "kind"]
    assert [str(kind) for kind in table.schema.types[2:]] == [
        "decimal128(20, 2)",
        "double",
        "date32[day]",
        "int64",
        "string",
    ]
    assert table.schema.field("value").metadata[b"label"] == b"Customer value (USD)"
    assert table["name"].to_pylist() == ["C2", "C1", "C0", "New"]
    assert table["value"].to_pylist() == [Decimal("2.50"), Decimal("1.50"), Decimal("0.50"), None]
    assert table["last_purchase"].to_pylist()[0] == date(2017, 12, 24)
    empty = pq.read_table(pa.BufferReader(_attachment(client, "/customers/export.parquet?id=nonsense")))
    assert empty.num_rows == 0


def test_a_workbook_too_large_is_refused_with_what_to_do(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_files, "MOST_IN_WORKBOOK", 2)
    for number in range(3):
        make_customer(f"C{number}")
    refused = client.get("/customers/export.xlsx")
    assert refused.status_code == 400 and "take it as CSV or Parquet" in refused.content.decode()
    assert client.get("/customers/export.docx").status_code == 404


def test_every_column_of_a_list_goes_into_every_form(client: Any, alice: Any) -> None:
    """The kinds of all columns fit what they hold, facts and attributes alike."""
    attributes = make_attributes()
    customer = make_customer("A")
    give_score(customer, value=1_050, alive=0.5)
    set_value(customer, attributes["size"], text="l")
    columns = [field.key for field in catalogue(alice).values() if field.listed and field.key != "name"]
    for start in range(0, len(columns), 10):
        asked = "?cols=" + ",".join(columns[start : start + 10])
        table = pq.read_table(pa.BufferReader(_attachment(client, f"/customers/export.parquet{asked}")))
        book = load_workbook(io.BytesIO(_attachment(client, f"/customers/export.xlsx{asked}")))
        assert table.num_rows == 1 and table.schema.names[2:] == columns[start : start + 10]
        assert book.active is not None and book.active.max_column == table.num_columns
