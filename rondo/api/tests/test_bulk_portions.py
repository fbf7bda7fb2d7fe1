"""A call for many items that carries a key is done in portions, goes on where it stopped, and does nothing twice."""

import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client

from rondo.api import bulk
from rondo.api.tests.conftest import Shop
from rondo.api.tests.test_customer_writing import caller
from rondo.api.tests.test_holding import together
from rondo.customers import actions
from rondo.customers.models import Customer
from rondo.foundation.actors import system
from rondo.foundation.api_answers import forget_what_was_said
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.models import ApiAnswer, Role, User

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = [f"Name {number}" for number in range(7)]
BODY = {"items": [{"name": name} for name in NAMES]}
KILLED = """
import os, signal, sys, django; django.setup()
from django.db import connection
from django.test import Client
from django.test.utils import setup_test_environment
setup_test_environment()
connection.settings_dict["NAME"] = sys.argv[1]
from rondo.api import bulk
from rondo.customers import actions
bulk.PORTION, bulk._PAUSE, real, done = 2, 0, actions.take_customer, []
def take(*given, **more):
    if len(done) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(1)
    return real(*given, **more)
actions.take_customer = take
client = Client(headers={"authorization": f"Bearer {sys.argv[2]}", "idempotency-key": "k"})
client.generic("POST", "/api/v1/customers/bulk", sys.argv[3], "application/json")
"""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PORTION", 2)
    monkeypatch.setattr(bulk, "_PAUSE", 0.0)


def stopping(monkeypatch: pytest.MonkeyPatch, at: str, error: Exception | None = None) -> None:
    """An error (else one that nobody foresaw) at the item of this name."""
    real = actions.take_customer

    def take(who: Any, given: Any, **more: Any) -> Any:
        if given.fields["name"] == at:
            raise error or RuntimeError("the machine stops")
        return real(who, given, **more)

    monkeypatch.setattr("rondo.api.v1.customer_writing.actions.take_customer", take)


def made() -> list[str]:
    return sorted(Customer.objects.values_list("name", flat=True))


def test_after_the_process_was_killed_the_call_goes_on_where_it_stopped(shop: Shop, alice: User) -> None:
    token = make_api_token(system(), alice, "killed", scopes=["see", "edit"])
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "rondo.settings", "RONDO_HOME": str(settings.RONDO_HOME)}
    command = [sys.executable, "-c", KILLED, str(connection.settings_dict["NAME"]), token, json.dumps(BODY)]
    assert subprocess.run(command, env=environment, timeout=120).returncode == -signal.SIGKILL
    assert made() == NAMES[:4], "two portions stand, the third went with the process"
    keys = list(Customer.objects.order_by("pk"))
    client = Client(headers={"authorization": f"Bearer {token}", "idempotency-key": "k"})
    for again in range(2):
        answer = client.generic("POST", "/api/v1/customers/bulk", json.dumps(BODY), "application/json")
        told = answer.json()
        assert (answer.status_code, told["done"], told["refused"]) == (200, 7, 0)
        assert [one["index"] for one in told["data"]] == list(range(7))
        assert [one["id"] for one in told["data"]][:4] == [row.public_id for row in keys]
        assert made() == NAMES
        assert ("Idempotent-Replayed" in answer.headers) == bool(again)


def test_who_sends_the_same_call_at_once_does_nothing_twice(shop: Shop, alice: User) -> None:
    call, found = caller(alice), []

    def send() -> None:
        answer = call("POST", "customers/bulk", BODY, idempotency_key="k")
        found.append((answer.status_code, [one["id"] for one in answer.json().get("data", [])]))

    together(send, send, send)
    assert made() == NAMES
    whole = [ids for status, ids in found if status == 200]
    assert whole and all(ids == whole[0] and len(ids) == 7 for ids in whole)


def test_what_failed_is_done_when_it_is_sent_again_and_told_as_its_caller_may_know_it(
    shop: Shop, make_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dora = make_user("dora", role="sales")
    call = caller(dora, "see", "edit")
    taken = {"items": [{"name": "Ada", "identifiers": [{"kind": "email", "value": "a@rondo-crm.de"}]}] * 2}
    body = {"items": taken["items"] + BODY["items"]}
    with monkeypatch.context() as patched:
        stopping(patched, "Name 1")
        assert call("POST", "customers/bulk", body, idempotency_key="k").status_code == 500
    assert made() == ["Ada"]
    assert "Ada" in ApiAnswer.objects.get().body
    Role.objects.filter(key="sales").update(masked=["identifiers"])
    answer = call("POST", "customers/bulk", body, idempotency_key="k")
    assert [one["status"] for one in answer.json()["data"]] == [201, 409, *[201] * 7]
    assert made() == ["Ada", *NAMES] and "a@rondo-crm.de" not in answer.content.decode()


def test_where_others_write_too_long_it_says_how_many_stand(
    shop: Shop, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = caller(alice)
    for at, stand in (("Name 0", None), ("Name 2", 2), ("Name 5", 4)):
        with monkeypatch.context() as patched:
            stopping(patched, at, OperationalError("database is locked"))
            answer = call("POST", "customers/bulk", BODY, idempotency_key="k")
        told = answer.json()
        assert (answer.status_code, told.get("done"), len(made())) == (503, stand, stand or 0)
        assert answer.headers["Retry-After"] and "Idempotent-Replayed" not in answer.headers
        assert (f"The first {stand} items were done" in told["detail"]) == bool(stand)
        assert ("Nothing of yours was saved" in told["detail"]) == (stand is None)
    answer = call("POST", "customers/bulk", BODY, idempotency_key="k")
    assert (answer.status_code, answer.json()["done"], made()) == (200, 7, NAMES)


def test_items_whose_answer_was_taken_away_are_not_done_again(
    shop: Shop, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = caller(alice)
    with monkeypatch.context() as patched:
        stopping(patched, "Name 4")
        assert call("POST", "customers/bulk", BODY, idempotency_key="k").status_code == 500
    assert forget_what_was_said() == 1
    answer = call("POST", "customers/bulk", BODY, idempotency_key="k").json()
    assert [one["status"] for one in answer["data"]] == [409] * 4 + [201] * 3
    assert made() == NAMES
