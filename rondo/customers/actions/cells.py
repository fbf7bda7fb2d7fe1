"""One field of one customer, changed where it stands in a list: refused where it is not what the editor saw."""

from dataclasses import asdict, dataclass
from dataclasses import field as dataclass_field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from rondo.customers.actions.attributes import held, hold, set_attribute
from rondo.customers.actions.gate import CustomerRef, locked
from rondo.customers.actions.records import assign_owner, change_customer
from rondo.customers.actions.together import ATTRIBUTE, definition_of, give_back, held_by, put_back
from rondo.customers.attribute_values import as_written, stored
from rondo.customers.models import Customer
from rondo.customers.queries import attributes_of, record_ids
from rondo.errors import InputError, NotFound, StateError
from rondo.foundation.actors import Actor
from rondo.foundation.models import User

OWN = ("name", "known_since", "owner")
"""Fields of the customer that a list changes, besides the attributes."""


class Stale(StateError):
    """The field is not what the editor saw; ``now`` is what it is, as :func:`written` says it."""

    def __init__(self, now: str, message: object = "") -> None:
        super().__init__(message)
        self.now = now


@dataclass(frozen=True)
class Edited:
    """What was changed, for its undo: the field, what it was and is, as :func:`written` says it. ``own``: what the
    record itself held of an attribute, a JSON value; None where the value of a record merged into it showed. ``gone``:
    records and what each held of an attribute that was taken away. ``definition``: key of its definition."""

    customer: int
    field: str
    was: str
    after: str
    own: Any = None
    gone: list[tuple[int, Any]] = dataclass_field(default_factory=list)
    definition: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)


def written(actor: Actor, row: Customer, field: str) -> str:
    """The present value of a field as text, the same in every language: an owner's key, a date as 2026-05-31, an
    attribute as :func:`~rondo.customers.attribute_values.parse` takes it. Empty where there is none.

    Raises:
        NotFound: there is no such field that a list changes, or none that the actor sees.
    """
    if field == "name":
        return row.name
    if field == "owner":
        return "" if row.owner_id is None else str(row.owner_id)
    if field == "known_since":
        return "" if row.known_since is None else row.known_since.isoformat()
    key = field.removeprefix(ATTRIBUTE)
    if key == field:
        raise NotFound(_("%(field)r cannot be changed in the list; open the customer.") % {"field": field[:60]})
    value = next((v for v in attributes_of(actor.user, record_ids(row.pk)) if v.definition.key == key), None)
    return "" if value is None else as_written(value.definition, stored(value))


def change_cell(actor: Actor, ref: CustomerRef, field: str, value: str, *, seen: str) -> Edited | None:
    """Set one field of a customer, given as :func:`written` says it, where it still is what the editor ``seen``.

    Returns what undoes it; None where it had the value already.

    Raises:
        Stale: somebody changed the field meanwhile, to something else; NotFound: no such customer or field; InputError:
        the value is not usable.
    """
    actor.require("edit")
    with transaction.atomic():
        if field.startswith(ATTRIBUTE):  # before the customer: whoever changes an attribute goes on to its customers
            held(actor, field.removeprefix(ATTRIBUTE))
        row = locked(actor, ref)
        now = written(actor, row, field)
        if now == value:
            return None
        if now != seen:
            raise Stale(now, _("Somebody else changed this meanwhile."))
        definition = definition_of(field)
        records = record_ids(row.pk)
        before = held_by(definition, records)
        _put(actor, row, field, value)
        row.refresh_from_db()
        after = written(actor, row, field)
        if after == now:
            return None
        return Edited(row.pk, field, now, after, before.get(row.pk), [] if after else list(before.items()), definition)


def take_back_cell(actor: Actor, done: Edited) -> Customer:
    """Put back what :func:`change_cell` changed.

    Raises:
        Stale: it was changed again since; NotFound: the customer is gone, or not the actor's to see any more.
    """
    actor.require("edit")
    with transaction.atomic():
        hold([done.definition])
        row = locked(actor, done.customer)
        if (now := written(actor, row, done.field)) != done.after or row.pk != done.customer:
            raise Stale(now, _("%(customer)s was changed again since; what stands now stays.") % {"customer": row})
        if done.definition != definition_of(done.field):
            raise Stale(now, _("%(customer)s was changed again since; what stands now stays.") % {"customer": row})
        if not done.after and done.gone:
            give_back(actor, row, done.field, done.gone)
        elif done.after and done.field.startswith(ATTRIBUTE):
            if not put_back(actor, row, done.field, done.own):
                raise Stale(now, _("Another customer has this value now; what stands stays."))
        else:
            _put(actor, row, done.field, done.was)
        return row


def _put(actor: Actor, row: Customer, field: str, value: str) -> None:
    if field == "owner":
        owner = User.objects.filter(pk=value, is_service=False).first() if value.isdecimal() else None
        if value and owner is None:
            raise InputError(
                _("%(value)r is none of those who can be chosen; choose from the list.") % {"value": value[:60]}
            )
        assign_owner(actor, row, owner)
    elif field in OWN:
        given = None if field == "known_since" and not value else value
        change_customer(actor, row, expected_version=row.version, **{field: given})
    else:
        set_attribute(actor, row, field.removeprefix(ATTRIBUTE), value or None)
