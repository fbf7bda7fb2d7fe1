"""Kill -9 at any moment, two imports at once: a dead run leaves nothing, and the next ends as an undisturbed one."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.db import connection

from tests.demo_home import rondo


def test_killed_anywhere_the_next_run_ends_as_an_undisturbed_one(make_world: Any, orders: Path) -> None:
    calm = make_world("calm")
    assert calm.drive(orders, "never").returncode == 0
    expected = calm.state()
    assert len(expected["state"]["orders"]) == 900
    assert expected["loading"] == 0

    shaken = make_world("shaken")
    empty = shaken.state()
    for point in ("plan:1", "insert:1", "insert:2", "insert:6", "chunk:1", "chunk:5", "chunk:9", "publish:1"):
        assert shaken.drive(orders, point).returncode == -signal.SIGKILL, point
        # another killed while it tidies up after the first
        if point in {"chunk:5", "chunk:9"}:
            assert shaken.drive(orders, "sweep:1").returncode == -signal.SIGKILL
            assert shaken.drive(orders, "sweep:2").returncode == -signal.SIGKILL
    left = shaken.state()
    assert left == empty, "the sweep leaves nothing of a dead run"
    assert shaken.drive(orders, "published:1").returncode == -signal.SIGKILL, "dead after the last commit"
    assert shaken.state() == expected
    assert shaken.drive(orders, "never").returncode == 0
    assert shaken.state() == expected, "the run was complete: the same file changes nothing"


def test_a_dead_run_leaves_no_products_categories_or_attributes(make_world: Any, orders: Path, tmp_path: Path) -> None:
    world = make_world("strewn")
    assert world.drive(orders, "never").returncode == 0
    before = world.state()
    more = tmp_path / "more" / "orders.csv"
    more.parent.mkdir()
    head, *lines = orders.read_text().splitlines()
    # new orders of new products, in between those that are known
    lines += [f"n{i},c1,q{i % 500},2017-04-01 10:00:00,1,1.00" for i in range(900)]
    more.write_text("\n".join([head, *lines]) + "\n")
    products = tmp_path / "products.csv"
    products.write_text(
        "number,name,category,category_2\n" + "".join(f"r{i},N{i},Food > Dairy,Milk {i % 7}\n" for i in range(700))
    )
    people = tmp_path / "customers.csv"
    people.write_text("external_id,size\n" + "".join(f"d{i},{'SML'[i % 3]}\n" for i in range(700)))
    tidying = ("removed",) if connection.vendor == "sqlite" else ("helped", "removed")
    for file, points in ((more, ("insert:3", "publish:1")), (products, ("insert:1",)), (people, ("publish:1",))):
        for point in points:
            assert world.drive(file, point).returncode == -signal.SIGKILL, (file.stem, point)
            assert world.state() == before, (file.stem, point)
    for point in tidying:  # whoever tidies up dies, too
        assert world.drive(more, "publish:1").returncode == -signal.SIGKILL
        assert world.drive(products, point).returncode == -signal.SIGKILL, point
    assert world.state() == before
    for file in (people, products, more):
        assert world.drive(file, "never").returncode == 0
    after = world.state()
    assert (len(after["state"]["products"]), len(after["state"]["orders"])) == (211 + 500 + 700, 1800)
    assert after["counts"][5:7] == [1, 700]


@pytest.mark.django_db(transaction=True)
def test_one_import_at_a_time(make_world: Any, orders: Path) -> None:
    world = make_world("busy")
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import django; django.setup()\n"
            "from rondo.interactions.importing.locking import exclusive\n"
            "with exclusive():\n    print('held', flush=True); input()",
        ],
        env=world.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "held"
        done = world.drive(orders, "never")
        assert done.returncode == 2
        assert "Another import" in done.stdout
    finally:
        holder.kill()
        holder.communicate()
    assert world.drive(orders, "never").returncode == 0, "a dead holder holds nothing"


INTERRUPTED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the suite's own parent made of it
import django; django.setup()
from rondo import cli
from rondo.foundation.loading.job import LoadJob
def told(*args, insert=LoadJob.insert, **kwargs):
    insert(*args, **kwargs)
    print("inserting", flush=True)
LoadJob.insert = told
sys.argv = ["rondo", "import", "orders", sys.argv[1], "--source", "shop"]
cli.main()
"""


def test_stopped_by_the_keyboard_all_end_and_the_next_import_completes(
    make_world: Any, orders: Path, tmp_path: Path
) -> None:
    """As a terminal does it: the interrupt goes to every process of the group, in the middle of the load."""
    world = make_world("stopped")
    empty = world.state()
    head, *lines = orders.read_text().splitlines()
    many = tmp_path / "many" / "orders.csv"
    many.parent.mkdir()
    many.write_text("\n".join([head, *(f"{part}{line}" for part in "abcdefghij" for line in lines)]) + "\n")
    running = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(many)],
        env=world.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert running.stdout is not None
        assert any(line == "inserting\n" for line in running.stdout)
        everybody = [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]
        os.killpg(running.pid, signal.SIGINT)
        _said, errors = running.communicate(timeout=240)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    assert running.returncode == 130
    assert errors.splitlines()[-1] == "rondo: stopped by the keyboard"
    assert "Traceback" not in errors
    assert not [process for process in everybody if process.is_running()]
    assert world.state() == empty
    rondo(world.environment, "import", "orders", str(many), "--source", "shop")
    after = world.state()
    assert (len(after["state"]["orders"]), after["loading"]) == (9000, 0)
    rondo(world.environment, "warehouse", "refresh")
    rondo(world.environment, "warehouse", "check")
