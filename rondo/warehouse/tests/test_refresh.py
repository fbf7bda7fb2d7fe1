"""The copy follows the store: each row once, in whatever order it was committed, wherever the process was killed."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.db import connection, transaction

from rondo.customers.models import Address, AttributeDefinition, AttributeValue, Identifier, Merge, Survivor
from rondo.errors import StateError
from rondo.foundation.actors import system
from rondo.foundation.models import Load
from rondo.interactions.importing.undoing import undo
from rondo.interactions.models import Interaction, OrderLine, Retraction
from rondo.interactions.splitting.choosing import Choice
from rondo.interactions.splitting.splitting import split, take_back_split
from rondo.warehouse.check import compare
from rondo.warehouse.locks import exclusive
from rondo.warehouse.models import CopyState
from rondo.warehouse.refresh import Refreshed, refresh
from rondo.warehouse.tables import open_tables
from rondo.warehouse.tests.world import customer, load, product, purchase, run_apart

pytestmark = pytest.mark.django_db(transaction=True)


def by_name(done: list[Refreshed]) -> dict[str, Refreshed]:
    return {one.table: one for one in done}


def differences() -> list[str]:
    return [f"{one.table}.{one.figure}: {one.store} {one.copy}" for one in compare() if not one.same]


def raw_count(name: str) -> int:
    with open_tables() as tables:
        return int(tables.connection.raw_sql(f"SELECT count(*) FROM raw_{name}").fetchone()[0])


def test_a_first_refresh_takes_all_a_second_nothing_and_a_third_only_what_is_new() -> None:
    ann = customer("Ann")
    purchase(ann, "2024-01-05", 700)
    purchase(ann, "2024-01-09", 900, lines=[(product("milk"), 400, 50), (product("tea"), 500, 0)])
    assert by_name(refresh())["order_lines"].rows == 3
    assert differences() == []
    assert [one.table for one in refresh() if one.changed] == []

    purchase(ann, "2024-01-12", 300)
    done = by_name(refresh())
    assert (done["interactions"].rows, done["orders"].rows, done["order_lines"].rows) == (1, 1, 1)
    assert not done["products"].changed and not done["customers"].changed
    assert differences() == []
    with open_tables() as tables:
        assert tables.arrow(tables.orders.total.sum()).as_py() == 1900


def test_check_says_which_figure_differs(capsys: pytest.CaptureFixture[str]) -> None:
    purchase(customer(), "2024-01-05")
    refresh()
    call_command("warehouse", "check")
    purchase(customer(), "2024-01-06")
    with pytest.raises(SystemExit) as stop:
        call_command("warehouse", "check")
    assert stop.value.code == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if "differs" in line]
    assert any(line.startswith("orders") and "total" in line for line in lines)
    call_command("warehouse", "refresh")
    call_command("warehouse", "check")


def test_rows_of_a_load_come_once_it_is_visible_and_are_left_out_once_it_is_undone() -> None:
    ann, run = customer("Ann"), load(Load.Status.LOADING)
    first = purchase(ann, "2024-01-05", 500, load=run)
    purchase(ann, "2024-01-06", 40)
    refresh()
    assert raw_count("orders") == 1

    Load.objects.filter(pk=run.pk).update(
        status=Load.Status.VISIBLE, spans={"interactions_interaction": [first.pk, first.pk]}
    )
    assert by_name(refresh())["orders"].rows == 1
    assert [one.table for one in refresh() if one.changed] == []
    assert (raw_count("orders"), raw_count("order_lines"), differences()) == (2, 2, [])

    Load.objects.filter(pk=run.pk).update(status=Load.Status.UNDONE)
    refresh()
    assert differences() == []
    with open_tables() as tables:
        assert tables.arrow(tables.orders.total.sum()).as_py() == 40
        assert tables.arrow(tables.raw.orders.total.sum()).as_py() == 540


def test_a_merged_customer_counts_as_its_survivor_and_a_retracted_order_not_at_all() -> None:
    ann, anna = customer("Ann"), customer("Anna")
    purchase(ann, "2024-01-05", 100)
    mistaken = purchase(ann, "2024-01-06", 1)
    purchase(anna, "2024-01-07", 200)
    refresh()
    Merge.objects.create(loser=anna, winner=ann)
    Survivor.objects.create(customer=anna, survivor=ann)
    type(anna).objects.filter(pk=anna.pk).update(is_merged=True)
    Retraction.objects.create(interaction_id=mistaken.pk, reason="typed twice")
    done = by_name(refresh())
    assert done["survivors"].changed and done["retractions"].changed and not done["orders"].changed
    with open_tables() as tables:
        rows = tables.arrow(tables.orders.order_by("id")).to_pylist()
        assert [(row["customer_id"], row["record_id"], row["total"]) for row in rows] == [
            (ann.pk, ann.pk, 100),
            (ann.pk, anna.pk, 200),
        ]
        assert tables.arrow(tables.customers.id).to_pylist() == [ann.pk]
        assert tables.arrow(tables.order_lines.count()).as_py() == 2


def test_a_split_adds_up_in_the_copy_and_goes_with_its_import() -> None:
    """What goes to another customer counts there alone, once more where it was after the undo, and nowhere when the
    import that had brought it is taken back."""
    run = load(Load.Status.VISIBLE)
    ann = customer("Ann")
    first, second = purchase(ann, "2024-01-05", 100, load=run), purchase(ann, "2024-01-06", 40)
    Load.objects.filter(pk=run.pk).update(spans={"interactions_interaction": [first.pk, first.pk]})

    def sums() -> dict[int, int]:
        refresh()
        assert differences() == []
        with open_tables() as tables:
            grouped = tables.orders.group_by("customer_id").aggregate(total=tables.orders.total.sum())
            return {row["customer_id"]: int(row["total"]) for row in tables.arrow(grouped).to_pylist()}

    assert sums() == {ann.pk: 140}
    done = split(system(), ann, Choice(single=frozenset([first.pk])), name="Bea")
    assert sums() == {ann.pk: 40, done.made_id: 100}
    take_back_split(system(), done.pk)
    assert sums() == {ann.pk: 140}
    again = split(system(), ann, Choice(single=frozenset([first.pk, second.pk])), name="Bea")
    assert sums() == {again.made_id: 140}
    undo(system(), run.pk)
    assert sums() == {again.made_id: 40}


def test_a_refresh_does_not_wait_for_a_writer() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL's readers never wait")
    purchase(customer(), "2024-01-01", 5)
    with connection.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("UPDATE interactions_order SET total = 7")
    try:
        # The copy's own notes have to wait for the writer, its reading does not: only the reading is asked for.
        found = run_apart(
            "from rondo.warehouse.extract import one_row, read_transaction\n"
            "with read_transaction(): print(one_row('SELECT sum(total) FROM interactions_order')[0])"
        )
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")
    assert found.stdout.strip() == "5", found.stderr


@pytest.mark.parametrize(
    ("again", "function", "call"),
    [
        pytest.param(False, "batches", 6, id="first, while reading"),
        pytest.param(False, "note_state", 8, id="first, after a commit and before its note"),
        pytest.param(True, "note_state", 6, id="later, after a commit and before its note"),
        pytest.param(True, "delta.commit", 3, id="later, between two commits"),
        pytest.param(True, "note_state", 12, id="later, before the loads are noted"),
    ],
)
def test_killed_at_any_point_the_next_refresh_ends_the_same(again: bool, function: str, call: int) -> None:
    ann, run = customer("Ann"), load(Load.Status.LOADING)
    purchase(ann, "2024-01-05", 700)
    if again:
        refresh()
        purchase(ann, "2024-01-06", 50)
        product("cake", "Food > Cake")
        customer("Zoe")
        Merge.objects.create(loser=customer("Eva"), winner=ann)
    purchase(ann, "2024-01-07", 1000, load=run)
    Load.objects.filter(pk=run.pk).update(status=Load.Status.VISIBLE)
    victim = run_apart(
        "import os, signal\n"
        "from rondo.warehouse import refresh\n"
        "def killer(function, at):\n"
        "    calls = []\n"
        "    def call(*args, **kwargs):\n"
        "        calls.append(1)\n"
        "        if len(calls) == at: os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return function(*args, **kwargs)\n"
        "    return call\n"
        f"refresh.{function} = killer(refresh.{function}, {call})\n"
        "refresh.refresh()"
    )
    assert victim.returncode == -9, victim.stderr
    refresh()
    assert differences() == []
    assert raw_count("interactions") == Interaction.objects.count()
    assert raw_count("order_lines") == OrderLine.objects.count()
    assert [one.table for one in refresh() if one.changed] == []


def test_without_its_notes_the_copy_knows_from_its_own_log_what_it_has() -> None:
    purchase(customer(), "2024-01-05", load=load())
    purchase(customer(), "2024-01-06")
    refresh()
    CopyState.objects.all().delete()
    assert [one.table for one in refresh() if one.changed] == []
    assert differences() == []


def test_a_copy_of_another_store_is_made_anew(warehouse: Path) -> None:
    purchase(customer(), "2024-01-05")
    refresh()
    (warehouse / "identity.json").write_text('{"store": "another"}')
    assert by_name(refresh())["orders"].changed
    assert differences() == []


def test_small_files_are_joined_and_nothing_is_taken_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rondo.warehouse.delta.COMPACT_ABOVE", 3)
    ann = customer()
    for day in range(1, 8):
        purchase(ann, f"2024-01-{day:02}", day)
        refresh()
    assert differences() == []
    with open_tables() as tables:
        assert tables.arrow(tables.orders.total.sum()).as_py() == 28


def test_one_refresh_at_a_time() -> None:
    with exclusive("refresh"), pytest.raises(StateError, match="another process"), exclusive("refresh", wait=0):
        pass


def test_inside_a_transaction_the_copy_holds_what_the_transaction_sees() -> None:
    with transaction.atomic():
        purchase(customer(), "2024-01-05", 11)
        refresh()
        with open_tables() as tables:
            assert tables.arrow(tables.orders.total.sum()).as_py() == 11
        transaction.set_rollback(True)
    purchase(customer(), "2024-01-05", 22)
    refresh()
    assert differences() == []


def test_nothing_personal_is_in_any_file_of_the_copy(warehouse: Path) -> None:
    secrets = [
        "Xaverina",
        "Quillfeather",
        "xq@quill.example",
        "+4915155512345",
        "Zwiebelgasse",
        "hates mondays",
        "vip!",
    ]
    who = customer("Xaverina Quillfeather", given_name="Xaverina", family_name="Quillfeather", folded_name="xaverina")
    Identifier.objects.create(customer=who, kind="email", value="xq@quill.example", shown="xq@quill.example")
    Identifier.objects.create(customer=who, kind="phone", value="+4915155512345", shown="+4915155512345")
    Address.objects.create(customer=who, street="Zwiebelgasse 3", city="Zwiebelgasse")
    remark = AttributeDefinition.objects.create(key="remark", label_en="Remark", type="text", form="psychographic")
    AttributeValue.objects.create(customer=who, definition=remark, text="hates mondays")
    purchase(who, "2024-01-05")
    note = Interaction.objects.latest("id")
    Interaction.objects.create(
        customer=who,
        kind="note",
        channel="desk",
        direction="inbound",
        initiative="pull",
        medium="owned",
        occurred_at=note.occurred_at,
        business_date=note.business_date,
        title="vip!",
        body="hates mondays",
        details={"said": "vip!"},
        message_id="xq@quill.example",
    )
    refresh()
    files = [path for path in warehouse.rglob("*") if path.is_file()]
    assert any(path.suffix == ".parquet" for path in files)
    for path in files:
        # Parquet compresses its pages: what stands in them is read as values, the rest as bytes.
        content = path.read_bytes() + path.name.encode()
        if path.suffix == ".parquet":
            content += str(pq.read_table(path).to_pylist()).encode()
        found = [secret for secret in secrets if secret.lower().encode() in content.lower()]
        assert found == [], path


def test_values_of_every_type_arrive_as_they_are() -> None:
    who = customer("", kind="household", known_since="2017-03-04", known_since_at_least=True)
    choice = AttributeDefinition.objects.create(key="size", label_en="Size", type="choice", form="demographic")
    share = AttributeDefinition.objects.create(key="share", label_en="Share", type="number", form="benefit")
    AttributeValue.objects.create(customer=who, definition=choice, text='2 "big", one\nsmall')
    AttributeValue.objects.create(customer=who, definition=share, number=0.1)
    purchase(who, "2024-02-29", -250, store="")
    refresh()
    with open_tables() as tables:
        found: dict[str, Any] = tables.arrow(tables.customers).to_pylist()[0]
        assert (found["kind"], str(found["known_since"]), found["known_since_at_least"], found["owner_id"]) == (
            "household",
            "2017-03-04",
            True,
            None,
        )
        values = {row["key"]: row for row in tables.arrow(tables.attributes).to_pylist()}
        assert values["size"]["choice"] == '2 "big", one\nsmall' and values["size"]["number"] is None
        assert values["share"]["number"] == 0.1 and values["share"]["choice"] is None
        order = tables.arrow(tables.orders).to_pylist()[0]
        assert (order["total"], order["store"], str(order["business_date"])) == (-250, "", "2024-02-29")
        assert order["occurred_at"].isoformat() == "2024-02-29T12:00:00+00:00"
