"""Sessions are those of Django, whoever wrote them: found, ended, run out, unknown."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from rondo.foundation.session_store import SessionStore

pytestmark = pytest.mark.django_db


def test_a_session_that_an_earlier_version_wrote_is_read_and_the_other_way_round() -> None:
    theirs, ours = DatabaseStore(), SessionStore()
    for store in (theirs, ours):
        store["who"] = "Ann"
        store.save()

    assert SessionStore(theirs.session_key)["who"] == DatabaseStore(ours.session_key)["who"] == "Ann"


def test_a_session_that_is_over_is_none() -> None:
    store = SessionStore()
    store["who"] = "Ann"
    store.save()
    key = store.session_key
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    again = SessionStore(key)
    assert again.get("who") is None and again.session_key is None  # whoever comes with it gets a new key


@pytest.mark.parametrize("key", ["x" * 32, None])
def test_an_unknown_session_is_none(key: str | None) -> None:
    store = SessionStore(key)
    assert store.get("who") is None and store.session_key is None


def test_a_page_takes_a_session_of_before_and_none_that_was_ended(alice: Any, client: Any) -> None:
    client.force_login(alice)
    assert client.get("/profile/").status_code == 200
    Session.objects.all().delete()
    assert client.get("/profile/").status_code == 302
