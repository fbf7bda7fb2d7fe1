"""What holds for every answer: the content security policy, the viewer's language, the health endpoint."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from rondo.foundation import health
from rondo.foundation.jobs import leases
from rondo.foundation.models import ProcessBeat, User

pytestmark = pytest.mark.django_db


def test_every_page_is_under_a_policy_without_inline_scripts(client: Client) -> None:
    for address in ("/accounts/login/", "/health", "/no-such-page"):
        policy = client.get(address).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy


def test_the_users_language_comes_before_the_browsers(bob: User, signed_in: "Callable[[User], Client]") -> None:
    client = signed_in(bob)
    assert client.get("/health", headers={"accept-language": "de"}).headers["Content-Language"] == "de"
    User.objects.update(language="en")
    assert client.get("/health", headers={"accept-language": "de"}).headers["Content-Language"] == "en"


def test_healthy_with_a_worker_degraded_without(client: Client) -> None:
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["status"], answer.json()["worker_age_seconds"]) == (200, "degraded", None)
    leases.beat("w", "worker")
    answer = client.get("/health")
    assert answer.json()["status"] == "ok"
    assert 0 <= answer.json()["worker_age_seconds"] < 60
    ProcessBeat.objects.update(at=timezone.now() - timedelta(minutes=5))
    assert client.get("/health").json()["status"] == "degraded"


def test_a_database_that_does_not_answer_is_said_without_its_secrets(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> str:
        raise OperationalError("password=hunter2")

    monkeypatch.setattr(health, "_migrations", broken)
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "failing")
    assert "hunter2" not in answer.content.decode()


def test_open_migrations_are_counted(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from rondo.foundation.serving import prepare

    monkeypatch.setattr(prepare, "open_migrations", lambda: 3)
    health._applied.clear()
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["migrations"]) == (503, "3 to apply; run rondo migrate")
