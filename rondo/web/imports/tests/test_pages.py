"""Bringing a file in by the browser: upload, what its columns are, trial, import, refused rows, taking back."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook

from rondo.customers.models import AttributeValue, Consent, Customer, Identifier
from rondo.customers.queries import visible
from rondo.foundation.actors import Actor
from rondo.foundation.loads import shown
from rondo.foundation.models import Load, User
from rondo.interactions.importing import choosing
from rondo.interactions.models import ImportFile, ImportMapping

PEOPLE = """Kundennr;Vorname;Nachname;E-Mail;PLZ;Geburtsdatum
9001;Anna;Müller;anna@example.org;10115;03.04.1980
9002;Bernd;Schmidt;bernd@example.org;80331;31.12.1975
9003;Clara;Weiß;clara(at)example.org;50667;11.11.1990
"""
READ_AS = {
    "external_id": "Kundennr",
    "given_name": "Vorname",
    "family_name": "Nachname",
    "email": "E-Mail",
    "postal_code": "PLZ",
    "birth_date": "Geburtsdatum",
}


@pytest.fixture(autouse=True)
def own_home(settings: Any, tmp_path: Path) -> Path:
    """A home of the test's own, for uploads and rejects."""
    settings.RONDO_HOME = tmp_path
    return tmp_path


def upload(client: Client, text: str | bytes = PEOPLE, name: str = "people.csv") -> ImportFile:
    """Bring a file in; it is found on the page that the answer leads to."""
    content = text.encode() if isinstance(text, str) else text
    answer = client.post("/imports/", {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 302, answer.content.decode()
    return ImportFile.objects.latest("id")


def form_of(row: ImportFile, **changed: str) -> dict[str, str]:
    """What the form of the columns posts, as it stands unless ``changed``."""
    columns = choosing.preview(row).columns
    field_of = {column: field for field, column in row.choice["mapping"].items()}
    return {f"col_{n}": field_of.get(name, "") for n, name in enumerate(columns)} | {"source": "shop"} | changed


def work(row: ImportFile) -> ImportFile:
    """What the worker does with a file."""
    choosing.work_on_file.func(row.pk)
    row.refresh_from_db()
    return row


def tried(client: Client, row: ImportFile, **changed: str) -> ImportFile:
    answer = client.post(f"/imports/files/{row.public_id}/", form_of(row, **changed))
    assert answer.status_code == 302, answer.content.decode()
    return work(row)


def imported(client: Client, row: ImportFile) -> Load:
    assert client.post(f"/imports/files/{row.public_id}/start").status_code == 302
    done = work(row)
    assert done.status == "done", done.error
    assert done.load is not None
    return done.load


@pytest.fixture
def client(alice: User, signed_in: Callable[[User], Client]) -> Client:
    return signed_in(alice)


def test_columns_are_recognised_by_their_names_in_german_and_by_what_they_hold(client: Client) -> None:
    row = upload(client)
    assert (row.kind, row.choice["mapping"]) == ("customers", READ_AS)
    row = upload(client, "a,b\n1,x@example.org\n2,y@example.org\n")
    assert row.choice["mapping"] == {"email": "b"}
    row = upload(client, "basket_id,household_id,product_id,transaction_timestamp,sales_value\n1,2,3,2017-01-01,4.5\n")
    assert (row.kind, sorted(row.choice["mapping"])) == (
        "orders",
        ["customer", "occurred_at", "order", "product", "total"],
    )


def test_trial_says_of_every_row_what_would_become_of_it_and_writes_nothing(client: Client) -> None:
    imported(client, tried(client, upload(client)))
    changed = PEOPLE.replace("Anna;", "Anne;").replace("bernd@", "b.schmidt@") + "9004;Dora;Alt;dora@example.org;;\n"
    before = list(Customer.objects.order_by("pk").values()), Identifier.objects.count()
    row = tried(client, upload(client, changed, "again.csv"))
    assert row.trial["outcomes"] == {"create": 1, "update": 2, "keep": 0, "leave_out": 0, "refuse": 1}
    page = client.get(f"/imports/files/{row.public_id}/").content.decode()
    assert "3 of 4 rows would go in" in page
    for told in ("<del>Anna</del>", "<ins>Anne</ins>", "<ins>b.schmidt@example.org</ins>", "clara(at)example.org"):
        assert told in page
    only = client.get(f"/imports/files/{row.public_id}/?outcome=create").content.decode()
    assert "Dora" in only and "Anne" not in only
    answer: Any = client.get(f"/imports/files/{row.public_id}/rows.csv")
    lines = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert [(line[0], line[1]) for line in lines[1:]] == [
        ("2", "changed"), ("3", "changed"), ("4", "refused"), ("5", "new"),
    ]  # fmt: skip
    assert before == (list(Customer.objects.order_by("pk").values()), Identifier.objects.count())


def test_what_the_trial_foretells_is_what_the_import_does(client: Client, alice: User) -> None:
    first = imported(client, tried(client, upload(client)))
    assert (first.counts["customers_created"], first.counts["rows_rejected"], first.file_name) == (2, 1, "people.csv")
    changed = PEOPLE.replace("10115", "10117") + "9004;Dora;Alt;dora@example.org;;\n"
    row = tried(client, upload(client, changed, "again.csv"))
    foretold = row.trial["outcomes"]
    load = imported(client, row)
    assert foretold["create"] == load.counts["customers_created"] == 1
    assert foretold["update"] == load.counts["addresses_updated"] == 1
    assert foretold["keep"] == 1
    assert not choosing.path_of(row).exists() and not choosing.report_of(row).exists()


SAID = """Kundennr;Kanal;Einwilligung;Datum;Nachweis
9001;email;given;03.04.2024 10:00;Formular
9002;phone;withdrawn;05.04.2024 11:30;
9002;phone;withdrawn;05.04.2024 11:30;
9003;fax;given;05.04.2024 11:30;
"""


def test_consents_are_recognised_and_go_in_as_foretold(client: Client) -> None:
    row = upload(client, SAID, "consents.csv")
    assert (row.kind, sorted(row.choice["mapping"])) == ("consents", ["at", "channel", "customer", "evidence", "state"])
    row = tried(client, row)
    assert row.trial["outcomes"] == {"create": 2, "update": 0, "keep": 0, "leave_out": 0, "refuse": 2}
    load = imported(client, row)
    assert (load.counts["consents_created"], load.counts["customers_created"], Consent.objects.count()) == (2, 2, 2)
    row = tried(client, upload(client, SAID + "9001;sms;given;06.04.2024 08:00;\n", "more.csv"))
    foretold = row.trial["outcomes"]
    again = imported(client, row)
    assert (foretold["create"], foretold["keep"]) == (1, 2)
    assert (again.counts["consents_created"], again.counts["consents_skipped"]) == (1, 2)
    assert client.post(f"/imports/runs/{again.pk}/undo").status_code == 302
    assert set(Consent.objects.filter(shown()).values_list("channel", flat=True)) == {"email", "phone"}


@pytest.mark.parametrize(
    ("match", "names"),
    [
        ("both", ["Anne Müller", "Bernd Schmidt", "Dora Alt"]),
        ("create", ["Anna Müller", "Bernd Schmidt", "Dora Alt"]),
        ("update", ["Anne Müller", "Bernd Schmidt"]),
    ],
)
def test_known_and_new_records_are_taken_as_chosen(client: Client, match: str, names: list[str]) -> None:
    imported(client, tried(client, upload(client)))
    row = upload(client, PEOPLE.replace("Anna;", "Anne;") + "9004;Dora;Alt;dora@example.org;;\n")
    row = tried(client, row, match=match)
    foretold = row.trial["outcomes"]
    assert (foretold["leave_out"], foretold["update"]) == ((1, 1) if match == "update" else (0, int(match == "both")))
    imported(client, row)
    assert sorted(visible(None).values_list("name", flat=True)) == names


def test_owner_and_new_attribute_are_set(client: Client, bob: User) -> None:
    row = upload(client, "Kundennr,Name,Farbe\n1,Ada,rot\n2,Ben,blau\n")
    row = tried(client, row, owner=str(bob.pk), col_2="new:choice", form_2="psychographic")
    imported(client, row)
    assert {c.owner_id for c in visible(None)} == {bob.pk}
    values = AttributeValue.objects.select_related("definition").order_by("text")
    assert [(v.definition.key, v.definition.form, v.text) for v in values] == [
        ("farbe", "psychographic", "blau"), ("farbe", "psychographic", "rot"),
    ]  # fmt: skip


def test_next_file_of_a_source_is_read_as_the_last(client: Client) -> None:
    row = upload(client, "a,b,c\n1,Ada,x\n")
    imported(client, tried(client, row, col_0="external_id", col_1="name", col_2=""))
    assert ImportMapping.objects.get().choice["mapping"] == {"external_id": "a", "name": "b"}
    row = upload(client, "c,b,a\nx,Ben,2\n")
    assert (row.source, row.choice["mapping"]) == ("shop", {"external_id": "a", "name": "b"})
    assert "read as files of “shop” were last" in client.get(f"/imports/files/{row.public_id}/").content.decode()


def test_source_is_asked_for_where_no_file_with_these_columns_came_in(client: Client) -> None:
    """Numbers of another system would be taken for those of the last file's: the wrong customers would be changed."""
    row = upload(client)
    assert row.source == "import", "the first file of all is of no other's numbers"
    load = imported(client, tried(client, row))
    assert upload(client).source == "shop"
    row = upload(client, "Kundennr;Firma;E-Mail\n9001;Other;other@example.org\n", "other.csv")
    assert row.source == "" and row.kind == "customers"
    page = client.get(f"/imports/files/{row.public_id}/").content.decode()
    assert "No file with these columns came in before." in page
    refused = client.post(f"/imports/files/{row.public_id}/", form_of(row, source=""))
    assert refused.status_code == 422 and "Say which system other.csv comes from" in refused.content.decode()
    client.post(f"/imports/files/{row.public_id}/kind", {"kind": "products"})
    row.refresh_from_db()
    assert (row.kind, row.source, row.status) == ("products", "", "chosen")
    again = client.post(f"/imports/runs/{load.pk}/again")
    row = ImportFile.objects.latest("id")
    assert again.status_code == 302 and row.source == "shop", "refused rows are of the run's source"


def test_refused_rows_come_back_mended_and_a_run_is_taken_back(client: Client) -> None:
    load = imported(client, tried(client, upload(client)))
    page = client.get(f"/imports/runs/{load.pk}/").content.decode()
    assert f"?rule=imported_by+%3D+{load.pk}" in page
    answer: Any = client.get(f"/imports/runs/{load.pk}/rejects.csv")
    rejects = b"".join(answer.streaming_content).decode()
    assert "clara(at)example.org" in rejects
    mended = rejects.replace("clara(at)example.org", "clara@example.org")
    row = upload(client, mended, "mended.csv")
    again = imported(client, tried(client, row, **{f"col_{n}": "" for n in range(4)}))
    assert again.counts == {"rows": 1, "customers_created": 1}
    assert client.post(f"/imports/runs/{load.pk}/undo").status_code == 302
    assert list(visible(None).values_list("name", flat=True)) == ["Clara Weiß"]
    assert "taken back" in client.get(f"/imports/runs/{load.pk}/").content.decode()


def test_workbook_is_read_as_the_person_sees_it(client: Client) -> None:
    from datetime import date

    book = Workbook()
    sheet: Any = book.active
    sheet.append(["Kundennr", "Name", "Geburtsdatum", "Telefon"])
    sheet.append([9001.0, "Ada Müller", date(1980, 4, 3), "+49 30 901820"])
    sheet.append([None, None, None, None])
    sheet.append([9002, "Ben", None, None])
    held = io.BytesIO()
    book.save(held)
    row = tried(client, upload(client, held.getvalue(), "kunden.xlsx"))
    assert row.trial["outcomes"]["create"] == 2
    imported(client, row)
    ada = visible(None).get(name="Ada Müller")
    assert ada.birth_date == date(1980, 4, 3)
    kinds = dict(Identifier.objects.filter(customer=ada).values_list("kind", "value"))
    assert kinds == {"external": "9001", "phone": "+4930901820"}


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"", "empty.csv", "is empty"),
        (b"PK\x03\x04 no archive", "broken.xlsx", "broken.xlsx"),
    ],
)
def test_file_that_cannot_be_read_is_refused_with_its_reason_and_not_kept(
    client: Client, content: bytes, name: str, told: str
) -> None:
    answer = client.post("/imports/", {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not ImportFile.objects.exists()
    assert not [path for path in choosing.folder().iterdir() if path.is_dir()]


def test_file_whose_encoding_cannot_be_told_stays_and_is_read_as_one_says(client: Client) -> None:
    row = upload(client, PEOPLE.encode("utf-16-le"))
    assert (row.kind, row.status) == ("", "chosen")
    page = client.get(f"/imports/files/{row.public_id}/").content.decode()
    assert "say its encoding" in page and "--" not in row.error
    again = client.post(f"/imports/files/{row.public_id}/", {"encoding": "utf-8"})
    assert again.status_code == 422 and "say another" in again.content.decode()
    assert client.post(f"/imports/files/{row.public_id}/", {"encoding": "utf-16-le"}).status_code == 302
    row.refresh_from_db()
    assert (row.kind, row.choice["mapping"], row.choice["encoding"]) == ("customers", READ_AS, "utf-16-le")
    load = imported(client, tried(client, row, encoding="utf-16-le"))
    assert load.counts["customers_created"] == 2


def test_reasons_are_in_the_language_that_the_page_was_asked_in(client: Client) -> None:
    from django_tasks_db.models import DBTaskResult

    row = upload(client)
    client.post(f"/imports/files/{row.public_id}/", form_of(row), headers={"accept-language": "de"})
    told = DBTaskResult.objects.latest("enqueued_at").args_kwargs
    assert told["args"] == [row.pk, "de"]
    choosing.work_on_file.func(*told["args"])
    german = client.get(f"/imports/files/{row.public_id}/").content.decode()
    choosing.request(Actor(row.user, "web"), row, "trial")
    choosing.work_on_file.func(row.pk, "en")
    english = client.get(f"/imports/files/{row.public_id}/").content.decode()
    assert "is no e-mail address" in english and "is no e-mail address" not in german


def test_columns_are_read_anew_where_the_form_says_another_line_of_names(client: Client) -> None:
    row = upload(client, "from,to\n1,2\n" + "Kundennr,Name,Name\n7,Ada,King\n")
    answer = client.post(f"/imports/files/{row.public_id}/", form_of(row, header_line="3"), follow=True)
    page = answer.content.decode()
    assert "The columns are read anew" in page and "Name (2)" in page
    row.refresh_from_db()
    assert (row.status, row.choice["mapping"], row.choice["header_line"]) == (
        "chosen", {"external_id": "Kundennr", "name": "Name"}, 3,
    )  # fmt: skip
    row = tried(client, row, header_line="3")
    assert row.trial["outcomes"]["create"] == 1
    wrong = client.post(f"/imports/files/{row.public_id}/", form_of(row, header_line="first"))
    assert wrong.status_code == 422 and "a whole number is needed" in wrong.content.decode()


def test_form_that_names_a_field_twice_or_leaves_a_needed_one_out_says_so(client: Client) -> None:
    row = upload(client, "order,customer,product,when,total\n1,2,3,2017-01-01,4.5\n")
    twice = client.post(f"/imports/files/{row.public_id}/", form_of(row, col_1="product"))
    assert twice.status_code == 422 and "taken for the same field" in twice.content.decode()
    missing = client.post(f"/imports/files/{row.public_id}/", form_of(row, col_4=""))
    assert missing.status_code == 422 and "No column for" in missing.content.decode()
    row.refresh_from_db()
    assert row.status == "chosen"


def test_work_that_meets_another_import_waits_for_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from django_tasks_db.models import DBTaskResult

    from rondo.interactions.importing.locking import Busy

    def busy(*_args: Any, **_options: Any) -> None:
        raise Busy("another import")

    row = tried(client, upload(client))
    client.post(f"/imports/files/{row.public_id}/start")
    asked = DBTaskResult.objects.count()
    with monkeypatch.context() as patched:
        patched.setattr(choosing, "run", busy)
        assert work(row).status == "queued"
    assert DBTaskResult.objects.count() == asked + 1
    assert work(row).status == "done"


def test_files_and_runs_are_seen_by_who_may(
    client: Client, make_user: Callable[..., User], signed_in: Callable[[User], Client], bob: User
) -> None:
    row = tried(client, upload(client))
    dora = signed_in(make_user("dora", role="marketing", reach="own"))
    assert dora.get(f"/imports/files/{row.public_id}/").status_code == 404
    assert dora.post(f"/imports/files/{row.public_id}/start").status_code == 404
    load = imported(client, row)
    assert dora.get(f"/imports/runs/{load.pk}/").status_code == 404
    assert "people.csv" not in dora.get("/imports/").content.decode()
    assert signed_in(bob).get("/imports/").status_code == 403
    sent = signed_in(bob).post("/imports/", {"file": SimpleUploadedFile("x.csv", b"a,b\n1,2\n")})
    assert sent.status_code in {400, 403}
    assert ImportFile.objects.count() == 1
    own = upload(dora, "id,name\n7,Own\n")
    refused = dora.post(f"/imports/files/{own.public_id}/", form_of(own, owner=str(bob.pk)))
    assert refused.status_code == 422


def test_upload_beyond_the_limit_is_refused_while_it_comes_in(client: Client, settings: Any) -> None:
    settings.RONDO_UPLOAD_LIMIT_MB = 1
    answer = client.post("/imports/", {"file": SimpleUploadedFile("big.csv", b"a,b\n" + b"1,2\n" * 300_000)})
    assert answer.status_code in {400, 413}
    assert not ImportFile.objects.exists()


def test_files_that_nobody_came_back_to_are_removed(client: Client) -> None:
    from datetime import timedelta

    from rondo.foundation.actors import system

    old, new = upload(client), upload(client, name="new.csv")
    ImportFile.objects.filter(pk=old.pk).update(created_at=old.created_at - timedelta(days=8))
    assert choosing.forget_old(system("job")) == 1
    assert list(ImportFile.objects.values_list("file_name", flat=True)) == ["new.csv"]
    assert not choosing.path_of(old).exists() and choosing.path_of(new).exists()
