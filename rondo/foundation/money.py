"""Money as integers of minor units with an ISO currency."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, Overflow

from babel.numbers import get_currency_precision, list_currencies
from django.utils.translation import gettext as _

from rondo.errors import InputError

MAX_MINOR = 10**15
"""Larger amounts are refused: they are errors in the data, and sums of them would leave 64 bits."""


@dataclass(frozen=True, order=True)
class Money:
    """An amount in minor units (cents) of a currency (ISO 4217)."""

    minor: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise InputError(
                _("%(one)s and %(other)s cannot be added; convert at a dated rate first.")
                % {"one": self.currency, "other": other.currency}
            )
        return Money(self.minor + other.minor, self.currency)

    @property
    def major(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-get_currency_precision(self.currency))


def check_known(code: str) -> str:
    """The code of a currency that there is; raises InputError."""
    if code not in list_currencies("en"):
        raise InputError(
            _("currency = “%(code)s” is no code of ISO 4217; write three capital letters, such as EUR.")
            % {"code": code[:20]}
        )
    return code


def check_currency(code: str, own: str) -> str:
    """The code, which has to be that of the company's ``own`` currency: amounts of two could not be added.

    Raises:
        InputError: it is no code of a currency, or that of another one.
    """
    if code != own:
        check_known(code)
        raise InputError(
            _("currency = “%(code)s”: amounts are kept in %(own)s; convert this one first, and send it in %(own)s.")
            % {"code": code, "own": own}
        )
    return code


def to_minor(text: str | Decimal | float | int, currency: str) -> int:
    """Minor units of an amount written in major units; half-even where it has more digits than the currency.

    Raises:
        InputError: not a number, not finite, or beyond 10^15 minor units.
    """
    try:
        value = Decimal(str(text))
    except InvalidOperation as error:
        raise InputError(_("%(value)r is no amount; write it as 12.34.") % {"value": str(text)}) from error
    if not value.is_finite():
        raise InputError(_("%(value)r is no finite amount; write it as 12.34.") % {"value": str(text)})
    try:
        minor = value.scaleb(get_currency_precision(currency))
    except (InvalidOperation, Overflow):
        minor = Decimal(MAX_MINOR + 1)
    if abs(minor) > MAX_MINOR:
        raise InputError(
            _("%(value)r is beyond %(limit)d minor units; check the value.") % {"value": str(text), "limit": MAX_MINOR}
        )
    return int(minor.to_integral_value(ROUND_HALF_EVEN))


def to_minor_as_written(text: str | Decimal, currency: str) -> int:
    """As :func:`to_minor`, for what a person wrote: nothing is rounded, and 1.000 is not taken for one.

    Raises:
        InputError: as there, or it has more decimals than the currency.
    """
    minor = to_minor(text, currency)
    exponent = Decimal(str(text)).as_tuple().exponent
    if isinstance(exponent, int) and -exponent > get_currency_precision(currency):
        raise InputError(
            _("“%(value)s” has more decimals than %(currency)s; write a thousand as 1000.")
            % {"value": str(text)[:40], "currency": currency}
        )
    return minor
