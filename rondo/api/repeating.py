"""A request that carries an ``Idempotency-Key`` is carried out once, however often it is sent.

The operation runs in a transaction that also claims the key and keeps the answer (:mod:`rondo.foundation.api_answers`);
it is opened once the token is known and the request understood, and ends when the answer stands. Only what succeeded is
kept: an error changed nothing, so the same key may be tried again.

A call for many items (:mod:`rondo.api.bulk`) is of several transactions, each of which keeps what became of the items
so far: sent again, it goes on where it stopped.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from rondo.api.auth import viewer
from rondo.foundation import api_answers
from rondo.foundation.models import ApiAnswer

KEY = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
_TOLD = ("Content-Type", "ETag", "Location")
_GUARD = "_rondo_guard"


class Guard:
    """The transaction of one request, if it carries a key."""

    def __init__(self) -> None:
        self.stack = ExitStack()
        self.claimed: ApiAnswer | None = None
        self.seen: dict[str, Any] = {}
        self.is_first = True
        self.is_open = False

    def open(self) -> None:
        """Begin the transaction."""
        self.stack.enter_context(transaction.atomic())
        self.is_open = True

    def next(self, pause: float) -> None:
        """End the transaction, and begin another one after so many seconds."""
        self.is_first = False
        self.stack.close()
        time.sleep(pause)
        self.open()

    def keep(self, response: HttpResponse) -> None:
        """Keep an answer that says that something was done; undo what an error left half done."""
        if self.is_open and response.status_code >= 300:
            transaction.set_rollback(True)
        elif self.claimed is not None and not response.streaming:
            headers = {name: response.headers[name] for name in _TOLD if name in response.headers}
            body = _without_secret(response.content.decode())
            api_answers.keep(self.claimed, response.status_code, headers, body, self.seen)


def guard_of(request: HttpRequest) -> Guard | None:
    """The guard of a request that has claimed a key; None of another one."""
    guard: Guard | None = getattr(request, _GUARD, None)
    return guard if guard is not None and guard.claimed is not None else None


def _without_secret(body: str) -> str:
    """An answer as it is kept: what is told once (the secret of a webhook) is kept nowhere, and is empty in it."""
    if '"secret"' not in body:
        return body
    answer = json.loads(body)
    return json.dumps({**answer, "secret": ""}) if isinstance(answer, dict) and "secret" in answer else body


@contextmanager
def guarded(request: HttpRequest) -> Iterator[Guard]:
    """The guard of a request; its transaction ends with the block."""
    guard = Guard()
    setattr(request, _GUARD, guard)
    with guard.stack:
        yield guard


def once(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap an operation so that a key it comes with is claimed, or the answer given that the key had before."""

    @wraps(operation)
    def carried_out(request: HttpRequest, *args: Any, **values: Any) -> Any:
        given = request.headers.get(KEY)
        token = viewer(request).token
        guard: Guard | None = getattr(request, _GUARD, None)
        if given is None or token is None or guard is None or request.method in ("GET", "HEAD"):
            return operation(request, *args, **values)
        key = api_answers.checked_key(given)
        asked = (str(request.method), request.get_full_path(), request.headers.get("If-Match", ""))
        guard.open()
        row, is_new = api_answers.claim(token, key, api_answers.digest(*map(str.encode, asked), _sent(request)))
        if not is_new and row.done is None:
            return HttpResponse(again(request, row), status=row.status, headers={**row.headers, REPLAYED: "true"})
        guard.claimed, guard.seen, guard.is_first = row, _sight(request), is_new
        return operation(request, *args, **values)

    return carried_out


def again(request: HttpRequest, row: ApiAnswer) -> str:
    """A kept answer as its caller may know it by now."""
    from rondo.api.showing import told_again

    return told_again(viewer(request), row.body, row.seen)


def _sight(request: HttpRequest) -> dict[str, Any]:
    from rondo.api.showing import sight

    return sight(viewer(request))


def keep_no_answer(request: HttpRequest) -> None:
    """The answer to this request holds a secret, which nothing keeps: sent again with its key, the request is not
    carried out a second time, and is told that its answer is gone."""
    guard: Guard | None = getattr(request, _GUARD, None)
    if guard is not None:
        guard.claimed = None


def _sent(request: HttpRequest) -> bytes:
    """What a request brings; of files, which may be large, their names and sizes."""
    if request.content_type != "multipart/form-data":
        return request.body
    files = sorted((name, one.name, one.size) for name, some in request.FILES.lists() for one in some)
    return repr((sorted(request.POST.lists()), files)).encode()
