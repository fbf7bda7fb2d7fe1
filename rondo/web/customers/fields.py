"""What a list of customers can show, sort by and filter on: columns of the customer, facts and attributes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from rondo.analysis.models import Score
from rondo.analysis.queries import facts_for
from rondo.analysis.ruled import CHOICES
from rondo.analysis.scores_beside import ModelClass, facts_beside
from rondo.analysis.segments.queries import named
from rondo.customers.attribute_values import column_of
from rondo.customers.definitions import definitions_for
from rondo.customers.models import AttributeDefinition, Customer
from rondo.foundation.models import User
from rondo.foundation.prepared import prepared
from rondo.foundation.registry.items import Fact
from rondo.web.leads.words import theme

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

FieldType = Literal["choice", "text", "number", "money", "count", "days", "share", "date", "boolean", "user"]
Place = Literal["customer", "fact", "beside", "attribute", "segment"]

NUMERIC: frozenset[str] = frozenset({"number", "money", "count", "days", "share"})
"""Types whose values are numbers: right-aligned, compared, exported without formatting."""

ATTRIBUTE_PREFIX = "attr."

DEFAULT_COLUMNS = ("kind", "activity", "value", "last_purchase", "orders", "spend_365", "risk", "owner")
"""Shown beside the name until the viewer chooses; those whose facts are not registered fall away."""

_WORDS: dict[str, Callable[[str], str]] = {"lead_reason": theme}


_MOST = 16
_fields_of: "dict[tuple[Any, ...], tuple[list[Fact], list[Field]]]" = {}
"""By language and facts, which are the same on every page; these are kept so that no other takes their identity."""


@dataclass(frozen=True)
class Field:
    """One column of customers. ``column`` is the database column at ``place``; ``definition`` the attribute's key;
    ``model`` the table of a fact that is worked out after a run, beside its scores (place "beside"). ``words``: what a
    text that is a key means. ``several``: a value is several of the choices, stored as ``|one|other|``. ``is_link``: a
    text that is the address of a web page. ``retired``: choices that are offered no more.

    ``choices`` are (value, label) in their natural order, for the types choice, boolean and user.
    """

    key: str
    label: "_StrOrPromise"
    type: FieldType
    place: Place
    column: str
    definition: int = 0
    choices: tuple[tuple[str, "_StrOrPromise"], ...] = ()
    meaning: "_StrOrPromise" = ""
    group: str = ""
    low: str = ""
    high: str = ""
    model: ModelClass | None = None
    words: Callable[[str], str] | None = None
    several: bool = False
    is_link: bool = False
    required: bool = False
    retired: frozenset[str] = frozenset()

    @property
    def beside(self) -> ModelClass:
        """The table of a field at the place "beside"."""
        assert self.model is not None
        return self.model

    @property
    def listed(self) -> bool:
        """Whether it can be a column and sorted by; being in a segment is only filtered on."""
        return self.place != "segment"

    @property
    def numeric(self) -> bool:
        """Whether values are numbers."""
        return self.type in NUMERIC

    def label_of(self, value: str) -> str:
        """The label of a choice; the value itself where the definition no longer lists it."""
        return next((str(label) for known, label in self.choices if known == value), value)


@lru_cache(maxsize=1)
def score_columns() -> frozenset[str]:
    """Columns of the score table that hold facts."""
    return frozenset(f.name for f in Score._meta.concrete_fields) - {"customer"}


def fact_fields(viewer: User | None = None) -> Iterable[Field]:
    """The fields of the facts that the score table holds and ``viewer`` may see."""
    facts = facts_for(viewer)
    key = (get_language(), *map(id, facts))
    if (kept := _fields_of.get(key)) is None:
        if len(_fields_of) >= _MOST:
            _fields_of.clear()
        kept = _fields_of[key] = facts, [_field_of(fact) for fact in facts if fact.key in score_columns()]
    return kept[1]


def _field_of(fact: Fact) -> Field:
    return Field(
        fact.key,
        str(fact.label),
        "choice" if fact.key in CHOICES else fact.type,
        "fact",
        fact.key,
        choices=_said(CHOICES.get(fact.key, ())),
        meaning=fact.definition,
        group="facts",
        low=fact.low,
        high=fact.high,
    )


def _said(choices: "Iterable[tuple[str, _StrOrPromise]]") -> tuple[tuple[str, str], ...]:
    return tuple((value, str(label)) for value, label in choices)


def fields_beside() -> Iterable[Field]:
    """The fields of what is worked out after a run (what comes next, leads, interests), as rules name them."""
    for fact in facts_beside():
        yield Field(
            fact.key,
            str(fact.label),
            fact.type,  # type: ignore[arg-type]  # the types of facts are types of fields
            "beside",
            fact.column,
            meaning=fact.definition,
            group="facts",
            model=fact.model,
            words=_WORDS.get(fact.key),
        )


def attribute_fields(definitions: Iterable[AttributeDefinition]) -> Iterable[Field]:
    """The fields of attributes."""
    german = (get_language() or "").startswith("de")
    for definition in definitions:
        choices: tuple[tuple[str, _StrOrPromise], ...] = ()
        if definition.has_choices:
            choices = tuple(
                (str(c["value"]), str((german and c.get("de")) or c.get("en") or c["value"]))
                for c in definition.choices
            )
        elif definition.type == AttributeDefinition.Type.BOOLEAN:
            choices = (("1", _("yes")), ("0", _("no")))
        shown_as = {"multi": "choice", "link": "text"}
        yield Field(
            ATTRIBUTE_PREFIX + definition.key,
            definition.label,
            shown_as.get(definition.type, definition.type),  # type: ignore[arg-type]  # the others are types of fields
            "attribute",
            column_of(definition.type),
            definition=definition.pk,
            choices=choices,
            meaning=AttributeDefinition.Form(definition.form).label,
            group="attributes",
            several=definition.type == AttributeDefinition.Type.MULTI,
            is_link=definition.type == AttributeDefinition.Type.LINK,
            required=definition.required,
            retired=frozenset(str(c["value"]) for c in definition.choices if c.get("retired")),
        )


def _segment_fields(viewer: User | None) -> Iterable[Field]:
    choices = tuple(named(viewer))
    if choices:
        meaning = _("Who is in the segment as it was last computed.")
        yield Field(
            "segment", _("Segment"), "choice", "segment", "segment__key", choices=choices, meaning=meaning,
            group="customer",
        )  # fmt: skip


@prepared
def _people() -> QuerySet[User]:
    return User.objects.filter(is_service=False).order_by("name", "email")


def catalogue(viewer: User | None = None) -> dict[str, Field]:
    """Every field by key, in the order menus show them; of segments, facts and attributes those that ``viewer`` may
    see.

    Costs three queries: definitions, users, segments.
    """
    users = tuple((u.email, str(u)) for u in _people())
    found = [
        Field("name", _("Name"), "text", "customer", "folded_name", group="customer"),
        Field("kind", _("Kind"), "choice", "customer", "kind", choices=_said(Customer.Kind.choices), group="customer"),
        Field("owner", _("Owner"), "user", "customer", "owner_id", choices=users, group="customer"),
        Field(
            "known_since",
            _("Customer since"),
            "date",
            "customer",
            "known_since",
            meaning=_("The first day we know of; the relationship may be older."),
            group="customer",
        ),
        *_segment_fields(viewer),
        *fact_fields(viewer),
        *fields_beside(),
        *attribute_fields(definitions_for(viewer)),
    ]
    return {field.key: field for field in found}


def default_columns(fields: dict[str, Field]) -> list[str]:
    """The columns a list begins with."""
    return [key for key in DEFAULT_COLUMNS if key in fields]
