"""What an answer shows of records to who may change them and not see them, and to who sees them no more.

A token that is made to write alone (a form on a web site, a till) is told what became of its request: the id and the
version, never the record. The same holds for an answer that was kept for an ``Idempotency-Key``, where the record is
not the caller's to see by the time the request is sent again.
"""

import json
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from django.http import HttpRequest, JsonResponse
from ninja import Schema, Status

from rondo.api.auth import viewer
from rondo.api.v1 import schemas
from rondo.api.v1.households.links import LinksTold, LinkTold
from rondo.customers.models import Customer, Survivor
from rondo.customers.queries import visible
from rondo.foundation import ids
from rondo.foundation.models import User
from rondo.foundation.rights import has_right

SHOWS: tuple[type[Schema], ...] = (
    schemas.CustomerDetail,
    schemas.Interaction,
    schemas.Order,
    LinkTold,
    LinksTold,
)
"""Answers that show records of customers."""
SEEING = "see"


def shown_to_who_sees(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap an operation so that its answer shows a record to those alone who may see records."""

    @wraps(operation)
    def carried_out(request: HttpRequest, *args: Any, **values: Any) -> Any:
        answer = operation(request, *args, **values)
        status, told = (answer.status_code, answer.value) if isinstance(answer, Status) else (200, answer)
        if not isinstance(told, SHOWS) or has_right(viewer(request), SEEING):
            return answer
        return JsonResponse(_written(told.model_dump(mode="json")), status=status)

    return carried_out


def told_again(user: User, kept: str) -> str:
    """An answer that was kept, as its caller may know it now: whole where all customers in it are theirs to see."""
    if not kept.startswith("{"):
        return kept
    answer = json.loads(kept)
    hidden = _hidden(user, answer)
    if not hidden:
        return kept
    if "data" not in answer or any("index" not in one for one in answer["data"]):
        return json.dumps(_written(answer))
    results = [
        one if hidden.isdisjoint(_customers(one["problem"])) else {**one, "problem": _bare(one["problem"])}
        for one in answer["data"]
    ]
    return json.dumps({**answer, "data": results})


def _written(told: dict[str, Any]) -> dict[str, Any]:
    if "data" in told:
        return {"data": [_written(one) for one in told["data"]]}
    return {"id": told.get("id"), "version": told.get("version")}


def _bare(problem: dict[str, Any]) -> dict[str, Any]:
    return {**problem, "detail": problem["title"], "customer": None}


def _hidden(user: User, answer: Any) -> set[int]:
    """Of the customers that an answer names, those whom the user does not see, by key; all where they see nobody."""
    named = set(_customers(answer))
    if not named or not has_right(user, SEEING):
        return named
    merged = dict(Survivor.objects.filter(customer_id__in=named).values_list("customer_id", "survivor_id"))
    seen = set(visible(user).filter(pk__in={merged.get(key, key) for key in named}).values_list("pk", flat=True))
    return {key for key in named if merged.get(key, key) not in seen}


def _customers(part: Any) -> Iterator[int]:
    """The keys of the customers that are named anywhere in it."""
    left = [part]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left += one.values()
        elif isinstance(one, list):
            left += one
        elif isinstance(one, str) and (key := ids.decode(Customer.PREFIX, one)) is not None:
            yield key
