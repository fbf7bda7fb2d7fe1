"""What an answer shows of records to who may change them and not see them, and to who sees them no more.

A token that is made to write alone (a form on a web site, a till) is told what became of its request: the id and the
version, never the record. The same holds for an answer that was kept for an ``Idempotency-Key``, where the record is
not the caller's to see by the time the request is sent again, or the caller sees less of records than then.
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
from rondo.customers.definitions import hidden_from
from rondo.customers.models import Customer, Survivor
from rondo.customers.queries import visible
from rondo.foundation import ids
from rondo.foundation.models import User
from rondo.foundation.registry import registries
from rondo.foundation.rights import MASKS, branch_of, has_right, masked, narrower, reach_of, rights_of

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


def sight(user: User) -> dict[str, Any]:
    """How much of records the user sees, as far as the role, the reaches and the token say; customers themselves aside,
    who are looked at one by one."""
    return {
        "rights": sorted(rights_of(user)),
        "reaches": {room.key: reach_of(user, room.key) for room in registries.rooms},
        "branch": branch_of(user),
        "masked": [what for what in MASKS if masked(user, what)],
        "hidden": sorted(hidden_from(user)),
    }


def told_again(user: User, kept: str, seen: dict[str, Any]) -> str:
    """An answer that was kept, as its caller may know it now: whole where all customers in it are theirs to see, and
    they see no less than they did (``seen``, of :func:`sight`)."""
    if not kept.startswith("{"):
        return kept
    answer = json.loads(kept)
    hidden, sees_less = _hidden(user, answer), _sees_less(user, seen)
    if not hidden and not sees_less:
        return kept
    if "data" not in answer or any("index" not in one for one in answer["data"]):
        return json.dumps(_written(answer))
    results = [
        {**one, "problem": _bare(one["problem"])}
        if one["problem"] and (sees_less or not hidden.isdisjoint(_customers(one["problem"])))
        else one
        for one in answer["data"]
    ]
    return json.dumps({**answer, "data": results})


def _sees_less(user: User, seen: dict[str, Any]) -> bool:
    if not seen:
        return True
    now = sight(user)
    return (
        not set(now["rights"]) >= set(seen["rights"])
        or not set(now["branch"]) >= set(seen["branch"])
        or not set(now["masked"]) <= set(seen["masked"])
        or not set(now["hidden"]) <= set(seen["hidden"])
        or any(narrower(now["reaches"].get(room, "none"), was) != was for room, was in seen["reaches"].items())
    )


def _written(told: dict[str, Any]) -> dict[str, Any]:
    if "data" in told:
        return {"data": [_written(one) for one in told["data"]]}
    return {"id": told.get("id"), "version": told.get("version")} | ({"key": told["key"]} if "key" in told else {})


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
