"""What rules can ask of the analysis: every fact of the score table."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import pgettext_lazy

from rondo.analysis.models import Score
from rondo.catalogue.models import Category
from rondo.customers.queries import sees_all
from rondo.foundation.models import User
from rondo.foundation.registry import RuleField, RuleSource, registries

ACTIVITY = (
    ("active", pgettext_lazy("activity", "active")),
    ("late", pgettext_lazy("activity", "late")),
    ("asleep", pgettext_lazy("activity", "asleep")),
    ("never", pgettext_lazy("activity", "never bought")),
)
"""Activity by the customer's own rhythm, in its natural order."""

LADDER = (
    ("suspect", pgettext_lazy("ladder", "suspect")),
    ("prospect", pgettext_lazy("ladder", "prospect")),
    ("customer", pgettext_lazy("ladder", "customer")),
    ("client", pgettext_lazy("ladder", "client")),
    ("advocate", pgettext_lazy("ladder", "advocate")),
)
"""Rungs of the loyalty ladder, from the foot to the top."""

STAGE = (
    ("before", pgettext_lazy("stage", "before interest")),
    ("initiation", pgettext_lazy("stage", "initiation")),
    ("socialisation", pgettext_lazy("stage", "socialisation")),
    ("growth", pgettext_lazy("stage", "growth")),
    ("maturity", pgettext_lazy("stage", "maturity")),
    ("endangered", pgettext_lazy("stage", "endangered")),
    ("decline", pgettext_lazy("stage", "decline")),
    ("termination", pgettext_lazy("stage", "termination")),
    ("abstinence", pgettext_lazy("stage", "abstinence")),
    ("revitalisation", pgettext_lazy("stage", "revitalisation")),
)
"""Stages of the customer life cycle in their order."""

RELATIONSHIP = (
    ("unknown", pgettext_lazy("relationship", "not known")),
    ("exchange", pgettext_lazy("relationship", "basic exchange")),
    ("partner", pgettext_lazy("relationship", "business partner")),
    ("buddies", pgettext_lazy("relationship", "buddies")),
    ("best_friends", pgettext_lazy("relationship", "best friends")),
    ("fling", pgettext_lazy("relationship", "fling")),
    ("master_servant", pgettext_lazy("relationship", "master and servant")),
)
"""Types of relationship, the unknown first."""

CONFIDENCE = (
    ("low", pgettext_lazy("confidence", "low")),
    ("medium", pgettext_lazy("confidence", "medium")),
    ("high", pgettext_lazy("confidence", "high")),
)
"""How sure the type of a relationship is, rising."""

ATTACHMENT = (
    ("attached", pgettext_lazy("attachment", "attached")),
    ("bound", pgettext_lazy("attachment", "bound but not attached")),
    ("free", pgettext_lazy("attachment", "free")),
)
"""Whether who is bound is attached as well."""

RISK = (
    ("low", pgettext_lazy("risk", "low")),
    ("elevated", pgettext_lazy("risk", "elevated")),
    ("high", pgettext_lazy("risk", "high")),
)
"""Levels of the risk of falling silent, rising."""

DRIVER = (
    ("silence", pgettext_lazy("risk driver", "silent for longer than usual")),
    ("rhythm", pgettext_lazy("risk driver", "buys rarely")),
    ("once", pgettext_lazy("risk driver", "bought only once")),
)
"""What drives the risk."""

CHANGE = (
    ("rarer", pgettext_lazy("change", "buys less often")),
    ("less", pgettext_lazy("change", "spends less a time")),
    ("oftener", pgettext_lazy("change", "buys more often")),
    ("more", pgettext_lazy("change", "spends more a time")),
    ("other", pgettext_lazy("change", "buys other things")),
    ("elsewhere", pgettext_lazy("change", "buys over other channels")),
)
"""What changed in somebody's buying, losses first."""

CHOICES: dict[str, tuple[tuple[str, Any], ...]] = {
    "activity": ACTIVITY,
    "ladder": LADDER,
    "stage": STAGE,
    "risk": RISK,
    "risk_driver": DRIVER,
    "change": CHANGE,
    "relationship": RELATIONSHIP,
    "relationship_confidence": CONFIDENCE,
    "attachment": ATTACHMENT,
}


def _category_names() -> Iterable[str]:
    return Category.objects.values_list("name", flat=True).distinct()


def _changed_to() -> Iterable[str]:
    told = Score.objects.order_by().filter(change_to__isnull=False)
    return [name for name in told.values_list("change_to", flat=True).distinct() if name]


VOCABULARIES = {"favourite_category": _category_names, "change_to": _changed_to}


def _sees_some(viewer: User) -> bool:
    return not sees_all(viewer)


def _facts() -> Iterable[RuleField]:
    columns = {column.name for column in Score._meta.concrete_fields}
    for fact in registries.facts:
        if fact.key not in columns:
            continue
        choices = CHOICES.get(fact.key, ())
        yield RuleField(
            fact.key,
            fact.label,
            "choice" if choices else fact.type,
            choices=choices,
            meaning=fact.definition,
            group="facts",
            vocabulary=VOCABULARIES.get(fact.key),
            hidden_from=_sees_some if fact.of_others else None,
            source="score",
            column=fact.key,
            copied=fact.key,
        )


def _frame(tables: Any, _field: RuleField) -> Any:
    import ibis

    from rondo.analysis.scores import schema

    if "scores" not in tables.names:
        return ibis.memtable(schema().empty_table())
    # A copy that an older version wrote lacks the facts that came since, until the next analysis.
    scores, kinds = tables.scores, ibis.Schema.from_pyarrow(schema())
    return scores.mutate(**{name: ibis.null(kinds[name]) for name in kinds if name not in scores.columns})


def _values(records: Sequence[int], fields: Sequence[RuleField]) -> dict[str, Any]:
    row = Score.objects.filter(customer_id=records[0]).values(*{field.column for field in fields}).first() or {}
    return {field.key: row.get(field.column) for field in fields}


registries.rule_sources.add(
    "score", RuleSource("score", _facts, _values, frame=_frame, rows=lambda: Score.objects.all())
)
