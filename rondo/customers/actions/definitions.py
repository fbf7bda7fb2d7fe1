"""Attributes themselves: defined, changed, put in order, archived and put back. A change of type is
:mod:`rondo.customers.actions.converting`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.customers.actions.attributes import being_changed
from rondo.customers.actions.gate import check_fields
from rondo.customers.attribute_values import BAR, ONCE, as_written, once, parse, stored, unpack
from rondo.customers.models import AttributeDefinition, AttributeValue
from rondo.errors import InputError, NotFound, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.loads import shown
from rondo.foundation.models import AuditEntry, Role, User
from rondo.foundation.registry import registries

Type = AttributeDefinition.Type
State = AttributeDefinition.State

FIELDS = (
    "label_en",
    "label_de",
    "form",
    "choices",
    "order",
    "required",
    "unique",
    "default",
    "visible_to",
)
"""What :func:`change_attribute` may set."""
MOST_CHOICES = 200
_KEY = re.compile(r"[a-z][a-z0-9_]{0,59}")
_BATCH = 5_000


def find_attribute(key: str) -> AttributeDefinition:
    """The attribute of a key, in use or archived; raises NotFound."""
    row = AttributeDefinition.everything.filter(key=key, state__in=[State.STANDING, State.ARCHIVED]).first()
    if row is None:
        raise NotFound(_("There is no attribute %(key)r; load the list of attributes.") % {"key": key[:60]})
    return row


def define_attribute(
    actor: Actor,
    key: str,
    *,
    label_en: str,
    type: str,
    form: str,
    label_de: str = "",
    choices: Sequence[dict[str, Any]] = (),
    order: int = 100,
    required: bool = False,
    unique: bool = False,
    default: str = "",
    visible_to: Sequence[str] | None = None,
) -> AttributeDefinition:
    """Define an attribute of customers, or change one that exists in all but its type.

    ``choices`` lists ``{"value", "en", "de"}`` in their natural order, only for the types ``choice`` and ``multi``.

    Raises:
        InputError: a field is not usable; StateError: the type of an attribute in use would change, a choice that
        customers have would go, or the attribute is archived.
    """
    actor.require("administer")
    if not _KEY.fullmatch(key):
        raise InputError(
            _("%(key)r is no key; use small letters, digits and underscores, beginning with a letter.") % {"key": key}
        )
    fields: dict[str, Any] = {
        "label_en": label_en,
        "label_de": label_de,
        "form": form,
        "choices": list(choices),
        "order": order,
        "required": required,
        "unique": unique,
        "default": default,
        "visible_to": visible_to,
    }
    with transaction.atomic():
        there = AttributeDefinition.everything.select_for_update().filter(key=key).first()
        if there is not None and there.state != State.STANDING:
            raise StateError(
                _("%(key)s is the key of an archived attribute; put that back, or take another key.") % {"key": key}
            )
        used = there is not None and there.type != type and AttributeValue.objects.filter(definition=there).exists()
        if used and there is not None:
            raise StateError(
                _(
                    "%(key)s is of the type “%(type)s” and customers have values of it; change its type under "
                    "Settings, Attributes, or define a new attribute."
                )
                % {"key": key, "type": there.type}
            )
        row = there or AttributeDefinition(key=key)
        before = {name: getattr(row, name) if there else None for name in (*FIELDS, "type")}
        row.type = type
        _put(row, fields)
        check_fields(row, {*fields, "type"} - {"visible_to"})
        told = {n: [before[n], getattr(row, n)] for n in (*FIELDS, "type") if before[n] != getattr(row, n)}
        if told and there is not None:
            _save(row, before)
            audit.record(actor, "attribute.defined", "attribute", row.pk, told)
        elif told:
            row.save(force_insert=True)
            audit.record(actor, "attribute.defined", "attribute", row.pk, told)
    return row


def new_attribute(actor: Actor, key: str, **fields: Any) -> AttributeDefinition:
    """Define an attribute that there is not yet, behind all others; as :func:`define_attribute`.

    Raises:
        InputError: there is one of this key, in use or archived, or a field is not usable.
    """
    actor.require("administer")
    with transaction.atomic():
        if AttributeDefinition.everything.filter(key=key).exists():
            raise InputError(_("There is an attribute %(key)s already; take another key.") % {"key": key[:60]})
        last = AttributeDefinition.objects.order_by("-order").values_list("order", flat=True).first() or 0
        return define_attribute(actor, key, order=last + 10, **fields)


def change_attribute(
    actor: Actor, key: str, *, expected_version: int | None = None, **fields: Any
) -> tuple[AttributeDefinition, AuditEntry | None]:
    """Set named fields of an attribute (see :data:`FIELDS`) that the editor saw in ``expected_version``.

    Returns the attribute and the audit entry, None if nothing changed.

    Raises:
        InputError: a field is not usable; StateError: it was changed meanwhile, its type is being changed, a choice
        that customers have would go, or values of one to be unique occur more than once.
    """
    actor.require("administer")
    with transaction.atomic():
        row = locked_definition(key)
        if expected_version is not None and row.version != expected_version:
            raise StateError(
                _("%(key)s was changed meanwhile; look at what stands now, then save again.") % {"key": key}
            )
        before = {name: getattr(row, name) for name in FIELDS}
        _put(row, fields)
        check_fields(row, set(fields) - {"visible_to"})
        told = {name: [before[name], getattr(row, name)] for name in FIELDS if before[name] != getattr(row, name)}
        if not told:
            return row, None
        _save(row, before)
        return row, audit.record(actor, "attribute.changed", "attribute", row.pk, told)


def locked_definition(key: str, *states: str) -> AttributeDefinition:
    rows = AttributeDefinition.everything.select_for_update().filter(state__in=states or [State.STANDING])
    row = rows.filter(key=key).first()
    if row is None:
        raise NotFound(_("There is no attribute %(key)r; load the list of attributes.") % {"key": key[:60]})
    if row.changing:
        raise being_changed(row)
    return row


def _save(row: AttributeDefinition, before: Mapping[str, Any]) -> None:
    _refuse_lost_choices(row, before["choices"] or [])
    row.version += 1
    row.save()
    if row.unique != bool(before["unique"]):
        _mark_unique(row)


def _put(row: AttributeDefinition, fields: Mapping[str, Any]) -> None:
    """Set and check named fields on the unsaved row."""
    for name, value in fields.items():
        if name not in FIELDS:
            raise InputError(
                _("%(field)s cannot be set; one of %(fields)s is needed.")
                % {"field": name, "fields": ", ".join(FIELDS)}
            )
        if name in ("label_en", "label_de", "default"):
            value = " ".join(str(value).split())
        elif name == "choices":
            value = [dict(choice) for choice in value]
        elif name == "visible_to":
            value = _roles(value)
        setattr(row, name, value)
    check_choices(row.key, row.type, row.choices)
    if row.unique and row.type not in ONCE:
        raise InputError(
            _("%(key)s: only text, numbers, dates and links can be unique, not “%(type)s”.")
            % {"key": row.key, "type": row.type}
        )
    if row.default and row.unique:
        raise InputError(_("%(key)s: a unique attribute cannot have a default.") % {"key": row.key})
    if row.default and row.type in Type.values:
        row.default = as_written(row, parse(row, row.default)[1])


def _roles(value: Any) -> list[str] | None:
    if value is None:
        return None
    known = set(Role.objects.values_list("key", flat=True))
    asked = sorted({str(one) for one in value})
    if missing := [one for one in asked if one not in known]:
        raise InputError(
            _("%(field)s = %(value)r: one of %(values)s is needed.")
            % {"field": "visible_to", "value": missing[0][:60], "values": ", ".join(sorted(known))}
        )
    return asked


def check_choices(key: str, type: str, choices: Sequence[Mapping[str, Any]]) -> None:
    """Raise InputError unless the choices go with the type, and each has a value of its own and an English label."""
    if (type in (Type.CHOICE, Type.MULTI)) != bool(choices):
        raise InputError(
            _("%(key)s: the types “choice” and “multi” need choices, and no other type has any.") % {"key": key}
        )
    values = [str(choice.get("value", "")) for choice in choices]
    if len({value.casefold() for value in values}) != len(values) or not all(value.strip() for value in values):
        raise InputError(_("%(key)s: every choice needs a value of its own.") % {"key": key})
    if len(choices) > MOST_CHOICES:
        raise InputError(
            _("%(key)s: %(count)d choices are more than %(most)d; make it a text.")
            % {"key": key, "count": len(choices), "most": MOST_CHOICES}
        )
    if type == Type.MULTI and (wrong := next((value for value in values if BAR in value or ";" in value), None)):
        raise InputError(
            _("%(key)s: the choice %(value)r holds a bar or a semicolon, which stand between several; leave it out.")
            % {"key": key, "value": wrong}
        )
    if missing := next((choice for choice in choices if not choice.get("en")), None):
        raise InputError(
            _("%(key)s: the choice %(value)r has no English label.") % {"key": key, "value": missing["value"]}
        )
    if type in (Type.CHOICE, Type.MULTI) and all(choice.get("retired") for choice in choices):
        raise InputError(_("%(key)s: at least one choice has to be offered.") % {"key": key})


def _refuse_lost_choices(row: AttributeDefinition, before: Sequence[Mapping[str, Any]]) -> None:
    gone = {str(choice["value"]) for choice in before} - {str(choice["value"]) for choice in row.choices}
    if not gone:
        return
    for text in AttributeValue.objects.filter(definition=row).values_list("text", flat=True).distinct():
        lost = gone & set(unpack(text) if row.type == Type.MULTI else [str(text)])
        if lost:
            raise StateError(
                _("%(key)s: customers have the choice %(value)r; keep it or change them first.")
                % {"key": row.key, "value": sorted(lost)[0]}
            )


def _mark_unique(row: AttributeDefinition) -> None:
    """Write, or clear, the form in which each value may occur but once; the definition is locked.

    Raises:
        StateError: a value occurs more than once.
    """
    values = AttributeValue.objects.filter(definition=row).order_by("pk")
    if not row.unique:
        values.filter(unique_key__isnull=False).update(unique_key=None)
        return
    standing = values.filter(shown())
    seen: dict[str, int] = {}
    twice: dict[str, int] = {}
    pending: list[AttributeValue] = []
    for value in standing.iterator(chunk_size=_BATCH):
        value.unique_key = once(row, stored(value))
        if value.unique_key in seen:
            twice[str(value.unique_key)] = twice.get(str(value.unique_key), 1) + 1
        elif value.unique_key is not None:
            seen[value.unique_key] = value.pk
        pending.append(value)
    if twice:
        examples = ", ".join(f"{value} ({count})" for value, count in list(twice.items())[:5])
        raise StateError(
            ngettext(
                "%(key)s cannot be unique yet: %(count)d value occurs more than once, such as %(examples)s; correct "
                "the customers first.",
                "%(key)s cannot be unique yet: %(count)d values occur more than once, such as %(examples)s; correct "
                "the customers first.",
                len(twice),
            )
            % {"key": row.key, "count": len(twice), "examples": examples}
        )
    AttributeValue.objects.bulk_update(pending, ["unique_key"], batch_size=300)


def uses_of(viewer: User | None, key: str, *, holding: bool = False) -> list[str]:
    """What names an attribute, and would miss it: segments and the like, in words for ``viewer``; or of these what is
    ``holding`` it, so that it cannot be archived."""
    return [use for uses in registries.attribute_uses if uses.holds or not holding for use in uses.find(viewer, key)]


def archive_attribute(actor: Actor, key: str) -> AuditEntry:
    """Take an attribute out of every page, list, rule, file and API; its values stay and come back with it.

    Raises:
        NotFound: no such attribute in use; StateError: a segment or the like names it, or its type is being changed.
    """
    actor.require("administer")
    with transaction.atomic():
        row = locked_definition(key)
        if uses := uses_of(actor.user, key, holding=True):
            raise StateError(
                _("%(key)s is used by %(uses)s; take it out there first.") % {"key": key, "uses": ", ".join(uses[:5])}
            )
        return _move(actor, row, State.ARCHIVED, "attribute.archived")


def restore_attribute(actor: Actor, key: str) -> AuditEntry:
    """Put an archived attribute back into use; raises NotFound where there is none of this key."""
    actor.require("administer")
    with transaction.atomic():
        return _move(actor, locked_definition(key, State.ARCHIVED), State.STANDING, "attribute.unarchived")


def _move(actor: Actor, row: AttributeDefinition, state: str, verb: str) -> AuditEntry:
    before = row.state
    AttributeDefinition.everything.filter(pk=row.pk).update(state=state, version=row.version + 1)
    return audit.record(actor, verb, "attribute", row.pk, {"state": [before, state]})


def hold_attributes() -> None:
    """Lock all attributes until the transaction ends, as who puts them in order does."""
    list(AttributeDefinition.everything.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def move_attribute(actor: Actor, key: str, *, up: bool) -> None:
    """Put an attribute one place up or down in the order in which attributes stand everywhere."""
    actor.require("administer")
    with transaction.atomic():
        hold_attributes()
        rows = list(AttributeDefinition.everything.filter(state=State.STANDING))
        place = next((place for place, row in enumerate(rows) if row.key == key), None)
        if place is None:
            raise NotFound(_("There is no attribute %(key)r; load the list of attributes.") % {"key": key[:60]})
        other = place + (-1 if up else 1)
        if not 0 <= other < len(rows):
            return
        rows[place], rows[other] = rows[other], rows[place]
        for number, row in enumerate(rows, start=1):
            if row.order != number * 10:
                told = {"order": [row.order, number * 10]}
                AttributeDefinition.everything.filter(pk=row.pk).update(order=number * 10, version=row.version + 1)
                if row.key == key:
                    audit.record(actor, "attribute.changed", "attribute", row.pk, told)


def take_back_attribute(actor: Actor, entry_id: int) -> AttributeDefinition:
    """Undo one change of an attribute: of its fields, or that it was archived or put back.

    Raises:
        NotFound: no such entry; StateError: what it set was changed since, or the attribute is used where it would go.
    """
    actor.require("administer")
    entry = AuditEntry.objects.filter(pk=entry_id, record_type="attribute").first()
    row = None if entry is None else AttributeDefinition.everything.filter(pk=entry.record_id).first()
    if entry is None or row is None:
        raise NotFound(_("This change cannot be taken back here; change the record by hand."))
    if entry.verb == "attribute.archived":
        restore_attribute(actor, row.key)
    elif entry.verb == "attribute.unarchived":
        archive_attribute(actor, row.key)
    elif entry.verb == "attribute.changed":
        if any(getattr(row, name) != after for name, (_before, after) in entry.changes.items()):
            raise StateError(_("This was changed again meanwhile; change it by hand, looking at what stands now."))
        change_attribute(actor, row.key, **{name: before for name, (before, _after) in entry.changes.items()})
    elif entry.verb == "attribute.defined" and not AttributeValue.objects.filter(definition=row).exists():
        archive_attribute(actor, row.key)
    else:
        raise NotFound(_("This change cannot be taken back here; change the record by hand."))
    return row
