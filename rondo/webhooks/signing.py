"""Secrets and signatures of webhooks, as Standard Webhooks has them (standardwebhooks.com, version 1.0.0).

A secret is made of the installation's key and a salt that the webhook keeps, so that neither the database nor a backup
of it holds one. Under another key (RONDO_SECRET_KEY) it is another secret: :func:`mark` tells, and nothing is sent.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from rondo.webhooks.models import Endpoint

PREFIX = "whsec_"


def new_salt() -> str:
    """A fresh salt."""
    return secrets.token_hex(32)


def secret_of(salt: str) -> str:
    """The secret of a salt, as it is shown once: ``whsec_`` and 32 bytes in base64."""
    return PREFIX + base64.b64encode(_bytes_of(salt)).decode()


def mark(salt: str) -> str:
    """What tells that the installation's key has changed; it tells nothing of the secret."""
    return hashlib.sha256(b"mark" + _bytes_of(salt)).hexdigest()[:16]


def headers(endpoint: Endpoint, message_id: str, moment: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a message, signed with the secret, and the one before it while that is good still."""
    stamp = str(int(moment.timestamp()))
    salts = [endpoint.salt]
    if endpoint.former_salt and endpoint.former_until is not None and moment < endpoint.former_until:
        salts.append(endpoint.former_salt)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(_signatures(salts, f"{message_id}.{stamp}.".encode() + body)),
    }


def _signatures(salts: Sequence[str], signed: bytes) -> list[str]:
    return ["v1," + base64.b64encode(hmac.digest(_bytes_of(salt), signed, "sha256")).decode() for salt in salts]


def _bytes_of(salt: str) -> bytes:
    return hmac.digest(settings.SECRET_KEY.encode(), b"rondo.webhooks:" + bytes.fromhex(salt), "sha256")
