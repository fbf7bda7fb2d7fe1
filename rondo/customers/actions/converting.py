"""A change of an attribute's type, and choices merged into one: tried first, then done as a whole, and taken back.

Values are converted beside those that stand: a new definition gets the new values, in chunks that commit on their own,
while writers of the attribute are told to wait; one short transaction then hands the key over. So everybody sees all
old values or all new ones, and the old ones are there for the undo. A value that does not convert refuses the change,
with how many there are and of which customers: a value is never lost to a change of type.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.customers.actions.definitions import check_choices, locked_definition
from rondo.customers.attribute_values import ONCE, Stored, Type, as_written, column_of, once, parse, stored, unpack
from rondo.customers.changed import mark
from rondo.customers.models import AttributeDefinition, AttributeValue
from rondo.errors import InputError, NotFound, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.models import AuditEntry, Load, User
from rondo.foundation.registry import registries

State = AttributeDefinition.State
AT_ONCE = 5_000
"""Values that are converted while the page waits; more are a job."""
EXAMPLES = 10
_BATCH = 2_000
_MOST_MADE = 200
_OF_MERGES = ("merged_into", "rewrote")
"""What a former choice keeps for the undo, beside what choices have."""


@dataclass(frozen=True)
class Trial:
    """What a change would do: how many values there are and how many of them convert; examples of what becomes of
    them (before, after); those that do not convert, with how many customers have each, and why; the choices that it
    would make, for a type with choices; what names the choices that would go, and would name the other one instead."""

    values: int
    convert: int
    examples: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, int, str]] = field(default_factory=list)
    choices: list[dict[str, Any]] = field(default_factory=list)
    rewrites: list[str] = field(default_factory=list)

    @property
    def left(self) -> int:
        """How many do not convert."""
        return self.values - self.convert


def try_change(
    actor: Actor, key: str, type: str, *, choices: Sequence[Mapping[str, Any]] = (), merged: Mapping[str, str] = {}
) -> Trial:
    """What a change of type would do; reads only. ``merged`` says which choices become another one.

    Raises:
        NotFound: no such attribute; InputError: the type or the choices are not usable.
    """
    actor.require("administer")
    row = AttributeDefinition.objects.filter(key=key).first()
    if row is None:
        raise NotFound(_("There is no attribute %(key)r; load the list of attributes.") % {"key": key[:60]})
    return _tried(row, _target(row, type, choices, merged), merged, actor.user)


def _tried(
    row: AttributeDefinition, target: AttributeDefinition, merged: Mapping[str, str], viewer: User | None
) -> Trial:
    known: dict[Any, tuple[Any, str]] = {}
    counts: dict[Any, int] = {}
    for value in _values(row):
        raw = stored(value)
        if raw not in known:
            known[raw] = _converted(row, target, raw, merged)
        counts[raw] = counts.get(raw, 0) + 1
    fine = [raw for raw, (_after, why) in known.items() if not why]
    bad = sorted((raw for raw, (_after, why) in known.items() if why), key=lambda raw: -counts[raw])
    return Trial(
        sum(counts.values()),
        sum(counts[raw] for raw in fine),
        [(as_written(row, raw), as_written(target, known[raw][0])) for raw in fine[:EXAMPLES]],
        [(as_written(row, raw), counts[raw], known[raw][1]) for raw in bad[:EXAMPLES]],
        list(target.choices),
        [use for uses in registries.choice_uses for use in uses.find(viewer, row.key, merged)] if merged else [],
    )


def _values(row: AttributeDefinition) -> Iterator[AttributeValue]:
    """All values of a definition, in the order of their keys, a batch at a time."""
    last = 0
    while True:
        rows = list(AttributeValue.objects.filter(definition=row, pk__gt=last).order_by("pk")[:_BATCH])
        if not rows:
            return
        yield from rows
        last = rows[-1].pk


def _target(
    row: AttributeDefinition, type: str, choices: Sequence[Mapping[str, Any]], merged: Mapping[str, str]
) -> AttributeDefinition:
    """The definition that a change would make, not yet in the database."""
    if type not in Type.values:
        raise InputError(
            _("%(key)s: “%(type)s” is no type; one of %(types)s is needed.")
            % {"key": row.key, "type": type[:20], "types": ", ".join(Type.values)}
        )
    fields = ("label_en", "label_de", "form", "order", "required", "visible_to")
    target = AttributeDefinition(type=type, key=row.key, **{name: getattr(row, name) for name in fields})
    target.unique = row.unique and type in ONCE
    if type in (Type.CHOICE, Type.MULTI):
        given = [dict(choice) for choice in choices] or [dict(choice) for choice in row.choices]
        target.choices = [choice for choice in given if str(choice["value"]) not in merged] or _made(row, type)
        offered = {str(choice["value"]) for choice in target.choices}
        if missing := next((into for into in merged.values() if into not in offered), None):
            raise InputError(
                _("%(key)s: there is no choice %(value)r to merge into.") % {"key": row.key, "value": missing}
            )
        check_choices(row.key, type, target.choices)
    return target


def _made(row: AttributeDefinition, type: str) -> list[dict[str, Any]]:
    """Choices from the values that occur."""
    found: dict[str, str] = {}
    for value in _values(row):
        text = as_written(row, stored(value))
        parts = text.replace(";", ",").replace("|", ",").split(",") if type == Type.MULTI else [text]
        for part in parts:
            if words := " ".join(part.split())[:255]:
                found.setdefault(words.casefold(), words)
        if len(found) > _MOST_MADE:
            raise InputError(
                _("%(key)s has more than %(most)d different values, too many for choices; leave it a text.")
                % {"key": row.key, "most": _MOST_MADE}
            )
    values = sorted(found.values(), key=str.casefold)
    return [{"value": value, "en": value, "de": value} for value in values or ["-"]]


def _converted(
    row: AttributeDefinition, target: AttributeDefinition, raw: Any, merged: Mapping[str, str]
) -> tuple[Any, str]:
    """What a stored value becomes, or why it cannot."""
    said: Any = as_written(row, raw)
    try:
        if row.has_choices and target.has_choices:
            parts = unpack(raw) if row.type == Type.MULTI else [str(raw)]
            parts = list(dict.fromkeys(merged.get(part, part) for part in parts))
            if target.type == Type.CHOICE and len(parts) > 1:
                raise InputError(_("%(count)d choices cannot become one") % {"count": len(parts)})
            open_to_all = AttributeDefinition(
                key=target.key, type=target.type, choices=[{**one, "retired": False} for one in target.choices]
            )
            return parse(open_to_all, parts if target.type == Type.MULTI else parts[0])[1], ""
        if row.type == Type.MULTI:
            said = ", ".join(unpack(raw))
        if target.type in (Type.NUMBER, Type.MONEY) and row.type == Type.BOOLEAN:
            raise InputError(_("yes or no is no number"))
        after = parse(target, said)[1]
        if target.type == Type.NUMBER and Decimal(as_written(target, after)) != Decimal(said.strip()):
            raise InputError(_("a number of so many digits cannot be kept exactly; leave it a text"))
        return after, ""
    except InputError as error:
        return None, str(error)


def begin_change(
    actor: Actor,
    key: str,
    type: str,
    *,
    choices: Sequence[Mapping[str, Any]] = (),
    merged: Mapping[str, str] | None = None,
) -> tuple[AttributeDefinition, int]:
    """Tell writers to wait, and make the definition that will take over; :func:`carry_out` follows, at once or as a
    job. Returns that definition and how many values there are.

    Raises:
        NotFound: no such attribute; InputError: the type or choices are not usable; StateError: an import is running,
        the type is being changed already, or values do not convert.
    """
    trial = try_change(actor, key, type, choices=choices, merged=merged or {})
    _refuse(key, trial)
    with transaction.atomic():
        row = locked_definition(key)
        target = _target(row, type, trial.choices or choices, merged or {})
        if (row.type, row.choices) == (target.type, target.choices):
            raise InputError(_("%(key)s is of this type already.") % {"key": key})
        if Load.objects.filter(status=Load.Status.LOADING).exists():
            raise StateError(_("An import is running; change the type when it has ended."))
        number = AttributeValue.objects.filter(definition=row).count()
        target.key = f"{key[:40]}~{row.pk}"
        target.state = State.MADE
        target.replaces = row
        target.version = row.version + 1
        target.default = _default(row, target, merged or {})
        target.save(force_insert=True)
        audit.record(
            actor, "attribute.conversion_asked", "attribute", row.pk, {"type": [row.type, type], **_told(row, target)}
        )
        AttributeDefinition.everything.filter(pk=row.pk).update(changing=type)
    return target, number


def _default(row: AttributeDefinition, target: AttributeDefinition, merged: Mapping[str, str]) -> str:
    if not row.default or target.unique:
        return ""
    value, why = _converted(row, target, parse(row, row.default)[1], merged)
    return "" if why else as_written(target, value)


def _told(row: AttributeDefinition, target: AttributeDefinition) -> dict[str, list[Any]]:
    return {"choices": [row.choices, target.choices]} if row.choices != target.choices else {}


def _refuse(key: str, trial: Trial) -> None:
    if trial.left:
        examples = ", ".join(f"“{value}”" for value, _count, _why in trial.refused[:3])
        raise StateError(
            ngettext(
                "%(key)s: %(count)d value does not convert (%(examples)s); correct it first, nothing was changed.",
                "%(key)s: %(count)d values do not convert, such as %(examples)s; correct them first, nothing was "
                "changed.",
                trial.left,
            )
            % {"key": key, "count": trial.left, "examples": examples}
        )


def carry_out(actor: Actor, target_id: int, merged: Mapping[str, str] | None = None) -> AttributeDefinition | None:
    """Convert the values and hand the key over. Safe to run twice: what a run that died left is begun anew, and what is
    done already stays; None where the change was given up.

    Raises:
        StateError: a value does not convert, or would occur twice where it may but once. Nothing is changed then.
    """
    target = AttributeDefinition.everything.filter(pk=target_id).select_related("replaces").first()
    if target is None or target.replaces is None:
        return None
    if target.state != State.MADE:
        _mark(target)
        return target
    row = target.replaces
    try:
        if not _convert(row, target, merged or {}):
            return AttributeDefinition.everything.filter(pk=target_id).first()
        _hand_over(actor, row, target, merged or {})
    except (StateError, InputError) as error:
        give_up(actor, row.key, str(error))
        raise
    _mark(target)
    return target


def _convert(row: AttributeDefinition, target: AttributeDefinition, merged: Mapping[str, str]) -> bool:
    """Write the converted values; whether that was still to be done. Another run of the same job may have handed the
    key over since this one looked: its values are everybody's, and are left alone."""
    with transaction.atomic():
        waiting = AttributeDefinition.everything.select_for_update(of=("self",)).filter(pk=target.pk, state=State.MADE)
        if waiting.first() is None:
            return False
        _delete_values(target)
    known: dict[Any, tuple[Any, str]] = {}
    seen: set[str] = set()
    pending: list[AttributeValue] = []
    for value in _values(row):
        raw = stored(value)
        if raw not in known:
            known[raw] = _converted(row, target, raw, merged)
        after, why = known[raw]
        if why:
            raise StateError(f"{row.key}: {why}")
        said = once(target, after)
        if said is not None and value.unique_key is not None and said in seen:
            raise StateError(
                _("%(key)s: %(value)s would occur twice after the change and may but once.")
                % {"key": row.key, "value": said}
            )
        if said is not None and value.unique_key is not None:
            seen.add(said)
        made = AttributeValue(customer_id=value.customer_id, definition=target, load_id=value.load_id)
        setattr(made, column_of(target.type), after)
        made.unique_key = said if value.unique_key is not None else None
        pending.append(made)
        if len(pending) >= _BATCH:
            AttributeValue.objects.bulk_create(pending)
            pending = []
    AttributeValue.objects.bulk_create(pending)
    return True


def _hand_over(actor: Actor, row: AttributeDefinition, target: AttributeDefinition, merged: Mapping[str, str]) -> None:
    """The key goes from ``row`` to ``target`` in one transaction."""
    with transaction.atomic():
        list(AttributeDefinition.everything.select_for_update().filter(pk__in=[row.pk, target.pk]).order_by("pk"))
        fresh = AttributeDefinition.everything.get(pk=row.pk)
        if not fresh.changing or fresh.state != State.STANDING:
            raise StateError(_("%(key)s: this change of type was given up meanwhile.") % {"key": row.key})
        key = fresh.key
        # While rules may still name the choices that go.
        entries = [one for uses in registries.choice_uses for one in uses.rewrite(actor, key, merged)] if merged else []
        AttributeDefinition.everything.filter(pk=row.pk).update(
            key=f"{key[:40]}~~{row.pk}",
            state=State.FORMER,
            changing="",
            choices=_with_merged(row.choices, merged, entries),
        )
        AttributeDefinition.everything.filter(pk=target.pk).update(key=key, state=State.STANDING)
        target.key, target.state = key, State.STANDING
        audit.record(
            actor,
            "attribute.converted",
            "attribute",
            target.pk,
            {"type": [row.type, target.type], **_told(row, target)},
        )


def _mark(target: AttributeDefinition) -> None:
    """Who has a value counts as changed; in chunks, after the fact, since followers read what stands by then."""
    some: list[int] = []
    for value in _values(target):
        some.append(value.customer_id)
        if len(some) >= _BATCH:
            with transaction.atomic():
                mark(some)
            some = []
    with transaction.atomic():
        mark(some)


def _delete_values(row: AttributeDefinition) -> None:
    while keys := list(AttributeValue.objects.filter(definition=row).values_list("pk", flat=True)[:_BATCH]):
        AttributeValue.objects.filter(pk__in=keys).delete()


def give_up(actor: Actor, key: str, why: str = "") -> None:
    """End a change of type that has not been handed over: writers go on with the values as they are.

    Raises:
        NotFound: there is no such attribute, or its type is not being changed.
    """
    actor.require("administer")
    with transaction.atomic():
        row = AttributeDefinition.everything.select_for_update().filter(key=key, state=State.STANDING).first()
        if row is None or not row.changing:
            raise NotFound(_("The type of %(key)s is not being changed.") % {"key": key[:60]})
        targets = list(AttributeDefinition.everything.filter(replaces=row, state=State.MADE))
        AttributeDefinition.everything.filter(pk=row.pk).update(changing="")
        told: dict[str, list[Any]] = {"type": [row.changing, row.type]} | ({"reason": [None, why]} if why else {})
        audit.record(actor, "attribute.conversion_given_up", "attribute", row.pk, told)
    for target in targets:
        _delete_values(target)
        target.delete()


def progress_of(row: AttributeDefinition) -> tuple[int, int]:
    """Values converted so far, and all, of an attribute whose type is being changed."""
    done = AttributeValue.objects.filter(definition__replaces=row, definition__state=State.MADE).count()
    return done, AttributeValue.objects.filter(definition=row).count()


def former_of(key: str) -> AttributeDefinition | None:
    """What an attribute was before its last change of type, if that can be taken back."""
    row = AttributeDefinition.objects.filter(key=key).select_related("replaces").first()
    return row.replaces if row is not None and row.replaces is not None else None


def take_back_change(actor: Actor, key: str) -> AttributeDefinition:
    """Put an attribute back to what it was before its last change of type: every value as it was; those changed or
    added since are converted back.

    Raises:
        NotFound: there is nothing to go back to; StateError: a value given since does not convert back, or the type is
        being changed. Nothing is changed then.
    """
    actor.require("administer")
    with transaction.atomic():
        row = locked_definition(key)
        former = None if row.replaces is None else AttributeDefinition.everything.get(pk=row.replaces.pk)
        if former is None or former.state != State.FORMER:
            raise NotFound(_("%(key)s has no former type to go back to.") % {"key": key[:60]})
        _restore_values(row, former)
        AttributeDefinition.everything.filter(pk=row.pk).update(key=f"{key[:40]}~{row.pk}", state=State.MADE)
        names = ("label_en", "label_de", "form", "order", "required", "visible_to")
        kept = {name: getattr(row, name) for name in names}
        AttributeDefinition.everything.filter(pk=former.pk).update(
            key=key,
            state=State.STANDING,
            version=row.version + 1,
            choices=[{name: said for name, said in one.items() if name not in _OF_MERGES} for one in former.choices],
            **kept,
        )
        _name_them_again(actor, former)
        audit.record(
            actor,
            "attribute.conversion_undone",
            "attribute",
            former.pk,
            {"type": [row.type, former.type], **_told(row, former)},
        )
    _mark(AttributeDefinition.everything.get(pk=former.pk))
    _delete_values(row)
    row.delete()
    return AttributeDefinition.objects.get(pk=former.pk)


def _name_them_again(actor: Actor, former: AttributeDefinition) -> None:
    """What was rewritten as choices of ``former`` were merged names them again, where it was not changed since."""
    asked = {int(key) for choice in former.choices for key in choice.get("rewrote", ())}
    for entry in AuditEntry.objects.filter(pk__in=asked).order_by("pk"):
        uses = registries.choice_uses.get(entry.record_type)
        if uses is not None:
            uses.take_back(actor, entry)


def _restore_values(row: AttributeDefinition, former: AttributeDefinition) -> None:
    """Bring the former values up to date with what was changed since the conversion."""
    was = {value.customer_id: value for value in _values(former)}
    merged = {str(one["value"]): str(one["merged_into"]) for one in former.choices if one.get("merged_into")}
    refused: list[str] = []
    back_again: list[tuple[AttributeValue, Stored]] = []
    for value in _values(row):
        old, now = was.pop(value.customer_id, None), stored(value)
        if old is not None and _converted(former, row, stored(old), merged) == (now, ""):
            continue
        back, why = _converted(row, former, now, {})
        if why:
            refused.append(as_written(row, now))
            continue
        back_again.append((value, back))
    if refused:
        raise StateError(
            ngettext(
                "%(key)s: %(count)d value given since does not convert back (%(examples)s); nothing was changed.",
                "%(key)s: %(count)d values given since do not convert back, such as %(examples)s; nothing was changed.",
                len(refused),
            )
            % {"key": row.key, "count": len(refused), "examples": ", ".join(refused[:3])}
        )
    AttributeValue.objects.filter(pk__in=[value.pk for value in was.values()]).delete()
    # Two may have changed places: each gives its value free before either takes one.
    _in_parts(former, back_again, unique_key=None)
    taken = set(AttributeValue.objects.filter(definition=former).values_list("unique_key", flat=True)) - {None}
    for value, back in back_again:
        said = once(former, back)
        if said in taken:
            raise StateError(
                _("%(key)s: %(value)s would occur twice after the change and may but once.")
                % {"key": row.key, "value": said}
            )
        taken |= {said} - {None}
        columns = {"text": None, "number": None, "day": None, column_of(former.type): back, "unique_key": said}
        AttributeValue.objects.update_or_create(
            customer_id=value.customer_id, definition=former, defaults={**columns, "load_id": value.load_id}
        )


def _in_parts(row: AttributeDefinition, values: Sequence[tuple[AttributeValue, Any]], **said: Any) -> None:
    """Set columns of what the customers of some values hold of a definition."""
    keys = [value.customer_id for value, _back in values]
    for start in range(0, len(keys), _BATCH):
        AttributeValue.objects.filter(definition=row, customer_id__in=keys[start : start + _BATCH]).update(**said)


def _with_merged(
    choices: Sequence[Mapping[str, Any]], merged: Mapping[str, str], entries: Sequence[int]
) -> list[dict[str, Any]]:
    """The former choices, with what some of them were merged into, and the audit entries of what was rewritten for it:
    the undo asks for both."""
    return [
        {**choice, "merged_into": merged[str(choice["value"])], "rewrote": list(entries)}
        if str(choice["value"]) in merged
        else dict(choice)
        for choice in choices
    ]
