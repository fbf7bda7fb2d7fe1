"""Facts: their definitions, and what the current analysis knows of one customer."""

from datetime import date

from django.http import HttpRequest
from ninja import Router

from rondo.analysis.models import Run, Score
from rondo.api.auth import viewer
from rondo.api.v1 import schemas
from rondo.customers import queries
from rondo.foundation import ids
from rondo.foundation.registry import Fact, registries

router = Router(tags=["facts"])

RUN_PREFIX = "r"


@router.get("/facts", response=schemas.FactDefinitions, summary="Definitions of facts", operation_id="listFacts")
def list_facts(request: HttpRequest) -> schemas.FactDefinitions:
    """Every fact that is computed per customer, in the language asked for (`Accept-Language`: en or de)."""
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
            for fact in registries.facts
        ]
    )


@router.get(
    "/customers/{customer_id}/facts",
    response=schemas.CustomerFacts,
    summary="A customer's facts",
    operation_id="getCustomerFacts",
)
def get_facts(request: HttpRequest, customer_id: str) -> schemas.CustomerFacts:
    """What the current analysis run knows of a customer, with the run and the day it looks from."""
    customer = queries.get_visible(viewer(request), customer_id)
    run = Run.objects.filter(is_current=True).only("pk", "as_of", "results").first()
    score = Score.objects.filter(customer_id=customer.pk).first() if run else None
    currency = str(run.results.get("totals", {}).get("currency", "")) if run else ""
    return schemas.CustomerFacts(
        customer=customer.public_id,
        run=schemas.AnalysisRun(id=ids.encode(RUN_PREFIX, run.pk), as_of=run.as_of) if run else None,
        facts=[] if score is None else [_value(fact, score, currency) for fact in registries.facts],
    )


def _value(fact: Fact, score: Score, currency: str) -> schemas.FactValue:
    low = _number(_shaped(fact, getattr(score, fact.low), currency)) if fact.low else None
    high = _number(_shaped(fact, getattr(score, fact.high), currency)) if fact.high else None
    value = _shaped(fact, getattr(score, fact.key), currency)
    return schemas.FactValue(key=fact.key, type=fact.type, unit=str(fact.unit), value=value, low=low, high=high)


def _shaped(
    fact: Fact, value: int | float | date | str | None, currency: str
) -> int | float | date | str | schemas.Money | None:
    if fact.type == "money" and isinstance(value, int):
        return schemas.Money(minor=value, currency=currency)
    return value


def _number(value: int | float | date | str | schemas.Money | None) -> int | float | schemas.Money | None:
    return value if isinstance(value, int | float | schemas.Money) else None
