"""Who belongs to a household or an organisation: members, directly and by way of others, as one viewer may see them.

Links join survivors, whichever records they were written with. A merge may close a circle of links that the action
:func:`~rondo.customers.actions.link` would have refused; every walk here meets each customer once, and so ends.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet

from rondo.customers.models import Customer, Link, Survivor
from rondo.customers.queries import visible
from rondo.foundation.loads import shown
from rondo.foundation.models import User

GROUPS = (Customer.Kind.HOUSEHOLD, Customer.Kind.ORGANISATION)
"""Kinds of customers that others can belong to."""


@dataclass(frozen=True)
class Member:
    """A customer who belongs to another: ``link`` is the link to ``above`` (a survivor), ``level`` 1 for who belongs
    directly. Of several ways up the shortest is told, and of equal ones the link noted first."""

    customer: Customer
    link: int
    role: str
    position: str
    since: date | None
    above: int
    level: int


@dataclass(frozen=True)
class Circle:
    """A household or organisation and all who belong to it, each once: ``records`` lead from every record to the
    customer it stands for, the root among them."""

    root: int
    members: tuple[Member, ...]
    records: dict[int, int]

    @property
    def keys(self) -> list[int]:
        """The customers: the root, then the members from the top."""
        return [self.root, *(member.customer.pk for member in self.members)]


def standing_links() -> QuerySet[Link]:
    """Links that have not ended, without those of imports that are not there."""
    return Link.objects.filter(shown(), until__isnull=True)


def survivors_among(records: Iterable[int]) -> dict[int, int]:
    """Of those of ``records`` that were merged the record that stands for each."""
    return dict(Survivor.objects.filter(customer_id__in=set(records)).values_list("customer_id", "survivor_id"))


def records_among(survivors: Iterable[int]) -> dict[int, int]:
    """All records of ``survivors``, themselves among them, and whom each stands for."""
    keys = set(survivors)
    rows = Survivor.objects.filter(survivor_id__in=keys).values_list("customer_id", "survivor_id")
    return {**{key: key for key in keys}, **dict(rows)}


def circle_of(viewer: User | None, root: int) -> Circle:
    """Everybody who belongs to ``root`` (a survivor whom ``viewer`` may see) and whom ``viewer`` may see.

    Who belongs by way of a customer whom the viewer may not see is left out, too. Four queries a level of the tree,
    however many members there are.
    """
    known = {root}
    level, depth = {root}, 0
    members: list[Member] = []
    records: dict[int, int] = {}
    ends: set[int] = set()
    while level:
        depth += 1
        within = records_among(level)
        records |= within
        rows = list(
            standing_links()
            .filter(object_id__in=within, role__in=Link.BELONGING)
            .order_by("pk")
            .values_list("pk", "subject_id", "object_id", "role", "position", "since")
        )
        survivors = survivors_among(row[1] for row in rows)
        below = {survivors.get(row[1], row[1]) for row in rows} - known
        people = visible(viewer).in_bulk(below) if below else {}
        for key, subject, above, role, position, since in rows:
            person = people.pop(survivors.get(subject, subject), None)
            if person is not None:
                members.append(Member(person, key, role, position, since, within[above], depth))
        added = [member.customer for member in members if member.level == depth]
        known.update(row.pk for row in added)
        level = {row.pk for row in added if row.kind in GROUPS}
        ends.update(row.pk for row in added if row.kind not in GROUPS)
    return Circle(root, tuple(members), records | (records_among(ends) if ends else {}))


def keys_in_circles(viewer: User | None, roots: Sequence[int]) -> list[int]:
    """The customers of the circles of ``roots``, those among them that ``viewer`` may see, each once."""
    seen = visible(viewer).filter(pk__in=set(roots)).order_by("pk").values_list("pk", flat=True)
    return list(dict.fromkeys(key for root in seen for key in circle_of(viewer, root).keys))


def above_of(record: int) -> set[int]:
    """All customers that the customer of ``record`` belongs to, directly or not, whoever may see them; the customer
    itself, too, where a merge closed a circle."""
    found: set[int] = set()
    level = {survivors_among([record]).get(record, record)}
    while level:
        within = records_among(level)
        rows = standing_links().filter(subject_id__in=within, role__in=Link.BELONGING)
        objects = set(rows.values_list("object_id", flat=True))
        survivors = survivors_among(objects)
        level = {survivors.get(key, key) for key in objects} - found
        found |= level
    return found


def same_links(subjects: Iterable[int], objects: Iterable[int], role: str) -> QuerySet[Link]:
    """Links of ``role`` between any of the records of two customers, ended or not, oldest first."""
    between = Q(subject_id__in=set(subjects)) & Q(object_id__in=set(objects))
    return Link.objects.filter(shown(), between, role=role).order_by("pk")
