"""Calls with ``If-Match`` and calls without it take their locks in one order: neither ends as a deadlock."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections

from rondo.api import versions
from rondo.api.tests.conftest import Shop
from rondo.api.tests.test_customer_writing import caller
from rondo.api.tests.test_holding import together
from rondo.customers import actions
from rondo.foundation.actors import system
from rondo.foundation.models import User
from rondo.foundation.rights import RIGHTS

ROUNDS = 2
_SOON = 0.4
_LOCKS = ("FOR UPDATE", "FOR NO KEY UPDATE", "pg_advisory_xact_lock")
Call = tuple[str, str, dict[str, Any]]


def a_link(call: Any, shop: Shop) -> tuple[str, Callable[[int], Call]]:
    ada = shop.customer("Ada", kind="person").public_id
    told = call("POST", f"customers/{ada}/links", {"role": "member", "direction": "out", "name": "Home"}).json()
    return f"links/{told['id']}", lambda number: ("PATCH", f"links/{told['id']}", {"position": f"place {number}"})


def a_role(call: Any, shop: Shop) -> tuple[str, Callable[[int], Call]]:
    key = call("POST", "roles", {"name": "Helpers", "like": "reader"}).json()["key"]
    return f"roles/{key}", lambda number: ("PATCH", f"roles/{key}", {"name": f"Helpers {number}"})


def a_user(call: Any, shop: Shop) -> tuple[str, Callable[[int], Call]]:
    told = call("POST", "service-accounts", {"name": "Till", "role": "reader"}).json()
    return f"users/{told['id']}", lambda number: ("PATCH", f"users/{told['id']}", {"name": f"Till {number}"})


def a_team(call: Any, shop: Shop) -> tuple[str, Callable[[int], Call]]:
    call("POST", "teams", {"name": "First"})
    told = call("POST", "teams", {"name": "Second"}).json()
    return f"teams/{told['id']}", lambda number: ("PATCH", f"teams/{told['id']}", {"name": f"Second {number}"})


def an_attribute(call: Any, shop: Shop) -> tuple[str, Callable[[int], Call]]:
    for key in ("first", "second", "third"):
        actions.new_attribute(system(), key, label_en=key, type="text", form="behavioural")
    return "attributes/second", lambda number: ("POST", "attributes/second/move", {"to": ("up", "down")[number % 2]})


@pytest.mark.parametrize("made", [a_link, a_role, a_user, a_team, an_attribute])
@pytest.mark.django_db(transaction=True)
def test_a_change_with_if_match_and_one_without_meet(
    shop: Shop, alice: User, monkeypatch: pytest.MonkeyPatch, made: Any
) -> None:
    """The one stops where it holds the thing, the other where it holds its first lock; both go on as soon as both are
    there, or one of them waits for the other."""
    if connection.vendor == "sqlite":
        pytest.skip("has one writer, and no locks of rows")
    call = caller(alice, *RIGHTS)
    place, change = made(call, shop)
    real = versions.Thing.state

    for number in range(ROUNDS):
        gate = threading.Barrier(2)
        passed = threading.local()

        def once(gate: threading.Barrier = gate, passed: threading.local = passed) -> None:
            if not hasattr(passed, "by"):
                passed.by = True
                with contextlib.suppress(threading.BrokenBarrierError):
                    gate.wait(_SOON)

        def stop(execute: Any, sql: str, *given: Any, once: Callable[[], None] = once) -> Any:
            answer = execute(sql, *given)
            if any(lock in sql for lock in _LOCKS):
                once()
            return answer

        found: list[int] = []
        read = call("GET", place).headers["ETag"]

        def matching(number: int = number, read: str = read, found: list[int] = found) -> None:
            found.append(call(*change(2 * number), if_match=read).status_code)

        def plain(number: int = number, stop: Any = stop, found: list[int] = found) -> None:
            with connections["default"].execute_wrapper(stop):
                found.append(call(*change(2 * number + 1)).status_code)

        def state(self: Any, *given: Any, once: Callable[[], None] = once) -> Any:
            once()
            return real(self, *given)

        monkeypatch.setattr(versions.Thing, "state", state)
        together(matching, plain)
        monkeypatch.setattr(versions.Thing, "state", real)
        assert 200 in found and set(found) <= {200, 412}, found
