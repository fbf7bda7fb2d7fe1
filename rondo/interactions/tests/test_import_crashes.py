"""Kill -9 at any moment, a full disk, two imports at once: the next run ends where an undisturbed one does."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection

_DRIVER = """
import json, os, resource, signal, sys
import django
django.setup()
from django.db import connection
from rondo.foundation.actors import system
from rondo.errors import RondoError
from rondo.interactions.importing import ImportOptions, engine, run_import, sweep_dead_loads, sweeping
from rondo.interactions.tests.import_files import state
from rondo.foundation.loading.job import LoadJob

file, when = sys.argv[1], sys.argv[2]
point, _, number = when.partition(":")
seen = {"count": 0}


def die_at(name, function):
    def wrapper(*args, **kwargs):
        result = function(*args, **kwargs)
        if name == point:
            seen["count"] += 1
            if seen["count"] == int(number):
                os.kill(os.getpid(), signal.SIGKILL)
        return result
    return wrapper


LoadJob.insert = die_at("insert", LoadJob.insert)
LoadJob.tick = die_at("chunk", LoadJob.tick)
LoadJob.count = die_at("plan", LoadJob.count)
sweeping._delete = die_at("sweep", sweeping._delete)
engine._Task._publish = die_at("published", engine._Task._publish)
engine.audit.record = die_at("publish", engine.audit.record)
options = ImportOptions(chunk_rows=300)
if point == "full":
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA page_count")
            cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0] + 20}")
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    if point == "state":
        sweep_dead_loads()
    else:
        run_import(system("import"), "orders", file, source="shop", options=options)
except RondoError as error:
    print(type(error).__name__, error)
    sys.exit(2)
if point == "state":
    from rondo.foundation.models import Load
    from rondo.interactions.models import Interaction, Order, OrderLine
    from rondo.customers.models import Customer, Identifier
    counts = [model.objects.count() for model in (Interaction, Order, OrderLine, Customer, Identifier)]
    loads = sorted(Load.objects.values_list("status", flat=True))
    print(json.dumps({"state": state(), "counts": counts, "loading": loads.count("loading")}))
"""


class World:
    """A database of its own, driven by processes that can be killed."""

    def __init__(self, home: Path, url: str) -> None:
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RONDO_")},
            "RONDO_HOME": str(home),
            "RONDO_LOG_LEVEL": "ERROR",
            "DJANGO_SETTINGS_MODULE": "rondo.settings",
            **({"RONDO_DATABASE_URL": url} if url else {}),
        }
        self.home = home
        self.call([sys.executable, "-m", "rondo.cli", "migrate", "--verbosity", "0"])

    def call(self, command: list[str]) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode in {0, 2, -signal.SIGKILL}, done.stderr
        return done

    def drive(self, file: Path, when: str) -> "subprocess.CompletedProcess[str]":
        """Import ``file`` and die at ``when`` (point:number), or ``never``."""
        return self.call([sys.executable, "-c", _DRIVER, str(file), when])

    def state(self) -> Any:
        """What a reader sees, the number of rows that stand in the tables, and how many runs are unfinished."""
        return json.loads(self.drive(self.home, "state").stdout)


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Any]:
    """Makes databases of the kind that the suite runs on, and drops those on PostgreSQL."""
    made: list[str] = []
    url = os.environ.get("RONDO_DATABASE_URL", "")
    is_postgresql = connection.vendor == "postgresql"

    def admin(statement: str) -> None:
        import psycopg

        with psycopg.connect(url, autocommit=True) as session:
            session.execute(statement)

    def make(name: str) -> World:
        home = tmp_path / name
        home.mkdir()
        if not is_postgresql:
            return World(home, "")
        database = f"rondo_crash_{os.getpid()}_{name}"
        admin(f'CREATE DATABASE "{database}"')
        made.append(database)
        parts = urlsplit(url)
        return World(home, parts._replace(path=f"/{database}").geturl())

    yield make
    for database in made:
        admin(f'DROP DATABASE "{database}" WITH (FORCE)')


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """900 orders of 3 lines, the lines of an order far apart."""
    lines = [
        f"o{i},c{i % 97},p{(i * 7 + k) % 211},2017-03-{i % 28 + 1:02} 10:{i % 60:02}:00,{k + 1},{i}.{k}5"
        for k in range(3)
        for i in range(900)
    ]
    path = tmp_path / "orders.csv"
    path.write_text("order,customer,product,occurred_at,quantity,total\n" + "\n".join(lines) + "\n")
    return path


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


def test_a_full_disk_is_told_and_leaves_the_old_state(make_world: Any, orders: Path) -> None:
    world = make_world("full")
    if connection.vendor == "postgresql":
        pytest.skip("filling PostgreSQL's disk needs a server of our own; its error is recognised in the test below")
    before = world.state()
    done = world.drive(orders, "full")
    assert done.returncode == 2
    assert done.stdout.startswith("StorageFull There is no room left on the disk"), done.stdout + done.stderr
    assert world.state() == before
    assert world.drive(orders, "never").returncode == 0
    assert len(world.state()["state"]["orders"]) == 900


def test_full_disks_are_recognised_whoever_tells() -> None:
    import errno

    import psycopg
    from django.db import OperationalError

    from rondo.interactions.importing.engine import _storage_error

    told = OperationalError("could not extend file")
    told.__cause__ = psycopg.errors.DiskFull('could not extend file "base/1": No space left on device')
    assert _storage_error(told) is not None
    assert _storage_error(OSError(errno.ENOSPC, "No space left on device")) is not None
    assert _storage_error(OperationalError("database or disk is full")) is not None
    assert _storage_error(OperationalError("no such table")) is None


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
