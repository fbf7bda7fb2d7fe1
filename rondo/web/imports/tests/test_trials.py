"""What a trial shows of a file's rows: values by the type of their field, refused rows as they stand in the file."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rondo.customers import actions
from rondo.foundation.actors import system
from rondo.foundation.installation import change_installation
from rondo.foundation.models import User
from rondo.interactions.importing.choosing import report_of
from rondo.interactions.importing.foretold import Report
from rondo.interactions.models import ImportFile
from rondo.web.imports.tests.test_pages import imported, tried, upload

ORDERS = """order;customer;product;occurred_at;quantity;total;currency
1;c1;p1;13.02.2017 10:30;0,5;99,90;
2;c1;p1;14.02.2017 23:30;2;1234,50;JPY
3;c1;p1;32.02.2017 10:30;2;1,50;
"""


@pytest.fixture(autouse=True)
def own_home(db: None, settings: Any, tmp_path: Path) -> Path:
    settings.RONDO_HOME = tmp_path
    change_installation(system(), currency="EUR", time_zone="Europe/Berlin")
    return tmp_path


@pytest.fixture
def client(alice: User, signed_in: Callable[[User], Client]) -> Client:
    return signed_in(alice)


def page_of(client: Client, row: ImportFile, language: str = "en") -> str:
    return client.get(f"/imports/files/{row.public_id}/", headers={"accept-language": language}).content.decode()


def lines_of(client: Client, row: ImportFile) -> list[list[str]]:
    answer: Any = client.get(f"/imports/files/{row.public_id}/rows.csv")
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))[1:]


def test_amounts_quantities_and_times_are_shown_as_lists_show_them(client: Client, alice: User) -> None:
    row = tried(client, upload(client, ORDERS, "orders.csv"))
    page = page_of(client, row)
    for told in ("€99.90", "¥1,234", '<td class="nowrap">0.5</td>', "13 Feb 2017, 10:30", "14 Feb 2017, 23:30"):
        assert told in page, told
    german = page_of(client, row, "de")
    for told in ("99,90\u00a0€", "0,5", "13. Feb. 2017, 10:30"):
        assert told in german, told
    cells = Report(report_of(row), alice, "orders").read()[0].cells
    assert cells == ["1", "c1", "p1", "2017-02-13T10:30:00+01:00", "0.5", "99.90", ""]
    assert lines_of(client, row)[0][4:] == cells


def test_changes_of_amounts_days_and_truths_are_shown_as_lists_show_them(client: Client) -> None:
    actions.define_attribute(system(), "limit", label_en="Limit", type="money", form="behavioural")
    actions.define_attribute(system(), "vip", label_en="VIP", type="boolean", form="behavioural")
    head = "external_id;limit;vip;birth_date\n"
    imported(client, tried(client, upload(client, f"{head}1;1234,50;no;03.04.1980\n")))
    row = tried(client, upload(client, f"{head}1;2000,00;yes;13.04.1980\n"))
    page = page_of(client, row)
    for told in (
        "<del>€1,234.50</del> → <ins>€2,000.00</ins>", "<del>no</del> → <ins>yes</ins>",
        "<del>3 Apr 1980</del> → <ins>13 Apr 1980</ins>",
    ):  # fmt: skip
        assert told in page, told
    assert "Limit: 1234.50 → 2000.00; VIP: no → yes" in lines_of(client, row)[0][3]


def test_refused_rows_show_their_cells_as_they_stand_in_the_file(client: Client, alice: User) -> None:
    row = tried(client, upload(client, ORDERS, "orders.csv"))
    (refused,) = Report(report_of(row), alice, "orders").read(outcome="refuse")
    assert refused.cells == ["3", "c1", "p1", "32.02.2017 10:30", "2", "1,50", ""]
    assert '<td class="nowrap">32.02.2017 10:30</td>' in page_of(client, row)
    assert lines_of(client, row)[2][4:] == refused.cells
