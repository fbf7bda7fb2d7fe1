"""What the page of a household or organisation says of all who belong to it, by the facts of the run that is served."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.analysis.belonging import FACTS, SLIPPING, Together, add_up
from rondo.analysis.models import Score
from rondo.customers.belonging import GROUPS, Circle, Member, circle_of
from rondo.customers.models import Customer, Link
from rondo.customers.queries import LinkSeen, sees_all
from rondo.foundation.models import User
from rondo.web import formats
from rondo.web.charts.portfolio import customers_where
from rondo.web.households.words import ICONS, IN_CIRCLE, details, link_words

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

_LISTED = 12
_SLIPPING_SHOWN = 5


@dataclass(frozen=True)
class LinkLine:
    """A link on a customer's page: words, the other customer, and as what and since when. ``ends``: it can end."""

    pk: int
    icon: str
    words: "_StrOrPromise"
    other: Customer
    details: str
    position: str
    since: date | None
    until: date | None
    ends: bool


@dataclass(frozen=True)
class MemberLine:
    """Who belongs to the customer of the page; ``link`` can be removed there, 0 where it is another's."""

    link: int
    icon: str
    customer: Customer
    details: str
    value: int | None
    slipping: str


@dataclass(frozen=True)
class Whole:
    """A customer to whom others belong: who they are, what all bring together, and where the lists behind it are."""

    circle: Circle
    customers: dict[int, Customer]
    together: Together
    members: tuple[MemberLine, ...]
    sees_all: bool

    @property
    def count(self) -> int:
        """How many belong to it, without itself."""
        return len(self.circle.members)

    @property
    def records(self) -> list[int]:
        """All records of all of them."""
        return list(self.circle.records)

    @property
    def by_record(self) -> dict[int, Customer]:
        """The customer that each record stands for."""
        return {record: self.customers[key] for record, key in self.circle.records.items()}

    def url(self, more: str = "") -> str:
        """The list of all of them, or of those for whom the rule ``more`` holds."""
        rule = f"belongs_to = {self.customers[self.circle.root].public_id}"
        return customers_where(rule=f"{rule} and {more}" if more else rule)

    @property
    def urls(self) -> dict[str, str]:
        """The lists behind the figures."""
        return {
            "all": self.url(),
            "valued": self.url("value is known"),
            "buyers": self.url("orders >= 1"),
            "slipping": self.url("activity in (late, asleep)"),
        }

    @property
    def headline(self) -> str:
        """How many they are, in words."""
        root = self.customers[self.circle.root]
        words = {
            Customer.Kind.HOUSEHOLD: ngettext(
                "This household and its %(n)s member", "This household and its %(n)s members", self.count
            ),
            Customer.Kind.ORGANISATION: ngettext(
                "This organisation and the %(n)s customer that belongs to it",
                "This organisation and the %(n)s customers that belong to it",
                self.count,
            ),
        }[Customer.Kind(root.kind)]
        return words % {"n": formats.number(self.count)}


def read_whole(viewer: User, customer: Customer) -> Whole | None:
    """All who belong to ``customer``, whom the viewer may see, and what they bring; None where nobody does."""
    if customer.kind not in GROUPS:
        return None
    circle = circle_of(viewer, customer.pk)
    if not circle.members:
        return None
    people = {customer.pk: customer, **{member.customer.pk: member.customer for member in circle.members}}
    scores = {score.pk: score for score in Score.objects.filter(pk__in=circle.keys).only(*FACTS)}
    return Whole(circle, people, add_up(people, scores), member_lines(circle, people, scores), sees_all(viewer))


def member_lines(circle: Circle, people: dict[int, Customer], scores: dict[int, Score]) -> tuple[MemberLine, ...]:
    """The first members: those who belong directly before others, of equal ones who is worth most."""

    def worth(member: Member) -> int:
        score = scores.get(member.customer.pk)
        return -1 if score is None or score.value is None else score.value

    ordered = sorted(circle.members, key=lambda one: (one.level, -worth(one), one.customer.pk))
    lines = []
    for member in ordered[:_LISTED]:
        score = scores.get(member.customer.pk)
        told = details(member.position, member.since)
        words = [str(IN_CIRCLE[member.role])] if member.role != Link.Role.MEMBER and not member.position else []
        if member.level > 1:
            words.append(_("by way of %(other)s") % {"other": people[member.above]})
        lines.append(
            MemberLine(
                member.link if member.level == 1 else 0,
                ICONS[Customer.Kind(member.customer.kind)],
                member.customer,
                ", ".join(filter(None, (*words, told))),
                None if score is None else score.value,
                score.activity if score is not None and score.activity in SLIPPING else "",
            )
        )
    return tuple(lines)


def link_lines(links: Sequence[LinkSeen], *, members: bool = False) -> list[LinkLine]:
    """Links in words; those by which others belong to the customer are left to the list of members, unless
    ``members``."""
    shown = [seen for seen in links if members or seen.outward or seen.link.role not in Link.BELONGING]
    order = list(Link.Role.values)
    shown.sort(key=lambda seen: (order.index(seen.link.role), not seen.outward, seen.link.pk))
    return [
        LinkLine(
            seen.link.pk,
            ICONS[Customer.Kind(seen.other.kind)],
            link_words(seen),
            seen.other,
            details(seen.link.position, seen.link.since, seen.link.until),
            seen.link.position,
            seen.link.since,
            seen.link.until,
            seen.link.role != Link.Role.REFERRED,
        )
        for seen in shown
    ]


def panel_of(whole: Whole) -> dict[str, Any]:
    """The context of the panel of what all bring together."""
    return {
        "whole": whole,
        "together": whole.together,
        "urls": whole.urls,
        "slipping": whole.together.slipping[:_SLIPPING_SHOWN],
    }
