"""Proves that an erased person is nowhere any more: in no table, no file, no freed page, and not after a restore."""

import gzip
import json
import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test import Client
from openpyxl import Workbook

from rondo.backups.making import make_backup
from rondo.backups.restoring import restore_backup
from rondo.campaigns.models import Campaign, Exposure
from rondo.campaigns.queries import responses
from rondo.catalogue.models import Product
from rondo.customers.actions import (
    add_address,
    add_identifier,
    change_customer,
    create_customer,
    define_attribute,
    link,
    merge,
    note_consent,
    put_into_bin,
    remove_address,
    remove_identifier,
    set_attribute,
    unmerge,
)
from rondo.customers.models import Address, AttributeValue, Customer, Source
from rondo.customers.queries import binned, visible
from rondo.duplicates.models import Pair
from rondo.erasure.actions import (
    carry_out,
    doing,
    end_hold,
    erase,
    ledger,
    put_hold,
    request_erasure,
    set_years,
    sweeping,
)
from rondo.erasure.actions.again import erase_again
from rondo.erasure.actions.nightly import every_night
from rondo.erasure.bundle import make_bundle
from rondo.erasure.marks import mark_of
from rondo.erasure.models import Erased, Erasure, KeptFigure
from rondo.erasure.queries import preview
from rondo.errors import PermissionRefused, StateError
from rondo.foundation import audit, roles
from rondo.foundation.actors import Actor, system
from rondo.foundation.installation import business_now
from rondo.foundation.loading.fields import ImportOptions
from rondo.foundation.models import ApiAnswer, ApiToken, AuditEntry, User
from rondo.interactions.actions import log_interaction
from rondo.interactions.importing import choosing, rejects, run_import
from rondo.interactions.models import ImportFile, Interaction, Order
from rondo.interactions.splitting.choosing import Choice
from rondo.interactions.splitting.splitting import split
from rondo.lists.models import SavedView
from rondo.warehouse.check import compare
from rondo.warehouse.refresh import refresh
from rondo.warehouse.tables import open_tables
from rondo.webhooks.models import Attempt, Delivery, Endpoint, Event

pytestmark = pytest.mark.django_db(transaction=True)

STRINGS = (
    "zqada", "zqlove", "zqmail", "81524637", "zqstreet", "zqnote", "zqnick", "zqformer", "zqcode", "zqtag", "zqmüll",
    "zqmull", "zqmuell", "zqm\\u00fcll", "zqoldroad", "zqnewroad", "zqlane", "zqearly", "zqlate", "zqrefused",
)  # fmt: skip
"""What occurs in nothing but what is written of the person."""


def quiet(step: str) -> Any:
    return lambda done, total: None


@pytest.fixture
def home(settings: Any, tmp_path: Path) -> Path:
    settings.RONDO_HOME = tmp_path / "home"
    settings.RONDO_WAREHOUSE = tmp_path / "home" / "warehouse"
    settings.RONDO_HOME.mkdir()
    return tmp_path / "home"


@pytest.fixture
def person(home: Path, installation: Any, alice: User, signed_in: Callable[[User], Client]) -> Customer:
    """A person of four records, in all that people write and bring in, and others who are written about with them."""
    who = Actor(alice, "web")
    define_attribute(who, "nick", label_en="Nick", label_de="Nick", type="text", form="demographic")
    ada = create_customer(who, name="Zqada Zqformer", identifiers=[("email", "zqmail@example.org")])
    ada = change_customer(who, ada, expected_version=ada.version, name="Zqada Zqlove")
    other = create_customer(who, name="Zqlove, Zqada", identifiers=[("phone", "+49 170 8152 4637")])
    add_identifier(who, other, "external", "ZQCODE-1", source="shop")
    add_address(who, ada, street="12 Zqstreet", city="Berlin")
    set_attribute(who, ada, "nick", "Zqnick")
    log_interaction(who, ada, "note", body="zqnote: likes tea", occurred_at=datetime(2020, 5, 4, tzinfo=UTC))
    merge(who, other, ada, "zqnote says so")
    bring_in(who, home, ada)
    moved = log_interaction(who, ada, "note", body="zqnote of the other")
    parted = split(who, ada, Choice(single=frozenset([moved.pk])), name="Zqmüller Zqlove")
    merge(who, parted.made, ada)
    bystander = create_customer(who, name="Berta Else")
    link(who, ada, bystander, "partner")
    log_interaction(
        who, bystander, "note", body="With ZQADA   ZQLÖVE, ZQMAIL@example.org or (0170) 815-24637; Zqmueller, Zqlove"
    )
    set_attribute(who, bystander, "nick", "sent by Zqada Zqlove")
    note_consent(who, bystander, "email", "given", evidence="Zqada Zqlove heard it")
    put_hold(who, bystander, "As zqmail@example.org has it")
    log_interaction(who, bystander, "note", body="Was 5 ZQOLDROAD, then 7 Zqnewroad, now 9 zqlane.")
    log_interaction(who, bystander, "note", body="Rings +49 170/81·5 – 24_63:7!")
    double = create_customer(who, name="B. Else")
    link(who, double, bystander, "partner", position="after Zqada Zqlove")
    unmerge(who, merge(who, double, bystander, "Zqada Zqlove says so").pk)
    rule = {"rule": 'name = "Zqlove, Zqada"', "q": "zqmail@example.org"}
    SavedView.objects.create(name="About Zqada Zqlove", owner=alice, query=rule)
    left, right = sorted([ada.pk, bystander.pk])
    Pair.objects.create(
        left_id=left, right_id=right, probability=0.5, weight=1, prior=0, left_print="a", right_print="b"
    )
    token = ApiToken.objects.create(user=alice, name="t", token_hash="x", expires_at=datetime.now(UTC))
    ApiAnswer.objects.create(token=token, key="1", status=200, body=json.dumps({"id": ada.public_id, "nick": "Zqnick"}))
    client = signed_in(alice)
    session = client.session
    session["told"] = "Zqada Zqlove was saved"
    session.save()
    return ada


def bring_in(who: Actor, home: Path, ada: Customer) -> None:
    """An import that changes and refuses, one that waits, and one that is in."""
    people = (
        "No,Name,Mail,Tag\nZQCODE-1,Zqada Zqlove,zqmail@example.org,zqtag\n2,Zqada Zqlove,zqmail(at)example.org,x\n"
    )
    people += "3,Carla Other,carla(at)example.org,x\n"
    file = home / "people.csv"
    file.write_text(people)
    mapping = {"external_id": "No", "name": "Name", "email": "Mail", "attribute:tag": "Tag"}
    options = ImportOptions(define={"tag": ("text", "demographic")})
    load = run_import(who, "customers", file, source="shop", mapping=mapping, options=options)
    assert load.reject_file and AttributeValue.objects.filter(text="zqtag").exists()
    file.unlink()
    moved_house(who, home)
    half = home / "rejects" / "customers-run-99.0a1b.part"  # of an import that was killed
    half.write_text("line,column,value,reason,Name\n7,Mail,zqrefused,is no address,Zqada Zqlove\n")
    os.utime(half, (0, 0))
    for name, text in (("zqcode-1.csv", "Name\nZQMÜLLER ZQLOVE\n"), ("others.csv", "Name\nDora Other\n")):
        place = choosing.place_for(name)
        place.write_text(text, encoding="cp1252")
        choosing.take(who, place)


def moved_house(who: Actor, home: Path) -> None:
    """Imports that bring a street and a hobby and change both, and somebody who takes them away again."""
    define_attribute(who, "hobby", label_en="Hobby", label_de="Hobby", type="text", form="demographic")
    mapping = {"external_id": "No", "street": "Street", "attribute:hobby": "Hobby"}
    for street, hobby in (("5 Zqoldroad", "zqearly"), ("7 Zqnewroad", "zqlate"), ("9 Zqlane", "zqlate too")):
        file = home / "moved.csv"
        file.write_text(f"No,Street,Hobby\nZQCODE-1,{street},{hobby}\n")
        run_import(who, "customers", file, source="shop", mapping=mapping)
        file.unlink()
    home_of = Address.objects.get(street="9 Zqlane").customer
    remove_address(who, Address.objects.get(street="9 Zqlane").pk)
    set_attribute(who, home_of, "hobby", None)


def strings_in_tables() -> dict[str, str]:
    """Of all tables those cells that hold one of the strings, as the database holds them."""
    found = {}
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        if connection.vendor == "sqlite":
            tables.remove("interactions_words")  # cannot be read; the tables of its index, beside it, can
        for table in sorted(tables):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                text = repr(row).casefold()
                for string in STRINGS:
                    if string in text:
                        found[f"{table}: {string}"] = text[:300]
    return found


def strings_in_files(home: Path) -> list[str]:
    """Files, the database's own among them, that hold one of the strings."""
    files = [file for file in home.rglob("*") if file.is_file()]
    if connection.vendor == "sqlite":
        name = Path(str(connection.settings_dict["NAME"]))
        files += [file for file in name.parent.iterdir() if file.name.startswith(name.name)]
    return [
        f"{file.relative_to(home) if file.is_relative_to(home) else file.name}: {string}"
        for file in files
        for string in STRINGS
        for encoding in ("utf-8", "cp1252")
        if string.encode(encoding) in file.read_bytes().lower()
    ]


def test_nothing_of_an_erased_person_is_left(person: Customer, home: Path, alice: User) -> None:
    before = strings_in_tables()
    assert {"foundation_auditentry: zqnick", "customers_nameword: zqmull", "lists_savedview: zqmail"} <= set(before)
    assert any("rejects" in one for one in strings_in_files(home))
    foretold = preview(Actor(alice, "web"), person)
    assert {kind.key for kind in foretold.kinds} >= {"interactions", "identifiers", "splits", "duplicates", "merges"}
    done = erase(Actor(alice, "web"), [person])
    assert done.status == done.Status.DONE, done.error
    assert strings_in_tables() == {}
    assert strings_in_files(home) == []
    assert not visible(None).filter(pk__in=done.records).exists()
    kept = AuditEntry.objects.filter(record_type="customer", record_id=person.pk, verb="customer.changed").get()
    assert kept.changes["name"] == ["∎", "∎"] and kept.actor == alice
    others = Interaction.objects.get(body__startswith="With ")
    assert others.body == "With ∎, ∎ or (∎; ∎"
    others = Interaction.objects.get(body__startswith="Was ")
    assert others.body == "Was ∎, then ∎, now ∎."
    assert Interaction.objects.filter(body="Rings ∎!").exists()
    assert not list((home / "rejects").glob("*.part"))
    assert not [one for one in Session.objects.all() if "Zqada" in str(one.get_decoded())]
    assert [row.file_name for row in ImportFile.objects.all()] == ["others.csv"]
    (refused,) = (home / "rejects").glob("*.csv")
    assert "Carla Other" in refused.read_text()


def test_entries_of_before_say_whose_they_are(person: Customer, home: Path, alice: User) -> None:
    """Those that earlier versions wrote, whose address and attribute somebody took away: found by what was taken."""
    other = create_customer(system(), name="Berta Low")
    with audit.door_opened("test"):
        AuditEntry.objects.update(about=None)
    kept = audit.record(system(), "address.imported", "address", 987654, {"street": ["1 Else Road", "2 Else Road"]})
    erase(Actor(alice, "web"), [person])
    assert strings_in_tables() == {}
    kept.refresh_from_db()
    assert kept.about is None and kept.changes == {"street": ["1 Else Road", "2 Else Road"]}
    assert visible(None).filter(pk=other.pk).exists()


def test_what_is_written_by_an_import_now_holds_an_erasure_up(person: Customer, home: Path, alice: User) -> None:
    row = request_erasure(Actor(alice, "web"), [person])
    with rejects.made_whole(home / "rejects" / "customers-run-98.csv") as file:
        file.write("7,Mail,zqrefused,is no address,Zqada Zqlove\n")
        file.flush()
        assert carry_out(row.pk).status == Erasure.Status.FAILED
    assert carry_out(row.pk).status == Erasure.Status.DONE
    assert strings_in_files(home) == []


def test_a_restored_backup_is_erased_again(person: Customer, home: Path, alice: User, tmp_path: Path) -> None:
    archive = tmp_path / "before.zip"
    make_backup(system(), archive, quiet)
    erase(Actor(alice, "web"), [person])
    marks = ledger.path().read_text()
    assert len(marks.splitlines()) == 3 and str(person.pk) not in [word for word in marks.split() if word.isdecimal()]
    brought = tmp_path / "brought.jsonl"
    ledger.path().rename(brought)
    call_command("flush", verbosity=0, interactive=False)
    assert restore_backup(system(), archive, quiet, brought).erased == 3
    assert strings_in_tables() == {}
    assert strings_in_files(home) == []
    assert Customer.objects.filter(name="Berta Else").exists()
    assert (erase_again(system()), Erasure.objects.latest("pk").reason) == (0, "restored")
    # A number that is given out anew is somebody else.
    Erased.objects.all().delete()
    Customer.objects.filter(pk=person.pk).update(created_at=datetime.now(UTC), name="New Person", is_merged=False)
    assert erase_again(system()) == 2
    assert Customer.objects.get(pk=person.pk).name == "New Person"


def test_an_erasure_that_was_killed_goes_on(
    person: Customer, home: Path, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_args: Any, **_more: Any) -> Any:
        raise Killed

    row = request_erasure(Actor(alice, "web"), [person])
    assert not visible(None).filter(pk=person.pk).exists()
    for step in ("clear_files", "sweep", "erase_rows", "may_overwrite"):
        with monkeypatch.context() as broken, pytest.raises(Killed):
            broken.setattr(doing, step, kill)
            carry_out(row.pk)
        assert Erasure.objects.get(pk=row.pk).status == "running"
    assert [carry_out(row.pk).status for _twice in range(2)] == ["done", "done"]
    assert strings_in_tables() == {} and strings_in_files(home) == []
    assert Erased.objects.count() == 3


def test_former_names_are_looked_for_again_after_a_stop_between_texts(
    home: Path, installation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = create_customer(system(), name="Zqada Zqformer", identifiers=[("email", "zqmail@example.org")])
    ada = change_customer(system(), ada, expected_version=ada.version, name="Zqada Zqlove")
    remove_identifier(system(), ada.identifiers.get().pk)
    berta = create_customer(system(), name="Berta Else")
    log_interaction(system(), berta, "note", body="Zqada Zqformer, zqmail@example.org")
    row, real = request_erasure(system(), [ada]), sweeping._sweep

    def stopped(one: Any, needles: Any) -> int:
        if one.key == "interactions":
            raise KeyboardInterrupt
        return real(one, needles)

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(sweeping, "_sweep", stopped)
        carry_out(row.pk)
    carry_out(row.pk)
    assert strings_in_tables() == {}


def test_names_are_found_as_json_writes_them(home: Path, installation: Any, alice: User) -> None:
    person = create_customer(system(), name="Jürgen Zqmüll")
    token = ApiToken.objects.create(user=alice, name="t", token_hash="x", expires_at=datetime.now(UTC))
    endpoint = Endpoint.objects.create(owner=alice, name="Shop", url="https://example.org/", salt="", key_mark="")
    event = Event.objects.create(kind="webhook.ping", pending=False)
    sent = Delivery.objects.create(endpoint=endpoint, event=event, body="{}")
    for place, said in enumerate(("Jürgen Zqmüll", "Called.\nJürgen Zqmüll")):
        ApiAnswer.objects.create(token=token, key=str(place), status=200, body=json.dumps({"body": said}))
        Attempt.objects.create(delivery=sent, answer=json.dumps({"unknown": said}))
    Attempt.objects.create(delivery=sent, answer=json.dumps({"unknown": "Jürgen Else"}))
    erase(system(), [person])
    assert [row.body for row in ApiAnswer.objects.all()] == ["", ""]
    assert [bool(row.answer) for row in Attempt.objects.order_by("pk")] == [False, False, True]
    assert strings_in_tables() == {}


@pytest.mark.parametrize("kind", ["csv.gz", "parquet", "xlsx", "data"])
def test_uploads_of_every_kind_that_name_the_person_are_put_away(
    home: Path, installation: Any, alice: User, kind: str
) -> None:
    ada = create_customer(system(), name="Zqada Zqlove")
    for given in ("Dora", "Zqada"):
        place = choosing.place_for(f"{given}.{kind}")
        rows = [["No", "Given", "Family"], ["1", "Zqada", "Other"], ["2", given, "Zqlove"]]
        if kind == "csv.gz":
            place.write_bytes(gzip.compress("\n".join(",".join(row) for row in rows).encode()))
        elif kind == "xlsx":
            book = Workbook()
            for row in rows:
                book.active.append(row)
            book.save(place)
        else:  # by its first bytes, too; columns of few values as a rule are dictionaries
            columns = [pa.array(column[1:]).dictionary_encode() for column in zip(*rows, strict=True)]
            pq.write_table(pa.Table.from_arrays(columns, rows[0]), place)
        choosing.take(Actor(alice, "web"), place)
    erase(system(), [ada])
    assert [row.file_name for row in ImportFile.objects.all()] == [f"Dora.{kind}"]


def test_totals_of_experiments_and_figures_of_law_stay_without_the_person(home: Path, alice: User) -> None:
    who = Actor(alice, "web")
    source = Source.objects.create(name="shop")
    ada, berta = create_customer(who, name="Ada King"), create_customer(who, name="Berta Low")
    campaign = Campaign.objects.create(
        source=source, number="7", name="Tea", starts_on=date(2020, 1, 1), ends_on=date(2020, 2, 1)
    )
    for row in (ada, berta):
        sent = log_interaction(system(), row, "campaign_mail", occurred_at=datetime(2020, 1, 2, tzinfo=UTC))
        Exposure.objects.create(campaign=campaign, customer=row, interaction=sent, sent_on=date(2020, 1, 2))
        log_interaction(who, row, "call_in", in_response_to=sent)
    today = business_now()
    for number, year in enumerate((today.year - 11, today.year - 10, today.year)):
        at = today.replace(year=year, month=1, day=2)
        made = log_interaction(who, ada, "note", occurred_at=at)
        Order.objects.create(
            interaction=made, source=source, number=f"A{number}", total=100, currency="EUR", line_count=1
        )
    before = responses(None)
    assert [one.rows for one in preview(who, ada).kept] == [2]
    erase(who, [ada])
    assert responses(None) == before and before[campaign.pk].answered == 2
    assert Exposure.objects.get(customer=None).interaction is None
    kept = KeptFigure.objects.order_by("day")
    assert [(row.values["number"], row.until.year) for row in kept] == [("A1", today.year), ("A2", today.year + 10)]
    assert not Order.objects.exists()
    KeptFigure.objects.update(until=today.date() - timedelta(days=1))
    assert every_night(system())["figures"] == 2
    set_years(who, "orders", 0)
    assert preview(who, berta).kept == []


def test_who_may_not_is_refused_and_a_hold_stands_against_it(home: Path, alice: User, bob: User) -> None:
    ada = create_customer(system(), name="Ada King")
    Customer.objects.filter(pk=ada.pk).update(owner=bob)
    for verb in (lambda: erase(Actor(bob, "web"), [ada]), lambda: preview(Actor(bob, "web"), ada)):
        with pytest.raises(PermissionRefused):
            verb()
    hold = put_hold(Actor(alice, "web"), ada, "A case is open", business_now().date() + timedelta(days=1))
    with pytest.raises(StateError, match="A case is open"):
        request_erasure(Actor(alice, "web"), [ada])
    assert visible(None).filter(pk=ada.pk).exists() and not Erasure.objects.exists()
    end_hold(Actor(alice, "web"), ada, hold.pk)
    roles.change_role(system(), "sales", masked=["notes"])
    with pytest.raises(StateError, match="all fields"):
        make_bundle(Actor(User.objects.get(pk=bob.pk), "web"), ada)
    assert erase(Actor(alice, "web"), [ada]).status == "done"


def test_what_an_import_adds_to_an_erased_record_goes_the_night_after(home: Path, alice: User) -> None:
    ada = create_customer(system(), name="Ada King")
    erase(Actor(alice, "web"), [ada])
    Interaction.objects.create(
        customer_id=ada.pk, kind="note", channel="phone", direction="inbound", initiative="pull", medium="owned",
        occurred_at=datetime.now(UTC), business_date=date.today(), body="late",
    )  # fmt: skip
    assert every_night(system())["rows"] == 1
    assert not Interaction.objects.exists()


def test_the_copy_forgets_the_chain_at_once(home: Path, alice: User) -> None:
    ada, berta = create_customer(system(), name="Ada King"), create_customer(system(), name="Berta Low")
    source = Source.objects.create(name="shop")
    product = Product.objects.create(source=source, number="P")
    for row in (ada, berta):
        made = log_interaction(system(), row, "note")
        Order.objects.create(
            interaction=made, source=source, number=f"{row.pk}", total=1, currency="EUR", line_count=1
        ).lines.create(product=product, quantity_milli=1000, total=1)
    refresh()
    erase(Actor(alice, "web"), [ada])
    with open_tables() as tables:
        for name in ("interactions", "orders", "order_lines"):
            assert tables.rows(f"SELECT count(*) FROM raw_{name}") == [(1,)], name
    log_interaction(system(), berta, "note")
    refresh()
    assert [one for one in compare() if not one.same] == []


def test_who_is_in_the_bin_is_erased_from_there() -> None:
    first, second = (create_customer(system(), given_name="Zqada", family_name=name) for name in ("Zqlove", "Zqother"))
    merge(system(), second, first)
    put_into_bin(system(), [first])
    refresh()  # a copy in which nobody was ever in touch
    assert preview(system(), first).records == [first.pk, second.pk]
    with ZipFile(BytesIO(b"".join(make_bundle(system(), first).blocks))) as archive:
        assert "Zqlove" in archive.read("customers.json").decode()
    erase(system(), [first])
    assert not binned(None).exists() and not Customer.objects.filter(bin__isnull=False).exists()
    assert not Customer.objects.filter(family_name__startswith="Zq").exists()


def test_a_ledger_that_a_crash_cut_short_is_written_on(home: Path) -> None:
    ledger.add({"a" * 64: "2026-01-01T00:00:00+00:00"})
    whole = ledger.path().read_bytes()
    for cut in (whole[:20], whole[:-1].replace(b"aaaa", b"bbbb")):
        ledger.path().write_bytes(whole + cut)
        assert ledger.add({"c" * 64: "2026-01-02T00:00:00+00:00"}) == 1
        assert {"a" * 64, "c" * 64} <= set(ledger.read(ledger.path()))
    assert "b" * 64 in ledger.read(ledger.path())
    assert ledger.add({"c" * 64: "x"}) == 0 and ledger.path().read_bytes().count(b"\n") == 3


def test_an_erasure_that_fails_holds_up_no_other_one_at_night(
    home: Path, installation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (request_erasure(system(), [create_customer(system(), name=name)]) for name in ("Ada", "Berta"))
    Erasure.objects.update(status=Erasure.Status.FAILED)
    real = doing._rows

    def broken(row: Erasure, *more: Any) -> None:
        if row.pk == first.pk:
            raise RuntimeError("broken")
        real(row, *more)

    monkeypatch.setattr(doing, "_rows", broken)
    with pytest.raises(RuntimeError, match="broken"):
        every_night(system())
    second.refresh_from_db()
    assert second.status == "done"


def test_who_is_back_in_the_bin_within_another_is_erased_again_alone(home: Path, installation: Any) -> None:
    other, person = (create_customer(system(), name=name) for name in ("Ada Bell", "Ben Hill"))
    merge(system(), person, other)
    put_into_bin(system(), [other])
    ledger.add({mark_of(person.pk, person.created_at): "2026-01-01T00:00:00+00:00"})
    assert erase_again(system()) == 1
    assert Erasure.objects.get().status == "done"
    assert [row.name for row in binned(None)] == ["Ada Bell"] and not visible(None).exists()
    assert not Customer.objects.filter(name="Ben Hill").exists()
