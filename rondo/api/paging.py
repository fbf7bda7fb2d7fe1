"""Pages by key: an opaque cursor names the last row given, so that a page costs the same wherever it lies."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Query

from rondo.errors import InputError
from rondo.foundation import ids

DEFAULT_LIMIT = 50
MAX_LIMIT = 200

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description=gettext_noop("Rows a page, 1 to 200."))]
Cursor = Annotated[
    str | None,
    Query(max_length=200, description=gettext_noop("Where the page begins; taken from `next` of the page before.")),
]

T = TypeVar("T")
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def encode_key(key: int) -> str:
    """The cursor after the row with this key. Like a public id it does not tell the key."""
    return ids.encode("k", key)


def decode_key(cursor: str | None) -> int:
    """The key a cursor names; 0, before all rows, without one.

    Raises:
        InputError: not a cursor of this kind of list.
    """
    return 0 if cursor is None else _decode("k", cursor)


def encode_number(given: int) -> str:
    """The cursor after so many results, of lists that are found anew for each page."""
    return ids.encode("s", given)


def decode_number(cursor: str | None) -> int:
    """How many results a cursor lies behind; 0 without one.

    Raises:
        InputError: not a cursor of this kind of list.
    """
    return 0 if cursor is None else _decode("s", cursor)


def encode_moment(at: datetime, key: int) -> str:
    """The cursor after the row with this time and, among equal times, this key."""
    return f"{ids.encode('t', (at - _BEGINNING) // _MICROSECOND)}.{encode_key(key)}"


def decode_moment(cursor: str | None) -> tuple[datetime, int] | None:
    """The time and key a cursor names; None without one.

    Raises:
        InputError: not a cursor of this kind of list.
    """
    if cursor is None:
        return None
    moment, _dot, key = cursor.partition(".")
    try:
        return _BEGINNING + _decode("t", moment) * _MICROSECOND, _decode("k", key)
    except OverflowError as error:
        raise _refused() from error


def encode_change(number: int, key: int) -> str:
    """The cursor after a change: its number and, among those of one number, the key of the record."""
    return f"{ids.encode('n', number)}.{encode_key(key)}"


def decode_change(cursor: str | None) -> tuple[tuple[int, int], int | None]:
    """The place in the order of changes that a cursor names, and the number that its walk ends with, if it says so.

    Raises:
        InputError: not a cursor of this kind of list.
    """
    if cursor is None:
        return (0, 0), None
    place, _colon, end = cursor.partition(":")
    number, _dot, key = place.partition(".")
    return (_decode("n", number), _decode("k", key)), _decode("n", end) if end else None


def next_link(request: HttpRequest, cursor: str) -> str:
    """The address of the page that begins at ``cursor``, with everything else that was asked for."""
    query = request.GET.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def split(rows: Sequence[T], limit: int) -> tuple[list[T], T | None]:
    """Of one row more than asked for: the page, and the row the next page begins after (None: this is the last)."""
    page = list(rows[:limit])
    return page, page[-1] if len(rows) > limit else None


def _decode(prefix: str, text: str) -> int:
    found = ids.decode(prefix, text)
    if found is None:
        raise _refused()
    return found


def _refused() -> InputError:
    return InputError(_("cursor: not one of this list; take it from `next` of the page before, or leave it out."))
