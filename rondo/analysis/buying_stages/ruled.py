"""What rules can ask of buying stages: the stage in each category, and in how many categories a customer is in each."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from rondo.analysis.buying_stages.texts import STAGES, beginning, entries, letters_of
from rondo.analysis.models import StageFound, StageOf
from rondo.catalogue.models import Category
from rondo.foundation.registry import RuleField, RuleSource, registries

BUYING_STAGE = (
    ("unaware", pgettext_lazy("buying stage", "unaware")),
    ("need_recognised", pgettext_lazy("buying stage", "need recognised")),
    ("information_search", pgettext_lazy("buying stage", "information search")),
    ("evaluation", pgettext_lazy("buying stage", "evaluation")),
    ("purchase", pgettext_lazy("buying stage", "purchase")),
    ("after_purchase", pgettext_lazy("buying stage", "after purchase")),
)
"""Buying stages in their order."""
PREFIX = "buying_stage."
GROUP = "buying stages"
MOST = 2_000
"""So many categories can be asked for, in the order of their paths."""


def key_of(path: str) -> str:
    """The key of the field that is the stage in a category."""
    return f"{PREFIX}{path}"


def rule_of(path: str, stage: str) -> str:
    """The rule that finds who stands in a stage of a category."""
    return f"`{key_of(path)}` = {stage}"


def second_level() -> Iterable[tuple[int, str, str]]:
    """Key, path and name of the categories that rules can name, on the second level or the first where it has none."""
    below = Exists(Category.objects.filter(parent_id=OuterRef("pk")))
    second = Category.objects.filter(Q(depth=1) | Q(depth=0) & ~below).order_by("path")
    # A key with one of these cannot be written in a rule.
    return [row for row in second.values_list("pk", "path", "name")[:MOST] if not {"`", "\n"} & set(row[1])]


def _fields() -> Iterable[RuleField]:
    meaning = _("Where the customer stands in buying of this category; not known of who never gave a sign.")
    label = str(_("Buying stage: %(category)s"))
    for key, path, name in second_level():
        yield RuleField(
            key_of(path),
            label % {"category": name},
            "choice",
            choices=BUYING_STAGE,
            meaning=meaning,
            group=GROUP,
            source="buying_stage",
            copied="stage",
            item=key,
            alias=f"{PREFIX}{name}",
        )


def _values(records: Sequence[int], fields: Sequence[RuleField]) -> dict[str, Any]:
    found, row = StageFound.objects.only("as_of").first(), StageOf.objects.filter(pk=records[0]).first()
    known = {one.category: one.stage for one in entries(row.stages, found.as_of)} if row and found else {}
    return {field.key: known.get(field.item) for field in fields}


def _condition(field: RuleField, match: Any, as_set: bool) -> Q:
    found = Q(pk__in=())
    for stage in STAGES:
        if match.holds(stage):
            for letter in letters_of(stage):
                found |= Q(stages__contains=beginning(field.item, letter))
    rows = StageOf.objects.filter(found)
    return Q(pk__in=rows.values("customer_id")) if as_set else Q(Exists(rows.filter(customer_id=OuterRef("pk"))))


def _frame(tables: Any, field: RuleField) -> Any:
    if "buying_stages" in tables.names:
        return tables.buying_stages.filter(tables.buying_stages.category_id == field.item)
    import ibis

    from rondo.analysis.buying_stages.working import STOOD

    return ibis.memtable(STOOD.empty_table())


registries.rule_sources.add(
    "buying_stage", RuleSource("buying_stage", _fields, _values, frame=_frame, condition=_condition)
)

_COUNTS = tuple(
    RuleField(
        f"categories_{stage}",
        _("Categories in stage: %(stage)s") % {"stage": label},
        "count",
        meaning=_("In how many categories the customer is in this buying stage; not known of who never gave a sign."),
        group="facts",
        source="buying_stage_counts",
        column=stage,
        copied=stage,
    )
    for stage, label in BUYING_STAGE
)


def _counted(tables: Any, _field: RuleField) -> Any:
    import ibis

    if "buying_stages" not in tables.names:
        from rondo.analysis.scores import schema

        return ibis.memtable(schema(StageOf).empty_table())
    t = tables.buying_stages
    counts = {stage: (t.stage == stage).cast("int64").sum() for stage in STAGES}
    return t.group_by("customer_id").aggregate(**counts)


def _count_values(records: Sequence[int], fields: Sequence[RuleField]) -> dict[str, Any]:
    row = StageOf.objects.filter(pk=records[0]).values(*{field.column for field in fields}).first() or {}
    return {field.key: row.get(field.column) for field in fields}


registries.rule_sources.add(
    "buying_stage_counts",
    RuleSource(
        "buying_stage_counts", lambda: _COUNTS, _count_values, frame=_counted, rows=lambda: StageOf.objects.all()
    ),
)
