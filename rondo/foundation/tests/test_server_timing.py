"""The header that says how long an answer took."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

pytestmark = pytest.mark.django_db


def test_an_answer_says_how_long_it_took_and_how_often_it_asked_where_that_is_set(
    alice: Any, signed_in: Any, settings: Any
) -> None:
    client = signed_in(alice)
    assert "Server-Timing" not in client.get("/profile/").headers
    settings.MIDDLEWARE = ["rondo.foundation.middleware.ServerTiming", *settings.MIDDLEWARE]
    client = signed_in(alice)
    with CaptureQueriesContext(connection) as caught:
        told = client.get("/profile/").headers["Server-Timing"]
    found = re.fullmatch(r'total;dur=([\d.]+), cpu;dur=([\d.]+), db;dur=([\d.]+);desc="(\d+) queries"', told)
    assert found is not None and int(found[4]) == len(caught) > 0
    assert 0 < float(found[3]) < float(found[1]) and float(found[2]) > 0
