"""What is worked out of customers after a run, beside its scores: the columns that lists show and sort by, and the
facts that they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from rondo.analysis.definitions.fact import DATE, MONEY, SHARE
from rondo.analysis.models import InterestOf, LeadFound, LeadOf, NextFound, NextOf
from rondo.foundation.registry import registries

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

ModelClass = type[Model]

BESIDE: dict[ModelClass, tuple[str, ...]] = {
    NextOf: ("next_category", "next_due", "next_chance", "upsell_category", "upsell_chance", "upsell_gain"),
    LeadOf: ("lead_chance", "lead_reason"),
    InterestOf: ("interest_category", "interest_chance"),
}
"""Tables that follow a run, and their columns that lists show and sort by beside the facts: each has an index. Nobody
waits for those tables, and so they come with their indices however large the base is."""

_FOUND: dict[ModelClass, Any] = {NextOf: NextFound, LeadOf: LeadFound, InterestOf: LeadFound}
"""Of each table the one that names the run whose rows it holds."""
_UNITS: "dict[str, _StrOrPromise]" = {"money": MONEY, "share": SHARE, "date": DATE}
_NAMED: "dict[str, _StrOrPromise]" = {"lead_reason": _("key of a signal")}


@dataclass(frozen=True)
class FactBeside:
    """A fact that is worked out after a run. ``key`` is its key in rules and lists, ``column`` the one of ``model``."""

    key: str
    label: "_StrOrPromise"
    definition: "_StrOrPromise"
    type: str
    unit: "_StrOrPromise"
    model: ModelClass
    column: str


@dataclass(frozen=True)
class ValueBeside:
    """A fact of one customer, with the run it is of and the day it looks from."""

    fact: FactBeside
    value: Any
    run: int
    as_of: date


def facts_beside() -> Iterable[FactBeside]:
    """The facts, as rules name them."""
    for source in registries.rule_sources:
        model = None if source.rows is None else source.rows().model
        if model is None or model not in BESIDE:
            continue
        for term in source.fields():
            if term.column in BESIDE[model]:
                unit = _UNITS.get(term.type) or _NAMED.get(term.key) or _("name of a category")
                yield FactBeside(term.key, term.label, term.meaning, term.type, unit, model, term.column)


def values_beside(customer_id: int, facts: Iterable[FactBeside]) -> list[ValueBeside]:
    """What is known of a surviving customer, already checked as visible: None where a fact does not exist for them;
    facts that were not worked out yet, for anybody, are left out."""
    rows: dict[ModelClass, Model | None] = {}
    runs: dict[ModelClass, Any] = {}
    values = []
    for fact in facts:
        if fact.model not in rows:
            rows[fact.model] = fact.model._default_manager.filter(pk=customer_id).first()
            found = _FOUND[fact.model]
            if found not in runs:
                runs[found] = found._default_manager.values_list("run_id", "as_of").first()
        if known := runs[_FOUND[fact.model]]:
            row = rows[fact.model]
            values.append(ValueBeside(fact, None if row is None else getattr(row, fact.column), *known))
    return values
