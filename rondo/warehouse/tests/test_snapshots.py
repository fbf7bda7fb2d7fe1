"""On PostgreSQL rows are committed out of order: each is taken once, as soon as it is seen, whoever else is at work."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection, transaction

from rondo.warehouse import delta
from rondo.warehouse.check import compare
from rondo.warehouse.models import CopyState
from rondo.warehouse.refresh import refresh
from rondo.warehouse.tables import open_tables
from rondo.warehouse.tests.world import customer, database_url, purchase, run_apart

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]

KILLED_BEFORE_A_NOTE = """
import os, signal
from rondo.warehouse import refresh
real, calls = refresh.note_state, []
def note(extract):
    calls.append(extract.table.key)
    if extract.table.key == "orders": os.kill(os.getpid(), signal.SIGKILL)
    return real(extract)
refresh.note_state = note
refresh.refresh()
"""


def totals() -> list[int]:
    with open_tables() as tables:
        found: list[int] = tables.arrow(tables.orders.order_by("total").total).to_pylist()
        return found


def differences() -> list[str]:
    return [f"{one.table}.{one.figure}: {one.store} {one.copy}" for one in compare() if not one.same]


@contextmanager
def purchase_under_way(total: int, finish: str = "commit") -> Iterator[None]:
    """An order written by another connection, whose transaction ends with the block."""
    who, written, go_on = customer("Slow"), threading.Event(), threading.Event()

    def write() -> None:
        try:
            with transaction.atomic():
                purchase(who, "2024-01-02", total)
                written.set()
                assert go_on.wait(120)
                transaction.set_rollback(finish == "rollback")
        finally:
            connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    assert written.wait(120)
    try:
        yield
    finally:
        go_on.set()
        writer.join()


@pytest.mark.parametrize("finish", ["commit", "rollback"])
def test_a_slow_transaction_holds_nobody_up_and_is_taken_once_when_it_ends(finish: str) -> None:
    purchase(customer("Ann"), "2024-01-01", 1)
    refresh()
    with purchase_under_way(20, finish):
        purchase(customer("Bob"), "2024-01-03", 300)
        refresh()
        assert totals() == [1, 300]
        purchase(customer("Cem"), "2024-01-03", 4000)
        refresh()
        assert totals() == [1, 300, 4000]
    for _again in range(2):
        refresh()
        assert totals() == ([1, 20, 300, 4000] if finish == "commit" else [1, 300, 4000])
    assert differences() == []


def test_a_first_copy_made_meanwhile_loses_nothing() -> None:
    purchase(customer("Ann"), "2024-01-01", 1)
    with purchase_under_way(20):
        refresh()
        assert totals() == [1]
    refresh()
    refresh()
    assert totals() == [1, 20]
    assert differences() == []


def test_an_open_transaction_in_another_database_of_the_server_holds_nothing_back() -> None:
    refresh()
    elsewhere = database_url().rpartition("/")[0] + "/postgres"
    with psycopg.connect(elsewhere) as open_there:
        open_there.execute("SELECT pg_current_xact_id()")
        purchase(customer(), "2024-01-03", 300)
        refresh()
        assert totals() == [300]
        assert differences() == []


@pytest.mark.parametrize("keeps_notes", [True, False])
@pytest.mark.parametrize("joined", [False, True])
def test_killed_before_the_note_with_a_transaction_under_way(
    keeps_notes: bool, joined: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log of the table knows the snapshot; joining its files afterwards does not hide it."""
    purchase(customer("Ann"), "2024-01-01", 1)
    refresh()
    with purchase_under_way(20):
        purchase(customer("Bob"), "2024-01-03", 300)
        victim = run_apart(KILLED_BEFORE_A_NOTE)
        assert victim.returncode == -9, victim.stderr
        purchase(customer("Cem"), "2024-01-03", 4000)
    if joined:
        monkeypatch.setattr(delta, "COMPACT_ABOVE", 1)
        delta.tidy("orders")
    if not keeps_notes:
        CopyState.objects.all().delete()
    refresh()
    assert totals() == [1, 20, 300, 4000]
    assert differences() == []
    assert [one.table for one in refresh() if one.changed] == []


def test_a_copy_of_before_there_were_snapshots_is_extended() -> None:
    purchase(customer("Ann"), "2024-01-01", 1)
    refresh()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
        mark = int(cursor.fetchone()[0])
    for note in CopyState.objects.all():
        note.watermark = {"mark": mark, "loads": note.watermark["loads"], "digest": note.watermark["digest"]}
        note.save()
    purchase(customer("Bob"), "2024-01-03", 300)
    assert [one.rows for one in refresh() if one.table == "orders"] == [1]
    assert totals() == [1, 300]
    assert differences() == []


@pytest.mark.parametrize("snapshot", ["lost", "9000000000:9000000000:"])
def test_with_no_snapshot_of_this_server_the_table_is_made_anew(snapshot: str) -> None:
    """A store that was moved to another server counts transactions anew."""
    purchase(customer("Ann"), "2024-01-01", 1)
    refresh()
    for note in CopyState.objects.all():
        note.watermark |= {"snapshot": snapshot}
        note.save()
    purchase(customer("Bob"), "2024-01-03", 300)
    assert [one.rows for one in refresh() if one.table == "orders"] == [2]
    assert totals() == [1, 300]
    assert differences() == []
