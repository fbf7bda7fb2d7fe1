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
from rondo.api.writing import check_match
from rondo.customers import actions
from rondo.foundation.actors import system
from rondo.foundation.models import User
from rondo.foundation.rights import RIGHTS

ROUNDS = 2
_SOON = 0.4
_LOCKS = ("FOR UPDATE", "FOR NO KEY UPDATE", "pg_advisory_xact_lock")
Call = tuple[str, str, dict[str, Any]]
Meeting = tuple[str, Call, Call]
"""What is read for its version, and the changes with it and without."""


def both(place: str, change: Callable[[int], Call]) -> Callable[[int], Meeting]:
    return lambda number: (place, change(2 * number), change(2 * number + 1))


def a_link(call: Any, shop: Shop) -> Callable[[int], Meeting]:
    ada = shop.customer("Ada", kind="person").public_id
    told = call("POST", f"customers/{ada}/links", {"role": "member", "direction": "out", "name": "Home"}).json()
    return both(f"links/{told['id']}", lambda number: ("PATCH", f"links/{told['id']}", {"position": f"at {number}"}))


def a_role(call: Any, shop: Shop) -> Callable[[int], Meeting]:
    key = call("POST", "roles", {"name": "Helpers", "like": "reader"}).json()["key"]
    return both(f"roles/{key}", lambda number: ("PATCH", f"roles/{key}", {"name": f"Helpers {number}"}))


def a_user(call: Any, shop: Shop) -> Callable[[int], Meeting]:
    told = call("POST", "service-accounts", {"name": "Till", "role": "reader"}).json()
    return both(f"users/{told['id']}", lambda number: ("PATCH", f"users/{told['id']}", {"name": f"Till {number}"}))


def a_team(call: Any, shop: Shop) -> Callable[[int], Meeting]:
    call("POST", "teams", {"name": "First"})
    told = call("POST", "teams", {"name": "Second"}).json()
    return both(f"teams/{told['id']}", lambda number: ("PATCH", f"teams/{told['id']}", {"name": f"Second {number}"}))


def an_attribute(call: Any, shop: Shop) -> Callable[[int], Meeting]:
    for key in ("first", "second", "third"):
        actions.new_attribute(system(), key, label_en=key, type="text", form="behavioural")
    return both(
        "attributes/second", lambda number: ("POST", "attributes/second/move", {"to": ("up", "down")[number % 2]})
    )


def a_customer(call: Any, shop: Shop) -> Callable[[int], Meeting]:
    found = [shop.customer("Ada", kind="person").public_id for _round in range(ROUNDS)]

    def meet(number: int) -> Meeting:
        place = f"customers/{found[number]}"
        return place, ("DELETE", place, {}), ("POST", "bin", {"customers": [found[number]]})

    return meet


@pytest.mark.parametrize("made", [a_link, a_role, a_user, a_team, an_attribute, a_customer])
@pytest.mark.django_db(transaction=True)
def test_a_change_with_if_match_and_one_without_meet(
    shop: Shop, alice: User, monkeypatch: pytest.MonkeyPatch, made: Any
) -> None:
    """The one stops where it holds the thing, the other where it holds its first lock; both go on as soon as both are
    there, or one of them waits for the other."""
    if connection.vendor == "sqlite":
        pytest.skip("has one writer, and no locks of rows")
    call = caller(alice, *RIGHTS)
    meet = made(call, shop)
    real, real_check = versions.Thing.state, check_match

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
        place, first, second = meet(number)
        read = call("GET", place).headers["ETag"]

        def matching(first: Call = first, read: str = read, found: list[int] = found) -> None:
            found.append(call(*first, if_match=read).status_code)

        def plain(second: Call = second, stop: Any = stop, found: list[int] = found) -> None:
            with connections["default"].execute_wrapper(stop):
                found.append(call(*second).status_code)

        def state(self: Any, *given: Any, once: Callable[[], None] = once) -> Any:
            once()
            return real(self, *given)

        def check(*given: Any, once: Callable[[], None] = once) -> None:
            once()
            real_check(*given)

        with monkeypatch.context() as patched:
            patched.setattr(versions.Thing, "state", state)
            patched.setattr("rondo.api.v1.customer_writing.check_match", check)
            together(matching, plain)
        assert {200, 204} & set(found) and set(found) <= {200, 204, 404, 412}, found
