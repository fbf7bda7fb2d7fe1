"""Addresses that nobody's browser writes: they are refused with a page that says so, and never fail the server."""

import base64
from typing import Any

import pytest

from rondo.foundation.models import User
from rondo.web.tests.customers_data import give_score, make_attributes, make_customer, set_value

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(installation: Any, alice: Any, signed_in: Any) -> Any:
    """Alice, who sees everybody, and two customers."""
    attributes = make_attributes()
    for number, name in enumerate(("Ada", "Bea")):
        row = make_customer(name)
        give_score(row, value=100 * number, orders=number, alive=0.5, favourite_category="TEA")
        set_value(row, attributes["city"], text="Ulm")
    return signed_in(alice)


def cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize("value", ["null", "1e400", "-1e400", "NaN", "1" + "0" * 400])
@pytest.mark.parametrize("sort", ["value", "-orders", "alive"])
def test_a_position_holds_a_number_that_a_column_can_hold(client: Any, sort: str, value: str) -> None:
    response = client.get(f"/customers/?sort={sort}&after=" + cursor(f'["{sort}","known",{value},1]'))
    assert response.status_code == 400


@pytest.mark.parametrize("value", ["null", r'"\u0000"', r'"\ud800"', "1"])
@pytest.mark.parametrize("sort", ["name", "favourite_category", "attr.city"])
def test_a_position_holds_a_text_that_a_column_can_hold(client: Any, sort: str, value: str) -> None:
    response = client.get(f"/customers/?sort={sort}&after=" + cursor(f'["{sort}","known",{value},1]'))
    assert response.status_code == 400


def test_a_position_is_not_read_however_deep(client: Any) -> None:
    assert client.get("/customers/?after=" + cursor("[" * 2900)).status_code == 400


@pytest.mark.parametrize(
    "address",
    [
        "/customers/?q=abc%00de",
        "/customers/?f=favourite_category:is:%00",
        "/customers/count?f=owner:is:%00",
        "/palette?q=abcd%00",
        "/campaigns/?type=%00",
    ],
)
def test_a_nul_is_refused(client: Any, address: str) -> None:
    assert client.get(address).status_code == 400


@pytest.mark.parametrize("address", ["/accounts/email/", "/accounts/confirm-email/", "/accounts/confirm-email/x/"])
def test_nobody_changes_the_address_they_sign_in_by(client: Any, alice: User, address: str) -> None:
    assert client.get(address).status_code == 404
    client.post(address, {"action_add": "", "email": "other@example.org"})
    client.post(address, {"action_primary": "", "email": "other@example.org"})
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"
