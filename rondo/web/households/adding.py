"""Whom a customer can be linked to: the ways that fit, and whom the text finds."""

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from rondo.customers.housemates import family_of, housemates_of
from rondo.customers.models import Customer
from rondo.customers.queries import marks, record_ids
from rondo.customers.searching import MAX_LENGTH, Search
from rondo.foundation.models import User
from rondo.foundation.rights import masked
from rondo.web.customers.fields import Field, catalogue
from rondo.web.customers.filters import parse_one
from rondo.web.customers.lists import phases, read_page
from rondo.web.customers.rows import read_rows
from rondo.web.customers.selection import Selection
from rondo.web.households.words import ICONS, Way, ways_of

_SHOWN = 8
_NAME = Field("name", _("Name"), "text", "customer", "folded_name")


@dataclass(frozen=True)
class Found:
    """A customer whom the text finds; ``mark`` tells those of one name apart."""

    key: str
    name: str
    icon: str
    mark: str


def way_of(customer: Customer, key: str) -> Way:
    """The way of that key, the usual one where there is none such."""
    ways = ways_of(customer.kind)
    return next((way for way in ways if way.key == key), ways[0])


def adding(customer: Customer, given: QueryDict | None = None, viewer: User | None = None) -> dict[str, Any]:
    """The context of the form; with a text in ``given``, whom it finds for ``viewer``."""
    known = given or QueryDict()
    way = way_of(customer, known.get("as", ""))
    text = " ".join(known.get("q", "").split())[:MAX_LENGTH]
    return {
        "ways": ways_of(customer.kind),
        "way": way,
        "text": text,
        "position": known.get("position", ""),
        "since": known.get("since", ""),
        "hits": found(viewer, customer, way, text) if viewer is not None and text else [],
        "makes": _makes(way, text),
        "lazy": viewer is None,
        "mates": mates(viewer, customer) if viewer is not None and not text else [],
    }


@dataclass(frozen=True)
class Suggestion:
    """What one click does: link to the household ``household``, or make one with the person ``mate`` (public ids)."""

    household: str
    mate: str
    words: str
    why: str


def mates(viewer: User, customer: Customer) -> list[Suggestion]:
    """Households that a person may live in, and people to make one with: of the same family name and address."""
    found: dict[str, Suggestion] = {}
    for one in housemates_of(viewer, customer, record_ids(customer.pk)):
        why = _("%(name)s, same family name and address") % {"name": one.customer}
        if one.household is not None:
            key = one.household.public_id
            found.setdefault(key, Suggestion(key, "", str(one.household), why))
        else:
            key = one.customer.public_id
            found.setdefault(key, Suggestion("", key, household_name(customer), why))
    return list(found.values())


def household_name(customer: Customer) -> str:
    """What a new household of a person is called."""
    return _("%(family)s household") % {"family": family_of(customer)}


def _makes(way: Way, text: str) -> str:
    words = {
        Customer.Kind.PERSON: _("New person “%(name)s”"),
        Customer.Kind.HOUSEHOLD: _("New household “%(name)s”"),
        Customer.Kind.ORGANISATION: _("New organisation “%(name)s”"),
    }
    return words[Customer.Kind(way.makes)] % {"name": text} if way.makes else ""


def found(viewer: User, customer: Customer, way: Way, text: str) -> list[Found]:
    """Customers of the kinds that the way needs whom a name, its beginning or an identifier names; best first."""
    search = Search(text, whole=masked(viewer, "identifiers"))
    if not search:
        return []
    kinds = [parse_one(f"kind:is:{'|'.join(way.kinds)}", catalogue(viewer), viewer)] if way.kinds else []
    selection = Selection(viewer, kinds, search)
    page = read_page(phases(selection, _NAME, False, relevance=True), limit=_SHOWN + 1)
    keys = [key for key in page.ids if key != customer.pk][:_SHOWN]
    known_by = marks(viewer, keys)
    return [
        Found(
            row.key,
            row.customer.name or row.key,
            ICONS[Customer.Kind(row.customer.kind)],
            known_by.get(row.customer.pk, row.key),
        )
        for row in read_rows(viewer, keys, [])
    ]
