"""``rondo up`` as a person meets it: prepares, says where it is, keeps its children running, and leaves none behind."""

import contextlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import psutil
import pytest

from rondo.errors import StateError
from rondo.foundation.serving.prepare import check_port
from rondo.foundation.serving.supervisor import Supervisor
from scripts.private_postgres import free_port
from tests.demo_home import environment_for, own_database, wait_until_healthy


class _Up:
    """A running ``rondo up`` on a home of its own."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.port = free_port()
        self.address = f"http://localhost:{self.port}"
        self.environment = environment_for(home, RONDO_PORT=str(self.port), **settings)
        self.log = home / "up.log"

    def start(self) -> None:
        with self.log.open("wb") as sink:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "rondo.cli", "up"],
                env=self.environment,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until_healthy(f"{self.address}/health", self.process, self.log)
        _until(lambda: "Rondo is at" in self.log.read_text())

    def tree(self) -> list[psutil.Process]:
        return [*psutil.Process(self.process.pid).children(recursive=True)]

    def child(self, role: str) -> psutil.Process | None:
        for process in self.tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                if role in process.cmdline() and process.ppid() == self.process.pid:
                    return process
        return None

    def end(self) -> None:
        left = self.tree() if self.process.poll() is None else []
        for process in [*left, self.process]:
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                process.kill()
        self.process.wait()


@contextlib.contextmanager
def _running(home: Path, **settings: str) -> Iterator[_Up]:
    running = _Up(home, **settings)
    running.start()
    try:
        yield running
    finally:
        running.end()


@pytest.fixture
def up(tmp_path: Path, server_address: str) -> Iterator[_Up]:
    """Started on an empty home."""
    with own_database() as settings, _running(tmp_path, **settings) as running:
        yield running


@pytest.fixture
def up_again(migrated_home: Path, empty_store: str, server_address: str) -> Iterator[_Up]:
    """Started on a home that was prepared before."""
    with own_database(empty_store) as settings, _running(migrated_home, **settings) as running:
        yield running


def _until(true: Callable[[], Any], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.1)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


def _get(address: str) -> tuple[int, str]:
    try:
        answer: HTTPResponse = urllib.request.build_opener(_NoRedirect).open(address, timeout=120)
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Location", "")
    return answer.status, ""


def test_from_an_empty_home_to_signed_in_and_away_again(up: _Up) -> None:
    said = up.log.read_text()
    assert "Preparing the database" in said
    (link,) = [line.strip() for line in said.splitlines() if "/in/" in line]
    assert _get(link) == (302, "/welcome"), "a password or a passkey is chosen first"
    assert _get(link)[0] == 410

    second = subprocess.run(
        [sys.executable, "-m", "rondo.cli", "up"], env=up.environment, capture_output=True, text=True, timeout=300
    )
    assert second.returncode == 2
    assert f":{up.port} cannot be listened on" in second.stderr
    assert "PORT=" in second.stderr
    assert "Traceback" not in second.stderr

    worker, web = up.child("worker"), up.child("web")
    assert worker is not None
    assert web is not None
    assert worker.nice() > web.nice(), "jobs give way to pages"
    worker.kill()
    _until(lambda: (now := up.child("worker")) is not None and now.pid != worker.pid)
    assert up.process.poll() is None

    everybody = up.tree()
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(240) == 0
    assert not [process for process in everybody if process.is_running()]


def test_children_do_not_outlive_a_killed_parent(up_again: _Up) -> None:
    everybody = up_again.tree()
    assert len(everybody) >= 4
    up_again.process.kill()
    up_again.process.wait()
    _until(lambda: not [p for p in everybody if p.is_running() and p.status() != psutil.STATUS_ZOMBIE])


def test_a_port_in_use_is_named_with_a_way_out() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StateError, match=rf"{port} .*RONDO_PORT={port + 10}"):
            check_port("127.0.0.1", port)


def test_a_child_that_never_gets_going_ends_it_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    from rondo.foundation.serving import supervisor

    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.01)
    keeper = Supervisor(["no-such-role"], ready=lambda: False, on_ready=lambda: None)
    keeper.children[0].command = [sys.executable, "-c", "raise SystemExit(7)"]
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(StateError, match=r"rondo no-such-role.*3 times.*status 7"):
            keeper.run()
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
