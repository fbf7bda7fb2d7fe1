"""Values of attributes: from what a person or a file says to what is stored, and back."""

import math
import re
from collections.abc import Collection, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from rondo.customers.models import AttributeDefinition, AttributeValue
from rondo.errors import InputError
from rondo.foundation.installation import installation
from rondo.foundation.money import Money, to_minor

Type = AttributeDefinition.Type
Stored = str | float | date

COLUMNS: dict[str, str] = {"text": "text", "choice": "text", "multi": "text", "link": "text", "date": "day"}
"""The column of a type, where it is not ``number``."""
ONCE = frozenset({Type.TEXT, Type.NUMBER, Type.DATE, Type.LINK})
"""Types whose values may be asked to be unique: of the others there are few, or equal ones mean nothing."""
BAR = "|"
LONGEST = 255
_YES = frozenset({"1", "true", "yes", "y", "ja", "j", "wahr"})
_NO = frozenset({"0", "false", "no", "n", "nein", "falsch"})


def column_of(type: str) -> str:
    """The column of :class:`~rondo.customers.models.AttributeValue` that holds values of a type."""
    return COLUMNS.get(type, "number")


def parse(definition: AttributeDefinition, value: Any, kept: Collection[str] = ()) -> tuple[str, Stored]:
    """The column and the stored value of ``value`` for an attribute.

    Text is text. A choice is one of those offered, or of the retired ones that are ``kept``, by its value or by one of
    its labels; several choices are a list, or a text that separates them by bars, semicolons, lines or commas. A number
    is finite; a date is a date or ISO 8601 text; yes or no is a truth value or a word for one; money is given in major
    units of the company's currency and stored in minor ones; a link is an address of the web, ``https`` unless it says
    otherwise.

    Raises:
        InputError: names the attribute, the value and what would be right.
    """
    key, kind = definition.key, definition.type
    text = value.strip() if isinstance(value, str) else value
    if kind == Type.MULTI:
        return "text", _several(definition, value, kept)
    if kind in {Type.TEXT, Type.CHOICE, Type.LINK}:
        words = " ".join(str(text).split())
        if kind == Type.CHOICE:
            words = _choice(definition, words, kept)
        if not words or len(words) > LONGEST or "\x00" in words:
            raise InputError(
                _("%(key)s: a text of 1 to 255 characters is needed, not %(length)d.")
                % {"key": key, "length": len(words)}
            )
        return "text", _link(key, words) if kind == Type.LINK else words
    if kind == Type.DATE:
        return "day", _day(key, text)
    if kind == Type.BOOLEAN:
        word = str(text).casefold()
        if word in _YES or word in _NO:
            return "number", float(word in _YES)
        raise InputError(_("%(key)s = %(value)r: yes or no is needed.") % {"key": key, "value": value})
    if kind == Type.MONEY:
        try:
            return "number", float(to_minor(text, installation().currency))
        except InputError as error:
            raise InputError(f"{key}: {error}") from error
    return "number", _number(key, value, text)


def _number(key: str, value: Any, text: Any) -> float:
    try:
        number = float(Decimal(str(text))) if not isinstance(text, bool) else math.nan
    except (ArithmeticError, ValueError):  # the latter of a signalling NaN
        number = math.nan
    if not math.isfinite(number):
        raise InputError(_("%(key)s = %(value)r is no number; write it as 12.5.") % {"key": key, "value": value})
    return number


def _day(key: str, value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise InputError(
            _("%(key)s = %(value)r is no date; write it as 2026-05-31.") % {"key": key, "value": value}
        ) from error


def _link(key: str, text: str) -> str:
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        good = parts.scheme.lower() in {"http", "https"} and "." in (parts.hostname or "") and " " not in text
    except ValueError:
        good = False
    if not good or len(parts.geturl()) > LONGEST:
        raise InputError(
            _("%(key)s = %(value)r is no address of a web page; write it as https://example.com/page.")
            % {"key": key, "value": text[:80]}
        )
    return parts.geturl()


def offered(definition: AttributeDefinition) -> list[str]:
    """The values of the choices that are not retired, in their order."""
    return [str(choice["value"]) for choice in definition.choices if not choice.get("retired")]


def _choice(definition: AttributeDefinition, words: str, kept: Collection[str]) -> str:
    known = _find(definition, words, kept)
    if known is None:
        raise InputError(
            _("%(key)s = %(value)r is none of its choices; one of %(choices)s is needed.")
            % {"key": definition.key, "value": words, "choices": ", ".join(offered(definition))}
        )
    return known


def _find(definition: AttributeDefinition, words: str, kept: Collection[str]) -> str | None:
    """The choice that a text means: by its value, else by a value or label in other letter case that only one has."""
    choices = [one for one in definition.choices if not one.get("retired") or str(one["value"]) in kept]
    if any(words == str(choice["value"]) for choice in choices):
        return words
    said = words.casefold()
    named = {
        str(choice["value"])
        for choice in choices
        if said in {str(choice.get(name) or "").casefold() for name in ("value", "en", "de")}
    }
    return named.pop() if said and len(named) == 1 else None


def _several(definition: AttributeDefinition, value: Any, kept: Collection[str]) -> str:
    if isinstance(value, str):
        whole = value.strip().strip(BAR)
        parts = [whole] if _find(definition, " ".join(whole.split()), kept) else re.split(r"[|;\n]", whole)
        if any(part.strip() and _find(definition, " ".join(part.split()), kept) is None for part in parts):
            parts = [
                piece for part in parts for piece in ([part] if _find(definition, part, kept) else part.split(","))
            ]
    else:
        parts = [str(part) for part in (value if isinstance(value, Iterable) else [value])]
    meant = {_choice(definition, " ".join(part.split()), kept) for part in parts if part.strip()}
    if not meant:
        raise InputError(_("%(key)s: at least one choice is needed.") % {"key": definition.key})
    packed = pack(definition, meant)
    if len(packed) > LONGEST:
        raise InputError(
            _("%(key)s: so many choices of such length are too much for one customer; take fewer.")
            % {"key": definition.key}
        )
    return packed


def pack(definition: AttributeDefinition, values: Iterable[str]) -> str:
    """Several choices as they are stored: in the order of the definition, between bars."""
    order = {str(choice["value"]): place for place, choice in enumerate(definition.choices)}
    return f"|{'|'.join(sorted(set(values), key=lambda value: (order.get(value, len(order)), value)))}|"


def unpack(text: str | None) -> list[str]:
    """The choices of a stored value of several."""
    return [value for value in (text or "").split(BAR) if value]


def stored(value: AttributeValue) -> Stored | None:
    """What is stored, from the column in use."""
    return next((v for v in (value.text, value.number, value.day) if v is not None), None)


def as_written(definition: AttributeDefinition, value: Stored | None) -> str:
    """A stored value as text that :func:`parse` takes again, the same in every language."""
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return BAR.join(unpack(value)) if definition.type == Type.MULTI else value
    if definition.type == Type.MONEY:
        return str(Money(int(value), installation().currency).major)
    if definition.type == Type.BOOLEAN:
        return "yes" if value else "no"
    return format(Decimal(repr(float(value))).normalize(), "f")


def told(definition: AttributeDefinition, value: Stored | None) -> Any:
    """A stored value as it stands in an audit entry: several choices as a list, a day as text."""
    if isinstance(value, date):
        return value.isoformat()
    return unpack(value) if definition.type == Type.MULTI and isinstance(value, str) else value


def once(definition: AttributeDefinition, value: Stored | None) -> str | None:
    """The form in which a value of a unique attribute may occur but once; None where it may occur again. Texts are
    compared without letter case."""
    if not definition.unique or value is None:
        return None
    return as_written(definition, value).casefold()[:LONGEST]
