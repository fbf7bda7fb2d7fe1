"""The whole OpenAPI document against the server: generated requests meet no error of ours, a generated client works.

What is generated is seeded, so that the suite sends the same requests everywhere.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.test import Client as DjangoClient
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from rondo.api.tests.conftest import Shop
from rondo.customers.models import Customer
from rondo.foundation.actors import system
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.models import User
from rondo.foundation.rights import RIGHTS

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

pytestmark = pytest.mark.django_db
EXAMPLES = 5
PROGRAM = """
import sys
from rondo_client import AuthenticatedClient
from rondo_client.api.customers import create_customer, list_customers, update_customer
from rondo_client.models import CustomerMade, CustomerPatch, IdentifierIn, IdentifierInKind

client = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2])
mail = IdentifierIn(kind=IdentifierInKind.EMAIL, value="ada@rondo-crm.de")
ada = CustomerMade(given_name="Ada", family_name="King", identifiers=[mail])
made = create_customer.sync_detailed(client=client, body=ada, idempotency_key="1")
print(int(made.status_code), made.parsed.id, made.parsed.name)
again = create_customer.sync_detailed(client=client, body=ada)
print(int(again.status_code), again.parsed.customer.id)
print([one.name for one in list_customers.sync(client=client).data])
for tag in (made.headers["ETag"], made.headers["ETag"]):
    done = update_customer.sync_detailed(made.parsed.id, client=client, body=CustomerPatch(language="en"), if_match=tag)
    print(int(done.status_code), *([done.parsed.language] if done.status_code == 200 else []))
"""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def closing(application: Any) -> Any:
    """A WSGI application whose answers are read and closed, as every server does and Schemathesis does not: what a
    request opened, uploads among it, is closed with its answer."""

    def answer(environ: Any, start_response: Any) -> list[bytes]:
        told = application(environ, start_response)
        try:
            return [b"".join(told)]
        finally:
            told.close()

    return answer


@pytest.fixture
def operations(shop: Shop, alice: User, settings: Any) -> Iterator[list[Any]]:
    settings.RONDO_API_RATE = 0
    shop.order(shop.customer("Ada"))
    token = make_api_token(system(), alice, "generated", scopes=RIGHTS)
    for signal in (request_started, request_finished):  # as Django's own client does: the test's connection stays
        signal.disconnect(close_old_connections)
    document = schemathesis.openapi.from_wsgi("/api/openapi.json", closing(get_wsgi_application()))
    headers = {"Authorization": f"Bearer {token}"}
    yield [(one.ok(), headers) for one in document.get_all_operations()]  # type: ignore[union-attr]
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def test_generated_requests_meet_no_error_of_ours(operations: list[Any]) -> None:
    """Each is undone, so that none depends on those before it."""
    failed: list[str] = []
    answered: set[int] = set()
    for operation, headers in operations:
        try:
            answered |= send_some(operation, headers)
        except BaseExceptionGroup as group:
            failed += [f"{operation.label}: {error}" for error in group.exceptions]
    assert not failed, "\n\n".join(failed)
    assert {200, 404, 422} <= answered, "some are usable"


def send_some(operation: Any, headers: dict[str, str]) -> set[int]:
    """Send generated requests of one operation, and hold each answer against the document; the statuses of them."""
    answered = set()

    @seed(17)
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        with transaction.atomic():
            response = case.call(headers=headers)
            transaction.set_rollback(True)
        answered.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    send()
    return answered


@pytest.mark.django_db(transaction=True)
def test_a_client_generated_from_the_document_makes_lists_and_changes(
    live_server: "LiveServer", shop: Shop, alice: User, tmp_path: Path
) -> None:
    """In a process of its own, as a program elsewhere does: with an address, a token, and what was generated."""
    (tmp_path / "document.json").write_bytes(DjangoClient().get("/api/openapi.json").content)
    (tmp_path / "how.yml").write_text("post_hooks: []\n")
    run = ["-m", "openapi_python_client", "generate", "--path", "document.json", "--config", "how.yml"]
    run += ["--output-path", "rondo_client", "--meta", "none"]
    made = subprocess.run([sys.executable, *run], cwd=tmp_path, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    token = make_api_token(system(), alice, "generated", scopes=["see", "edit"])
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, live_server.url, token],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stderr
    first, refused, listed, changed, stale = told.stdout.split("\n")[:5]
    row = Customer.objects.get()
    assert first == f"201 {row.public_id} Ada King" and refused == f"409 {row.public_id}"
    assert (listed, changed, stale) == ("['Ada King']", "200 en", "412")
    assert row.language == "en"
