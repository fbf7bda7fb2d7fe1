"""Webhooks by the API: the same verbs, the same rights; the secret is told once."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from rondo import outside
from rondo.api.tests.test_rooms import examples
from rondo.customers import actions as customers
from rondo.foundation.actors import system
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.models import ApiAnswer, User
from rondo.webhooks.courier import Courier
from rondo.webhooks.models import Endpoint
from rondo.webhooks.tests.receiver import receiving, signature_is_good

pytestmark = pytest.mark.django_db
START = "/api/v1/webhooks"


def test_a_program_sets_up_a_webhook_reads_its_log_and_sends_again(alice: User, settings: Any) -> None:
    settings.RONDO_WEBHOOK_NETWORKS = outside.networks("127.0.0.1")
    token = make_api_token(system(), alice, "integration", scopes=["see", "integrate"])
    client = Client(headers={"authorization": f"Bearer {token}"})

    def call(verb: str, address: str, body: Any = None, status: int = 200) -> Any:
        response = client.generic(verb, address, "" if body is None else body, content_type="application/json")
        assert response.status_code == status, response.content
        return response.json()

    def send(verb: str, address: str, body: Any = None, status: int = 200) -> Any:
        return call(verb, address, json.dumps(body or {}), status)

    known = {one["key"] for one in call("GET", f"{START}/kinds")["data"]}
    assert {"customer.merged", "consent.changed", "segment.entered", "import.finished"} <= known
    bad = {"name": "Shop", "url": "http://169.254.169.254/", "kinds": ["customer.created"]}
    assert "never called" in send("POST", START, bad, 422)["detail"]
    assert "no kind of event" in send("POST", START, bad | {"url": "https://a.org", "kinds": ["x"]}, 422)["detail"]
    with receiving(500, 204) as receiver:
        made = send("POST", START, bad | {"url": receiver.url})
        here = f"{START}/{made['id']}"
        assert made["secret"].startswith("whsec_") and "secret" not in call("GET", here)
        row = customers.create_customer(system(), name="Ada")
        courier = Courier()
        courier.drain()
        (logged,) = call("GET", f"{here}/messages?status=waiting")["data"]
        whole = call("GET", f"/api/v1/webhook-messages/{logged['id']}")
        assert row.public_id in whole["body"] and whole["tries"][0]["status"] == 500
        assert send("POST", f"/api/v1/webhook-messages/{logged['id']}/replay")["status"] == "waiting"
        send("POST", f"{here}/ping")
        courier.drain()
        assert {one["status"] for one in call("GET", f"{here}/messages")["data"]} == {"ok"}
        page = call("GET", f"{here}/messages?limit=1")
        assert len(page["data"]) == 1 and len(call("GET", page["next"])["data"]) == 1
        span = [(timezone.now() + timedelta(hours=step)).isoformat() for step in (-1, 1)]
        body = {"since": span[0], "until": span[1], "only_failed": False}
        assert send("POST", f"{here}/replay", body) == {"count": 1}
        second = send("POST", f"{here}/secret")["secret"]
        courier.drain()
        courier.close()
        got = receiver.got[-1]
        assert signature_is_good(made["secret"], got.headers, got.body)
        assert signature_is_good(second, got.headers, got.body)
    assert send("DELETE", f"{here}/secret/former")["former_secret_until"] is None
    assert send("PATCH", here, {"state": "paused", "name": "Store"})["state"] == "paused"
    assert "is paused" in send("POST", f"{here}/ping", status=409)["detail"]
    call("DELETE", here)
    call("GET", here, status=404)
    assert send("POST", f"{here}/restore")["name"] == Endpoint.objects.get().name == "Store"


def test_a_secret_is_kept_nowhere_by_a_key_against_repeats(alice: User) -> None:
    token = make_api_token(system(), alice, "integration", scopes=["integrate"])
    client = Client(headers={"authorization": f"Bearer {token}", "idempotency-key": "k-1"})
    body = json.dumps({"name": "Shop", "url": "https://shop.example.org/", "kinds": ["customer.created"]})
    first, again = (client.post(START, body, content_type="application/json").json() for _n in range(2))
    assert first["secret"].startswith("whsec_") and again["secret"] == ""
    assert first["id"] == again["id"] and Endpoint.objects.count() == 1
    assert not ApiAnswer.objects.filter(body__contains=first["secret"]).exists()


def test_the_guide_runs_as_one_story(alice: User) -> None:
    token = make_api_token(system(), alice, "guide", scopes=["integrate"])
    client = Client(headers={"authorization": f"Bearer {token}"})
    variables: dict[str, str] = {}
    for verb, path, body in examples("api-webhooks.md"):
        for name, value in variables.items():
            path = path.replace(f"${name}", value)
        answer = client.generic(verb, f"/api/v1/{path}", body, content_type="application/json")
        assert answer.status_code == 200, (verb, path, answer.content)
        made = answer.json()
        kind = made.get("id", "").partition("_")[0]
        variables |= {"WEBHOOK": made["id"]} if kind == "wh" else {"MESSAGE": made["id"]} if kind == "de" else {}
    assert set(variables) == {"WEBHOOK", "MESSAGE"}
