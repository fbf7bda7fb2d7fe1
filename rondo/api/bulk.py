"""Many items in one call: each is done in the order given, in a savepoint of its own, and has a result of its own.

An item that is refused leaves the others alone. They are done in portions, each of one transaction, so that others who
write need not wait for a thousand; what was done before an error that nobody foresaw stays. With an ``Idempotency-Key``
each portion keeps what became of the items so far under the key: sent again, the call goes on behind them, and nothing
is done twice, however often and by how many processes at once it is carried out.
"""

import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import pydantic
from django.db import OperationalError, connection, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from ninja import Field, Schema
from ninja.errors import ValidationError
from pydantic import ValidatorFunctionWrapHandler, WrapValidator

from rondo.api.problems import Told, told_of
from rondo.api.repeating import Guard, again, guard_of
from rondo.api.v1.schemas import Problem
from rondo.api.writing import Body, Interrupted, storable
from rondo.errors import StateError
from rondo.foundation import api_answers

MOST = 1000
"""Items of one call."""
PORTION = 50
"""Items of one transaction."""
_PAUSE = 0.12
"""Seconds between two portions on SQLite, which has one writer: who waits looks every tenth of a second."""
T = TypeVar("T", bound=Body)
Done = tuple[int, str]
"""The status of an item that was done, as if it had been asked for alone, and the id of the record."""


class BulkBody(Body):
    """A body with ``items``, each of which is looked at by itself: one that no column can hold is refused alone."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def no_nul(cls, given: Any) -> Any:
        """Refuse what no column can hold beside the items."""
        sent = getattr(given, "_obj", given)
        storable({name: part for name, part in sent.items() if name != "items"} if isinstance(sent, dict) else sent)
        return given


class Refused:
    """An item that is not usable as given."""

    def __init__(self, error: pydantic.ValidationError) -> None:
        self.error = ValidationError([dict(found) for found in error.errors(include_url=False, include_context=False)])


def _leniently(given: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    try:
        return handler(given)
    except pydantic.ValidationError as error:
        return Refused(error)


Lenient = WrapValidator(_leniently)
"""Keeps an item that is not usable for a result of its own: ``items: list[Annotated[ItemBody, Lenient]]``."""
Counted = Field(..., min_length=1, max_length=MOST, description=gettext_noop("1 to 1,000, done in the order given."))
"""What the list of items is declared with."""


class ItemResult(Schema):
    __doc__ = gettext_noop("What became of one item: `status` and `problem` as if it had been sent alone.")

    index: int = Field(..., description=gettext_noop("Its place among the items, from 0."))
    status: int = Field(..., examples=[201])
    id: str | None = Field(..., description=gettext_noop("The record; null where there is none."))
    problem: Problem | None


class BulkResult(Schema):
    __doc__ = gettext_noop("What became of each item, in the order given, and how many were done or refused.")

    data: list[ItemResult]
    done: int
    refused: int


def each(request: HttpRequest, items: Sequence[T | Refused], do: Callable[[T], Done]) -> BulkResult:
    """Do every item, and say what became of it. An error that nobody foresaw ends the call, and undoes its portion.

    Raises:
        Interrupted: others write for so long that it stops; what stands is kept under the key.
    """
    guard = guard_of(request)
    results: list[ItemResult] = []
    try:
        return _each(request, guard, items, do, results)
    except OperationalError as error:
        if guard is None or not results or told_of(error) is None:
            raise
        done = len(results)
        text = ngettext(
            "Others are writing. The first item was done and stands; the same request with the same key goes on behind "
            "it.",
            "Others are writing. The first %(done)s items were done and stand; the same request with the same key goes "
            "on behind them.",
            done,
        )
        raise Interrupted(done, text % {"done": done}) from error


def _each(
    request: HttpRequest,
    guard: Guard | None,
    items: Sequence[T | Refused],
    do: Callable[[T], Done],
    standing: list[ItemResult],
) -> BulkResult:
    """As :func:`each`; ``standing`` is filled with what became of those items that stand."""
    results: list[ItemResult] = []
    while True:
        if guard is not None:
            results = _so_far(request, guard, results)
            standing[:] = results
        start = len(results)
        if start >= len(items):
            break
        try:
            with transaction.atomic():
                results = results + [
                    _one(request, index, item, do) for index, item in enumerate(items[start : start + PORTION], start)
                ]
        except OperationalError as error:
            told = told_of(error)
            if guard is not None or not start or told is None:  # the call as a whole is to be sent again
                raise
            results += [_left(request, index, told) for index in range(start, len(items))]
        if len(results) >= len(items):
            break
        pause = _PAUSE if connection.vendor == "sqlite" else 0
        if guard is not None and guard.claimed is not None:
            api_answers.keep_part(guard.claimed, len(results), _result(results).model_dump_json(), guard.seen)
            guard.next(pause)
        else:
            time.sleep(pause)
    return _result(results)


def _result(results: list[ItemResult]) -> BulkResult:
    refused = sum(one.problem is not None for one in results)
    return BulkResult.model_construct(data=results, done=len(results) - refused, refused=refused)


def _so_far(request: HttpRequest, guard: Guard, known: list[ItemResult]) -> list[ItemResult]:
    """What became of the items that were done under the key, by this request or another one with it; who asks holds the
    key until the portion is done."""
    assert guard.claimed is not None
    row = api_answers.present(guard.claimed)
    if row.done == len(known) or (row.done is None and not row.status and guard.is_first):
        return known
    if row.body:
        return BulkResult.model_validate_json(again(request, row)).data
    gone = StateError(_("This request was carried out; its answer is kept no more. Read what it was about."))
    told = told_of(gone)
    if row.done is None or told is None:
        raise gone
    return [_left(request, index, told) for index in range(row.done)]


def _one(request: HttpRequest, index: int, item: T | Refused, do: Callable[[T], Done]) -> ItemResult:
    try:
        if isinstance(item, Refused):
            raise item.error
        with transaction.atomic():
            status, key = do(item)
    except Exception as error:
        told = told_of(error)
        if told is None or told.status == 503:
            raise
        problem = Problem.model_validate(told.body(f"{request.path}#{index}"))
        named = told.more.get("customer")
        return ItemResult.model_construct(
            index=index, status=told.status, id=named["id"] if named else None, problem=problem
        )
    return ItemResult.model_construct(index=index, status=status, id=key, problem=None)


def _left(request: HttpRequest, index: int, told: Told) -> ItemResult:
    """Of an item that nothing more can be told of: others who write left no time for it, or its answer is gone."""
    problem = Problem.model_validate(told.body(f"{request.path}#{index}"))
    return ItemResult.model_construct(index=index, status=told.status, id=None, problem=problem)


Items = Annotated[T, Lenient]
