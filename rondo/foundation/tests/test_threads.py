"""Web processes keep what belongs to a request in plain thread locals."""

import threading
from typing import Any

import pytest
from asgiref.local import Local
from django.db import connection, connections
from django.urls import get_script_prefix, reverse, set_script_prefix
from django.utils import timezone, translation

from rondo.foundation.serving import threads


@pytest.fixture
def in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a web process, for as long as a test lasts; connections stay, since the test's own transaction is open."""
    kept = [getattr(holder, name) for holder, name in threads.HELD]
    assert all(isinstance(one, Local) for one in kept)  # else this Django keeps it elsewhere
    for holder, name in threads.HELD:
        monkeypatch.setattr(holder, name, getattr(holder, name))
    with monkeypatch.context() as without:
        without.setattr(connections, "close_all", lambda: None)
        threads.use_threads()
    assert all(type(getattr(holder, name)) is threading.local for holder, name in threads.HELD)


@pytest.mark.usefixtures("in_threads")
def test_each_thread_has_its_own() -> None:
    told: dict[str, Any] = {}

    def of(language: str, zone: str) -> None:
        with translation.override(language), timezone.override(zone):
            set_script_prefix(f"/{language}/")
            told[language] = (translation.get_language(), timezone.get_current_timezone_name(), reverse("home"))

    of("de", "Europe/Berlin")
    other = threading.Thread(target=of, args=("en", "America/Lima"))
    other.start()
    other.join()
    assert told == {"de": ("de", "Europe/Berlin", "/de/"), "en": ("en", "America/Lima", "/en/")}
    assert get_script_prefix() == "/de/"


@pytest.mark.usefixtures("in_threads")
def test_connections_are_made_anew_for_each_thread() -> None:
    mine = connections[connection.alias]
    found: list[Any] = []
    other = threading.Thread(target=lambda: found.append(connections["default"]))
    other.start()
    other.join()
    assert found[0] is not mine and connections["default"] is mine
