"""Reads of what comes next: of one customer, already checked as visible, and of the whole base."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

from django.db.models import QuerySet

from rondo.analysis.models import NextFound, NextOf
from rondo.analysis.next.shapes import Found, Habit, Suggestion, Upsell
from rondo.catalogue.models import Product
from rondo.customers.queries import sees_all
from rondo.foundation.models import User
from rondo.foundation.prepared import prepared


@dataclass(frozen=True)
class Suggested:
    """A product for a customer, with its name."""

    name: str
    row: Suggestion


@dataclass(frozen=True)
class NextForOne:
    """What one customer is likely to buy, as of a day."""

    as_of: date
    habits: list[Habit]
    again: list[Suggested]
    new: list[Suggested]
    upsells: list[Upsell]


def row_of(customer_id: int) -> NextOf | None:
    """What was worked out of a surviving customer, as it is stored; None where there is nothing."""
    return next(iter(_row(customer_id)), None)


@prepared
def _row(customer_id: int) -> QuerySet[NextOf]:
    return NextOf.objects.filter(pk=customer_id)


@prepared
def _found() -> QuerySet[NextFound]:
    return NextFound.objects.only("as_of").order_by("pk")[:1]


@prepared
def _products(keys: Sequence[int]) -> QuerySet[Product]:
    return Product.objects.filter(pk__in=keys)


def next_of(customer_id: int) -> NextForOne | None:
    """What a surviving customer is likely to buy next; None where nothing is known."""
    return told_by(row_of(customer_id))


def told_by(row: NextOf | None) -> NextForOne | None:
    """The same of a row that was read already."""
    found = None if row is None else next(iter(_found()), None)
    if row is None or found is None:
        return None
    habits = cast("list[Habit]", json.loads(row.habits))
    products = cast("list[Suggestion]", json.loads(row.products))
    names = {one.pk: str(one) for one in _products([product["product"] for product in products])}
    suggested = [Suggested(names[one["product"]], one) for one in products if one["product"] in names]
    upsells = cast("list[Upsell]", json.loads(row.upsells or "[]"))
    if not habits and not suggested and not upsells:
        return None
    new = [one for one in suggested if one.row["new"]]
    return NextForOne(found.as_of, habits, [one for one in suggested if not one.row["new"]], new, upsells)


def likely_categories(customer_id: int) -> list[str]:
    """Names of the categories that a surviving customer buys by rhythm or may trade up in: what a contact is likely to
    be about."""
    return categories_in(row_of(customer_id))


def categories_in(row: NextOf | None) -> list[str]:
    """The same of a row that was read already."""
    texts = (row.habits, row.upsells) if row else ()
    found = [one["category"] for text in texts for one in json.loads(text or "[]")]
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class FoundAsOf:
    """What was found of the whole base, and the day it looks from."""

    as_of: date
    results: Found


def found_for(viewer: User | None) -> FoundAsOf | None:
    """What was found of the whole base, for who may see all of it; None for others, and before it was worked out."""
    row = NextFound.objects.first() if sees_all(viewer) else None
    return None if row is None else FoundAsOf(row.as_of, cast("Found", row.results))
