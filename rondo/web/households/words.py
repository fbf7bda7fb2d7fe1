"""What a link is called from either of its ends, and which links can be made from a customer of some kind."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from rondo.customers.actions.links import needed_kinds
from rondo.customers.models import Customer, Link
from rondo.customers.queries import LinkSeen
from rondo.web import formats

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

_PERSON, _HOUSEHOLD, _COMPANY = Customer.Kind.PERSON, Customer.Kind.HOUSEHOLD, Customer.Kind.ORGANISATION
ICONS = {_PERSON: "user", _HOUSEHOLD: "house", _COMPANY: "building-2"}


@dataclass(frozen=True)
class Way:
    """A way to link a customer to another: ``outward`` if the customer is the subject of the link.

    ``kinds``: of the other one; empty: any. ``makes``: the kind in which a new other one is made, if it can be made by
    its name alone.
    """

    role: str
    outward: bool
    label: "_StrOrPromise"
    kinds: tuple[str, ...]
    makes: str = ""

    @property
    def key(self) -> str:
        """As a form sends it."""
        return f"{self.role}-{'out' if self.outward else 'in'}"


_LABELS: dict[tuple[str, bool], "_StrOrPromise"] = {
    (Link.Role.MEMBER, True): pgettext_lazy("link, before a name", "lives in the household"),
    (Link.Role.MEMBER, False): pgettext_lazy("link, before a name", "has the member"),
    (Link.Role.EMPLOYEE, True): pgettext_lazy("link, before a name", "works for"),
    (Link.Role.EMPLOYEE, False): pgettext_lazy("link, before a name", "employs"),
    (Link.Role.SUBSIDIARY, True): pgettext_lazy("link, before a name", "subsidiary of"),
    (Link.Role.SUBSIDIARY, False): pgettext_lazy("link, before a name", "parent company of"),
    (Link.Role.PARTNER, True): pgettext_lazy("link, before a name", "partner of"),
    (Link.Role.PARTNER, False): pgettext_lazy("link, before a name", "partner of"),
    (Link.Role.REFERRED, True): pgettext_lazy("link, before a name", "recommended us to"),
    (Link.Role.REFERRED, False): pgettext_lazy("link, before a name", "came on the recommendation of"),
}
_MAKES = {
    (Link.Role.MEMBER, True): _HOUSEHOLD,
    (Link.Role.MEMBER, False): _PERSON,
    (Link.Role.EMPLOYEE, True): _COMPANY,
    (Link.Role.EMPLOYEE, False): _PERSON,
    (Link.Role.SUBSIDIARY, True): _COMPANY,
    (Link.Role.SUBSIDIARY, False): _COMPANY,
}
_ORDER = {
    _PERSON: ("member-out", "employee-out"),
    _HOUSEHOLD: ("member-in",),
    _COMPANY: ("employee-in", "subsidiary-in", "subsidiary-out"),
}
_ANY = ("partner-out", "referred-out", "referred-in")

IN_CIRCLE: dict[str, "_StrOrPromise"] = {
    Link.Role.MEMBER: gettext_lazy("member"),
    Link.Role.EMPLOYEE: gettext_lazy("works here"),
    Link.Role.SUBSIDIARY: gettext_lazy("subsidiary"),
}
"""What who belongs to a household or organisation is to it."""


def ways_of(kind: str) -> list[Way]:
    """The ways in which a customer of ``kind`` can be linked to others, the usual ones first."""
    return [_way(key) for key in (*_ORDER[Customer.Kind(kind)], *_ANY)]


def _way(key: str) -> Way:
    role, _dash, end = key.partition("-")
    outward = end == "out"
    needed = needed_kinds(role)[1 if outward else 0]
    pair = (Link.Role(role), outward)
    return Way(role, outward, _LABELS[pair], (needed,) if needed else (), _MAKES.get(pair, ""))


def link_words(seen: LinkSeen) -> "_StrOrPromise":
    """A link as it stands before the name of the other customer."""
    return _LABELS[Link.Role(seen.link.role), seen.outward]


def details(position: str, since: date | None, until: date | None = None) -> str:
    """As what and from when to when, as far as it is known."""
    found = [_("as %(position)s") % {"position": position}] if position else []
    if since and until:
        found.append(_("%(since)s to %(until)s") % {"since": formats.day(since), "until": formats.day(until)})
    elif since:
        found.append(_("since %(day)s") % {"day": formats.day(since)})
    elif until:
        found.append(_("until %(day)s") % {"day": formats.day(until)})
    return ", ".join(found)
