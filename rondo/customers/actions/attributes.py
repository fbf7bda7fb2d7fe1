"""Typed attributes: their definitions, and one customer's values."""

import math
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from rondo.customers.actions.gate import CustomerRef, check_fields, locked, plain
from rondo.customers.changed import noted
from rondo.customers.models import AttributeDefinition, AttributeValue
from rondo.customers.queries import record_ids
from rondo.errors import InputError, NotFound, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.installation import installation
from rondo.foundation.money import to_minor

Type = AttributeDefinition.Type

_YES = frozenset({"1", "true", "yes", "y", "ja", "j", "wahr"})
_NO = frozenset({"0", "false", "no", "n", "nein", "falsch"})
_KEY = re.compile(r"[a-z][a-z0-9_]{0,59}")


def parse(definition: AttributeDefinition, value: Any) -> tuple[str, str | float | date]:
    """The column and the stored value of ``value`` for an attribute.

    Text and choice are text; a number is finite; a date is a date or ISO 8601 text; yes or no is a truth value or a
    word for one; money is given in major units of the company's currency and stored in minor ones.

    Raises:
        InputError: names the attribute, the value and what would be right.
    """
    key, kind = definition.key, definition.type
    text = value.strip() if isinstance(value, str) else value
    if kind in {Type.TEXT, Type.CHOICE}:
        words = " ".join(str(text).split())
        if kind == Type.CHOICE:
            allowed = [str(c["value"]) for c in definition.choices]
            if words not in allowed:
                raise InputError(
                    _("%(key)s = %(value)r is none of its choices; one of %(choices)s is needed.")
                    % {"key": key, "value": words, "choices": ", ".join(allowed)}
                )
        if not words or len(words) > 255 or "\x00" in words:
            raise InputError(
                _("%(key)s: a text of 1 to 255 characters is needed, not %(length)d.")
                % {"key": key, "length": len(words)}
            )
        return "text", words
    if kind == Type.DATE:
        return "day", _day(key, text)
    if kind == Type.BOOLEAN:
        word = str(text).casefold()
        if word in _YES or word in _NO:
            return "number", float(word in _YES)
        raise InputError(_("%(key)s = %(value)r: yes or no is needed.") % {"key": key, "value": value})
    if kind == Type.MONEY:
        try:
            return "number", float(to_minor(text, installation().currency))
        except InputError as error:
            raise InputError(f"{key}: {error}") from error
    try:
        number = float(Decimal(str(text))) if not isinstance(text, bool) else math.nan
    except ArithmeticError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(_("%(key)s = %(value)r is no number; write it as 12.5.") % {"key": key, "value": value})
    return "number", number


def _day(key: str, value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise InputError(
            _("%(key)s = %(value)r is no date; write it as 2026-05-31.") % {"key": key, "value": value}
        ) from error


def stored(value: AttributeValue) -> str | float | date | None:
    """What is stored, from the column in use."""
    return next((v for v in (value.text, value.number, value.day) if v is not None), None)


def set_attribute(actor: Actor, ref: CustomerRef, key: str, value: Any) -> None:
    """Set one attribute of a customer (see :func:`parse` for what each type takes); None or empty text takes it away.

    Taken away, it is so from all records merged into the customer, else a merged one's value would show instead.

    Raises:
        NotFound: no such attribute; InputError: the value does not fit its definition.
    """
    actor.require("edit")
    definition = AttributeDefinition.objects.filter(key=key).first()
    if definition is None:
        raise NotFound(_("There is no attribute %(key)r; define it first.") % {"key": key})
    empty = value is None or (isinstance(value, str) and not value.strip())
    column, parsed = ("", None) if empty else parse(definition, value)
    with transaction.atomic():
        row = locked(actor, ref)
        records = record_ids(row.pk) if empty else [row.pk]
        held = {v.customer_id: v for v in AttributeValue.objects.filter(definition=definition, customer_id__in=records)}
        before = {customer: stored(v) for customer, v in held.items()}
        if empty:
            AttributeValue.objects.filter(pk__in=[v.pk for v in held.values()]).delete()
        else:
            columns: dict[str, Any] = {"text": None, "number": None, "day": None, column: parsed}
            AttributeValue.objects.update_or_create(
                customer=row, definition=definition, defaults={**columns, "load_id": actor.load_id}
            )
            before.setdefault(row.pk, None)
        for customer, old in before.items():
            if old != parsed:
                noted(actor, "attribute.set", customer, {f"attribute.{key}": [plain(old), plain(parsed)]})


def define_attribute(
    actor: Actor,
    key: str,
    *,
    label_en: str,
    type: str,
    form: str,
    label_de: str = "",
    choices: Sequence[dict[str, str]] = (),
    order: int = 100,
) -> AttributeDefinition:
    """Define an attribute of customers, or change labels, form, order and choices of one that exists.

    ``choices`` lists ``{"value", "en", "de"}`` in their natural order, only for the type ``choice``.

    Raises:
        InputError: a field is not usable; StateError: the type of an attribute in use would change, or a choice that
        customers have would go.
    """
    actor.require("administer")
    if not _KEY.fullmatch(key):
        raise InputError(
            _("%(key)r is no key; use small letters, digits and underscores, beginning with a letter.") % {"key": key}
        )
    _check_choices(key, type, choices)
    fields: dict[str, Any] = {
        "label_en": " ".join(label_en.split()),
        "label_de": " ".join(label_de.split()),
        "type": type,
        "form": form,
        "choices": [dict(c) for c in choices],
        "order": order,
    }
    with transaction.atomic():
        row = AttributeDefinition.objects.select_for_update().filter(key=key).first()
        before = {name: getattr(row, name) if row else None for name in fields}
        if row is not None:
            _refuse_breaking(row, type, choices)
        else:
            row = AttributeDefinition(key=key)
        for name, value in fields.items():
            setattr(row, name, value)
        check_fields(row, fields)
        changes = {n: [before[n], fields[n]] for n in fields if before[n] != fields[n]}
        if changes:
            row.save()
            audit.record(actor, "attribute.defined", "attribute", row.pk, changes)
    return row


def _check_choices(key: str, type: str, choices: Sequence[dict[str, str]]) -> None:
    if (type == Type.CHOICE) != bool(choices):
        raise InputError(_("%(key)s: the type “choice” needs choices, and no other type has any.") % {"key": key})
    values = [str(c.get("value", "")) for c in choices]
    if len(set(values)) != len(values) or not all(v.strip() for v in values):
        raise InputError(_("%(key)s: every choice needs a value of its own.") % {"key": key})
    if missing := next((c for c in choices if not c.get("en")), None):
        raise InputError(
            _("%(key)s: the choice %(value)r has no English label.") % {"key": key, "value": missing["value"]}
        )


def _refuse_breaking(row: AttributeDefinition, type: str, choices: Sequence[dict[str, str]]) -> None:
    used = AttributeValue.objects.filter(definition=row)
    if type != row.type and used.exists():
        raise StateError(
            _("%(key)s is of the type “%(type)s” and customers have values of it; define a new attribute instead.")
            % {"key": row.key, "type": row.type}
        )
    gone = {str(c["value"]) for c in row.choices} - {str(c["value"]) for c in choices}
    if gone and (value := used.filter(text__in=gone).values_list("text", flat=True).first()):
        raise StateError(
            _("%(key)s: customers have the choice %(value)r; keep it or change them first.")
            % {"key": row.key, "value": value}
        )
