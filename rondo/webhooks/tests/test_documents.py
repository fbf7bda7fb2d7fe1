"""What docs/webhooks.md says: its code verifies what is sent, its table lists the kinds."""

import base64
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from rondo.webhooks import signing
from rondo.webhooks.kinds import KINDS, PING
from rondo.webhooks.models import Endpoint

TEXT = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()


def test_the_code_of_the_document_verifies_what_is_sent_and_nothing_else() -> None:
    names: dict[str, Any] = {}
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    exec(code, names)  # the document's own text
    verified, now = names["verified"], timezone.now()
    salt, former = signing.new_salt(), signing.new_salt()
    row = Endpoint(salt=salt, former_salt=former, former_until=now + timedelta(hours=1))
    body = b'{"type":"customer.created"}'
    headers = signing.headers(row, "ev_x", now, body)
    assert verified(signing.secret_of(salt), headers, body) and verified(signing.secret_of(former), headers, body)
    assert not verified(signing.secret_of(signing.new_salt()), headers, body)
    assert not verified(signing.secret_of(salt), headers, body + b" ")
    assert not verified(signing.secret_of(salt), headers | {"webhook-id": "ev_y"}, body)
    late = signing.headers(row, "ev_x", now - timedelta(minutes=6), body)
    assert not verified(signing.secret_of(salt), late, body)


def test_every_kind_is_documented() -> None:
    assert set(re.findall(r"^\| `([a-z.]+_?[a-z]*)` \|", TEXT, re.MULTILINE)) == {*KINDS, PING}


def test_the_example_of_the_standard_is_signed_as_the_standard_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worked example of the specification's own libraries: secret, id, timestamp and body give this signature."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    monkeypatch.setattr(signing, "_bytes_of", lambda salt: key)
    moment = datetime.fromtimestamp(1614265330, tz=UTC)
    found = signing.headers(Endpoint(salt="x"), "msg_p5jXN8AQM9LWM0D4loKWxJek", moment, b'{"test": 2432232314}')
    assert found["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
