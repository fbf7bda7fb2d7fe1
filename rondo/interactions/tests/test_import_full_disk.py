"""A disk without room: the import says so, what stood there before stands, and with room the next run is complete."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

_SIZE = 96 * 2**20
_LEFT = 300_000


class Disk:
    """A small file system of its own in memory, and a ballast file that takes what is left of its room."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave 300 kB: room for a few chunks of the import, not for all."""
        state = os.statvfs(self.folder)
        rest = state.f_bavail * state.f_frsize - _LEFT
        with self._ballast.open("wb") as file:
            while rest > 0:
                rest -= file.write(bytes(min(rest, 2**20)))

    def empty(self) -> None:
        """Give the room back."""
        self._ballast.unlink()


@pytest.fixture
def disk() -> Iterator[Disk]:
    """A disk of 96 MB, which only root may make; the test is skipped elsewhere, with the reason."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root may mount the small disk that the test fills")
    owner = "postgres" if connection.vendor == "postgresql" else "root"  # as root, the server runs as postgres
    folder = Path(tempfile.mkdtemp(prefix="rondo-disk-"))
    options = f"size={_SIZE},mode=0700,uid={owner},gid={owner}"
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"no disk can be mounted on this machine: {done.stderr.strip()}")
        try:
            yield Disk(folder)
        finally:
            subprocess.run(["umount", str(folder)], check=True)
    finally:
        folder.rmdir()


@pytest.fixture
def tablespace(disk: Disk) -> Iterator[str]:
    """The place on the small disk where PostgreSQL keeps a database; none on SQLite, whose file is in the home."""
    if connection.vendor != "postgresql":
        yield ""
        return
    import psycopg

    name = f"rondo_full_{os.getpid()}"
    with psycopg.connect(os.environ["RONDO_DATABASE_URL"], autocommit=True) as session:
        if session.execute("SELECT usesuper FROM pg_user WHERE usename = current_user").fetchone() != (True,):
            pytest.skip("only a superuser of PostgreSQL may put a database on the small disk")
        try:
            session.execute(f"CREATE TABLESPACE {name} LOCATION '{disk.folder}'")
        except psycopg.Error as error:
            pytest.skip(f"this server does not see the small disk: {error}")
        yield name
        session.execute(f"DROP TABLESPACE {name}")


@pytest.fixture
def make_full_world(tablespace: str, disk: Disk, make_world: Any) -> Any:
    """Makes the database on the small disk."""
    place = {"tablespace": tablespace} if tablespace else {"home": disk.folder}
    return lambda: make_world("full", **place)


def test_a_full_disk_is_told_and_leaves_the_old_state(disk: Disk, make_full_world: Any, orders: Path) -> None:
    world = make_full_world()
    before = world.state()
    disk.fill()
    done = world.drive(orders, "never")
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout.startswith("StorageFull There is no room left on the disk"), done.stdout + done.stderr
    if connection.vendor == "sqlite":
        # A new session of PostgreSQL may have to write its init file beside the database, which it cannot just now.
        assert world.state()["state"] == before["state"], "also while there is no room"
    disk.empty()
    assert world.state() == before, "with room, nothing is left of the run"
    assert world.drive(orders, "never").returncode == 0
    assert len(world.state()["state"]["orders"]) == 900


def test_a_limit_of_pages_is_told_as_a_full_disk(make_world: Any, orders: Path) -> None:
    if connection.vendor == "postgresql":
        pytest.skip("a limit of pages is SQLite's")
    world = make_world("limited")
    before = world.state()
    done = world.drive(orders, "limit")
    assert done.returncode == 2
    assert done.stdout.startswith("StorageFull There is no room left on the disk"), done.stdout + done.stderr
    assert world.state() == before
    assert world.drive(orders, "never").returncode == 0


def test_full_disks_are_recognised_whoever_tells() -> None:
    import errno

    import psycopg
    from django.db import OperationalError

    from rondo.interactions.importing.engine import _storage_error

    told = OperationalError("could not extend file")
    told.__cause__ = psycopg.errors.DiskFull('could not extend file "base/1": No space left on device')
    assert _storage_error(told) is not None
    translated = OperationalError("konnte Datei nicht erweitern")
    translated.__cause__ = psycopg.errors.DiskFull("konnte Datei nicht erweitern")
    assert _storage_error(translated) is not None
    assert _storage_error(OperationalError('could not extend file "base/1": File too large')) is not None
    assert _storage_error(OSError(errno.ENOSPC, "No space left on device")) is not None
    assert _storage_error(OperationalError("database or disk is full")) is not None
    assert _storage_error(OperationalError("no such table")) is None
