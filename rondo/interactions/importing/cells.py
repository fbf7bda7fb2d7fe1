"""Values of a trial's report by the type of their field: as they are, and as programs read them.

A field's type says what its staged value counts (see :class:`~rondo.foundation.loading.fields.Field`): money minor
units, a quantity thousandths, an instant microseconds in UTC.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from rondo.foundation.installation import zone
from rondo.foundation.money import Money

Writer = Callable[[str, Any, str], str]
"""Writes a value of a type; the third is the currency that amounts are in."""


def read_back(type: str, text: str | None) -> Any:
    """The value that a report holds as text; as it stands where it is none of the type."""
    if text is None or text == "":
        return None
    with suppress(ValueError):
        if type == "boolean":
            return text in {"True", "1", "1.0"}
        if type == "money":
            return int(float(text))
        if type == "number":
            return float(text)
        if type == "date":
            return date.fromisoformat(text)
    return text


def exact(value: float) -> Decimal:
    """A number with the digits it has and no more."""
    return Decimal(repr(float(value))).normalize()


def units(milli: int) -> Decimal:
    """A quantity in thousandths as a number with the digits it needs."""
    return Decimal(milli).scaleb(-3).normalize()


def in_zone(value: datetime) -> datetime:
    """An instant of the report on the company's clock."""
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(zone())


def plain(type: str, value: Any, currency: str) -> str:
    """A value the same in every language: amounts in major units with a point, days and times of the company's zone in
    ISO 8601, yes or no; empty where there is none."""
    if value is None or isinstance(value, str):
        return value or ""
    if type == "money":
        return format(Money(int(value), currency).major, "f")
    if type == "quantity":
        return format(units(value), "f")
    if type == "boolean":
        return "yes" if value else "no"
    if type == "number":
        return format(exact(value), "f")
    return (in_zone(value) if isinstance(value, datetime) else value).isoformat()
