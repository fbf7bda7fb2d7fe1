"""One change to many customers at once, all of it or nothing, and its undo, field by field, where it still stands."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from dataclasses import field as dataclass_field
from datetime import date
from typing import Any, Literal

from django.db import transaction
from django.utils.translation import gettext as _

from rondo.customers.actions.attributes import held, hold, set_attribute, write_value
from rondo.customers.actions.gate import key_of, locked, plain
from rondo.customers.actions.records import assign_owner, assign_team
from rondo.customers.attribute_values import column_of, once, parse, stored, told, unpack
from rondo.customers.changed import noted
from rondo.customers.definitions import may_see
from rondo.customers.models import AttributeDefinition, AttributeValue, Customer
from rondo.customers.queries import attributes_of, record_ids, survivor_id
from rondo.errors import InputError, NotFound
from rondo.foundation.actors import Actor
from rondo.foundation.models import Team, User

MOST_AT_ONCE = 500
"""Customers that one change takes; it holds their rows until it is done."""
ATTRIBUTE = "attr."


@dataclass(frozen=True)
class Together:
    """What was changed: the field, what it is now, and by key of each customer what it was; JSON values. ``each``: what
    it is now by key of the customer, where that differs from one to another. ``gone``: records and what each held of an
    attribute that was taken away, by key of the customer. ``definition``: key of the attribute's definition."""

    field: str
    after: Any
    was: list[tuple[int, Any]]
    each: dict[str, Any] = dataclass_field(default_factory=dict)
    gone: dict[str, list[tuple[int, Any]]] = dataclass_field(default_factory=dict)
    definition: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)


def change_together(
    actor: Actor, customers: Sequence[str], field: str, value: Any, how: Literal["set", "add", "remove"] = "set"
) -> Together:
    """Set one field of up to :data:`MOST_AT_ONCE` customers (public ids): ``owner`` or ``team`` (a key, None for
    nobody), or ``attr.<key>`` (see :func:`~rondo.customers.actions.attributes.parse`). Who has the value already is
    left alone, and is not among those changed. Of an attribute of several choices ``how`` adds those given to what a
    customer has, or takes them away.

    Raises:
        NotFound: a customer is not there or not the actor's to see, or there is no such field; InputError: the value is
        not usable, or there are too many customers. Nothing is changed then.
    """
    actor.require("edit")
    if len(customers) > MOST_AT_ONCE:
        raise InputError(
            _("%(count)d customers are more than one change takes (%(most)d); narrow the selection.")
            % {"count": len(customers), "most": MOST_AT_ONCE}
        )
    if how != "set":
        return _several_together(actor, customers, _definition(actor, field), value, how)
    meant = _meant(actor, field, value)
    was: dict[int, Any] = {}
    with transaction.atomic():
        if field.startswith(ATTRIBUTE):
            held(actor, field.removeprefix(ATTRIBUTE))
        for key in _in_order(customers):
            row = locked(actor, key)
            before = _present(row, field)
            if before == meant.after or row.pk in was:
                continue
            was[row.pk] = before
            _put(actor, row, field, meant.value)
    return Together(field, meant.after, list(was.items()), definition=definition_of(field))


def _several_together(
    actor: Actor, customers: Sequence[str], definition: AttributeDefinition, value: Any, how: str
) -> Together:
    """Choices added to, or taken from, those that each customer has; its merged records' count where it has none."""
    if definition.type != AttributeDefinition.Type.MULTI:
        raise InputError(
            _("%(key)s holds one value; set it, or make it an attribute of several choices.") % {"key": definition.key}
        )
    retired = {str(one["value"]) for one in definition.choices if one.get("retired")} if how == "remove" else set()
    given = set(unpack(str(parse(definition, value, retired)[1])))
    field = ATTRIBUTE + definition.key
    was: dict[int, Any] = {}
    each: dict[str, Any] = {}
    gone: dict[str, list[tuple[int, Any]]] = {}
    with transaction.atomic():
        held(actor, definition.key)
        for key in _in_order(customers):
            row = locked(actor, key)
            values = attributes_of(actor.user, record_ids(row.pk))
            shown = next((v.text for v in values if v.definition_id == definition.pk), None)
            has = set(unpack(shown))
            wanted = has | given if how == "add" else has - given
            if wanted == has or row.pk in was:
                continue
            was[row.pk] = _present(row, field)
            if not wanted:  # those of a record merged into it go, too
                gone[str(row.pk)] = list(held_by(definition.pk, record_ids(row.pk)).items())
            set_attribute(actor, row, definition.key, sorted(wanted))
            each[str(row.pk)] = _present(row, field)
    return Together(field, None, list(was.items()), each, gone, definition.pk)


def _in_order(customers: Sequence[str]) -> list[int]:
    """The survivors of public ids in the order of their keys, in which everybody locks more than one, so that two do
    not wait for each other."""
    return sorted({survivor_id(key_of(public_id)) for public_id in customers})


def take_back_together(actor: Actor, done: Together) -> tuple[int, int]:
    """Put back what a change set, where it still stands: how many customers were put back, and how many were left as
    they are, since they were changed again, are gone, or are not the actor's to see any more."""
    actor.require("edit")
    restored = 0
    if done.definition != definition_of(done.field):  # it is of another type now
        return 0, len(done.was)
    with transaction.atomic():
        hold([done.definition])
        for key, before in sorted(done.was):
            try:
                row = locked(actor, key)
            except NotFound:
                continue
            if row.pk == key and _present(row, done.field) == done.each.get(str(key), done.after):
                if str(key) in done.gone:
                    restored += give_back(actor, row, done.field, done.gone[str(key)])
                else:
                    restored += put_back(actor, row, done.field, before)
    return restored, len(done.was) - restored


@dataclass(frozen=True)
class _Meant:
    """A checked value: as the single action takes it, and as :class:`Together` tells it."""

    value: Any
    after: Any


def _meant(actor: Actor, field: str, value: Any) -> _Meant:
    if field == "owner":
        owner = _found(User.objects.filter(is_active=True, is_service=False), value)
        return _Meant(owner, None if owner is None else owner.pk)
    if field == "team":
        team = _found(Team.objects.all(), value)
        return _Meant(team, None if team is None else team.pk)
    definition = _definition(actor, field)
    if value in (None, [], ()) or not str(value).strip():
        raise InputError(_("%(key)s: a value is needed.") % {"key": definition.key})
    return _Meant(value, plain(parse(definition, value)[1]))


def _found(rows: Any, key: Any) -> Any:
    if key in (None, ""):
        return None
    row = rows.filter(pk=key).first() if str(key).isdecimal() else None
    if row is None:
        raise InputError(_("%(value)r is none of those who can be chosen; choose from the list.") % {"value": key})
    return row


def _definition(actor: Actor, field: str) -> AttributeDefinition:
    key = field.removeprefix(ATTRIBUTE)
    row = AttributeDefinition.objects.filter(key=key).first() if field.startswith(ATTRIBUTE) else None
    if row is None or not may_see(actor.user, row):
        raise NotFound(_("%(field)r cannot be set for many customers; choose one from the list.") % {"field": field})
    return row


def _own(row: Customer, field: str) -> AttributeValue | None:
    return AttributeValue.objects.filter(
        customer=row, definition__key=field.removeprefix(ATTRIBUTE), definition__state="standing"
    ).first()


def _present(row: Customer, field: str) -> Any:
    if field in ("owner", "team"):
        return getattr(row, f"{field}_id")
    own = _own(row, field)
    return None if own is None else plain(stored(own))


def _put(actor: Actor, row: Customer, field: str, value: Any) -> None:
    if field == "owner":
        assign_owner(actor, row, value)
    elif field == "team":
        assign_team(actor, row, value)
    else:
        set_attribute(actor, row, field.removeprefix(ATTRIBUTE), value)


def put_back(actor: Actor, row: Customer, field: str, before: Any) -> bool:
    """Whether it could be: who left, or a team that is gone, gets nothing back."""
    if field in ("owner", "team"):
        people = User.objects.filter(is_active=True) if field == "owner" else Team.objects.all()
        former: Any = None if before is None else people.filter(pk=before).first()
        if before is not None and former is None:
            return False
        _put(actor, row, field, former)
        return True
    own = _own(row, field)
    if own is None:
        return False
    definition = held(actor, own.definition.key)
    if before is not None and not _offers(definition, before):
        return False
    after = stored(own)
    # What the record itself held: where that was nothing, a value of a record merged into it shows again.
    if before is None:
        own.delete()
    else:
        column = next(name for name in ("text", "number", "day") if getattr(own, name) is not None)
        again = date.fromisoformat(before) if column == "day" else before
        said = once(definition, again)
        rows = AttributeValue.objects.filter(definition=definition)
        if said is not None and rows.filter(unique_key=said).exclude(pk=own.pk).exists():
            return False
        rows.filter(pk=own.pk).update(**{column: again}, unique_key=said, load_id=None)
        before = again
    changes = {f"attribute.{definition.key}": [told(definition, after), told(definition, before)]}
    noted(actor, "attribute.set", row.pk, changes)
    return True


def give_back(actor: Actor, row: Customer, field: str, gone: Sequence[tuple[int, Any]]) -> bool:
    """Put back what the records of a customer held of an attribute before it was taken away; whether it could be. A
    record that is no longer one of the customer's is left alone.

    Raises:
        StateError: another customer has a value now that may occur but once.
    """
    definition = held(actor, field.removeprefix(ATTRIBUTE))
    records = Customer.objects.in_bulk(set(record_ids(row.pk)) & {key for key, _before in gone})
    if not all(_offers(definition, before) for _key, before in gone):
        return False
    column = column_of(definition.type)
    for key, before in gone:
        if (record := records.get(key)) is not None:
            raw = date.fromisoformat(before) if column == "day" else before
            write_value(actor, definition, record, column, raw)
            noted(actor, "attribute.set", key, {f"attribute.{definition.key}": [None, told(definition, raw)]})
    return True


def definition_of(field: str) -> int:
    """Key of the definition that stands for the field of an attribute; 0 for another field."""
    found = AttributeDefinition.objects.filter(key=field.removeprefix(ATTRIBUTE)) if ATTRIBUTE in field else None
    return 0 if found is None else found.values_list("pk", flat=True).first() or 0


def held_by(definition: int, records: Sequence[int]) -> dict[int, Any]:
    """What some records hold of an attribute, as JSON values by their keys."""
    rows = AttributeValue.objects.filter(definition=definition, customer__in=records) if definition else ()
    return {value.customer_id: plain(stored(value)) for value in rows}


def _offers(definition: AttributeDefinition, value: Any) -> bool:
    """Whether an attribute still has the choices of a stored value, retired ones among them."""
    if not definition.has_choices:
        return True
    parts = unpack(str(value)) if definition.type == AttributeDefinition.Type.MULTI else [str(value)]
    return set(parts) <= {str(choice["value"]) for choice in definition.choices}
