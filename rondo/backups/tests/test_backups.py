"""A backup gives back what there was, on either kind of database, from earlier versions too, or changes nothing."""

import hashlib
import json
import shutil
import sqlite3
import struct
import subprocess
import sys
import zipfile
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.db import connection

from rondo.backups.making import Backup, make_backup
from rondo.backups.restoring import check_backup, restore_backup
from rondo.backups.states import models_at, seen
from rondo.backups.tables import LEFT_OUT, tables_of
from rondo.customers.actions import (
    add_address,
    add_identifier,
    assign_owner,
    create_customer,
    define_attribute,
    link,
    merge,
    set_attribute,
)
from rondo.customers.models import Customer
from rondo.erasure.actions import ledger
from rondo.errors import InputError, PermissionRefused, StateError
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import AuditEntry, User
from rondo.interactions.actions import log_interaction
from tests.demo_home import environment_for, rondo

pytestmark = pytest.mark.django_db(transaction=True)

NOTE = 'She said "no, thanks"\nand left; Grüße, 50 % off, \\N, \t tab, 🙂'


def quiet(step: str) -> Any:
    return lambda done, total: None


@pytest.fixture
def home(settings: Any, tmp_path: Path) -> Path:
    """A home with an upload, a secret key, and what a backup leaves out."""
    folder = tmp_path / "home"
    (folder / "uploads").mkdir(parents=True)
    (folder / "uploads" / "people.csv").write_bytes(b"name\nM\xc3\xbcller\n")
    (folder / "secret-key").write_text("the key of the signatures")
    (folder / "warehouse").mkdir()
    (folder / "warehouse" / "facts.parquet").write_text("made anew")
    settings.RONDO_HOME = folder
    return folder


@pytest.fixture
def world(installation: Any, alice: User, bob: User) -> User:
    """Customers with everything that tables hold: numbers, days, moments, choices, long texts, keys of other rows."""
    who = Actor(alice, "web")
    define_attribute(who, "size", label_en="Size", label_de="Größe", type="number", form="demographic")
    ada = create_customer(who, name="Ada Lovelace", birth_date=date(1815, 12, 10), identifiers=[("email", "ada@x.org")])
    other = assign_owner(who, create_customer(who, name="A. Lovelace"), bob)
    firm = create_customer(who, kind="organisation", name="Engines & “Söhne”, Ltd.")
    add_identifier(who, other, "phone", "+44 20 7946 0018")
    set_attribute(who, ada, "size", 1.1)
    link(who, ada, firm, "employee")
    log_interaction(who, ada, kind="note", body=NOTE, occurred_at=datetime(2017, 3, 4, 5, 6, 7, 891_000, tzinfo=UTC))
    log_interaction(who, other, kind="note", body="Plain", occurred_at=datetime(2017, 3, 5, tzinfo=UTC))
    add_address(who, ada, street="1 Elm St")
    shown = add_address(who, other, street="2 Oak St")
    assert merge(who, other, ada, fields={"address": other}).picks.get(field="address").after == {
        "preferred_address_id": shown.pk
    }
    gone = create_customer(who, name="Gone")
    Customer.objects.filter(pk=gone.pk).delete()  # its key must not be given out again
    Authenticator.objects.create(user=alice, type="totp", data={"secret": "s", "of": [1, None, {"ü": True}]})
    return alice


def backed_up(path: Path) -> Backup:
    return make_backup(system(), path, quiet)


def contents(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of an archive, as values that do not depend on the database that they were read from."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        for one in json.loads(archive.read("manifest.json"))["tables"]:
            rows = pa.ipc.open_stream(pa.py_buffer(archive.read(one["member"]))).read_all().to_pylist()
            if one["table"] == "foundation_auditentry":  # what backups and restores wrote themselves stands aside
                rows = [row for row in rows if not row["verb"].startswith("backup.")]
            for row in rows:  # which transaction wrote it: a server's own count, noted anew by the next server
                row.pop("written_in", None)
            found[one["table"]] = [{name: plain(value) for name, value in row.items()} for row in rows]
    return found


def plain(value: Any) -> Any:
    """JSON as what it means, and an amount without the zeros that only one of the databases keeps."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        return json.loads(value)
    if isinstance(value, str) and value.replace(".", "", 1).isdecimal() and "." in value:
        return Decimal(value).normalize()
    return value


def rewritten(
    path: Path,
    to: Path,
    *,
    without: str = "",
    newest: int = 0,
    files: dict[str, bytes] | None = None,
    tables: dict[str, bytes] | None = None,
) -> Path:
    """The archive with checksums that hold, but a table missing, with a migration less (-1) or more (1), or with other
    files or other content of ``tables``."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(to, "w") as out:
        manifest = json.loads(source.read("manifest.json"))
        manifest["tables"] = [one for one in manifest["tables"] if one["table"] != without]
        if newest < 0:
            manifest["migrations"].remove(max(one for one in manifest["migrations"] if one[0] == "customers"))
        elif newest:
            manifest["migrations"].append(["customers", "9999_later"])
        kept = [*manifest["tables"], *manifest["files"]]
        if files is not None:
            kept = manifest["tables"]
            manifest["files"] = []
            for name, data in files.items():
                told = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                manifest["files"].append({"file": name, "member": f"files/{name}", **told})
                out.writestr(f"files/{name}", data)
        for one in kept:
            content = (tables or {}).get(one.get("table", ""), source.read(one["member"]))
            one |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            out.writestr(one["member"], content)
        text = json.dumps(manifest)
        out.writestr("manifest.json", text)
        out.writestr("manifest.sha256", hashlib.sha256(text.encode()).hexdigest())
    return to


def emptied() -> None:
    """The suite's database, as a new installation is."""
    call_command("flush", interactive=False, verbosity=0)


def test_there_and_back_over_the_other_database(world: User, home: Path, empty_store: str, tmp_path: Path) -> None:
    """What was backed up here is restored by the commands on SQLite, backed up there, and restored here again."""
    first = backed_up(tmp_path / "first.zip")
    before = contents(first.path)
    assert len(before["customers_customer"]) == 3 and len(before["interactions_interaction"]) == 2
    assert any(row["body"] == NOTE for row in before["interactions_interaction"])

    away = environment_for(tmp_path / "away")
    (tmp_path / "away").mkdir()
    if Path(empty_store).is_file():
        shutil.copy(empty_store, tmp_path / "away" / "rondo.sqlite3")
    assert "are back" in rondo(away, "restore", str(first.path)).stdout
    assert (tmp_path / "away" / "uploads" / "people.csv").read_bytes() == b"name\nM\xc3\xbcller\n"
    assert (tmp_path / "away" / "secret-key").read_text() == "the key of the signatures"
    assert not (tmp_path / "away" / "warehouse" / "facts.parquet").exists()
    assert "is whole" in rondo(away, "restore", str(first.path), "--check").stdout
    rondo(away, "backup", str(tmp_path / "second.zip"))
    assert contents(tmp_path / "second.zip") == before

    emptied()
    restore_backup(system(), tmp_path / "second.zip", quiet)
    assert contents(backed_up(tmp_path / "third.zip").path) == before
    # The key of the customer who was deleted before the backup is not given out again.
    made = create_customer(system(), name="New")
    assert made.pk > max(row["id"] for row in before["customers_customer"]) + 1
    assert AuditEntry.objects.filter(verb="backup.restored").count() == 2


OLD = """
import datetime, sys
import django; django.setup()
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from rondo.backups.making import make_backup
from rondo.backups.states import bring_to, models_at, seen
from rondo.foundation.actors import system
last = {"foundation": 4, "customers": 6, "interactions": 2, "catalogue": 1, "campaigns": 1, "analysis": 2}
graph = MigrationLoader(connection).graph
apps = {app: django.apps.apps.get_app_config(app).name for app, _name in graph.nodes}
ours = {app for app, name in apps.items() if name.startswith("rondo.") and app != "warehouse"}
bring_to(sorted((app, name) for app, name in graph.nodes if app not in ours or int(name[:4]) <= last.get(app, 0)))
made = models_at(seen())
made.get_model("foundation", "User").objects.create(email="old@example.org", name="Old", role="manager", reach="all")
who = made.get_model("customers", "Customer").objects.create(
    name="Zoë Old", folded_name="zoe old", known_since="2016-02-29"
)
made.get_model("interactions", "Interaction").objects.create(
    customer=who, kind="note", body="As it was", business_date="2016-03-01",
    occurred_at=datetime.datetime(2016, 3, 1, 12, tzinfo=datetime.timezone.utc),
)
make_backup(system(), __import__("pathlib").Path(sys.argv[1]), lambda step: lambda done, total: None)
"""
"""Tables as they were before roles were rows, consents had a ledger and reports were mailed, with a few rows."""


@pytest.mark.once
def test_what_an_earlier_version_wrote_is_brought_to_this_one(tmp_path: Path) -> None:
    """Restored into an installation without tables, it reads the same, and rows have what was added since."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    archive = tmp_path / "old.zip"
    script = [sys.executable, "-c", OLD, str(archive)]
    done = subprocess.run(script, env=environment_for(tmp_path / "old"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = check_backup(archive, quiet)["migrations"]
    assert ["customers", "0006_changed_in"] in told and ["customers", "0007_consents"] not in told

    rondo(environment_for(tmp_path / "new"), "restore", str(archive))
    with closing(sqlite3.connect(tmp_path / "new" / "rondo.sqlite3")) as store:

        def rows(question: str) -> list[tuple[Any, ...]]:
            return store.execute(question).fetchall()

        assert rows("SELECT name, known_since FROM customers_customer") == [("Zoë Old", "2016-02-29")]
        assert rows("SELECT body, business_date FROM interactions_interaction") == [("As it was", "2016-03-01")]
        assert rows("SELECT email, role FROM foundation_user") == [("old@example.org", "manager")]
        assert rows("SELECT count(*) FROM foundation_role") == [(7,)]
        assert rows("SELECT count(*) FROM customers_consent") == [(0,)]


def test_tables_that_are_newer_than_the_backup_are_told(world: User, home: Path, tmp_path: Path) -> None:
    """There is no way back from a newer table; what is told is the remedy. So is a backup of a later version."""
    made = backed_up(tmp_path / "a.zip")
    emptied()
    with pytest.raises(StateError, match="goes into a database without tables"):
        restore_backup(system(), rewritten(made.path, tmp_path / "older.zip", newest=-1), quiet)
    with pytest.raises(StateError, match=r"later version of Rondo \(it has customers\.9999_later"):
        restore_backup(system(), rewritten(made.path, tmp_path / "later.zip", newest=1), quiet)
    assert not User.objects.exists()


def test_it_leaves_out_what_must_not_come_back(world: User, home: Path, client: Any, tmp_path: Path) -> None:
    """Sessions and one-time links are no part of a backup; every other table is."""
    client.force_login(world)
    found = set(contents(backed_up(tmp_path / "a.zip").path))
    assert not found & set(LEFT_OUT)
    assert found == {model._meta.db_table for model in tables_of(models_at(seen()))}
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
    words = {name for name in there if name.startswith("interactions_words")}  # the database keeps them by itself
    assert words and there - found - set(LEFT_OUT) - words == {"django_migrations", "foundation_audit_door"}


def test_nothing_is_restored_over_what_is_there(world: User, home: Path, tmp_path: Path) -> None:
    made = backed_up(tmp_path / "a.zip")
    before = contents(made.path)
    with pytest.raises(StateError, match="This installation is in use"):
        restore_backup(system(), made.path, quiet)
    assert contents(backed_up(tmp_path / "b.zip").path) == before
    with pytest.raises(InputError, match="is there already"):
        backed_up(made.path)


def with_one_bit_flipped(archive: bytes, member: zipfile.ZipInfo) -> bytes:
    """The archive with one bit of what a member holds changed, in its middle: dates in headers change nothing."""
    name, extra = struct.unpack_from("<HH", archive, member.header_offset + 26)
    at = member.header_offset + 30 + name + extra + member.compress_size // 2
    return archive[:at] + bytes([archive[at] ^ 1]) + archive[at + 1 :]


def test_a_damaged_archive_is_told_and_nothing_goes_in(world: User, home: Path, tmp_path: Path) -> None:
    made = backed_up(tmp_path / "a.zip")
    whole = made.path.read_bytes()
    emptied()
    with zipfile.ZipFile(made.path) as archive:
        flipped = [with_one_bit_flipped(whole, member) for member in archive.infolist() if member.file_size]
    assert len(flipped) > 10
    for damaged, told in (
        (whole[: len(whole) // 2], "no whole backup"),
        (b"name\nada\n", "no whole backup"),
        *((content, "is damaged|no whole backup") for content in flipped),
    ):
        (tmp_path / "b.zip").write_bytes(damaged)
        with pytest.raises(InputError, match=told):
            restore_backup(system(), tmp_path / "b.zip", quiet)
        assert not Customer.objects.exists() and not User.objects.exists()
    with pytest.raises(InputError, match="cannot be read"):
        restore_backup(system(), tmp_path / "none.zip", quiet)


def test_rows_that_the_database_refuses_leave_it_empty(world: User, home: Path, tmp_path: Path) -> None:
    """An archive whose checksums hold but whose rows refer to nobody: all or nothing."""
    made = backed_up(tmp_path / "a.zip")
    emptied()
    restore = rewritten(made.path, tmp_path / "b.zip", without="customers_customer")
    with pytest.raises(InputError, match="Nothing was restored"):
        restore_backup(system(), restore, quiet)
    assert not User.objects.exists()
    restore_backup(system(), made.path, quiet)
    assert User.objects.count() == 2


def test_a_table_that_is_no_stream_of_rows_is_named_and_nothing_goes_in(
    world: User, home: Path, tmp_path: Path
) -> None:
    """An archive that another program made, whose checksums hold: text, a stream that breaks off, other columns."""
    made = backed_up(tmp_path / "a.zip")
    with zipfile.ZipFile(made.path) as archive:
        whole = archive.read("tables/customers_customer.arrow")
    foreign = pa.BufferOutputStream()
    with pa.ipc.new_stream(foreign, pa.schema([("id", pa.int64()), ("zq", pa.int64())])) as stream:
        stream.write_batch(pa.record_batch({"id": [1], "zq": [1]}))
    emptied()
    for number, (content, told) in enumerate(
        (
            (b"id,name\n1,Ada\n", "no Arrow stream"), (b"", "no Arrow stream"), (whole[: len(whole) // 2], "no Arrow"),
            (foreign.getvalue().to_pybytes(), r"not those of the table \(zq\)"),
        )
    ):  # fmt: skip
        wrong = rewritten(made.path, tmp_path / f"{number}.zip", tables={"customers_customer": content})
        with pytest.raises(InputError, match=told) as refused:
            restore_backup(system(), wrong, quiet)
        for part in (
            str(wrong),
            "table customers_customer",
            "Nothing was restored; take a file that `rondo backup` made",
        ):
            assert part in str(refused.value)
        assert not User.objects.exists()
    restore_backup(system(), made.path, quiet)
    assert User.objects.count() == 2


def test_files_that_cannot_be_put_back_leave_it_empty(world: User, home: Path, tmp_path: Path) -> None:
    """Else the rows would be there without their files, and a second restore would be refused."""
    made = backed_up(tmp_path / "a.zip")
    emptied()
    outside = rewritten(made.path, tmp_path / "b.zip", files={"../b.txt": b"x"})
    with pytest.raises(InputError, match="outside of the home"):
        restore_backup(system(), outside, quiet)
    blocked = rewritten(made.path, tmp_path / "c.zip", files={"secret-key/b.txt": b"x"})
    with pytest.raises(InputError, match="cannot be written"):
        restore_backup(system(), blocked, quiet)
    assert not User.objects.exists() and not (tmp_path / "b.txt").exists()
    restore_backup(system(), made.path, quiet)
    assert User.objects.count() == 2


def test_a_database_file_in_the_home_is_neither_taken_along_nor_written_over(
    world: User, home: Path, settings: Any, tmp_path: Path
) -> None:
    """A home that moved to PostgreSQL still has the file that it was served from; restored on SQLite, it would take the
    place of what was just restored. So would the columnar copy be taken along if it has a folder of its own."""
    settings.RONDO_WAREHOUSE = home / "copy"
    (home / "copy").mkdir()
    (home / "copy" / "facts.parquet").write_text("made anew")
    for name in ("rondo.sqlite3", "rondo.sqlite3-wal"):
        (home / name).write_text("as it was long ago")
    made = backed_up(tmp_path / "a.zip")
    assert [one["file"] for one in check_backup(made.path, quiet)["files"]] == ["secret-key", "uploads/people.csv"]
    emptied()
    (home / "rondo.sqlite3").write_text("in use")
    earlier = rewritten(made.path, tmp_path / "b.zip", files={"rondo.sqlite3": b"old", "uploads/a.csv": b"a"})
    assert restore_backup(system(), earlier, quiet).files == 1
    assert (home / "rondo.sqlite3").read_text() == "in use" and (home / "uploads" / "a.csv").read_bytes() == b"a"


def test_who_may_not_administer_may_not_take_everything_along(bob: User, home: Path, tmp_path: Path) -> None:
    with pytest.raises(PermissionRefused):
        make_backup(Actor(bob, "web"), tmp_path / "a.zip", quiet)
    assert not list(tmp_path.glob("a.zip*"))


@pytest.mark.parametrize("manifest", ["x", "[1]", '{"format": 1}', '{"format": 1, "tables": {}, "files": []}'])
def test_what_only_looks_like_a_backup_is_told(home: Path, tmp_path: Path, db: None, manifest: str) -> None:
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("manifest.json", manifest)
        archive.writestr("manifest.sha256", hashlib.sha256(manifest.encode()).hexdigest())
    with pytest.raises(InputError, match="is damaged"):
        restore_backup(system(), tmp_path / "b.zip", quiet)


def test_a_full_disk_leaves_no_part_of_a_backup(
    world: User, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rondo.backups.archive.Writer.manifest", full)
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        backed_up(tmp_path / "a.zip")
    assert not list(tmp_path.glob("a.zip*"))


@pytest.mark.parametrize("name", ["./erasures.jsonl", "uploads/../erasures.jsonl"])
def test_the_ledger_of_erasures_is_never_written_over(world: User, home: Path, tmp_path: Path, name: str) -> None:
    made = backed_up(tmp_path / "a.zip")
    emptied()
    ledger.add({"f" * 64: "2026-01-01T00:00:00+00:00"})
    restore_backup(system(), rewritten(made.path, tmp_path / "b.zip", files={name: b"nothing"}), quiet)
    assert "f" * 64 in ledger.read(ledger.path())
