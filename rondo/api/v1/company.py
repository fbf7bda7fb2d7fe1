"""What an administrator sets for the whole company, by program: the assumptions that values rest on, retention, and for
how many years figures of the erased are kept."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Field, Router, Schema

from rondo.api.auth import TokenAuth
from rondo.api.v1.said import KnownCurrency
from rondo.api.versions import alone
from rondo.api.writing import Fields, actor
from rondo.erasure.actions import set_years
from rondo.erasure.models import KeepRule
from rondo.erasure.queries import keeping
from rondo.foundation.installation import change_installation, installation
from rondo.foundation.models import Installation
from rondo.retention.actions import change_rules
from rondo.retention.actions.ruling import check_days
from rondo.retention.kinds import KINDS
from rondo.retention.models import Rule
from rondo.retention.queries import rules, would_go

router = Router(tags=["settings"])
ADMINISTERING = TokenAuth("administer")


class CompanySettings(Schema):
    __doc__ = gettext_noop("The company, and the assumptions under which values are worked out.")

    company: str
    currency: str = Field(..., examples=["USD"])
    language: str = Field(..., description=gettext_noop("Of mails to people who chose none; empty: as set up."))
    time_zone: str = Field(..., examples=["Europe/Berlin"])
    margin_rate: float = Field(..., description=gettext_noop("The share of revenue that remains, from 0 to 1."))
    discount_rate: float = Field(..., description=gettext_noop("What money that comes a year later is worth less."))
    horizon_months: int = Field(..., description=gettext_noop("How far customer value looks ahead."))


class CompanyFields(Fields):
    __doc__ = gettext_noop("What is to change of the settings; what is left out stays.")

    company: str = Field("", max_length=200)
    currency: KnownCurrency = Field("EUR", min_length=3, max_length=3)
    language: str = Field("", max_length=8)
    time_zone: str = Field("", max_length=64)
    margin_rate: float = Field(0.0, ge=0, le=1)
    discount_rate: float = Field(0.0, ge=0, le=1)
    horizon_months: int = Field(12, ge=1, le=60)


class RetentionRule(Schema):
    __doc__ = gettext_noop(
        "What goes after how many days; null: it stays for good. `goes`: how many rows the rule would take tonight, "
        "but for those that a hold keeps."
    )

    kind: str = Field(..., examples=["prospects"])
    label: str
    meaning: str
    least: int = Field(..., description=gettext_noop("The fewest days that can be set."))
    days: int | None
    goes: int | None
    changed_at: datetime | None
    changed_by: str | None = Field(..., description=gettext_noop("E-mail address."))


class RetentionRules(Schema):
    __doc__ = gettext_noop("The rule of every kind of data.")

    rules: list[RetentionRule]


class RetentionBody(Fields):
    __doc__ = gettext_noop("Days by kind; null: it stays for good. A kind that is left out stays as it is.")

    days: dict[str, int | None] = Field(..., max_length=50, examples=[{"prospects": 730}])


class KeptYears(Schema):
    __doc__ = gettext_noop("For how many years which figures of erased customers are kept.")

    years: dict[str, int] = Field(..., examples=[{"orders": 10}])


class YearsBody(Fields):
    __doc__ = gettext_noop("Years by kind of figures; what is left out stays.")

    years: dict[str, int] = Field(..., max_length=50, examples=[{"orders": 10}])


@router.get(
    "/settings/company",
    auth=ADMINISTERING,
    response=CompanySettings,
    summary=gettext_noop("Settings of the company"),
    operation_id="getSettings",
    openapi_extra=alone(lambda: Installation.objects.filter(pk=1)),
    description=gettext_noop("The company and its assumptions."),
)
def get_settings(request: HttpRequest) -> CompanySettings:
    row = installation()
    return CompanySettings(
        company=row.company,
        currency=row.currency,
        language=row.language,
        time_zone=row.time_zone,
        margin_rate=float(row.margin_rate),
        discount_rate=float(row.discount_rate),
        horizon_months=row.horizon_months,
    )


@router.patch(
    "/settings/company",
    auth=ADMINISTERING,
    response=CompanySettings,
    summary=gettext_noop("Change the settings of the company"),
    operation_id="changeSettings",
    description=gettext_noop("Figures follow new assumptions after the next analysis."),
)
def change_settings(request: HttpRequest, body: CompanyFields) -> CompanySettings:
    fields: dict[str, Any] = body.dict(exclude_unset=True)
    for rate in ("margin_rate", "discount_rate"):
        if rate in fields:
            fields[rate] = Decimal(str(fields[rate])).quantize(Decimal("0.0001"))
    change_installation(actor(request), **fields)
    return get_settings(request)


@router.get(
    "/settings/retention",
    auth=ADMINISTERING,
    response=RetentionRules,
    summary=gettext_noop("Rules of retention"),
    operation_id="getRetention",
    openapi_extra=alone(lambda: Rule.objects.all(), "goes"),
    description=gettext_noop("After how many days what goes, and how much would go tonight."),
)
def get_retention(request: HttpRequest) -> RetentionRules:
    return _told({kind: rule.days for kind, rule in rules().items()})


@router.post(
    "/settings/retention/trial",
    auth=ADMINISTERING,
    response=RetentionRules,
    summary=gettext_noop("Try rules of retention"),
    operation_id="tryRetention",
    description=gettext_noop("How much would go tonight by these rules; nothing is changed."),
)
def try_retention(request: HttpRequest, body: RetentionBody) -> RetentionRules:
    for kind, days in body.days.items():
        check_days(kind, days)
    return _told({**{kind: rule.days for kind, rule in rules().items()}, **body.days})


@router.patch(
    "/settings/retention",
    auth=ADMINISTERING,
    response=RetentionRules,
    summary=gettext_noop("Change rules of retention"),
    operation_id="changeRetention",
    description=gettext_noop(
        "They hold from the coming night on, when a job carries them out. The rule that empties the bin erases, and "
        "needs the scope erase, too."
    ),
)
def change_retention(request: HttpRequest, body: RetentionBody) -> RetentionRules:
    change_rules(actor(request), body.days)
    return get_retention(request)


@router.get(
    "/settings/erasures",
    auth=ADMINISTERING,
    response=KeptYears,
    summary=gettext_noop("How long figures of the erased are kept"),
    operation_id="getKeptYears",
    openapi_extra=alone(lambda: KeepRule.objects.all()),
    description=gettext_noop("In years, by kind of figures; 0: not at all."),
)
def get_years(request: HttpRequest) -> KeptYears:
    return KeptYears(years={figures.key: years for figures, years in keeping()})


@router.patch(
    "/settings/erasures",
    auth=ADMINISTERING,
    response=KeptYears,
    summary=gettext_noop("Change how long figures of the erased are kept"),
    operation_id="changeKeptYears",
    description=gettext_noop("It holds for erasures from now on."),
)
def change_years(request: HttpRequest, body: YearsBody) -> KeptYears:
    with transaction.atomic():
        for kind, years in body.years.items():
            set_years(actor(request), kind, years)
    return get_years(request)


def _told(days: Mapping[str, int | None]) -> RetentionRules:
    """The rules as they would be with these days, and what each would take."""
    holds = rules()
    found = []
    for key, kind in KINDS.items():
        rule, wanted = holds.get(key), days.get(key)
        found.append(
            RetentionRule(
                kind=key,
                label=str(kind.label),
                meaning=str(kind.meaning),
                least=kind.least,
                days=wanted,
                goes=None if wanted is None else would_go(key, wanted),
                changed_at=rule.at if rule else None,
                changed_by=rule.actor.email if rule and rule.actor else None,
            )
        )
    return RetentionRules(rules=found)
