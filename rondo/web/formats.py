"""Numbers, money and dates as the viewer's language writes them. Pages, charts and spoken labels all come here.

Numbers follow the language's main locale. English dates are written day before month ("1 Dec 2017"), which no reader
mistakes for another day.

A page writes hundreds of figures. What Babel says of a kind of figure (its signs and where they stand) is asked once
and kept; the digits are written here. A test holds both together.
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from babel.dates import format_date, format_skeleton
from babel.numbers import format_currency, format_percent, get_currency_precision
from django.utils.translation import get_language, ngettext, npgettext
from django.utils.translation import gettext as _

from rondo.foundation.installation import installation, zone
from rondo.foundation.money import Money

_NUMBERS: Final = {"en": "en_US", "de": "de_DE"}
_DATES: Final = {"en": "en_GB", "de": "de_DE"}
_STEPS: Final = {
    "en": ((9, "\u00a0bn"), (6, "\u00a0m"), (3, "\u00a0k")),
    "de": ((9, "\u00a0Mrd."), (6, "\u00a0Mio."), (3, "\u00a0Tsd.")),
}
DASH: Final = "–"
"""What stands where there is no figure."""


def language() -> str:
    """The language in force, without its region: one of those the product speaks."""
    found = (get_language() or "en").split("-")[0]
    return found if found in _NUMBERS else "en"


class _Frame(NamedTuple):
    """What stands before and after the digits of a figure, positive and negative, and how many decimals it has."""

    before: str
    after: str
    negative_before: str
    negative_after: str
    decimals: int


_SAMPLE: Final = 7
"""A digit that stands for the figure itself where Babel is asked what surrounds it."""
_SWAPPED: Final = str.maketrans(",.", ".,")
_PLAIN: Final = _Frame("", "", "-", "", 0)


def _pattern(digits: int) -> str:
    return "#,##0" + ("." + "0" * digits if digits else "")


def _around(write: Callable[[int], str], decimals: int) -> _Frame:
    before, _figure, after = write(_SAMPLE).partition(str(_SAMPLE))
    negative, _figure, negative_after = write(-_SAMPLE).partition(str(_SAMPLE))
    fraction = 1 + decimals if decimals else 0
    return _Frame(before, after[fraction:], negative, negative_after[fraction:], decimals)


@lru_cache(maxsize=64)
def _share_frame(lang: str, digits: int) -> _Frame:
    pattern = _pattern(digits) + ("\u00a0%" if lang == "de" else "%")
    locale = _NUMBERS[lang]
    return _around(lambda figure: str(format_percent(Decimal(figure).scaleb(-2), pattern, locale)), digits)


@lru_cache(maxsize=256)
def _money_frame(lang: str, code: str, digits: int | None) -> _Frame:
    locale = _NUMBERS[lang]
    if digits is None:
        return _around(lambda figure: str(format_currency(figure, code, locale=locale)), get_currency_precision(code))
    pattern = f"{_pattern(digits)}\u00a0¤" if lang == "de" else f"¤{_pattern(digits)}"
    return _around(
        lambda figure: str(format_currency(figure, code, pattern, locale, currency_digits=False)),
        digits,
    )


@lru_cache(maxsize=32)
def _quantum(digits: int) -> Decimal:
    return Decimal(1).scaleb(-digits)


def _written(value: float | Decimal, frame: _Frame, lang: str) -> str:
    """The value rounded half to even, with its thousands grouped, in its frame."""
    if type(value) is int and not frame.decimals:
        text = f"{value:,}"
    else:
        exact = value if isinstance(value, Decimal) else Decimal(str(value))
        text = f"{exact.quantize(_quantum(frame.decimals)):,f}"
    if lang == "de":
        text = text.translate(_SWAPPED)
    if text[0] == "-":
        return f"{frame.negative_before}{text[1:]}{frame.negative_after}"
    return f"{frame.before}{text}{frame.after}"


def number(value: float | Decimal | None, digits: int = 0) -> str:
    """A plain number with ``digits`` decimals; a dash for None."""
    if value is None:
        return DASH
    return _written(value, _PLAIN._replace(decimals=digits) if digits else _PLAIN, language())


def share(value: float | None, digits: int = 1) -> str:
    """A share (0 to 1) as a percentage; a dash for None."""
    if value is None:
        return DASH
    lang = language()
    return _written(Decimal(str(value)).scaleb(2), _share_frame(lang, digits), lang)


def money(minor: int | float | None, currency: str = "", digits: int | None = None) -> str:
    """An amount in minor units; ``digits`` overrides the currency's own decimals (0: whole units); a dash for None."""
    if minor is None:
        return DASH
    code = currency or installation().currency
    return _currency(Money(round(minor), code).major, code, digits)


def _currency(value: Decimal, code: str, digits: int | None) -> str:
    lang = language()
    return _written(value, _money_frame(lang, code, digits), lang)


def compact_money(minor: int | float | None, currency: str = "", figures: int = 3) -> str:
    """An amount in minor units to ``figures`` significant figures: $1.21 m, 1,21 Mio. $; a dash for None."""
    if minor is None:
        return DASH
    code = currency or installation().currency
    value = Money(round(minor), code).major
    lang = language()
    scale, word = _step(value, lang, figures)
    scaled = value.scaleb(-scale)
    text = _currency(scaled, code, _decimals(scaled, figures) if scale else 0)
    if not word:
        return text
    if lang == "de":
        digits, _, unit = text.rpartition("\u00a0")
        return f"{digits}{word}\u00a0{unit}"
    return text + word


def compact_number(value: float | None, figures: int = 3) -> str:
    """A number to ``figures`` significant figures: 155,848 is 156 k; a dash for None."""
    if value is None:
        return DASH
    lang = language()
    exact = Decimal(str(value))
    scale, word = _step(exact, lang, figures)
    scaled = exact.scaleb(-scale)
    return number(scaled, _decimals(scaled, figures) if scale else 0) + word


def _step(value: Decimal, lang: str, figures: int) -> tuple[int, str]:
    """The power of ten that ``value`` is written in, and its word; below 10,000 no step is taken."""
    if abs(value) < 10_000:
        return 0, ""
    for power, word in _STEPS[lang]:
        scaled = value.scaleb(-power)
        if abs(round(scaled, _decimals(scaled, figures))) >= 1:
            return power, word
    return 0, ""


def _decimals(scaled: Decimal, figures: int) -> int:
    whole = len(str(int(abs(scaled)))) if abs(scaled) >= 1 else 1
    return max(0, figures - whole)


def as_day(value: date | datetime | str) -> date:
    """The business day of a date, an instant (in the company's zone) or an ISO text."""
    if isinstance(value, datetime):
        return (value.astimezone(zone()) if value.tzinfo else value).date()
    if isinstance(value, date):
        return value
    return date.fromisoformat(value[:10])


def day(value: date | datetime | str | None, year: bool = True) -> str:
    """A day: 1 Dec 2017, 1. Dez. 2017; without its year where the page names it; a dash for None."""
    if value is None or value == "":
        return DASH
    return _day(as_day(value), year, _DATES[language()])


@lru_cache(maxsize=4096)
def _day(found: date, year: bool, locale: str) -> str:
    if year:
        return str(format_date(found, "medium" if locale == "en_GB" else "d. MMM y", locale=locale))
    return str(format_skeleton("MMMd", found, locale=locale))


def month(value: date | datetime | str | None) -> str:
    """A month with its year: Dec 2017, Dez. 2017; a dash for None."""
    if value is None or value == "":
        return DASH
    return _month(as_day(value).replace(day=1), _DATES[language()])


@lru_cache(maxsize=1024)
def _month(found: date, locale: str) -> str:
    return str(format_skeleton("yMMM", found, locale=locale))


def quarter(value: date | datetime | str) -> str:
    """A quarter with its year: Q1 2017."""
    return str(format_date(as_day(value), "QQQ y", locale=_DATES[language()]))


def clock(value: datetime | None) -> str:
    """The time of day of an instant, in the company's zone; a dash for None."""
    if value is None:
        return DASH
    return f"{value.astimezone(zone()):%H:%M}"


def moment(value: datetime | None) -> str:
    """An instant in the company's zone: 1 Dec 2017, 14:02; a dash for None."""
    if value is None:
        return DASH
    return f"{day(value)}, {clock(value)}"


def days(value: float | None) -> str:
    """A number of days with its unit: 3 days, 3 Tage; a dash for None."""
    if value is None:
        return DASH
    count = round(value)
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": number(count)}


def days_ago(value: int) -> str:
    """A number of days as it stands with “ago” and “for”, which has a case of its own in some languages: 3 Tagen."""
    return npgettext("ago", "%(n)s day", "%(n)s days", value) % {"n": number(value)}


def every(gap: int) -> str:
    """How often something comes: every 3 days, alle 3 Tage; every day."""
    return _("every day") if gap == 1 else _("every %(days)s") % {"days": days(gap)}


def months_later(count: int) -> str:
    """How many calendar months after: in the same month, 1 month later."""
    if not count:
        return _("in the same month")
    return ngettext("%(count)s month later", "%(count)s months later", count) % {"count": number(count)}


def quarters_later(count: int) -> str:
    """How many quarters after: in the same quarter, 1 quarter later."""
    if not count:
        return _("in the same quarter")
    return ngettext("%(count)s quarter later", "%(count)s quarters later", count) % {"count": number(count)}


def month_name(value: date) -> str:
    """A month without its year, short, as it stands beside others with theirs: Dec, Dez.

    The form is that of :func:`month`, so that an axis with both speaks one language: März, Juli.
    """
    return str(format_date(value, "MMM", locale=_DATES[language()]))


def signed(value: float, write: Callable[[float], str]) -> str:
    """A change with its sign (a true minus), written by ``write``."""
    sign = "+" if value > 0 else "−" if value < 0 else "±"
    return sign + write(abs(value))
