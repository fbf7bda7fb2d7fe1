"""Values of rules: from the words of the text form or of JSON to typed ones, and back to text."""

import re
from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from rondo.errors import InputError
from rondo.foundation.money import MAX_MINOR, Money, to_minor_as_written
from rondo.foundation.registry import RuleTerm
from rondo.foundation.search import fold
from rondo.rules.tree import Raw, Relative, Span, Unit, Value

NUMBERS = frozenset({"number", "count", "days", "share", "money"})
TRUTH = {"yes": True, "true": True, "no": False, "false": False}
EXAMPLES = {"money": "1204.50", "share": "25%", "count": "12", "days": "30", "number": "12.5"}
MAX_LENGTH = 255
"""Longest text that is compared; no stored one is longer."""

_PLAIN_WORD = re.compile(r"[^\W\d][\w.@-]*")
_LARGEST = 10**15


class ValueProblem(InputError):
    """A value that is not of its field's type; the message is a part of a sentence that names the place."""

    def __init__(self, message: str, expected: tuple[str, ...] = (), suggestion: str = "") -> None:
        super().__init__(message)
        self.expected = expected
        self.suggestion = suggestion


def whole(value: float) -> int | float:
    """One form for each number: an integer where it is whole."""
    return int(value) if float(value).is_integer() else float(value)


def typed(term: RuleTerm, value: Value, currency: str) -> Value:
    """The value as the tree holds it, for a field or detail: a raw one is read, a typed one is checked.

    Raises:
        ValueProblem: it is not of the type.
    """
    if term.type == "date":
        return _date(value)
    if isinstance(value, Relative | Span | date):
        raise ValueProblem(_("a day is no value of this field."))
    if term.type in NUMBERS:
        return _number(term, value, currency)
    if term.type == "boolean":
        return _truth(value)
    text = value.text if isinstance(value, Raw) else value
    if not isinstance(text, str):
        raise ValueProblem(_("a text is needed; put it in double quotes."))
    if not text or len(text) > MAX_LENGTH or "\x00" in text:
        raise ValueProblem(_("a text of 1 to %(limit)d characters is needed.") % {"limit": MAX_LENGTH})
    if term.type == "choice":
        return _choice(term, text)
    if term.type == "user":
        return _user(term, text)
    if term.type == "text" and (term.folded or term.vocabulary) and not fold(text):
        raise ValueProblem(_("a text with at least one letter or digit is needed."))
    return text


def _date(value: Value) -> Value:
    if isinstance(value, Raw):
        try:
            return date.fromisoformat(value.text)
        except ValueError:
            raise ValueProblem(
                _("this is no day; write 2017-12-31, today, or 90 days ago."), ("2017-12-31", "today", "90 days ago")
            ) from None
    if isinstance(value, Relative):
        if abs(value.n) * DAYS_OF[value.unit] > LONGEST:
            raise ValueProblem(_("this is more than a century away."))
        return value
    if isinstance(value, date):
        return value
    raise ValueProblem(_("this is no day; write 2017-12-31, today, or 90 days ago."))


DAYS_OF: dict[Unit, int] = {"days": 1, "weeks": 7, "months": 31, "years": 366}
LONGEST = 36_600


def _number(term: RuleTerm, value: Value, currency: str) -> int | float:
    message = _("this is no number; write it as %(example)s.") % {"example": EXAMPLES[term.type]}
    if isinstance(value, Raw):
        if value.form != "number":
            raise ValueProblem(message)
        percent = value.text.endswith("%")
        if percent and term.type != "share":
            raise ValueProblem(_("a percent sign goes with shares only."))
        number = Decimal(value.text.rstrip("% "))
        if term.type == "money":
            try:
                return to_minor_as_written(number, currency)
            except InputError as error:
                raise ValueProblem(str(error)) from error
        found = whole(float(number / 100 if percent else number))
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueProblem(message)
    else:
        found = whole(value) if abs(value) <= _LARGEST else value
    if not abs(found) <= _LARGEST:
        raise ValueProblem(_("the number is beyond %(limit)d.") % {"limit": _LARGEST})
    if term.type == "share" and not 0 <= found <= 1:
        is_signed = isinstance(value, Raw) and value.text.endswith("%")
        meant = "" if is_signed else _share_meant(found, isinstance(value, Raw))
        raise ValueProblem(_("a share is from 0% to 100%."), suggestion=meant)
    if term.type in ("count", "money") and not isinstance(found, int):
        raise ValueProblem(_("a whole number is needed here."))
    if term.type == "money" and abs(found) > MAX_MINOR:
        raise ValueProblem(_("the number is beyond %(limit)d.") % {"limit": MAX_MINOR})
    return found


def _share_meant(found: float, in_text: bool) -> str:
    """Whoever writes 50 means 50 %, which in JSON, where there is no sign for it, is 0.5."""
    if not 1 < found <= 100:
        return ""
    return f"{_plain(Decimal(repr(found)))}%" if in_text else str(found / 100)


def _truth(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, Raw) and value.text.lower() in TRUTH:
        return TRUTH[value.text.lower()]
    raise ValueProblem(_("yes or no is needed."), ("yes", "no"))


def _choice(term: RuleTerm, text: str) -> str:
    known = [value for value, _label in term.choices]
    if text in known:
        return text
    near = [value for value in known if value.casefold() == text.casefold()]
    if len(near) == 1:
        return near[0]
    from rondo.rules.problems import nearest

    raise ValueProblem(
        _("%(field)s has no “%(value)s”.") % {"field": term.label, "value": text[:40]},
        tuple(map(text_of_word, known)),
        nearest(text, known),
    )


def _user(term: RuleTerm, text: str) -> str:
    text = text.lower()
    if text == "me" or text in {value for value, _label in term.choices}:
        return text
    raise ValueProblem(
        _("nobody here has the address “%(value)s”; write me or a colleague's e-mail address.") % {"value": text[:60]}
    )


def to_text(term: RuleTerm | None, value: Value, currency: str) -> str:
    """A typed value as the text form has it."""
    if isinstance(value, Relative):
        if value.n == 0:
            return "today"
        back = "ago" if value.n > 0 else "from today"
        return f"{abs(value.n)} {unit_word(abs(value.n), value.unit)} {back}"
    if isinstance(value, Span):
        return f"{value.n} {unit_word(value.n, value.unit)}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        if term is not None and term.type == "money":
            return format(Money(int(value), currency).major, "f")
        if term is not None and term.type == "share":
            return _plain(Decimal(repr(value)) * 100) + "%"
        return _plain(Decimal(repr(value)))
    text = value.text if isinstance(value, Raw) else value
    return text_of_word(text)


def unit_word(n: int, unit: Unit) -> str:
    """The unit as it stands behind a number."""
    return unit[:-1] if n == 1 else unit


def text_of_word(text: str) -> str:
    """A text without quotes where it is a plain word and none of the language's own."""
    if _PLAIN_WORD.fullmatch(text) and text.lower() not in ("today", "and", "or", "not", "then"):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


# Days


def shifted(day: date, n: int, unit: Unit) -> date:
    """``n`` units after a day (before it, if negative); a day that the month does not have becomes its last."""
    if unit in ("days", "weeks"):
        return day + timedelta(days=n * DAYS_OF[unit])
    months = day.year * 12 + day.month - 1 + n * (12 if unit == "years" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def resolved_day(value: Value, as_of: date) -> date:
    """The business date that a date value means on ``as_of``."""
    if isinstance(value, Relative):
        return shifted(as_of, -value.n, value.unit)
    assert isinstance(value, date)
    return value


def window(span: Span, as_of: date, *, ahead: bool) -> tuple[date, date]:
    """First and last day of a span that ends with ``as_of`` or, ``ahead``, begins with it."""
    if ahead:
        return as_of, shifted(as_of, span.n, span.unit) - timedelta(days=1)
    return shifted(as_of, -span.n, span.unit) + timedelta(days=1), as_of
