"""What is sent by a page whose reader is no longer signed in, or is somebody else by now."""

import re

import pytest
from django.conf import settings
from django.test import Client

from rondo.foundation.models import Installation, User
from rondo.interactions.models import Interaction
from rondo.web.tests.customers_data import make_customer

pytestmark = pytest.mark.django_db


def test_what_one_typed_is_not_sent_in_the_name_of_another(installation: Installation, alice: User, bob: User) -> None:
    """The page of Alice is open when Bob signs in in the same browser: it gets no token to write as Bob, while Alice
    herself, signed in anew, gets one."""
    row = make_customer("Ada", owner=bob)
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    page = client.get(f"/customers/{row.public_id}/").content.decode()
    told, action = re.search(r"hx-headers='([^']+)'", page), re.search(r'id="composer"[^>]* action="([^"]+)"', page)
    assert told and action
    token, shown = re.findall(r'": "([^"]*)"', told[1])
    assert shown == str(alice.pk)
    headers = {"HX-Request": "true", "X-CSRFToken": token, "X-Viewer": shown}
    for reader, gets_one in ((bob, False), (alice, True)):
        client.force_login(reader)
        client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32  # signing in changes it
        answer = client.post(action[1], {"kind": "note", "body": "typed by Alice"}, headers=headers)
        assert answer.status_code == 403
        assert ('"token"' in answer.headers.get("HX-Trigger", "")) == gets_one
    assert not Interaction.objects.exists()


def test_an_address_that_is_none_leads_home(installation: Installation) -> None:
    answer = Client().get("/customers/", headers={"HX-Request": "true", "Referer": "http://[x"})
    assert (answer.status_code, "Sign in" in answer.headers["HX-Trigger"]) == (401, True)
