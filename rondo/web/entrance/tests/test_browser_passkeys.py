"""Passkeys in a real browser, under every page's policy: Chromium's virtual authenticator stands in for a device."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from rondo.foundation import invitations
from rondo.foundation.actors import Actor
from rondo.foundation.models import AuditEntry, User

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def device(page: "Page") -> "Iterator[Callable[[bool], None]]":
    """A device with a fingerprint reader; called with False it no longer knows the finger."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    def knows(finger: bool) -> None:
        told = {"authenticatorId": made["authenticatorId"], "isUserVerified": finger}
        session.send("WebAuthn.setUserVerified", told)

    yield knows
    session.detach()


def test_an_invited_person_comes_in_by_passkey_and_again_without_a_password(
    live_server: "LiveServer", page: "Page", device: Callable[[bool], None], alice: User
) -> None:
    """Invitation, passkey, codes, sign-out, sign-in by the passkey alone; a finger that is not known is told."""
    here = live_server.url.replace("127.0.0.1", "localhost")
    [row] = invitations.invite(Actor(alice, "web"), ["dora@example.org"], role="sales")
    page.goto(here + "/invitation/" + invitations.link_of(row).rpartition("/")[2])
    page.get_by_label("Your name").fill("Dora")
    page.get_by_role("button", name="Use a passkey instead").click()
    page.get_by_role("heading", name="Add a passkey").wait_for()
    page.goto(here + "/customers/")
    expect(page).to_have_url(here + "/welcome")  # before anything else
    page.goto(here + "/accounts/2fa/webauthn/add/")
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert len(page.locator("#recovery-codes").inner_text().split()) == 10
    page.goto(here + "/customers/")
    expect(page).to_have_url(here + "/customers/")
    page.goto(here + "/accounts/logout/")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()
    device(False)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("#passkey-trouble")).to_contain_text("Try again")
    device(True)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(here + "/")
    page.goto(here + "/profile/sign-in")
    expect(page.get_by_role("heading", name="You sign in with two factors")).to_be_visible()
    expect(page.get_by_text("passkey", exact=True).first).to_be_visible()
    told = list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True))
    assert told.count("user.signed_in") == 2 and "second_factor.passkey_added" in told
    assert not User.objects.get(email="dora@example.org").has_usable_password()
