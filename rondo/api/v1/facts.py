"""Facts: their definitions, and what the current analysis knows of one customer, with what is worked out after it."""

from datetime import date
from typing import Annotated

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Query, Router

from rondo.analysis.models import Run, Score
from rondo.analysis.queries import facts_for
from rondo.analysis.scores_beside import FactBeside, ValueBeside, facts_beside, values_beside
from rondo.api.auth import viewer
from rondo.api.v1 import schemas
from rondo.customers import queries
from rondo.errors import InputError
from rondo.foundation import ids
from rondo.foundation.registry import Fact

router = Router(tags=["facts"])

RUN_PREFIX = "r"
FOLLOWING = "following"
"""The group of what is worked out after a run."""


@router.get(
    "/facts",
    response=schemas.FactDefinitions,
    summary=gettext_noop("Definitions of facts"),
    operation_id="listFacts",
    description=gettext_noop(
        "Every fact that is computed per customer, in the language asked for (`Accept-Language`: en or de)."
    ),
)
def list_facts(request: HttpRequest) -> schemas.FactDefinitions:
    return schemas.FactDefinitions(
        data=[
            schemas.FactDefinition(
                key=fact.key,
                label=str(fact.label),
                definition=str(fact.definition),
                type=fact.type,
                unit=str(fact.unit),
                group=fact.group,
                estimate=fact.estimate,
                low=fact.low or None,
                high=fact.high or None,
            )
            for fact in facts_for(viewer(request))
        ]
        + [
            schemas.FactDefinition(
                key=fact.key,
                label=str(fact.label),
                definition=str(fact.definition),
                type=fact.type,
                unit=str(fact.unit),
                group=FOLLOWING,
                estimate=False,
                low=None,
                high=None,
            )
            for fact in facts_beside()
        ]
    )


@router.get(
    "/customers/{customer_id}/facts",
    response=schemas.CustomerFacts,
    summary=gettext_noop("A customer's facts"),
    operation_id="getCustomerFacts",
    description=gettext_noop(
        "What the current analysis run knows of a customer, with the run and the day it looks from."
    ),
)
def get_facts(
    request: HttpRequest,
    customer_id: str,
    key: Annotated[
        list[str], Query(max_length=200, description=gettext_noop("Only these facts; may be repeated."))
    ] = [],  # noqa: B006 - read as the default by ninja, never changed
) -> schemas.CustomerFacts:
    wanted = [fact for fact in facts_for(viewer(request)) if not key or fact.key in key]
    beside = [fact for fact in facts_beside() if not key or fact.key in key]
    if strangers := sorted(set(key) - {fact.key for fact in wanted} - {fact.key for fact in beside}):
        raise InputError(_("key: there is no fact %(key)r; /api/v1/facts lists them.") % {"key": strangers[0][:100]})
    customer = queries.get_visible(viewer(request), customer_id)
    run = Run.objects.filter(is_current=True).only("pk", "as_of", "results").first()
    score = Score.objects.filter(customer_id=customer.pk).first() if run else None
    currency = str(run.results.get("totals", {}).get("currency", "")) if run else ""
    return schemas.CustomerFacts(
        customer=customer.public_id,
        run=schemas.AnalysisRun(id=ids.encode(RUN_PREFIX, run.pk), as_of=run.as_of) if run else None,
        facts=[]
        if score is None
        else [
            *(_value(fact, score, currency) for fact in wanted),
            *(_beside(known, currency) for known in values_beside(customer.pk, beside)),
        ],
    )


def _value(fact: Fact, score: Score, currency: str) -> schemas.FactValue:
    low = _number(_shaped(fact, getattr(score, fact.low), currency)) if fact.low else None
    high = _number(_shaped(fact, getattr(score, fact.high), currency)) if fact.high else None
    value = _shaped(fact, getattr(score, fact.key), currency)
    return schemas.FactValue(key=fact.key, type=fact.type, unit=str(fact.unit), value=value, low=low, high=high)


def _beside(known: ValueBeside, currency: str) -> schemas.FactValue:
    return schemas.FactValue(
        key=known.fact.key,
        type=known.fact.type,
        unit=str(known.fact.unit),
        value=_shaped(known.fact, known.value, currency),
        run=schemas.AnalysisRun(id=ids.encode(RUN_PREFIX, known.run), as_of=known.as_of),
    )


def _shaped(
    fact: Fact | FactBeside, value: int | float | date | str | None, currency: str
) -> int | float | date | str | schemas.Money | None:
    if fact.type == "money" and isinstance(value, int):
        return schemas.Money(minor=value, currency=currency)
    return value


def _number(value: int | float | date | str | schemas.Money | None) -> int | float | schemas.Money | None:
    return value if isinstance(value, int | float | schemas.Money) else None
