"""Links between customers: made, changed, ended, removed and put back.

A link is between customers, not records: where records were merged, a second link that says the same is none, and what
is done to one is done to all of them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from rondo.customers.actions.gate import CustomerRef, check_fields, hold, locked_pair, plain
from rondo.customers.actions.records import create_customer
from rondo.customers.belonging import above_of, records_among, same_links
from rondo.customers.changed import noted
from rondo.customers.models import Customer, Link
from rondo.errors import InputError, NotFound, StateError
from rondo.foundation.actors import Actor
from rondo.foundation.installation import business_now
from rondo.foundation.loads import hidden_loads, shown

_NEEDED: dict[str, tuple[str | None, str | None]] = {
    Link.Role.MEMBER: (None, Customer.Kind.HOUSEHOLD),
    Link.Role.EMPLOYEE: (Customer.Kind.PERSON, Customer.Kind.ORGANISATION),
    Link.Role.SUBSIDIARY: (Customer.Kind.ORGANISATION, Customer.Kind.ORGANISATION),
}
"""Kinds that a role needs of subject and object; others link any two customers."""

_TREE = 0x6C696E6B73
"""Key of the advisory lock of links by which one belongs to another: any fixed number."""

FIELDS = ("position", "since", "until")
"""What :func:`change_link` may set."""


@dataclass(frozen=True)
class Removed:
    """A link that was taken away, as it was, so that :func:`put_back_link` can write it again."""

    subject: int
    object: int
    role: str
    position: str
    since: date | None
    until: date | None
    created_at: datetime
    load_id: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {name: plain(value) for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, known: dict[str, Any]) -> "Removed":
        """What :meth:`to_dict` gave."""
        values = {field.name: known[field.name] for field in fields(cls) if field.name in known}
        for name in ("since", "until"):
            values[name] = date.fromisoformat(values[name]) if values[name] else None
        return cls(**{**values, "created_at": datetime.fromisoformat(values["created_at"])})


def needed_kinds(role: str) -> tuple[str | None, str | None]:
    """The kinds of customers that a role needs of its subject and its object; None: any."""
    return _NEEDED.get(role, (None, None))


def link(
    actor: Actor, subject: CustomerRef, object: CustomerRef, role: str, *, position: str = "", since: date | None = None
) -> Link:
    """Say what ``subject`` is to ``object``, as what and since when; the same link again is returned as it is.

    Raises:
        InputError: unknown role, both are one customer, their kinds do not fit the role, a day that lies ahead, or
        each would belong to the other.
    """
    actor.require("edit")
    if role not in Link.Role.values:
        raise InputError(
            _("%(role)r is no link; one of %(roles)s is needed.") % {"role": role, "roles": ", ".join(Link.Role.values)}
        )
    with transaction.atomic():
        _one_at_a_time(role)
        first, second = locked_pair(actor, subject, object)
        if first.pk == second.pk:
            raise InputError(_("A customer cannot be linked to itself; choose another one."))
        for row, kind in zip((first, second), needed_kinds(role), strict=True):
            if kind is not None and row.kind != kind:
                raise InputError(
                    _("%(customer)s is a %(kind)s; “%(role)s” needs a %(needed)s there.")
                    % {
                        "customer": row,
                        "kind": row.get_kind_display(),
                        "role": Link.Role(role).label,
                        "needed": Customer.Kind(kind).label,
                    }
                )
        if there := _same(first.pk, second.pk, role).filter(until__isnull=True).first():
            return there
        _refuse_circle(first, second, role)
        made = Link(subject=first, object=second, role=role, position=" ".join(position.split()), since=since)
        _check(made)
        _make_room(made)
        made.save(force_insert=True)
        more = {name: [None, plain(value)] for name in ("position", "since") if (value := getattr(made, name))}
        _tell(actor, "link.added", first.pk, second.pk, role, (None, second.pk), (None, first.pk), more)
    return made


def link_new(
    actor: Actor,
    ref: CustomerRef,
    role: str,
    name: str,
    *,
    outward: bool = True,
    position: str = "",
    since: date | None = None,
) -> Link:
    """Make a customer of that name, of the kind that the role needs at the other end, and link ``ref`` to it: as the
    subject if ``outward``.

    Raises:
        InputError: as :func:`link`, there is no name, or the role does not tell the kind.
    """
    actor.require("edit")
    kind = needed_kinds(role)[1 if outward else 0]
    if kind is None and (role, outward) == (Link.Role.MEMBER, False):
        kind = Customer.Kind.PERSON
    if kind is None:
        raise InputError(_("“%(role)s” does not tell whom to make; make the customer first.") % {"role": role})
    with transaction.atomic():
        made = create_customer(actor, kind=kind, name=name)
        first, second = (ref, made) if outward else (made, ref)
        return link(actor, first, second, role, position=position, since=since)


def link_as_household(actor: Actor, members: Sequence[CustomerRef], name: str) -> list[Link]:
    """Make a household of that name with these members, all or none; returns their links.

    Raises:
        InputError: there is no name; NotFound: a member is not there or not the actor's to see.
    """
    actor.require("edit")
    with transaction.atomic():
        made = create_customer(actor, kind=Customer.Kind.HOUSEHOLD, name=name)
        return [link(actor, member, made, Link.Role.MEMBER) for member in members]


def change_link(actor: Actor, link_id: int, **values: Any) -> Link:
    """Set :data:`FIELDS` of a link: ``position``, the first day ``since``, and ``until``, the last one, with which it
    has ended; None takes a day back.

    Raises:
        NotFound: it is not there, or one of its customers is not the actor's to see; InputError: a field is unknown, a
        day lies ahead or the last one before the first, or it is a recommendation, which does not end; StateError: to
        open it again, when there is another one now.
    """
    actor.require("edit")
    if unknown := sorted(set(values) - set(FIELDS)):
        raise InputError(
            _("%(field)s is no field of a link that can be set; one of %(fields)s is needed.")
            % {"field": unknown[0], "fields": ", ".join(FIELDS)}
        )
    if "position" in values:
        values["position"] = " ".join(values["position"].split())
    with transaction.atomic():
        row, first, second, same = _found(actor, link_id)
        before = {name: getattr(row, name) for name in values}
        for name, value in values.items():
            setattr(row, name, value)
        _check(row)
        if row.until is None and before.get("until") is not None:
            _refuse_circle(first, second, row.role)
            _make_room(row)
        changed = sorted(name for name in values if before[name] != getattr(row, name))
        if changed:
            try:
                with transaction.atomic():
                    Link.objects.filter(pk__in=same).update(**{name: getattr(row, name) for name in changed})
            except IntegrityError as error:
                raise StateError(
                    _("%(subject)s is linked to %(object)s again already; end that link first.")
                    % {"subject": first, "object": second}
                ) from error
            told = {name: [plain(before[name]), plain(getattr(row, name))] for name in changed}
            _tell(actor, "link.changed", first.pk, second.pk, row.role, (second.pk,) * 2, (first.pk,) * 2, told)
    return row


def unlink(actor: Actor, link_id: int) -> list[Removed]:
    """Remove a link, as one that was never there, and return what :func:`put_back_link` needs.

    Raises:
        NotFound: it is not there, or one of its customers is not the actor's to see.
    """
    actor.require("edit")
    with transaction.atomic():
        row, first, second, same = _found(actor, link_id)
        names = [field.name for field in fields(Removed) if field.name not in ("subject", "object")]
        rows = Link.objects.filter(pk__in=same).order_by("pk")
        gone = [Removed(one.subject_id, one.object_id, **{name: getattr(one, name) for name in names}) for one in rows]
        if rows.delete()[0]:
            _tell(actor, "link.removed", first.pk, second.pk, row.role, (second.pk, None), (first.pk, None), {})
    return gone


def put_back_link(actor: Actor, removed: Sequence[Removed]) -> None:
    """Write links again that :func:`unlink` took away; what has been linked again since is left as it is.

    Raises:
        NotFound: a customer is not there or not the actor's to see; InputError: as :func:`link`.
    """
    actor.require("edit")
    for one in removed:
        with transaction.atomic():
            _one_at_a_time(one.role)
            first, second = locked_pair(actor, one.subject, one.object)
            if first.pk != second.pk and one.until is None:
                _refuse_circle(first, second, one.role)
            rows = Link.objects.filter(subject_id=one.subject, object_id=one.object, role=one.role, until=one.until)
            if rows.filter(shown()).exists():
                continue
            values = {field.name: getattr(one, field.name) for field in fields(Removed)}
            back = Link(subject_id=values.pop("subject"), object_id=values.pop("object"), **values)
            if back.load_id in hidden_loads():  # of an import that was taken back since: a hand wants it now
                back.load_id = None
            _make_room(back)
            back.save(force_insert=True)
            _tell(actor, "link.restored", first.pk, second.pk, one.role, (None, second.pk), (None, first.pk), {})


def _make_room(row: Link) -> None:
    """What an import said that was taken back gives way to the same said anew."""
    same = Link.objects.filter(subject_id=row.subject_id, object_id=row.object_id, role=row.role, until=None)
    same.exclude(shown()).delete()


def hold_link(link_id: int) -> None:
    """Lock, until the transaction ends, what everybody locks first who changes a link; nothing if it is not there."""
    role = Link.objects.filter(pk=link_id).values_list("role", flat=True).first()
    if role is not None:
        _one_at_a_time(role)
        if ends := Link.objects.filter(pk=link_id).values_list("subject_id", "object_id").first():
            hold(*ends)


def _one_at_a_time(role: str) -> None:
    """Wait for other links by which one belongs to another: two that are harmless alone may close a circle together.
    SQLite has one writer anyway."""
    if role in Link.BELONGING and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TREE])


def _refuse_circle(subject: Customer, object: Customer, role: str) -> None:
    if role in Link.BELONGING and subject.pk in above_of(object.pk):
        raise InputError(
            _("%(object)s belongs to %(subject)s already, so %(subject)s cannot belong to %(object)s.")
            % {"subject": subject, "object": object}
        )


def _check(row: Link) -> None:
    check_fields(row, {"position"} if row.position else set())
    today = business_now().date()
    for name in ("since", "until"):
        day = getattr(row, name)
        if isinstance(day, date) and day > today:
            raise InputError(_("%(field)s = %(day)s lies in the future; check the year.") % {"field": name, "day": day})
    if row.since and row.until and row.until < row.since:
        raise InputError(
            _("The last day, %(until)s, lies before the first, %(since)s; check both.")
            % {"until": row.until, "since": row.since}
        )
    if row.until and row.role == Link.Role.REFERRED:
        raise InputError(_("A recommendation does not end; remove the link if it was a mistake."))


def _same(first: int, second: int, role: str) -> QuerySet[Link]:
    return same_links(records_among([first]), records_among([second]), role)


def _found(actor: Actor, link_id: int) -> tuple[Link, Customer, Customer, list[int]]:
    """The link, its customers, locked, and the keys of all that say the same (of the same days, where it has ended)."""
    gone = _("This link is not there any more; load the page again.")
    role = Link.objects.filter(shown(), pk=link_id).values_list("role", flat=True).first()
    if role is None:
        raise NotFound(gone)
    _one_at_a_time(role)
    ends = Link.objects.filter(pk=link_id).values_list("subject_id", "object_id").first()
    if ends is None:
        raise NotFound(gone)
    first, second = locked_pair(actor, *ends)
    row = Link.objects.filter(pk=link_id).first()
    if row is None:
        raise NotFound(gone)
    same = _same(first.pk, second.pk, role).filter(until=row.until).values_list("pk", flat=True)
    return row, first, second, [*same] if row.until is None else [row.pk]


def _tell(
    actor: Actor,
    verb: str,
    first: int,
    second: int,
    role: str,
    out: tuple[int | None, int | None],
    back: tuple[int | None, int | None],
    more: dict[str, list[Any]],
) -> None:
    """The entries of both customers: from whom to whom the link leads, and what else changed."""
    noted(actor, verb, first, {role: [*out], **more})
    noted(actor, verb, second, {f"{role} of": [*back], **more})
