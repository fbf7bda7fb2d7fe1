"""Tokens: who comes in, who does not, and that every refusal is a problem document."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rondo.api.problems import MEDIA_TYPE
from rondo.foundation.actors import system
from rondo.foundation.api_tokens import revoke_api_token
from rondo.foundation.models import ApiToken, Role, User

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/customers"


def refused(client: Client, status: int, address: str = ADDRESS) -> dict[str, object]:
    response = client.get(address)
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == MEDIA_TYPE
    body: dict[str, object] = response.json()
    assert body["status"] == status
    assert body["instance"] == address
    assert body["detail"]
    return body


def test_without_a_token_nobody_comes_in() -> None:
    refused(Client(), 401)
    assert Client().get(ADDRESS).headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer nonsense", "Basic YTpi", "Token abc", "\x7f"])
def test_what_is_no_token_is_refused(header: str) -> None:
    refused(Client(headers={"authorization": header}), 401)


def test_a_token_opens_the_door_of_its_user(client_of: Callable[[User], Client], alice: User) -> None:
    response = client_of(alice).get(ADDRESS)
    assert response.json() == {"data": [], "next": None}
    assert response.headers["Cache-Control"] == "private, no-store"


def test_a_session_is_no_token(signed_in: Callable[[User], Client], alice: User) -> None:
    refused(signed_in(alice), 401)


def test_an_expired_token_is_refused(client_of: Callable[[User], Client], alice: User) -> None:
    client = client_of(alice)
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    refused(client, 401)


def test_a_revoked_token_is_refused_at_once(client_of: Callable[[User], Client], alice: User) -> None:
    client = client_of(alice)
    assert client.get(ADDRESS).status_code == 200
    revoke_api_token(system(), ApiToken.objects.get().pk)
    refused(client, 401)


def test_the_token_of_an_inactive_user_is_refused(client_of: Callable[[User], Client], alice: User) -> None:
    client = client_of(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    refused(client, 401)


def test_a_user_without_the_right_to_see_is_refused(client_of: Callable[[User], Client], alice: User) -> None:
    client = client_of(alice)
    User.objects.filter(pk=alice.pk).update(role=Role.objects.create(key="guest", name="guest"))
    assert "guest" in str(refused(client, 403)["detail"])


def test_the_last_use_is_kept_at_most_once_a_minute(client_of: Callable[[User], Client], alice: User) -> None:
    client = client_of(alice)
    client.get(ADDRESS)
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get(ADDRESS)
    assert ApiToken.objects.get().last_used_at == first
    assert not [query for query in queries.captured_queries if query["sql"].startswith("UPDATE")]
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    client.get(ADDRESS)
    again = ApiToken.objects.get().last_used_at
    assert again is not None and again >= first


@pytest.mark.parametrize("address", ["/api/v1/nothing", "/api/v1/", "/api/v2/customers", "/api/", "/api/v1/customers/"])
def test_unknown_addresses_answer_with_a_problem(
    client_of: Callable[[User], Client], alice: User, address: str
) -> None:
    refused(client_of(alice), 404, address)


def test_another_method_is_refused_and_told_which_is_right(client_of: Callable[[User], Client], alice: User) -> None:
    response = client_of(alice).post("/api/v1/facts")
    assert response.status_code == 405
    assert response.headers["Content-Type"] == MEDIA_TYPE
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_head_answers_as_get_without_a_body(client_of: Callable[[User], Client], alice: User) -> None:
    response = client_of(alice).head(ADDRESS)
    assert (response.status_code, response.content) == (200, b"")
    assert Client().head(ADDRESS).status_code == 401


def test_options_names_the_methods_and_opens_nothing_to_pages_of_others() -> None:
    """A page from elsewhere may not call the API: no header of CORS is ever sent."""
    asked = {"origin": "https://elsewhere.example", "access-control-request-method": "GET"}
    response = Client().options("/api/v1/facts", headers=asked)
    assert (response.status_code, response.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")
    assert not [name for name in response.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    ("query", "pointer", "said"),
    [
        ("limt=3", "query/limt", "limit"),
        ("kind=person&kind=household", "query/kind", "2 times"),
        ("limit=1&limit=2", "query/limit", "2 times"),
        ("=1", "query/", "no such parameter"),
    ],
)
def test_parameters_that_are_not_there_are_refused_not_ignored(
    client_of: Callable[[User], Client], alice: User, query: str, pointer: str, said: str
) -> None:
    response = client_of(alice).get(f"{ADDRESS}?{query}")
    assert response.status_code == 422
    (found,) = response.json()["errors"]
    assert found["pointer"] == pointer and said in found["detail"]
    assert Client().get(f"{ADDRESS}?{query}").status_code == 401, "who is unknown learns no parameters"


def test_a_failure_tells_nothing_of_the_inside(
    client_of: Callable[[User], Client], alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("table customers_customer is on fire")

    monkeypatch.setattr("rondo.customers.queries.visible", broken)
    body = refused(client_of(alice), 500)
    assert "fire" not in str(body)
    assert "on fire" in caplog.text


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "query/limit"),
        ("limit=201", "query/limit"),
        ("limit=many", "query/limit"),
        ("kind=robot", "query/kind"),
        ("created_since=yesterday", "query/created_since"),
        ("created_since=2017-01-01T00:00:00", "query/created_since"),
        ("created_since=0001-01-01T00:00:00%2B14:00", "query/created_since"),
    ],
)
def test_unusable_parameters_are_named(
    client_of: Callable[[User], Client], alice: User, query: str, pointer: str
) -> None:
    response = client_of(alice).get(f"{ADDRESS}?{query}")
    assert response.status_code == 422
    assert response.headers["Content-Type"] == MEDIA_TYPE
    assert [found["pointer"] for found in response.json()["errors"]] == [pointer]


@pytest.mark.parametrize("cursor", ["x", "%00", "k_", "k_22222222222222222222", "c_63f5aiwm", "K", "t_k_.k_"])
def test_a_made_up_cursor_is_refused(client_of: Callable[[User], Client], alice: User, cursor: str) -> None:
    response = client_of(alice).get(f"{ADDRESS}?cursor={cursor}")
    assert response.status_code == 422
    assert "next" in response.json()["detail"]
