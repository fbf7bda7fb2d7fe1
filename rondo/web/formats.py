"""Numbers, money and dates as the viewer's language writes them. Pages, charts and spoken labels all come here.

Numbers follow the language's main locale. English dates are written day before month ("1 Dec 2017"), which no reader
mistakes for another day.
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from babel.dates import format_date, format_skeleton
from babel.dates import format_time as babel_time
from babel.numbers import format_currency, format_decimal, format_percent
from django.utils.translation import get_language, ngettext

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


def _pattern(digits: int) -> str:
    return "#,##0" + ("." + "0" * digits if digits else "")


def number(value: float | Decimal | None, digits: int = 0) -> str:
    """A plain number with ``digits`` decimals; a dash for None."""
    if value is None:
        return DASH
    return str(format_decimal(value, format=_pattern(digits), locale=_NUMBERS[language()]))


def share(value: float | None, digits: int = 1) -> str:
    """A share (0 to 1) as a percentage; a dash for None."""
    if value is None:
        return DASH
    lang = language()
    pattern = _pattern(digits) + ("\u00a0%" if lang == "de" else "%")
    return str(format_percent(value, format=pattern, locale=_NUMBERS[lang]))


def money(minor: int | float | None, currency: str = "", digits: int | None = None) -> str:
    """An amount in minor units; ``digits`` overrides the currency's own decimals (0: whole units); a dash for None."""
    if minor is None:
        return DASH
    code = currency or installation().currency
    return _currency(Money(round(minor), code).major, code, digits)


def _currency(value: Decimal, code: str, digits: int | None) -> str:
    lang = language()
    if digits is None:
        return str(format_currency(value, code, locale=_NUMBERS[lang]))
    pattern = f"{_pattern(digits)}\u00a0¤" if lang == "de" else f"¤{_pattern(digits)}"
    return str(format_currency(value, code, format=pattern, locale=_NUMBERS[lang], currency_digits=False))


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
    found = as_day(value)
    locale = _DATES[language()]
    if year:
        return str(format_date(found, "medium" if locale == "en_GB" else "d. MMM y", locale=locale))
    return str(format_skeleton("MMMd", found, locale=locale))


def month(value: date | datetime | str | None) -> str:
    """A month with its year: Dec 2017, Dez. 2017; a dash for None."""
    if value is None or value == "":
        return DASH
    return str(format_skeleton("yMMM", as_day(value), locale=_DATES[language()]))


def clock(value: datetime | None) -> str:
    """The time of day of an instant, in the company's zone; a dash for None."""
    if value is None:
        return DASH
    return str(babel_time(value.astimezone(zone()), "HH:mm", locale=_DATES[language()]))


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


def month_name(value: date) -> str:
    """A month without its year, short: Dec, Dez."""
    return str(format_date(value, "LLL", locale=_DATES[language()]))


def signed(value: float, write: Callable[[float], str]) -> str:
    """A change with its sign (a true minus), written by ``write``."""
    sign = "+" if value > 0 else "−" if value < 0 else "±"
    return sign + write(abs(value))
