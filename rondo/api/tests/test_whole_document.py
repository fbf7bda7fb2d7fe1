"""The whole OpenAPI document against the server: generated requests meet no error of ours, a generated client works.

What is generated is seeded, so that the suite sends the same requests everywhere.
"""

import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
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

from rondo.analysis.segments.actions import create_with_members
from rondo.api.references import USER
from rondo.api.tests.conftest import Shop
from rondo.api.v1.service import api
from rondo.customers.actions import new_attribute
from rondo.customers.models import Customer
from rondo.foundation import ids
from rondo.foundation.accounts import change_user
from rondo.foundation.actors import Actor, system
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.installation import change_installation
from rondo.foundation.models import Installation, User
from rondo.foundation.rights import RIGHTS
from rondo.lists.actions import save_view
from rondo.lists.states import State

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
ONE_FIELD_EACH = """
import sys
from rondo_client import AuthenticatedClient
from rondo_client.api.attributes import change_attribute
from rondo_client.api.lists import change_view
from rondo_client.api.people import change_user
from rondo_client.api.segments import change_segment
from rondo_client.api.settings import change_settings
from rondo_client.models import AttributeFields, CompanyFields, SegmentFields, UserFields, ViewFields

client = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2])
for call, key, body in (
    (change_user, sys.argv[3], UserFields(name="Ada")),
    (change_settings, None, CompanyFields(company="Corner Shops")),
    (change_attribute, "shoe_size", AttributeFields(label_en="Size of shoes")),
    (change_view, sys.argv[4], ViewFields(name="Homes")),
    (change_segment, "households", SegmentFields(name="Homes")),
):
    done = call.sync_detailed(*([key] if key else []), client=client, body=body)
    print(int(done.status_code))
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


def test_no_field_of_a_change_has_a_default_that_a_generated_client_would_send() -> None:
    document = api.get_openapi_schema()
    bodies = {
        path: methods["patch"]["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for path, methods in document["paths"].items()
        if "patch" in methods
    }
    schemas = document["components"]["schemas"]
    assert len(bodies) > 10
    assert [
        f"{path}: {name}"
        for path, body in bodies.items()
        for name, field in schemas[body]["properties"].items()
        if "default" in field
    ] == [], "the body of a PATCH is one of rondo.api.writing.Fields"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a client that was generated from the document."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "document.json").write_bytes(DjangoClient().get("/api/openapi.json").content)
    (folder / "how.yml").write_text("post_hooks: []\n")
    run = ["-m", "openapi_python_client", "generate", "--path", "document.json", "--config", "how.yml"]
    run += ["--output-path", "rondo_client", "--meta", "none"]
    made = subprocess.run([sys.executable, *run], cwd=folder, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


def told_by(program: str, folder: Path, *arguments: str) -> list[str]:
    """What a program with the generated client prints, in a process of its own, as one elsewhere does: with an address,
    a token, and what was generated."""
    run = [sys.executable, "-W", "ignore", "-c", program, *arguments]
    told = subprocess.run(run, cwd=folder, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    return told.stdout.split("\n")


@pytest.mark.django_db(transaction=True)
def test_a_client_generated_from_the_document_makes_lists_and_changes(
    live_server: "LiveServer", shop: Shop, alice: User, generated: Path
) -> None:
    token = make_api_token(system(), alice, "generated", scopes=["see", "edit"])
    first, refused, listed, changed, stale = told_by(PROGRAM, generated, live_server.url, token)[:5]
    row = Customer.objects.get()
    assert first == f"201 {row.public_id} Ada King" and refused == f"409 {row.public_id}"
    assert (listed, changed, stale) == ("['Ada King']", "200 en", "412")
    assert row.language == "en"


@pytest.mark.django_db(transaction=True)
def test_a_generated_client_that_changes_one_field_changes_nothing_else(
    live_server: "LiveServer", installation: Installation, alice: User, charlie: User, generated: Path
) -> None:
    change_installation(system(), margin_rate=Decimal("0.3"), discount_rate=Decimal("0.1"), horizon_months=24)
    change_user(system(), charlie, is_active=False)
    given: dict[str, Any] = {"label_en": "Shoe size", "label_de": "Schuhgröße", "type": "text", "form": "geographic"}
    shoe_size = new_attribute(system(), "shoe_size", **given, unique=True, visible_to=["sales"])
    view, _entry = save_view(Actor(alice, "web"), "Households", State(("kind:is:household",)), shared=True)
    more = {"description": "Who live together", "form": "demographic"}
    segment = create_with_members(Actor(alice, "web"), [], name="Households", text="kind = household", **more)
    rows: list[Any] = [charlie, installation, shoe_size, view, segment]
    before = [as_it_stands(row) for row in rows]
    token = make_api_token(system(), alice, "generated", scopes=RIGHTS)
    answered = told_by(ONE_FIELD_EACH, generated, live_server.url, token, ids.encode(USER, charlie.pk), view.key)
    assert answered == ["200"] * 5 + [""]
    moved = [
        {name for name, value in as_it_stands(row).items() if value != former[name]} - {"version", "changed_at"}
        for row, former in zip(rows, before, strict=True)
    ]
    assert moved == [{"name"}, {"company"}, {"label_en"}, {"name"}, {"name"}]


def as_it_stands(row: Any) -> dict[str, Any]:
    """All columns of a record."""
    found: dict[str, Any] = type(row)._base_manager.values().get(pk=row.pk)
    return found
