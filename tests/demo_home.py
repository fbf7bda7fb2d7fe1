"""The demo for tests: built once by the command a newcomer uses, in a process of its own."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from scripts.private_postgres import free_port

LINK = """
import django; django.setup()
from rondo.foundation.accounts import make_login_link
from rondo.foundation.actors import system
from rondo.foundation.models import User
people = User.objects.filter(role="administrator", is_active=True, is_service=False)
print(make_login_link(system(), people.order_by("pk")[0]))
"""


@dataclass(frozen=True)
class DemoHome:
    """A home that holds the demo. ``output`` is what the demo command printed, ``checked`` what the columnar copy was
    found to be before anything else touched the home: a test that logs a call makes it differ until the next refresh.
    """

    path: Path
    environment: dict[str, str]
    output: str = ""
    checked: "subprocess.CompletedProcess[str] | None" = None

    def run(self, *arguments: str, check: bool = True, **extra: str) -> "subprocess.CompletedProcess[str]":
        """Runs ``rondo ARGUMENTS`` on this home; with ``check`` a failing command fails the test, with its output."""
        return rondo(self.environment | extra, *arguments, check=check)

    def sign_in_link(self, address: str) -> str:
        """A fresh one-time link that signs the demo's administrator in at ``address``."""
        made = subprocess.run(
            [sys.executable, "-c", LINK],
            env=self.environment | {"RONDO_URL": address},
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        return made.stdout.strip()


def environment_for(home: Path, **settings: str) -> dict[str, str]:
    """The environment of a process whose home is ``home``: nothing of this process' own settings but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RONDO_")}
    own = {"RONDO_HOME": str(home), "RONDO_LANGUAGE": "en", "DJANGO_SETTINGS_MODULE": "rondo.settings", "NO_COLOR": "1"}
    return kept | own | settings


def rondo(
    environment: dict[str, str], *arguments: str, check: bool = True, timeout: float = 900
) -> "subprocess.CompletedProcess[str]":
    """Runs ``rondo ARGUMENTS`` as a person would, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "rondo.cli", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    if check and done.returncode:
        raise AssertionError(f"rondo {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done


@contextmanager
def own_database(template: str = "template1") -> Iterator[dict[str, str]]:
    """Settings of an empty database beside that of the suite: none for SQLite, a new one on the same PostgreSQL, which
    is a copy of ``template``."""
    from django.conf import settings

    chosen = settings.DATABASES["default"]
    if "postgresql" not in chosen["ENGINE"]:
        yield {}
        return
    import psycopg
    from psycopg import sql

    server = {"host": chosen["HOST"], "user": chosen["USER"], "password": chosen["PASSWORD"], "port": chosen["PORT"]}
    name = f"rondo_demo_{os.getpid()}_{uuid4().hex[:8]}"
    with psycopg.connect(dbname="postgres", autocommit=True, **{k: v for k, v in server.items() if v}) as admin:
        made, of = sql.Identifier(name), sql.Identifier(template)
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(made, of))
        try:
            head, _, _ = os.environ["RONDO_DATABASE_URL"].rpartition("/")
            yield {"RONDO_DATABASE_URL": f"{head}/{name}"}
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def demo_home(folder: Path) -> Iterator[DemoHome]:
    """Builds the demo in ``folder`` with ``rondo demo --no-serve`` (on PostgreSQL in a database of its own)."""
    with own_database() as settings:
        environment = environment_for(folder, **settings)
        done = rondo(environment, "demo", "--no-serve")
        yield DemoHome(folder, environment, done.stdout, rondo(environment, "warehouse", "check", check=False))


@contextmanager
def served(home: DemoHome) -> Iterator[str]:
    """Serves ``home`` by ``rondo up`` on a free port and yields the address; ends all its processes afterwards."""
    port = free_port()
    address = f"http://localhost:{port}"
    environment = home.environment | {"RONDO_PORT": str(port), "RONDO_URL": address}
    log = home.path / "served.log"
    with log.open("wb") as sink:
        server = subprocess.Popen(
            [sys.executable, "-m", "rondo.cli", "up"],
            env=environment,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until_healthy(f"{address}/health", server, log)
        yield address
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def wait_until_healthy(address: str, server: "subprocess.Popen[bytes]", log: Path, seconds: float = 240) -> None:
    """Returns once ``address`` answers 200; raises with the server's log if it ends or stays silent."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError(f"{address} did not become healthy:\n{log.read_text(errors='replace')}")
