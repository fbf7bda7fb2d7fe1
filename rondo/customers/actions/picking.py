"""The values that a survivor shows because of a merge: put in place when two become one, taken back with the merge.

A merge moves no row. Where the survivor is to show a value of the other side, that value is written to the survivor,
and a :class:`~rondo.customers.models.MergePick` keeps what it held before. Picks of one field lie on each other; taken
back, one gives what it held before to the one above it, so that merges can be undone in any order. Where
somebody changed the value since, it is left as it is.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from rondo.customers.actions.contact_points import one_line
from rondo.customers.actions.gate import plain
from rondo.customers.attribute_values import column_of
from rondo.customers.attribute_values import told as in_the_log
from rondo.customers.changed import noted
from rondo.customers.definitions import definitions_for
from rondo.customers.models import Address, AttributeDefinition, AttributeValue, Customer, Merge, MergePick
from rondo.customers.picking import (
    ATTRIBUTE,
    FIELDS,
    NAMES,
    PLAIN,
    Side,
    composed,
    read_sides,
    same_words,
    value_of,
    values_of,
)
from rondo.errors import InputError
from rondo.foundation.actors import Actor
from rondo.foundation.models import Team
from rondo.foundation.search import fold

Values = dict[str, Any]
"""Columns of the database with JSON values."""

_COLUMNS: dict[str, tuple[str, ...]] = {
    "kind": ("kind",),
    "name": ("name", "given_name", "family_name"),
    "language": ("language",),
    "birth_date": ("birth_date",),
    "known_since": ("known_since", "known_since_at_least"),
    "owner": ("owner_id",),
    "team": ("team_id",),
    "address": ("preferred_address_id",),
}
_LONGEST_NAME = 200


def check_choice(actor: Actor, chosen: Mapping[str, int], sides: Iterable[int]) -> None:
    """Refuse what is no field, or none that the actor sees, and a record that is neither of the two.

    Raises:
        InputError: names it.
    """
    known = {ATTRIBUTE + row.key for row in definitions_for(actor.user)}
    keys = set(sides)
    for name, record in chosen.items():
        if name not in FIELDS and name not in known:
            raise InputError(
                _("%(field)s is no field whose value can be chosen; one of %(fields)s or attr.<key> is needed.")
                % {"field": name[:80], "fields": ", ".join(FIELDS)}
            )
        if record not in keys:
            raise InputError(_("%(field)s: choose one of the two customers that are merged.") % {"field": name[:80]})


def put_in_place(edge: Merge, lost: Side, kept: Side, chosen: Mapping[str, int]) -> dict[str, list[Any]]:
    """Let the survivor show what was chosen (field to key of the side; see :func:`check_choice`), and known over empty.
    Call when the pointers stand, with the sides as they were before; returns the changes for the audit log."""
    told: dict[str, list[Any]] = {}
    wanted = _wanted(lost, kept, chosen)
    row = kept.row
    for name, columns in _COLUMNS.items():
        if name not in wanted:
            continue
        before, after = _held(row, columns), dict(zip(columns, wanted[name], strict=True))
        if before != after:
            _keep(edge, row.pk, name, before, after, _origin(lost, name))
            _write(row.pk, after)
            told |= _told(name, before, after)
    if told:
        Customer.objects.filter(pk=row.pk).update(version=F("version") + 1)
    return told | _attributes(edge, lost, kept, chosen) | _address(edge, lost, kept, chosen)


def _wanted(lost: Side, kept: Side, chosen: Mapping[str, int]) -> dict[str, tuple[Any, ...]]:
    """What the survivor's own columns are to hold, but for the address."""
    sides = {lost.row.pk: lost, kept.row.pk: kept}

    def side(name: str) -> Side:
        first = sides[chosen.get(name, kept.row.pk)]
        other = lost if first is kept else kept
        return first if value_of(first, name) or not value_of(other, name) else other

    found: dict[str, tuple[Any, ...]] = {}
    for name in PLAIN:
        one = side(name)
        if one is not kept:  # what the survivor has stays, also an owner who left
            found[name] = (plain(value_of(one, name)),)
    found["name"] = _name(lost, kept, side, chosen)
    days = [(day, one is lost, one) for one in (kept, lost) if (day := one.row.known_since) is not None]
    if days:
        day, _second, first = min(days, key=lambda found: found[:2])
        found["known_since"] = (plain(day), first.row.known_since_at_least)
    return found


def _name(lost: Side, kept: Side, side: Any, chosen: Mapping[str, int]) -> tuple[str, str, str]:
    """Name and its parts: as a whole, or part by part where both have parts. An empty part is filled where the other
    part says the same on both sides."""
    if not (lost.in_parts and kept.in_parts):
        row = side("name").row
        return row.name, row.given_name, row.family_name
    parts = {}
    for name, beside in ((NAMES[0], NAMES[1]), (NAMES[1], NAMES[0])):
        own = getattr(kept.row, name)
        alike = same_words(getattr(kept.row, beside), getattr(lost.row, beside))
        parts[name] = getattr(side(name).row, name) if name in chosen or alike else own
    given, family = parts["given_name"], parts["family_name"]
    return composed(given, family)[:_LONGEST_NAME], given, family


def _attributes(edge: Merge, lost: Side, kept: Side, chosen: Mapping[str, int]) -> dict[str, list[Any]]:
    told: dict[str, list[Any]] = {}
    now = read_sides([kept.row])[kept.row.pk].attributes
    for key in sorted({*lost.attributes, *kept.attributes}):
        name = ATTRIBUTE + key
        first, other = (lost, kept) if chosen.get(name) == lost.row.pk else (kept, lost)
        value = first.attributes.get(key) or other.attributes[key]
        if values_of(now[key]) == values_of(value):
            continue
        own = AttributeValue.objects.filter(customer_id=kept.row.pk, definition=value.definition).first()
        before, after = _of(own), _json(values_of(value)) | {"load_id": None}
        _keep(edge, kept.row.pk, name, before, after, _origin_of(value.customer_id, name))
        _write_attribute(kept.row.pk, value.definition, after)
        told |= _told(name, _of(now[key]), after)
    return told


def _address(edge: Merge, lost: Side, kept: Side, chosen: Mapping[str, int]) -> dict[str, list[Any]]:
    first, other = (lost, kept) if chosen.get("address") == lost.row.pk else (kept, lost)
    meant = first.address or other.address
    now = read_sides([Customer.objects.get(pk=kept.row.pk)])[kept.row.pk].address
    if meant is None or now is None or meant.pk == now.pk:
        return {}
    before, after = _held(kept.row, _COLUMNS["address"]), {"preferred_address_id": meant.pk}
    _keep(edge, kept.row.pk, "address", before, after, meant.customer_id)
    _write(kept.row.pk, after)
    return {"address": [_one_line(now.pk), _one_line(meant.pk)]}


def _keep(edge: Merge, holder: int, name: str, before: Values | None, after: Values | None, origin: int) -> None:
    MergePick.objects.create(merge=edge, holder_id=holder, origin_id=origin, field=name, before=before, after=after)


def _origin(lost: Side, name: str) -> int:
    return _origin_of(lost.row.pk, name)


def _origin_of(record: int, name: str) -> int:
    """The record for which a value was entered that ``record`` holds: itself, unless it shows it by a pick."""
    pick = MergePick.objects.filter(holder_id=record, field=name).order_by("-pk").first()
    return pick.origin_id if pick is not None and _present(pick) == pick.after else record


def take_out(
    actor: Actor, edge: Merge, group: Sequence[int], leaving: Sequence[int]
) -> tuple[dict[str, list[Any]], list[str]]:
    """Take back what shows because of ``edge``, and what records of ``group`` that stay show of those ``leaving``.

    Returns the changes of the first of the group, the survivor, for the audit log (those of others are noted), and the
    fields that were changed since and are left as they are. Call before the pointers change.
    """
    gone = set(leaving)
    stay = [record for record in group if record not in gone]
    across = MergePick.objects.filter(holder_id__in=stay, origin_id__in=gone).values_list("pk", flat=True)
    keys = {*across, *MergePick.objects.filter(merge=edge).values_list("pk", flat=True)}
    changes: dict[int, dict[str, list[Any]]] = {}
    left: list[str] = []
    for pick in MergePick.objects.select_for_update().filter(pk__in=keys).order_by("-pk"):
        told = _take_back(pick)
        if told is None:
            left.append(pick.field)
        else:
            changes.setdefault(pick.holder_id, {}).update(told)
        pick.delete()
    Customer.objects.filter(pk__in=changes).update(version=F("version") + 1)
    for holder, told in changes.items():
        if told and holder != group[0]:
            noted(actor, "customer.changed", holder, told)
    return changes.get(group[0], {}), left


def show_own(row: Customer, definition: AttributeDefinition, origin: int) -> None:
    """Let a survivor show the value of a record that was merged into it, which may occur but once and stays that
    record's: it goes with the record when the merge is undone."""
    edge = Merge.objects.get(loser_id=origin, undone_at__isnull=True)
    value = AttributeValue.objects.get(customer_id=origin, definition=definition)
    own = AttributeValue.objects.filter(customer_id=row.pk, definition=definition).first()
    after = _json(values_of(value)) | {"load_id": None}
    _keep(edge, row.pk, ATTRIBUTE + definition.key, _of(own), after, _origin_of(origin, ATTRIBUTE + definition.key))
    _write_attribute(row.pk, definition, after)


def showing(origins: Collection[int]) -> list[MergePick]:
    """The picks that show a value of these records as it stands there now; to be asked before the values change."""
    picks = (pick for pick in MergePick.objects.order_by("-pk") if pick.origin_id in origins)
    return [pick for pick in picks if _same(pick.field, _of_origin(pick), pick.after)]


def let_follow(actor: Actor, picks: Iterable[MergePick]) -> set[int]:
    """After values were put back in the records that they were entered for: a survivor shows what is there now, and
    where there is nothing any more, what it held before. What was changed by hand since stays. Returns the survivors
    that show something else now."""
    changed: dict[int, dict[str, list[Any]]] = {}
    for pick in picks:
        now = _of_origin(pick)
        if _same(pick.field, now, pick.after):
            continue
        if now is None or not any(value for name, value in now.items() if name != "load_id"):
            told = _take_back(pick)
            pick.delete()
        else:
            told = _put_under(pick, now)
        if told:
            changed.setdefault(pick.holder_id, {}).update(told)
    Customer.objects.filter(pk__in=changed).update(version=F("version") + 1)
    for holder, said in changed.items():
        noted(actor, "customer.changed", holder, said)
    return set(changed)


def _put_under(pick: MergePick, now: Values) -> dict[str, list[Any]]:
    """Let a pick show another value; a pick above it, and what was changed by hand, stay."""
    was, after = pick.after, now if not pick.field.startswith(ATTRIBUTE) else now | {"load_id": None}
    above = MergePick.objects.filter(holder_id=pick.holder_id, field=pick.field, pk__gt=pick.pk).order_by("pk").first()
    stands = above is None and _same(pick.field, _present(pick), was)
    pick.after = after
    pick.save(update_fields=["after"])
    if above is not None and _same(pick.field, above.before, was):
        above.before = after
        above.save(update_fields=["before"])
    if not stands:
        return {}
    if pick.field.startswith(ATTRIBUTE):
        key = pick.field.removeprefix(ATTRIBUTE)
        _write_attribute(pick.holder_id, AttributeDefinition.everything.get(key=key), after)
    else:
        _write(pick.holder_id, after)
    return _told(pick.field, was, after)


def _of_origin(pick: MergePick) -> Values | None:
    """What the record holds for which the value was entered. A postal address is shown where it is."""
    if pick.field == "address":
        return pick.after
    if pick.field.startswith(ATTRIBUTE):
        key = pick.field.removeprefix(ATTRIBUTE)
        return _of(AttributeValue.objects.filter(customer_id=pick.origin_id, definition__key=key).first())
    return _held(Customer.objects.get(pk=pick.origin_id), _COLUMNS[pick.field])


def _take_back(pick: MergePick) -> dict[str, list[Any]] | None:
    """What changed by it, for the log; None where it was changed since."""
    above = MergePick.objects.filter(holder_id=pick.holder_id, field=pick.field, pk__gt=pick.pk).order_by("pk").first()
    if above is not None:
        if not _same(pick.field, above.before, pick.after):
            return None
        above.before = pick.before
        above.save(update_fields=["before"])
        return {}
    if not _same(pick.field, _present(pick), pick.after) or not _possible(pick):
        return None
    if pick.field.startswith(ATTRIBUTE):
        definition = AttributeDefinition.objects.get(key=pick.field.removeprefix(ATTRIBUTE))
        _write_attribute(pick.holder_id, definition, pick.before)
    else:
        _write(pick.holder_id, pick.before or {})
    return _told(pick.field, pick.after, pick.before)


def _same(name: str, one: Values | None, other: Values | None) -> bool:
    """Whether two values are the same; which import brought an attribute does not matter."""
    if name.startswith(ATTRIBUTE) and one is not None and other is not None:
        return {**one, "load_id": None} == {**other, "load_id": None}
    return one == other


def _present(pick: MergePick) -> Values | None:
    """What the holder holds now."""
    if pick.field.startswith(ATTRIBUTE):
        key = pick.field.removeprefix(ATTRIBUTE)
        return _of(AttributeValue.objects.filter(customer_id=pick.holder_id, definition__key=key).first())
    return _held(Customer.objects.get(pk=pick.holder_id), _COLUMNS[pick.field])


def _possible(pick: MergePick) -> bool:
    """Whether what was held before can be held again: a team may be gone, an attribute be of another type."""
    before = pick.before or {}
    if pick.field == "team" and before["team_id"] is not None:
        return Team.objects.filter(pk=before["team_id"]).exists()
    if pick.field.startswith(ATTRIBUTE):
        found = AttributeDefinition.objects.filter(key=pick.field.removeprefix(ATTRIBUTE)).first()
        return found is not None and (not before or before[column_of(found.type)] is not None)
    return True


def _held(row: Customer, columns: Iterable[str]) -> Values:
    return {name: plain(getattr(row, name)) for name in columns}


def _of(value: AttributeValue | None) -> Values | None:
    return None if value is None else _json(values_of(value)) | {"load_id": value.load_id}


def _json(values: Values) -> Values:
    return {name: plain(value) for name, value in values.items()}


def _value(values: Values) -> Any:
    return next((value for name, value in values.items() if name != "load_id" and value is not None), None)


def _write(holder: int, values: Values) -> None:
    fields = {field.attname: field for field in Customer._meta.concrete_fields}
    parsed = {name: fields[name].to_python(value) if value is not None else None for name, value in values.items()}
    if "name" in parsed:
        parsed["folded_name"] = fold(str(parsed["name"]))[:_LONGEST_NAME]
    Customer.objects.filter(pk=holder).update(**parsed)


def _write_attribute(holder: int, definition: AttributeDefinition, values: Values | None) -> None:
    """Where a value may occur but once, the value held before stays taken meanwhile: its ``unique_key`` is left."""
    if values is None:
        AttributeValue.objects.filter(customer_id=holder, definition=definition).delete()
        return
    day = AttributeValue._meta.get_field("day").to_python(values["day"])
    AttributeValue.objects.update_or_create(customer_id=holder, definition=definition, defaults={**values, "day": day})


def _told(name: str, before: Values | None, after: Values | None) -> dict[str, list[Any]]:
    """A change as the audit log tells it."""
    if name.startswith(ATTRIBUTE):
        key = name.removeprefix(ATTRIBUTE)
        definition = AttributeDefinition.everything.get(key=key)
        said = [None if one is None else in_the_log(definition, _value(one)) for one in (before, after)]
        return {f"attribute.{key}": said}
    one, other = before or {}, after or {}
    if name == "address":
        return {"address": [_one_line(values["preferred_address_id"]) for values in (one, other)]}
    return {
        column.removesuffix("_id"): [one.get(column), other.get(column)]
        for column in _COLUMNS[name]
        if one.get(column) != other.get(column)
    }


def _one_line(address: int | None) -> str | None:
    row = Address.objects.filter(pk=address).first() if address is not None else None
    return None if row is None else one_line(row)
