"""The version of what can be read alone: an ``ETag`` on every such read, ``304`` where it is asked for again and is the
same, and ``If-Match`` on whatever changes it.

An operation knows nothing of it. The one that reads a thing declares which rows it is made of::

    @router.get("/teams/{team_id}", openapi_extra=alone(lambda team_id: Team.objects.filter(pk=...)), ...)

and every operation at that address, or below it, that is no GET heeds ``If-Match``: the rows are held, the thing is
read as its reader tells it, and the change is refused (412) where that is not what the caller has seen.

A tag has two parts, ``"STATE-SHOWN"``. The state is what people change; a change is held to it alone, so that a
number counted anew (the size of a segment) refuses nobody. What is shown is a digest of the answer in its language:
a read is answered with 304 only where all of it is the same.
"""

import hashlib
import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from ninja import Router, Schema, Status

from rondo.api.references import CHANGE
from rondo.api.writing import MATCHES, NONE, check_match, say, told_etag
from rondo.errors import NotFound, PermissionRefused
from rondo.foundation import ids
from rondo.foundation.installation import forget
from rondo.foundation.models import AuditEntry

ALONE, GONE, UNDOES = "x-alone", "x-gone", "x-undoes"
"""Where the declaration of a read stands, of what puts a deleted thing back, and of what takes changes back, until the
document is made."""
_ONE = "_rondo_one"
_LANGUAGE = "en"
_NEVER_STATE = frozenset({"change", "secret"})


@dataclass(frozen=True)
class Thing:
    """What can be read alone: who reads it, with which parts of the address, the rows to hold while it changes, and
    which fields of the answer are counted or noted, not changed by people."""

    read: Callable[..., Schema]
    rows: Callable[..., QuerySet[Any]]
    first: Callable[..., object] | None
    counted: frozenset[str]
    names: frozenset[str]

    def hold(self, address: Mapping[str, Any]) -> None:
        """Lock the rows until the transaction ends, or, where there are none yet, their making; and keep nothing that
        was read before. What those lock first who change it is locked first here, too, so that nobody waits in
        vain; and rows that only refer to these wait for nothing."""
        forget()
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                    [repr((self.read.__qualname__, sorted(self._of(address).items())))],
                )
        if self.first is not None:
            self.first(**self._of(address))
        rows = self.rows(**self._of(address)).select_for_update(of=("self",), no_key=True)
        list(rows.order_by("pk").values_list("pk", flat=True))

    def state(self, request: HttpRequest, address: Mapping[str, Any]) -> str | None:
        """The tag of its state, whatever language is in force; None where it is not there, or not the reader's."""
        try:
            with translation.override(_LANGUAGE):
                return self.state_of(self.read(request, **self._of(address)))
        except (NotFound, PermissionRefused):
            return None

    def state_of(self, answer: Schema) -> str:
        """The tag of the state that an answer tells, given in English."""
        told = _without(answer.model_dump(mode="json"), self.counted | _NEVER_STATE)
        if "version" in told:
            told = {name: told[name] for name in ("id", "key", "version") if name in told}
        return f'"{_digest(json.dumps(told, sort_keys=True).encode())}"'

    def _of(self, address: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in address.items() if name in self.names}


_reads: dict[str, Thing] = {}
_changes: dict[tuple[str, str], Thing] = {}
_gone: dict[str, Thing] = {}
_undone: dict[str, dict[str, tuple[str, Callable[[int], str]]]] = {}


def alone(
    rows: Callable[..., QuerySet[Any]], *counted: str, first: Callable[..., object] | None = None
) -> dict[str, Any]:
    """What a read of one thing is declared with (``openapi_extra``): ``rows`` finds, by the parts of the address, what
    it is made of; ``counted`` names fields of the answer that are not its state; ``first`` takes the locks that its
    changes take before they lock the thing itself."""
    return {ALONE: (rows, first, frozenset(counted))}


def gone(read: Callable[..., Schema]) -> dict[str, Any]:
    """What puts a deleted thing back is declared with: ``read`` tells the thing, deleted or not, which its own reader
    tells no more. The answer to the deletion has the version that ``If-Match`` is held to here."""
    return {GONE: read}


def undoes(**things: tuple[str, Callable[[int], str]]) -> dict[str, Any]:
    """What takes changes back by their id is declared with: by type of the record that was changed the address at which
    it is read alone, and what stands in that for the key of the record. ``If-Match`` is held to that thing."""
    return {UNDOES: things}


def declare(routers: Iterable[Router]) -> None:
    """Know all things, and the operations that change one."""
    found = [
        (method, path, operation)
        for router in routers
        for path, address in router.path_operations.items()
        for operation in address.operations
        for method in operation.methods
    ]
    for _method, path, operation in found:
        if declared := (operation.openapi_extra or {}).get(ALONE):
            rows, first, counted = declared
            names = frozenset(re.findall(r"{(\w+)}", path))
            _reads[path] = Thing(inspect.unwrap(operation.view_func), rows, first, counted, names)
    for method, path, operation in found:
        if undone := (operation.openapi_extra or {}).get(UNDOES):
            assert all(place in _reads for place, _name in undone.values()), path
            _undone[path] = undone
        thing = _above(path)
        if method == "GET" or thing is None or (operation.openapi_extra or {}).get(MATCHES) == NONE:
            continue
        if read := (operation.openapi_extra or {}).get(GONE):
            thing = _gone[path.rpartition("/")[0]] = replace(thing, read=read)
        _changes[method, path] = thing


def heeds(method: str, path: str) -> bool:
    """Whether an operation of the document heeds ``If-Match`` by itself."""
    return (method.upper(), path) in _changes or path in _undone


def versioned(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap an operation so that what it reads, or leaves behind, comes with its state in ``ETag``, and so that it is
    held to the state that the request names in ``If-Match``."""

    @wraps(operation)
    def carried_out(request: HttpRequest, *args: Any, **values: Any) -> Any:
        match = request.resolver_match
        assert match is not None
        path = template_of(match.route)
        if request.method in ("GET", "HEAD"):
            answer = operation(request, *args, **values)
            if not isinstance(answer, Schema) or is_page(type(answer).model_fields):
                return answer
            setattr(request, _ONE, True)
            thing = _reads.get(path)
            if thing is not None:
                is_plain = translation.get_language() == _LANGUAGE
                say(request, etag=thing.state_of(answer) if is_plain else thing.state(request, match.kwargs) or "")
            return answer
        thing, place = _changes.get((str(request.method), path)), match.kwargs
        if path in _undone:
            thing, place = _changed_by(str(match.kwargs["change_id"]), _undone[path])
        if thing is None:
            return operation(request, *args, **values)
        with transaction.atomic() if request.headers.get("If-Match") else nullcontext():
            left = None
            if request.headers.get("If-Match"):
                thing.hold(place)
                current = thing.state(request, place)
                if current is not None:
                    check_match(request, current)
                elif path in _undone:
                    left = _left_by(str(match.kwargs["change_id"]))
            answer = operation(request, *args, **values)
            if left is not None:  # who may not undo it is not told that it is there
                check_match(request, left)
        status = answer.status_code if isinstance(answer, Status) else 200
        if path in _undone:  # what was gone has its place again
            thing, place = _changed_by(str(match.kwargs["change_id"]), _undone[path])
            assert thing is not None
        current = thing.state(request, place) if status < 300 else None
        if status < 300 and current is None and path in _gone:
            current = _gone[path].state(request, match.kwargs)
        elif status < 300 and current is None and request.method == "DELETE" and getattr(answer, "change", None):
            current = _tag_of_gone(answer.change)
        if current is not None:
            say(request, etag=current)
        return answer

    return carried_out


def _changed_by(
    change_id: str, things: Mapping[str, tuple[str, Callable[[int], str]]]
) -> tuple[Thing | None, dict[str, str]]:
    """The thing that a change was of, and the parts of its address; None where that is none of ``things``, or gone."""
    entry = AuditEntry.objects.filter(pk=ids.decode(CHANGE, change_id) or 0, record_type__in=things).first()
    if entry is None:
        return None, {}
    path, name = things[entry.record_type]
    (part,) = re.findall(r"{(\w+)}", path)
    return _reads[path], {part: name(entry.record_id)}


def _left_by(change_id: str) -> str | None:
    """The tag of a thing that is gone, by a change of it: that of the last change that was made of it."""
    entry = AuditEntry.objects.filter(pk=ids.decode(CHANGE, change_id) or 0).first()
    if entry is None:
        return None
    same = AuditEntry.objects.filter(record_type=entry.record_type, record_id=entry.record_id)
    last = same.order_by("-pk")[0]
    if not last.verb.endswith(("deleted", "archived")):  # it is there, and not the reader's to see any more
        return None
    return _tag_of_gone(ids.encode(CHANGE, last.pk))


def _tag_of_gone(change: str) -> str:
    return f'"{_digest(f"gone {change}".encode())}"'


def template_of(route: str) -> str:
    """The path of the document that a route of Django's is made of."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", "/" + route.partition("/v1/")[2])


def shown(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """An answer to a read of one thing, with a tag of all that it shows; or 304 with the tag, where the request names
    it in ``If-None-Match``. A page of many, which changes with what comes in, has none, and a file neither."""
    if response.status_code != 200 or not getattr(request, _ONE, False):
        return response
    state = told_etag(request).strip('"')
    etag = f'"{state}-{_digest(response.content)}"'
    response.headers["ETag"] = etag
    named = [part.strip().removeprefix("W/") for part in request.headers.get("If-None-Match", "").split(",")]
    if etag in named or "*" in named:
        return HttpResponse(status=304, headers={"ETag": etag})
    return response


def is_page(fields: Iterable[str]) -> bool:
    """Whether an answer with these fields is one of many things."""
    return "data" in fields


def _without(told: Any, names: frozenset[str]) -> Any:
    """What is told without these fields, in the parts of it, too."""
    if isinstance(told, dict):
        return {name: _without(part, names) for name, part in told.items() if name not in names}
    return [_without(part, names) for part in told] if isinstance(told, list) else told


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:24]


def _above(path: str) -> Thing | None:
    """The thing at an address, or the nearest one that it is below."""
    parts = path.split("/")
    places = ("/".join(parts[:end]) for end in range(len(parts), 1, -1))
    return next((_reads[place] for place in places if place in _reads), None)
