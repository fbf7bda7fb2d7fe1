"""What rules can ask of leads and interests: the chance of a first purchase and why, the category of most interest, and
the chance in each category."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Exists, FloatField, OuterRef, Q, Value
from django.db.models.functions import Cast, StrIndex, Substr
from django.utils.translation import gettext_lazy as _

from rondo.analysis.buying_stages.ruled import second_level
from rondo.analysis.leads.queries import interested
from rondo.analysis.leads.texts import CHANCE_LENGTH, beginning, interests
from rondo.analysis.models import InterestOf, LeadFound, LeadOf
from rondo.catalogue.models import Category
from rondo.foundation.registry import RuleField, RuleSource, registries

PREFIX = "interest."
GROUP = "interests"


def key_of(path: str) -> str:
    """The key of the field that is the chance in a category."""
    return f"{PREFIX}{path}"


def rule_of(path: str, chance: float) -> str:
    """The rule that finds who buys of a category for the first time with at least a chance."""
    return f"`{key_of(path)}` >= {100 * chance:.2f}%"


def _themes() -> list[str]:
    found = LeadFound.objects.only("results").first()
    return [theme for theme, _weight in found.results["leads"]["themes"]] if found else []


_LEAD = (
    RuleField(
        "lead_chance",
        _("Chance of a first purchase"),
        "share",
        meaning=_(
            "Probability that a customer who never bought does within the horizon of the score; not known of buyers."
        ),
        group="facts",
        source="lead",
        column="lead_chance",
        copied="lead_chance",
    ),
    RuleField(
        "lead_reason",
        _("Strongest signal of a lead"),
        "text",
        meaning=_("The signal that sets the chance of a first purchase most apart from that of the average lead."),
        group="facts",
        vocabulary=_themes,
        source="lead",
        column="lead_reason",
        copied="lead_reason",
    ),
)
_INTEREST = (
    RuleField(
        "interest_category",
        _("New category of most interest"),
        "text",
        meaning=_("The category never bought of that is likeliest to be bought within 28 days."),
        group="facts",
        vocabulary=lambda: Category.objects.values_list("name", flat=True).distinct(),
        source="interest_best",
        column="interest_category",
        copied="interest_category",
    ),
    RuleField(
        "interest_chance",
        _("Chance in that category"),
        "share",
        meaning=_("Probability that that category is bought for the first time within 28 days."),
        group="facts",
        source="interest_best",
        column="interest_chance",
        copied="interest_chance",
    ),
)


def _row(model: Any) -> Any:
    def values(records: Sequence[int], fields: Sequence[RuleField]) -> dict[str, Any]:
        row = model.objects.filter(pk=records[0]).values(*{field.column for field in fields}).first() or {}
        return {field.key: row.get(field.column) for field in fields}

    return values


def _empty(name: str) -> Any:
    import ibis

    from rondo.analysis.leads import actions

    return ibis.memtable({"leads": actions.LEADS, "interests": actions.INTERESTS}[name].empty_table())


def _leads(tables: Any, _field: RuleField) -> Any:
    return tables.leads if "leads" in tables.names else _empty("leads")


def _interests(tables: Any) -> Any:
    return tables.interests if "interests" in tables.names else _empty("interests")


def _best(tables: Any, _field: RuleField) -> Any:
    t = _interests(tables)
    t = t.filter(t.place == 1)
    return t.select("customer_id", interest_category=t.category.split(" > ")[-1][:120], interest_chance=t.chance)


registries.rule_sources.add(
    "lead", RuleSource("lead", lambda: _LEAD, _row(LeadOf), frame=_leads, rows=lambda: LeadOf.objects.all())
)
registries.rule_sources.add(
    "interest_best",
    RuleSource(
        "interest_best", lambda: _INTEREST, _row(InterestOf), frame=_best, rows=lambda: InterestOf.objects.all()
    ),
)


def _fields() -> Iterable[RuleField]:
    meaning = _(
        "Probability that a customer who never bought of this category does within 28 days; known of the 20 likeliest "
        "categories of each customer from 1% on."
    )
    label = str(_("Interest: %(category)s"))
    for key, path, name in second_level():
        yield RuleField(
            key_of(path),
            label % {"category": name},
            "share",
            meaning=meaning,
            group=GROUP,
            source="interest",
            copied="chance",
            item=key,
            alias=f"{PREFIX}{name}",
        )


def _values(records: Sequence[int], fields: Sequence[RuleField]) -> dict[str, Any]:
    row = InterestOf.objects.filter(pk=records[0]).first()
    known = {one.category: one.chance for one in interests(row.interests)} if row else {}
    return {field.key: known.get(field.item) for field in fields}


def _condition(field: RuleField, match: Any, as_set: bool) -> Q:
    begins = beginning(field.item)
    place = StrIndex("interests", Value(begins)) + len(begins)
    rows = interested(field.item).annotate(chance=Cast(Substr("interests", place, CHANCE_LENGTH), FloatField()))
    rows = rows.filter(match.q("chance"))
    return Q(pk__in=rows.values("customer_id")) if as_set else Q(Exists(rows.filter(customer_id=OuterRef("pk"))))


def _frame(tables: Any, field: RuleField) -> Any:
    t = _interests(tables)
    return t.filter(t.category_id == field.item)


registries.rule_sources.add("interest", RuleSource("interest", _fields, _values, frame=_frame, condition=_condition))
