"""Requests of one process take turns: one short one after the other, and nobody waits for a long one."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Any

import pytest

from rondo.foundation.serving.turns import ARRIVED, Turns

WAIT = 20.0
"""Seconds after which a test gives up."""
NEVER = 1000.0


def started(work: Callable[[], None]) -> Thread:
    thread = Thread(target=work, daemon=True)
    thread.start()
    return thread


class Site:
    """An application whose requests last until they are let go, and which notes what is under way."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.under_way: list[str] = []
        self.most = 0
        self.begun: dict[str, Event] = {}
        self.let_go: dict[str, Event] = {}
        self.order: list[str] = []

    def expect(self, *names: str) -> None:
        for name in names:
            self.begun[name], self.let_go[name] = Event(), Event()

    def __call__(self, environ: dict[str, Any], _start: Callable[..., Any]) -> Iterable[bytes]:
        name = environ["PATH_INFO"]
        with self.lock:
            self.under_way.append(name)
            self.order.append(name)
            self.most = max(self.most, len(self.under_way))
        self.begun[name].set()
        assert self.let_go[name].wait(WAIT)
        with self.lock:
            self.under_way.remove(name)
        if name.startswith("broken"):
            raise ZeroDivisionError
        return [name.encode()]


def ask(turns: Turns, name: str, **more: str) -> Thread:
    def work() -> None:
        environ = {"PATH_INFO": name, **more}
        with suppress(ZeroDivisionError):
            assert list(turns(environ, lambda *_: None)) == [name.encode()]
        assert environ[ARRIVED]

    return started(work)


def standing(turns: Turns) -> int:
    """Who is worked on or waits."""
    with turns._changed:
        return len(turns._waiting) + len(turns._short_until)


def test_short_requests_come_one_after_the_other_in_their_order() -> None:
    site = Site()
    names = [f"page {number}" for number in range(5)]
    site.expect(*names)
    turns = Turns(site, at_once=1, long_seconds=NEVER)
    threads = []
    for place, name in enumerate(names):
        threads.append(ask(turns, name))
        while standing(turns) <= place:  # it stands in the row before the next one comes
            pass
    for name in names:
        assert site.begun[name].wait(WAIT)
        assert site.under_way == [name]
        site.let_go[name].set()
    for thread in threads:
        thread.join(WAIT)
    assert site.order == names and site.most == 1


def test_nobody_waits_for_a_long_one() -> None:
    site = Site()
    site.expect("long", "after")
    turns = Turns(site, at_once=1, long_seconds=0.05)
    long = ask(turns, "long")
    assert site.begun["long"].wait(WAIT)
    site.let_go["after"].set()
    ask(turns, "after").join(WAIT)
    assert site.under_way == ["long"] and site.order == ["long", "after"]
    site.let_go["long"].set()
    long.join(WAIT)
    assert not turns._short_until and not turns._waiting


def test_who_sends_something_takes_no_turn() -> None:
    """An upload over a slow line would hold all others up."""
    site = Site()
    site.expect("upload", "in parts", "page")
    turns = Turns(site, at_once=1, long_seconds=NEVER)
    uploads = [
        ask(turns, "upload", CONTENT_LENGTH="1000"),
        ask(turns, "in parts", HTTP_TRANSFER_ENCODING="chunked"),
    ]
    for name in ("upload", "in parts"):
        assert site.begun[name].wait(WAIT)
    site.let_go["page"].set()
    ask(turns, "page", CONTENT_LENGTH="").join(WAIT)
    assert "page" in site.order
    for name in ("upload", "in parts"):
        site.let_go[name].set()
    for thread in uploads:
        thread.join(WAIT)


def test_an_error_gives_the_turn_back() -> None:
    site = Site()
    site.expect("broken", "page")
    turns = Turns(site, at_once=1, long_seconds=NEVER)
    for name in ("broken", "page"):
        site.let_go[name].set()
        ask(turns, name).join(WAIT)
    assert site.order == ["broken", "page"] and not turns._short_until


def test_what_is_sent_after_the_head_holds_nobody_up() -> None:
    """A download is written while it is read, by whomever and however slowly."""

    def site(environ: dict[str, Any], _start: Callable[..., Any]) -> Iterable[bytes]:
        return iter([b"one", b"two"]) if environ["PATH_INFO"] == "file" else [b"page"]

    turns = Turns(site, at_once=1, long_seconds=NEVER)
    parts = iter(turns({"PATH_INFO": "file"}, lambda *_: None))
    assert next(parts) == b"one"
    assert list(turns({"PATH_INFO": "page"}, lambda *_: None)) == [b"page"]
    assert next(parts) == b"two"


@pytest.mark.parametrize("at_once", [1, 2])
def test_many_at_once_all_come_through(at_once: int) -> None:
    lock, under_way, most, done = Lock(), [0], [0], []

    def site(environ: dict[str, Any], _start: Callable[..., Any]) -> Iterable[bytes]:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        with lock:
            under_way[0] -= 1
            done.append(environ["PATH_INFO"])
        return []

    turns = Turns(site, at_once, long_seconds=NEVER)
    threads = [
        started(lambda: [list(turns({"PATH_INFO": "x"}, lambda *_: None)) for _ in range(200)])  # type: ignore[arg-type]
        for _ in range(8)
    ]
    for thread in threads:
        thread.join(WAIT)
    assert len(done) == 1600 and most[0] <= at_once and not turns._waiting
