"""What rules can ask of what comes next: the category that is due, when, and how likely it is within a week; and
where a higher price tier is likely."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from rondo.analysis.models import NextOf
from rondo.catalogue.models import Category
from rondo.foundation.registry import RuleField, RuleSource, registries


def _graded() -> Any:
    """Categories in which somebody may trade up."""
    return NextOf.objects.exclude(upsell_category=None).values_list("upsell_category", flat=True).distinct()


_FIELDS = (
    RuleField(
        "next_category",
        _("Next due category"),
        "text",
        meaning=_("The category due soonest by the customer's own rhythm, of those bought on at least three days."),
        group="facts",
        vocabulary=lambda: Category.objects.values_list("name", flat=True).distinct(),
        source="next",
        column="next_category",
        copied="next_category",
    ),
    RuleField(
        "next_due",
        _("Next due on"),
        "date",
        meaning=_("The day on which that category is due: half of such customers have bought it by then."),
        group="facts",
        source="next",
        column="next_due",
        copied="next_due",
    ),
    RuleField(
        "next_chance",
        _("Buys it within a week"),
        "share",
        meaning=_("Probability that that category is bought within the seven days after the run's day."),
        group="facts",
        source="next",
        column="next_chance",
        copied="next_chance",
    ),
    RuleField(
        "upsell_category",
        _("Trades up in"),
        "text",
        meaning=_("The category in which a higher price tier than usual brings most at the next purchase."),
        group="facts",
        vocabulary=_graded,
        source="next",
        column="upsell_category",
        copied="upsell_category",
    ),
    RuleField(
        "upsell_chance",
        _("Chance of a higher tier"),
        "share",
        meaning=_("Probability that the next purchase in that category is of a higher price tier than usual."),
        group="facts",
        source="next",
        column="upsell_chance",
        copied="upsell_chance",
    ),
    RuleField(
        "upsell_gain",
        _("Expected from trading up"),
        "money",
        meaning=_("What that is expected to bring at the next purchase: chance × packs × difference of tier prices."),
        group="facts",
        source="next",
        column="upsell_gain",
        copied="upsell_gain",
    ),
)


def _fields() -> Iterable[RuleField]:
    return _FIELDS


def _frame(tables: Any, _field: RuleField) -> Any:
    import ibis

    from rondo.analysis.next.actions import DUE

    if "next_due" in tables.names:
        # A table written before a column was known says nothing of it.
        missing = [name for name in DUE.names if name not in tables.next_due.columns]
        types = {name: ibis.Schema.from_pyarrow(DUE)[name] for name in missing}
        return tables.next_due.mutate(**{name: ibis.null(kind) for name, kind in types.items()})

    return ibis.memtable(DUE.empty_table())


def _values(records: Sequence[int], fields: Sequence[RuleField]) -> dict[str, Any]:
    row = NextOf.objects.filter(customer_id=records[0]).values(*{field.column for field in fields}).first() or {}
    return {field.key: row.get(field.column) for field in fields}


registries.rule_sources.add(
    "next", RuleSource("next", _fields, _values, frame=_frame, rows=lambda: NextOf.objects.all())
)
