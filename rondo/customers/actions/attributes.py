"""One customer's values of attributes: set, taken away, given at first; required and unique ones held to it."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from rondo.customers.actions.gate import CustomerRef, locked
from rondo.customers.actions.picking import show_own
from rondo.customers.attribute_values import once, parse, stored, told, unpack
from rondo.customers.changed import noted
from rondo.customers.definitions import may_see
from rondo.customers.models import AttributeDefinition, AttributeValue, Customer
from rondo.customers.queries import all_attributes_of, record_ids, visible
from rondo.errors import InputError, NotFound, StateError
from rondo.foundation.actors import Actor
from rondo.foundation.loads import hidden_loads
from rondo.foundation.prepared import prepared

__all__ = ["give_at_first", "held", "hold", "parse", "set_attribute", "stored", "write_value"]


def held(actor: Actor, key: str) -> AttributeDefinition:
    """The attribute of a key, which nobody changes until the transaction in force ends.

    Raises:
        NotFound: there is none that the actor sees; StateError: its type is being changed at this moment.
    """
    row = AttributeDefinition.objects.filter(key=key).first()
    if row is not None:
        hold([row.pk])
        row = AttributeDefinition.objects.filter(key=key).first()
    if row is None or not may_see(actor.user, row):
        raise NotFound(_("There is no attribute %(key)r; define it first.") % {"key": key})
    if row.changing:
        raise being_changed(row)
    return row


def being_changed(row: AttributeDefinition) -> StateError:
    """What is told to who would write an attribute whose type is being changed."""
    return StateError(
        _("%(key)s: the type of this attribute is being changed at this moment; try again when that is done.")
        % {"key": row.key}
    )


def hold(definitions: Iterable[int]) -> None:
    """Let nobody change these definitions until the transaction in force ends. Writers do not wait for each other. On
    SQLite the transaction itself does it."""
    keys = sorted(definitions)
    if keys and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                f'SELECT 1 FROM "{AttributeDefinition._meta.db_table}" WHERE id = ANY(%s) ORDER BY id FOR SHARE', [keys]
            )


def set_attribute(actor: Actor, ref: CustomerRef, key: str, value: Any) -> None:
    """Set one attribute of a customer (see :func:`~rondo.customers.attribute_values.parse` for what each type takes);
    None, empty text or no choice takes it away. A retired choice stays where the customer has it.

    Taken away, it is so from all records merged into the customer, else a merged one's value would show instead.

    Raises:
        NotFound: no such attribute, or none that the actor sees; InputError: the value does not fit its definition, or
        is required; StateError: it is unique and another customer has it, or its type is being changed.
    """
    actor.require("edit")
    with transaction.atomic():
        definition = held(actor, key)
        empty = value is None or (isinstance(value, (str, list, tuple)) and not "".join(map(str, value)).strip(" |"))
        if empty and definition.required:
            raise InputError(_("%(key)s is required; give it another value instead.") % {"key": key})
        row = locked(actor, ref)
        column, parsed = ("", None) if empty else parse(definition, value, _retired_of(definition, row))
        records = record_ids(row.pk) if empty else [row.pk]
        values = {v.customer_id: v for v in AttributeValue.objects.filter(definition=definition, customer__in=records)}
        before = {customer: stored(v) for customer, v in values.items()}
        if empty:
            AttributeValue.objects.filter(pk__in=[v.pk for v in values.values()]).delete()
        else:
            own = _own_holder(definition, row, parsed)
            if own is None:
                write_value(actor, definition, row, column, parsed)
            elif _shows(definition, row) == parsed:
                return
            else:
                show_own(row, definition, own)
            before.setdefault(row.pk, None)
        for customer, old in before.items():
            if old != parsed:
                changes = {f"attribute.{key}": [told(definition, old), told(definition, parsed)]}
                noted(actor, "attribute.set", customer, changes)


def _own_holder(definition: AttributeDefinition, row: Customer, value: Any) -> int | None:
    """The record merged into a customer that holds a value which may occur but once."""
    said = once(definition, value)
    if said is None:
        return None
    held = AttributeValue.objects.filter(definition=definition, unique_key=said, customer__in=record_ids(row.pk)[1:])
    return held.values_list("customer_id", flat=True).first()


def _shows(definition: AttributeDefinition, row: Customer) -> Any:
    """What a customer shows of an attribute."""
    shown = (one for one in all_attributes_of(record_ids(row.pk)) if one.definition_id == definition.pk)
    return next((stored(one) for one in shown), None)


def _retired_of(definition: AttributeDefinition, row: Customer) -> set[str]:
    """The retired choices that a customer has, of records merged into it, too."""
    if not any(choice.get("retired") for choice in definition.choices):
        return set()
    values = AttributeValue.objects.filter(definition=definition, customer__in=record_ids(row.pk))
    return {choice for text in values.values_list("text", flat=True) for choice in (text, *unpack(text)) if choice}


def write_value(actor: Actor, definition: AttributeDefinition, row: Customer, column: str, parsed: Any) -> None:
    """Put a checked value down for a customer whose row is locked.

    Raises:
        StateError: the attribute is unique and another customer has the value.
    """
    columns: dict[str, Any] = {"text": None, "number": None, "day": None, column: parsed}
    columns["unique_key"] = said = once(definition, parsed)
    if said is not None:
        _refuse_taken(actor, definition, row.pk, said, parsed)
    try:
        with transaction.atomic():
            AttributeValue.objects.update_or_create(
                customer=row, definition=definition, defaults={**columns, "load_id": actor.load_id}
            )
    except IntegrityError:
        if said is not None:  # somebody was quicker
            _refuse_taken(actor, definition, row.pk, said, parsed)
        raise


def _refuse_taken(actor: Actor, definition: AttributeDefinition, customer: int, said: str, value: Any) -> None:
    holders = AttributeValue.objects.filter(definition=definition, unique_key=said).exclude(customer_id=customer)
    if hidden := hidden_loads():
        # Nobody sees what an import had said that was taken back: the value is free again.
        holders.filter(Q(load_id__in=hidden) | Q(customer__load_id__in=hidden)).update(unique_key=None)
    holder = holders.values_list("customer_id", flat=True).first()
    if holder is None:
        return
    other = visible(actor.user).filter(Q(pk=holder) | Q(absorbed__customer_id=holder)).first()
    raise StateError(
        _("%(key)s = %(value)s belongs to %(customer)s already and may occur but once; correct one, or merge both.")
        % {
            "key": definition.key,
            "value": told(definition, value),
            "customer": f"{other} ({other.public_id})" if other is not None else _("another customer"),
        }
    )


@prepared
def _standing() -> QuerySet[AttributeDefinition]:
    return AttributeDefinition.objects.all()


def give_at_first(actor: Actor, row: Customer, values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The attributes of a customer just made: those given, else their defaults. Returns what the audit tells of them.

    Raises:
        NotFound: one given is not there for the actor; InputError: a value does not fit, or one that is required and
        that the actor sees is missing; StateError: a unique one is taken.
    """
    changes: dict[str, list[Any]] = {}
    for key in values:
        held(actor, key)
    for definition in _standing():
        given = values.get(definition.key)
        empty = given is None or (isinstance(given, (str, list, tuple)) and not "".join(map(str, given)).strip(" |"))
        value = definition.default if empty else given
        if value in (None, ""):
            if definition.required and may_see(actor.user, definition) and not row.is_demo:
                raise InputError(
                    _("%(label)s (%(key)s) is required of every new customer; give it a value.")
                    % {"label": definition.label, "key": definition.key}
                )
            continue
        if definition.changing:
            raise being_changed(definition)
        column, parsed = parse(definition, value)
        write_value(actor, definition, row, column, parsed)
        changes[f"attribute.{definition.key}"] = [None, told(definition, parsed)]
    return changes
