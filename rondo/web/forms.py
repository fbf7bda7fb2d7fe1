"""Forms of the shell's own pages."""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from babel import Locale
from babel.numbers import get_currency_name, get_territory_currencies
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from rondo.foundation.installation import installation
from rondo.foundation.models import Installation, User
from rondo.web import formats

_HUNDRED = Decimal(100)


@lru_cache(maxsize=1)
def _in_use() -> frozenset[str]:
    """Codes of the currencies that are legal tender somewhere, as far as the library's data reach."""
    territories = [code for code in map(str, Locale("en").territories) if len(code) == 2]
    return frozenset(currency for code in territories for currency in get_territory_currencies(code))


def currencies() -> list[tuple[str, str]]:
    """Codes of the currencies that are in use, and of the company's own, with their names."""
    locale = formats.language()
    codes = sorted(_in_use() | {installation().currency})
    return [(code, f"{code} · {get_currency_name(code, locale=locale)}") for code in codes]


def zones() -> list[tuple[str, str]]:
    """Time zones by place."""
    names = [
        name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/", "right/"))
    ]
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in sorted(names))]


class InstallationForm(forms.Form):
    """The company and its assumptions; rates are typed in per cent and kept as shares."""

    company = forms.CharField(label=_("Company"), max_length=200, required=False)
    currency = forms.ChoiceField(label=_("Currency"), choices=currencies)
    language = forms.ChoiceField(
        label=_("Language"),
        choices=[("", _("As the installation was set up")), *settings.LANGUAGES],
        required=False,
        help_text=_("Of mails to people who chose none."),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=zones, help_text=_("Says what a day is, in every analysis.")
    )
    margin_percent = forms.DecimalField(
        label=_("Margin"), min_value=0, max_value=100, max_digits=5, decimal_places=2, localize=True,
        help_text=_("The share of revenue that remains. Customer value is computed from it where costs are unknown."),
    )  # fmt: skip
    discount_percent = forms.DecimalField(
        label=_("Discount rate a year"), min_value=0, max_value=100, max_digits=5, decimal_places=2, localize=True,
        help_text=_("What money that comes later is worth less."),
    )  # fmt: skip
    horizon_months = forms.IntegerField(
        label=_("Horizon in months"), min_value=1, max_value=60, help_text=_("How far customer value looks ahead.")
    )

    @classmethod
    def of(cls, row: Installation, data: Mapping[str, Any] | None = None) -> "InstallationForm":
        """The form filled from ``row``, or bound to posted ``data``."""
        initial = {
            "company": row.company,
            "currency": row.currency,
            "language": row.language,
            "time_zone": row.time_zone,
            "margin_percent": _plain(Decimal(str(row.margin_rate)) * _HUNDRED),
            "discount_percent": _plain(Decimal(str(row.discount_rate)) * _HUNDRED),
            "horizon_months": row.horizon_months,
        }
        return cls(data, initial=initial)

    def fields_to_save(self) -> dict[str, object]:
        """The cleaned values as fields of the installation."""
        values = dict(self.cleaned_data)
        values["margin_rate"] = (values.pop("margin_percent") / _HUNDRED).quantize(Decimal("0.0001"))
        values["discount_rate"] = (values.pop("discount_percent") / _HUNDRED).quantize(Decimal("0.0001"))
        return values


def _plain(value: Decimal) -> Decimal:
    """The number without trailing zeros: 25 instead of 25.0000."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()


class ProfileForm(forms.Form):
    """What a person sets about themselves."""

    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    language = forms.ChoiceField(
        label=_("Language"), choices=[("", _("As the browser asks")), *settings.LANGUAGES], required=False
    )
    theme = forms.ChoiceField(label=_("Appearance"), choices=User.Theme.choices)

    @staticmethod
    def of(user: User) -> dict[str, str]:
        """The present values."""
        return {"name": user.name, "language": user.language, "theme": user.theme}
