"""What operations that change something share: the scope they need, the actor they act as, bodies that are refused
where they hold what nobody asked for, versions against lost updates, and headers of the answer.

An operation of this kind is a thin call of the action that the pages call, too::

    @router.patch("/views/{view_id}", response=View, ...)
    def change_view(request: HttpRequest, view_id: str, body: ViewBody) -> View:
        row = queries.get_visible(viewer(request), view_id)
        check_match(request, tag(row.pk, row.version), required=True)
        row, _entry = actions.change_view(actor(request), view_id, expected_version=row.version, ...)
        say(request, etag=tag(row.pk, row.version))

Of an ``Idempotency-Key`` and the rate of calls an operation knows nothing: every one that is no GET is carried out once
for a key (:mod:`rondo.api.repeating`), and every call is counted (:mod:`rondo.api.rates`). Many items in one call:
:mod:`rondo.api.bulk`.
"""

import re
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Schema
from pydantic import ConfigDict, model_validator

from rondo.api.auth import viewer
from rondo.errors import InputError, StateError
from rondo.foundation import ids
from rondo.foundation.actors import Actor

BODY = "body"
"""What the parameter of an operation is called that takes the request's body."""
HEADERS = "_rondo_headers"
"""Where a request keeps the headers that its answer is to have."""
_ANY = "*"
_TAG = re.compile(r'(W/)?"[^"]*"')
MATCHES, NONE, OPTIONAL, REQUIRED = "x-if-match", "none", "optional", "required"
TELLS = {MATCHES: NONE}
MAY_MATCH = {MATCHES: OPTIONAL}
MUST_MATCH = {MATCHES: REQUIRED}
"""What an operation is declared with (``openapi_extra``) that tells the version of the record in ``ETag``: it heeds
``If-Match``, or asks for it, or neither."""


class PreconditionFailed(StateError):
    """The record is not in the version that the request names; ``etag`` is the one it is in."""

    def __init__(self, etag: str, message: object = "") -> None:
        super().__init__(message)
        self.etag = etag


class PreconditionMissing(StateError):
    """The request does not say which version of the record it was made for; ``etag`` is the one it is in."""

    def __init__(self, etag: str, message: object = "") -> None:
        super().__init__(message)
        self.etag = etag


class Interrupted(StateError):
    """A call for many items with a key was given up for others' sake; ``done`` of them, from the first on, stand."""

    def __init__(self, done: int, message: object = "") -> None:
        super().__init__(message)
        self.done = done


class Body(Schema):
    """A request body: a field that it does not have is refused, since one that is misspelt would be passed over."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def no_nul(cls, given: Any) -> Any:
        """Refuse what no column can hold."""
        storable(getattr(given, "_obj", given))
        return given


def _without_defaults(schema: dict[str, Any]) -> None:
    for field in schema["properties"].values():
        field.pop("default", None)


class Fields(Body):
    """The body of every ``PATCH``: what is named is set, and nothing else is touched. The document tells no default of
    its fields: a generated client would send them, and say of a field what nobody said."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)


def storable(given: Any) -> None:
    """Raise ValueError where something in it is no text for a column, however deep: what was sent may be nested deeper
    than functions can call each other."""
    left = [given]
    while left:
        part = left.pop()
        if isinstance(part, str):
            if "\x00" in part or any("\ud800" <= sign <= "\udfff" for sign in part):
                raise ValueError(_("a NUL, and half of a surrogate pair, are no text; remove them"))
        elif isinstance(part, dict):
            left += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            left += part


def actor(request: HttpRequest) -> Actor:
    """Whom an authenticated request acts as, through the door of the API."""
    return Actor(viewer(request), "api")


def tag(key: int, *versions: int) -> str:
    """The entity tag of a record in a version: a strong one, as ``If-Match`` needs it. Like a public id it does not
    tell the numbers."""
    return '"' + ".".join(ids.encode("e", number) for number in (key, *versions)) + '"'


def say(request: HttpRequest, *, etag: str = "", location: str = "") -> None:
    """Give the answer to a request the version of the record, or the address of what was made."""
    told = request.__dict__.setdefault(HEADERS, {})
    if etag:
        told["ETag"] = etag
    if location:
        told["Location"] = location


def told_etag(request: HttpRequest) -> str:
    """The version of the record that the answer is to have; empty where there is none."""
    return str(request.__dict__.get(HEADERS, {}).get("ETag", ""))


def check_match(request: HttpRequest, current: str, *, required: bool = False) -> None:
    """Hold the request to the version it was made for, as it names it in ``If-Match``; call it with the record locked,
    or hand its version to an action that checks it once more.

    Raises:
        PreconditionFailed: the record is in another version, ``current`` (412). PreconditionMissing: ``required``, and
        the request names none (428). InputError: what it names is no entity tag.
    """
    given = request.headers.get("If-Match", "").strip()
    if not given:
        if required:
            raise PreconditionMissing(
                current,
                _("This replaces what others may have changed: read it first, and send its ETag as If-Match."),
            )
        return
    match(given, current)


def match(given: str, current: str) -> None:
    """As :func:`check_match`, for a version that a body names."""
    if given == _ANY:
        return
    named = [part.strip() for part in given.split(",")]
    if not all(_TAG.fullmatch(part) for part in named):
        raise InputError(_("If-Match: write the ETag as the answer gave it, with its quotation marks."))
    if current not in [_state(part) for part in named]:
        raise PreconditionFailed(
            current, _("It was changed meanwhile, and is now in version %(now)s; look at it again.") % {"now": current}
        )


def _state(etag: str) -> str:
    """Of a tag what a change is held to: the state, without what was shown (:mod:`rondo.api.versions`)."""
    state, dash, _shown = etag.partition("-")
    return f'{state}"' if dash else etag
