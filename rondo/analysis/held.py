"""What the analysis holds about a person, for data bundles and erasure: figures that it works out anew."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rondo.analysis import definitions  # noqa: F401 - the facts are registered there
from rondo.analysis.models import (
    Counted,
    History,
    InterestOf,
    LeadFound,
    LeadOf,
    Membership,
    NextFound,
    NextOf,
    Pin,
    Refresh,
    Run,
    RunPart,
    Score,
    Segment,
    Series,
    StageFound,
    StageOf,
    StageVersion,
    StandingVersion,
    Study,
    StudyCustomer,
)
from rondo.foundation.holdings import Holding, Impersonal, Swept
from rondo.foundation.registry import registries

_OF_OTHERS = frozenset(fact.key for fact in registries.facts if fact.of_others)
"""Figures that tell of whom somebody lives and works with, and are not handed out with what is told of one person."""


def _columns(model: type) -> tuple[str, ...]:
    names = (field.attname for field in model._meta.concrete_fields)  # type: ignore[attr-defined]
    return tuple(name for name in names if name not in _OF_OTHERS)


for _place, (_key, _label, _model) in enumerate(
    (
        ("scores", _("Facts and scores"), Score),
        ("histories", _("How stages changed"), History),
        ("buying_stages", _("Buying stages"), StageOf),
        ("leads", _("Likelihoods of a first purchase"), LeadOf),
        ("interests", _("Likely interests"), InterestOf),
        ("next_purchases", _("Likely next purchases"), NextOf),
    )
):
    registries.holdings.add(
        _key,
        Holding(_key, _label, _model, 10 + _place, lambda records: Q(customer_id__in=records), told=_columns(_model)),
    )
registries.holdings.add(
    "segments",
    Holding(
        "segments",
        _("Stays in segments"),
        Membership,
        20,
        lambda records: Q(customer_id__in=records),
        told=("segment__key", "segment__name", "entered_at", "left_at"),
    ),
)
registries.holdings.add(
    "studies",
    Holding(
        "studies",
        _("Places in studies"),
        StudyCustomer,
        21,
        lambda records: Q(customer_id__in=records) | Q(other_id__in=records),
        told=("study__kind", "study__as_of", "place", "score"),
    ),
)
registries.swept.add("segments", Swept("segments", Segment, ("name", "description", "rule", "text", "error")))
registries.swept.add("segment_refreshes", Swept("segment_refreshes", Refresh, ("profile", "error")))
registries.swept.add("studies", Swept("studies", Study, ("subject", "config", "results", "error")))
for _version in (StageVersion, StandingVersion, Pin):
    registries.swept.add(_version._meta.db_table, Swept(_version._meta.db_table, _version, ("reason",)))
registries.swept.add("runs", Swept("runs", Run, ("error",)))
_FIGURES = "figures of the whole base; of customers keys alone"
for _model in (Counted, RunPart, StageFound, LeadFound, NextFound, Series):
    registries.impersonal.add(_model._meta.db_table, Impersonal(_model, _FIGURES))
