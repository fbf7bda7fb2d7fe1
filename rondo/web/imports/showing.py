"""Values of a trial as the lists show them: amounts with their currency, days and times as the viewer writes them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from rondo.interactions.importing.cells import exact, in_zone, units
from rondo.web import formats


def shown(type: str, value: Any, currency: str) -> str:
    """A value of a field of this type in the viewer's language; empty where there is none."""
    if value is None or isinstance(value, str):
        return value or ""
    if type == "money":
        return formats.money(value, currency)
    if type == "boolean":
        return _("yes") if value else _("no")
    if type in {"quantity", "number"}:
        figure = units(value) if type == "quantity" else exact(value)
        return formats.number(figure, _decimals(figure))
    return formats.moment(in_zone(value)) if isinstance(value, datetime) else formats.day(value)


def _decimals(figure: Decimal) -> int:
    return max(0, -int(figure.as_tuple().exponent))
