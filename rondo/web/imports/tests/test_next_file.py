"""What one import leaves behind must not spoil the next: undone loads, refused rows brought in again, saved choices."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rondo.customers.models import Customer
from rondo.customers.queries import visible
from rondo.foundation.actors import system
from rondo.foundation.models import Load, User
from rondo.interactions.importing import choosing
from rondo.interactions.importing.undoing import undo
from rondo.interactions.models import ImportFile, OrderLine
from rondo.interactions.tests.import_files import load, write
from rondo.web.imports.tests.test_pages import imported, tried, upload


@pytest.fixture(autouse=True)
def own_home(settings: Any, tmp_path: Path) -> Path:
    settings.RONDO_HOME = tmp_path
    return tmp_path


@pytest.fixture
def client(alice: User, signed_in: Callable[[User], Client]) -> Client:
    return signed_in(alice)


def known() -> list[tuple[str, list[str]]]:
    """Names and identifiers of the customers that are there."""
    return sorted((one.name, sorted(i.value for i in one.identifiers.all())) for one in visible(None))


@pytest.mark.django_db
def test_who_stands_is_not_taken_for_who_was_undone(tmp_path: Path) -> None:
    """An identifier that an undone load left on a record that came back made that record hidden again."""
    first = load("customers", write(tmp_path, "external_id,email,name\n5,a@example.org,Ann\n", "a.csv"))
    undo(system(), first.pk)
    load("customers", write(tmp_path, "external_id,email,name\n7,a@example.org,Bea\n", "b.csv"))
    load("customers", write(tmp_path, "external_id,email,name\n5,c@example.org,Cid\n", "c.csv"))
    assert known() == [("Bea", ["7", "a@example.org"]), ("Cid", ["5", "c@example.org"])]


@pytest.mark.django_db
def test_what_was_undone_and_brought_again_is_there_whole(tmp_path: Path) -> None:
    first = load("customers", write(tmp_path, "external_id,email,name\n5,a@example.org,Ann\n", "a.csv"))
    undo(system(), first.pk)
    order = "order,customer,product,occurred_at,total\no1,5,p1,2024-01-01 10:00,5.5\n"
    load("orders", write(tmp_path, order, "o.csv"))
    load("customers", write(tmp_path, "external_id,email,name\n5,a@example.org,Ann\n", "c.csv"))
    assert known() == [("Ann", ["5", "a@example.org"])]
    ann = Customer.objects.get(name="Ann")
    load("customers", write(tmp_path, "external_id,email,name\n9,a@example.org,Other\n", "d.csv"))
    assert visible(None).get() == ann and ann.identifiers.count() == 3


def test_refused_rows_are_read_as_they_were_written(client: Client) -> None:
    text = "Kundennr;Name;E-Mail\n1;Ada King;ada@example.org\n2;Jörg Müller;joerg(at)example.org\n"
    row = tried(client, upload(client, text.encode("cp1252")), encoding="cp1252", delimiter=";", header_line="1")
    run: Load = imported(client, row)
    assert client.post(f"/imports/runs/{run.pk}/again").status_code == 302
    again = ImportFile.objects.latest("id")
    seen = choosing.preview(again)
    assert (again.choice["encoding"], again.choice["delimiter"], again.choice["header_line"]) == ("", "", 0)
    assert seen.cells("Name") == ("Jörg Müller",)


def test_a_line_a_mark_and_an_encoding_are_those_of_one_file(client: Client) -> None:
    first = upload(client, "Report of all\nid,name,email\n1,Jörg,a@example.org\n".encode("cp1252"), "t.csv")
    imported(client, tried(client, first, encoding="cp1252", header_line="2"))
    second = upload(client, "id,name,email\n3,Jürg,c@example.org\n4,Di,d@example.org\n", "u.csv")
    assert second.choice["mapping"] and (second.choice["header_line"], second.choice["encoding"]) == (0, "")
    assert choosing.preview(second).cells("name") == ("Jürg", "Di")


def test_a_fixed_amount_is_read_by_the_mark_that_was_said(client: Client) -> None:
    text = "order;customer;product;occurred_at;quantity\nb1;h1;p1;2024-01-02 10:00;1,5\n"
    given = {"fixed_field_0": "total", "fixed_value_0": "1.234", "fixed_field_1": "", "fixed_value_1": ""}
    imported(client, tried(client, upload(client, text, "o.csv"), decimal=",", **given))
    line = OrderLine.objects.get()
    assert (line.total, line.quantity_milli) == (123_400, 1500)


def test_the_same_file_again_is_no_second_run(client: Client) -> None:
    text = "order;customer;product;occurred_at;total\nb1;h1;p1;2024-01-02 10:00;12,50\n"
    first = imported(client, tried(client, upload(client, text, "o.csv")))
    again = upload(client, text, "o.csv")
    assert again.choice["decimal"] == ","
    assert imported(client, tried(client, again, decimal=",")).pk == first.pk
