"""Requests that are carried out once, however often they are sent: by the ``Idempotency-Key`` that they carry.

A key is claimed in the transaction that carries the request out, and the answer is kept in it, too: either both are
there or nothing happened. Whoever sends the same key meanwhile waits for that transaction to end, and is then given the
answer that it kept (on SQLite there is one writer anyway; on PostgreSQL the unique constraint makes the second wait).
"""

import hashlib
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.errors import InputError, StateError
from rondo.foundation.models import ApiAnswer, ApiToken

KEPT = timedelta(hours=24)
"""So long an answer is given again; afterwards the key is a new one."""
MOST = 255
_WAIT = "20s"


def checked_key(key: str) -> str:
    """The key as it is compared: quotation marks around it, which the draft of the standard asks for, are no part of
    it.

    Raises:
        InputError: it is empty, too long, or holds other than visible ASCII.
    """
    bare = key.strip()
    bare = bare[1:-1] if len(bare) > 1 and bare[0] == bare[-1] == '"' else bare
    if not 0 < len(bare) <= MOST or not all("!" <= sign <= "~" for sign in bare):
        raise InputError(
            _("Idempotency-Key: 1 to %(most)d visible ASCII characters are needed, such as a UUID.") % {"most": MOST}
        )
    return bare


def digest(*parts: bytes) -> str:
    """What tells whether two requests ask for the same."""
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "big") + part)
    return found.hexdigest()


def claim(token: ApiToken, key: str, request: str) -> tuple[ApiAnswer, bool]:
    """The row of a key, and whether it is new: the request has to be carried out then, and its answer to be kept in the
    transaction in force. Else it holds the answer, or, of a call in portions that did not end, ``done`` items.

    Raises:
        InputError: the key came with another request. StateError: the answer is kept no more, or another process has
        just let go of it.
    """
    mine = ApiAnswer.objects.filter(token=token, key=key)
    mine.filter(at__lte=timezone.now() - KEPT).delete()
    try:
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL lock_timeout = '{_WAIT}'")
            row = ApiAnswer.objects.create(token=token, key=key, request=request)
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
            return row, True
    except IntegrityError:
        held = mine.first()
    if held is None:
        raise StateError(_("The answer to this Idempotency-Key has just expired; send the request again."))
    if held.request != request:
        raise InputError(
            _("Idempotency-Key %(key)s came with another request before; take a new key for each request.")
            % {"key": key[:60]}
        )
    if not held.status and held.done is None:
        raise StateError(_("This request was carried out; its answer is kept no more. Read what it was about."))
    return held, False


def keep(row: ApiAnswer, status: int, headers: dict[str, str], body: str, seen: dict[str, Any]) -> None:
    """Keep the answer to a request that was carried out, in its transaction, and what its caller saw then."""
    ApiAnswer.objects.filter(pk=row.pk).update(status=status, headers=headers, body=body, seen=seen, done=None)


def keep_part(row: ApiAnswer, done: int, body: str, seen: dict[str, Any]) -> None:
    """Keep what became of the first ``done`` items of a call, in the transaction that did the last of them."""
    ApiAnswer.objects.filter(pk=row.pk).update(body=body, seen=seen, done=done)


def present(row: ApiAnswer) -> ApiAnswer:
    """The row as it stands now; nobody else goes on with the call until the transaction in force ends.

    Raises:
        StateError: it is kept no more.
    """
    held = ApiAnswer.objects.select_for_update(no_key=True).filter(pk=row.pk).first()
    if held is None:
        raise StateError(_("The answer to this Idempotency-Key has just expired; send the request again."))
    return held


def forget_old() -> int:
    """Remove what is given to nobody any more; returns how many rows."""
    return ApiAnswer.objects.filter(at__lte=timezone.now() - KEPT).delete()[0]


def forget_what_was_said() -> int:
    """Take all answers away, since they tell of customers, and leave the keys: for erasure. A request that is sent
    again is not carried out a second time; it is told that its answer is gone."""
    return ApiAnswer.objects.exclude(status=0, body="").update(status=0, headers={}, body="")
