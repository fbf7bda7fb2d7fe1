"""The rows of a list: a page of ids made into cells, in a number of queries that does not grow with the rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

from django.db.models import Model, Q, QuerySet
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from rondo.analysis.models import Score
from rondo.customers.attribute_values import unpack
from rondo.customers.models import AttributeValue, Customer, Survivor
from rondo.customers.queries import scope_key, visible
from rondo.foundation.installation import installation
from rondo.foundation.loads import shown
from rondo.foundation.models import User
from rondo.foundation.money import Money
from rondo.foundation.prepared import padded, prepared
from rondo.foundation.statements import Statements
from rondo.web import formats
from rondo.web.customers.fields import Field

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

TAG_COLOURS = 8
"""Colours that tags have in the stylesheet."""
_STATEMENTS = Statements()
Raw = str | int | float | date | None


@dataclass(frozen=True)
class Cell:
    """One value of a row: ``text`` as the viewer reads it, ``raw`` as it is, ``note`` beside it (its bounds)."""

    field: Field
    raw: Raw
    text: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Row:
    """One customer of a list."""

    customer: Customer
    cells: list[Cell]

    @property
    def key(self) -> str:
        """The public id."""
        return self.customer.public_id


def on_page(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows as the page writes them: everything at hand in flat dictionaries, which a template reads quickest, and
    cells with their tags, of which a page has hundreds."""
    pick = _("Select %(name)s")
    # Asked once: a list names fifty addresses, and asking searches all that there are.
    before, _mark, after = reverse("customer", args=["c_mark"]).partition("c_mark")
    begun: dict[tuple[str, bool], str] = {}

    def written(cell: Cell) -> str:
        kind = (cell.field.key, cell.text == formats.DASH)
        if kind not in begun:
            begun[kind] = _begin(cell.field, kind[1])
        return f"{begun[kind]}{_inside(cell)}</td>"

    return [
        {
            "key": row.key,
            "url": f"{before}{row.key}{after}",
            "name": row.customer.name or row.key,
            "pick": pick % {"name": row.customer.name or row.key},
            "is_demo": row.customer.is_demo,
            "cells": mark_safe(  # every text in it is escaped below
                "".join(map(written, row.cells))
            ),
        }
        for row in rows
    ]


def _begin(field: Field, is_none: bool) -> str:
    css = ("num" if field.numeric else "") + (" none" if is_none else "")
    return f'<td class="{css}" data-label="{escape(str(field.label))}">'


def _inside(cell: Cell) -> str:
    """What a cell shows: tags, a state with its dot, or a text and the note beside it."""
    if cell.field.several and cell.raw:
        tags = (f'<span class="tag" data-colour="{colour}">{escape(label)}</span>' for label, colour in _chips(cell))
        return f'<span class="tags">{"".join(tags)}</span>'
    text = escape(cell.text)
    if cell.tone:
        return f'<span class="row state"><span class="dot {cell.tone}"></span>{text}</span>'
    if not cell.note:
        return text
    note = f'<span class="pm">{escape(cell.note)}</span>'
    return f"{note} {text}" if cell.field.key == "known_since" else f"{text} {note}"


def _chips(cell: Cell) -> list[tuple[str, int]]:
    """Several choices as tags: the label, and which of the colours it has, by its place in the definition."""
    places = {value: place for place, (value, _label) in enumerate(cell.field.choices)}
    return [(cell.field.label_of(one), places.get(one, 0) % TAG_COLOURS) for one in unpack(str(cell.raw or ""))]


_TONES = {"late": "warn", "asleep": "risk", "active": "good", "never": "off"}


def read_rows(viewer: User, ids: Sequence[int], columns: Sequence[Field]) -> list[Row]:
    """Rows for the ids in their order; an id that is gone or not the viewer's to see is left out."""
    customers = _customers(viewer, ids)
    present = [pk for pk in ids if pk in customers]
    # Words that are looked up are asked for once per page.
    columns = [c if c.words is None else replace(c, words=cache(c.words)) for c in columns]
    facts = any(c.place == "fact" for c in columns)
    scores = {row.pk: row for row in _scores(present)} if facts else {}
    tables = {c.model for c in columns if c.model is not None}
    beside = {model: model._default_manager.in_bulk(present) for model in tables}
    attributes = _attributes(present, [c.definition for c in columns if c.place == "attribute"])
    rows = []
    for pk in present:
        customer = customers[pk]
        own = {model: found.get(pk) for model, found in beside.items()}
        facts_of = [scores.get(pk) if f.model is None else own[f.model] for f in columns]
        cells = [
            _cell(f, customer, score, attributes.get((pk, f.definition)))
            for f, score in zip(columns, facts_of, strict=True)
        ]
        rows.append(Row(customer, cells))
    return rows


def _customers(viewer: User, ids: Sequence[int]) -> dict[int, Customer]:
    asked = padded(ids)
    rows = _STATEMENTS.ask(
        (scope_key(viewer), len(asked)),
        asked,
        lambda keys: visible(viewer).filter(pk__in=keys).select_related("owner").order_by(),
    )
    return {row.pk: row for row in rows}


@prepared
def _scores(ids: Sequence[int]) -> QuerySet[Score]:
    return Score.objects.filter(pk__in=ids)


def _attributes(ids: Sequence[int], definitions: Sequence[int]) -> dict[tuple[int, int], AttributeValue]:
    """Values by (survivor, definition): the survivor's own, else that of the first record merged into it."""
    if not definitions or not ids:
        return {}
    absorbed = dict(Survivor.objects.filter(survivor_id__in=ids).values_list("customer_id", "survivor_id"))
    values = AttributeValue.objects.filter(
        shown(), Q(customer_id__in=[*ids, *absorbed]), definition_id__in=definitions
    ).order_by("customer_id")
    found: dict[tuple[int, int], AttributeValue] = {}
    for value in values:
        owner = absorbed.get(value.customer_id, value.customer_id)
        if owner == value.customer_id:
            found[owner, value.definition_id] = value
        else:
            found.setdefault((owner, value.definition_id), value)
    return found


def _cell(field: Field, customer: Customer, score: Model | None, attribute: AttributeValue | None) -> Cell:
    if field.place in ("fact", "beside"):
        raw: Any = None if score is None else getattr(score, field.column)
        note = _spread(field, score) if score is not None and raw is not None else ""
        return Cell(field, raw, write(field, raw), note, _TONES.get(str(raw), "") if field.key == "activity" else "")
    if field.place == "attribute":
        raw = None if attribute is None else getattr(attribute, field.column)
        return Cell(field, raw, write(field, raw))
    if field.type == "user":
        return Cell(
            field, None if customer.owner is None else customer.owner.email, str(customer.owner or formats.DASH)
        )
    if field.key == "name":
        return Cell(field, customer.name, customer.name or str(_("no name")))
    raw = getattr(customer, field.column)
    at_least = field.key == "known_since" and customer.known_since_at_least and raw is not None
    return Cell(field, raw, write(field, raw), str(_("at least")) if at_least else "")


def _spread(field: Field, score: Model) -> str:
    """The bounds of an estimate beside it. They are seldom as far above as below: a single ± would be wrong."""
    low, high = (getattr(score, name, None) if name else None for name in (field.low, field.high))
    if low is None or high is None:
        return ""
    if field.type == "money":
        bounds = (formats.number(Money(bound, installation().currency).major) for bound in (low, high))
        return "–".join(bounds)
    return f"{write(field, low)}–{write(field, high)}"


def _figure(field: Field, raw: Any) -> str:
    return formats.number(raw, 0 if float(raw).is_integer() else 1)


_WRITERS: dict[str, Callable[[Field, Any], str]] = {
    "money": lambda field, raw: formats.money(raw, digits=0),
    "share": lambda field, raw: formats.share(raw, 0),
    "count": lambda field, raw: formats.number(raw),
    "days": _figure,
    "number": _figure,
    "date": lambda field, raw: formats.day(raw),
    "boolean": lambda field, raw: field.label_of(str(int(raw))),
    "choice": lambda field, raw: ", ".join(map(field.label_of, unpack(raw) if field.several else [str(raw)])),
}


def write(field: Field, raw: Any) -> str:
    """A value as the viewer's language writes it; a dash when there is none."""
    if raw is None or raw == "":
        return formats.DASH
    if field.words is not None:
        return field.words(str(raw))
    writer = _WRITERS.get(field.type)
    return str(raw) if writer is None else writer(field, raw)


def heading(field: Field) -> "_StrOrPromise":
    """A column's heading; days carry their unit, since their cells do not."""
    return _("%(label)s (days)") % {"label": field.label} if field.type == "days" else field.label
