"""The values of two customers that a person chooses from before the two become one, in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rondo.customers.actions.contact_points import one_line
from rondo.customers.definitions import hidden_from
from rondo.customers.models import AttributeDefinition, Customer
from rondo.customers.picking import ATTRIBUTE, Side, Which, differing, later
from rondo.foundation.models import User
from rondo.web import formats
from rondo.web.customers.fields import attribute_fields
from rondo.web.customers.rows import write

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

PREFIX = "pick."
"""What the names of the form's fields begin with."""
LABELS: "dict[str, _StrOrPromise]" = {
    "kind": _("Kind"),
    "name": _("Name"),
    "given_name": _("Given name"),
    "family_name": _("Family name"),
    "language": _("Language"),
    "birth_date": _("Birth date"),
    "known_since": _("Customer since"),
    "owner": _("Owner"),
    "team": _("Team"),
    "address": _("Address shown first"),
}


@dataclass(frozen=True)
class Choice:
    """A field of which the two have different values; ``picked`` is the side that is chosen unless somebody does."""

    field: str
    label: "_StrOrPromise"
    left: str
    right: str
    picked: Which

    @property
    def name(self) -> str:
        """The name of the form's field."""
        return PREFIX + self.field


def unseen(viewer: User) -> frozenset[str]:
    """The fields that ``viewer`` may not see, and so neither chooses nor is told of."""
    return frozenset(ATTRIBUTE + key for key in hidden_from(viewer))


def choices(left: Side, right: Side, stays: Which, hidden: frozenset[str]) -> list[Choice]:
    """What a person chooses from, but for fields ``hidden`` (:func:`unseen`); the value that was entered later is
    chosen, else that of the side that ``stays``."""
    names = [name for name in differing(left, right) if name not in hidden]
    labels = labels_of(names)
    return [
        Choice(name, labels[name], _words(name, left), _words(name, right), later(name, left, right, stays))
        for name in names
    ]


def chosen(posted: Mapping[str, str]) -> dict[str, str]:
    """Of a form the field and the side of each choice."""
    return {name.removeprefix(PREFIX): str(side) for name, side in posted.items() if name.startswith(PREFIX)}


def labels_of(names: Iterable[str]) -> "dict[str, _StrOrPromise]":
    """What fields are called that can be chosen."""
    wanted = list(names)
    keys = [name.removeprefix(ATTRIBUTE) for name in wanted if name.startswith(ATTRIBUTE)]
    rows = AttributeDefinition.objects.filter(key__in=keys) if keys else []
    return {name: LABELS.get(name, name) for name in wanted} | {ATTRIBUTE + row.key: row.label for row in rows}


def told_left(viewer: User, left: list[str]) -> str:
    """What an undo left as it is, since somebody changed it meanwhile; empty where there is none."""
    left = [name for name in left if name not in unseen(viewer)]
    if not left:
        return ""
    labels = labels_of(left)
    told = ", ".join(sorted({str(labels[name]) for name in left}))
    return gettext("Changed since the merge, and left as it is: %(fields)s.") % {"fields": told}


def _words(name: str, side: Side) -> str:
    row = side.row
    if name.startswith(ATTRIBUTE):
        value = side.attributes[name.removeprefix(ATTRIBUTE)]
        (known,) = attribute_fields([value.definition])
        return write(known, getattr(value, known.column))
    if name == "address":
        return one_line(side.address) if side.address is not None else ""
    if name == "birth_date":
        return formats.day(row.birth_date)
    if name == "kind":
        return str(Customer.Kind(row.kind).label)
    return str(getattr(row, name))
