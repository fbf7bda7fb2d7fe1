"""The verbs of segments: create, change, delete and restore, add and remove members; refreshing is beside."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from rondo.analysis.segments.jobs import request_refresh
from rondo.analysis.segments.ledger import apply_members
from rondo.analysis.segments.models import Membership, Segment
from rondo.analysis.segments.queries import (
    ROOM,
    check_stays,
    day_of_rules,
    may_read,
    members,
    not_seen,
    standing,
    stays_of,
)
from rondo.customers.models import Customer, Survivor
from rondo.customers.queries import visible
from rondo.errors import InputError, NotFound, PermissionRefused, StateError
from rondo.foundation import audit, ids
from rondo.foundation.actors import Actor
from rondo.foundation.models import AuditEntry, User
from rondo.foundation.rights import owned
from rondo.rules import Node, RuleError, Schema, SegmentError, from_json, gone_behind, parse, placed, schema, to_json
from rondo.rules.tree import segments as references

FIELDS = ("name", "description", "form", "text")
"""What :func:`change_segment` may set."""

MAX_NAMED = 10_000
"""So many customers are added to or taken from a static segment at once."""


def create_segment(
    actor: Actor,
    *,
    name: str,
    text: str = "",
    kind: str = Segment.Kind.RULE,
    key: str = "",
    description: str = "",
    form: str = "",
) -> Segment:
    """Make a segment; ``text`` is the rule of one by rule. Without a ``key`` it is made from the name.

    Raises:
        RuleError: the rule is not understood. SegmentError: it refers to a segment that is not there, or not the
            actor's to see.
        InputError: no name, a key that is taken, an unknown form, or a static segment with a rule.
    """
    actor.require("segment")
    name = _named(name)
    key = key.strip() or _free_key(name)
    if key != slugify(key) or len(key) > 60:
        raise InputError(_("key = “%(key)s”: write at most 60 small letters, digits and hyphens.") % {"key": key[:80]})
    known = schema(actor.user)
    node = _rule(kind, text, known, key, actor.user)
    row = Segment(
        key=key,
        name=name,
        kind=kind,
        description=description.strip(),
        form=_form(form),
        text=text.strip(),
        rule=to_json(node) if node is not None else {},
        owner=actor.user,
        status=Segment.Status.NEW if node is not None else Segment.Status.FRESH,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            told = {name: [None, getattr(row, name)] for name in ("key", "kind", *FIELDS) if getattr(row, name)}
            audit.record(actor, "segment.created", "segment", row.pk, told)
            if node is not None:
                request_refresh(row)
    except IntegrityError as error:
        raise InputError(_("The key “%(key)s” is taken; choose another one.") % {"key": key}) from error
    return row


def create_with_members(actor: Actor, public_ids: Iterable[str], **fields: Any) -> Segment:
    """Make a segment, and put customers into it, if any are named; raises as :func:`create_segment` and
    :func:`add_members` do, and then makes none."""
    with transaction.atomic():
        row = create_segment(actor, **fields)
        if named := list(public_ids):
            add_members(actor, row.key, named)
    return row


def check_readable(actor: Actor, row: Segment) -> None:
    """Raise PermissionRefused where the rule asks for attributes that the actor's role does not see."""
    if not may_read(row, actor.user):
        raise PermissionRefused(
            _("The rule of “%(segment)s” asks for attributes that your role does not see; who does may change it.")
            % {"segment": row}
        )


def change_segment(actor: Actor, key: str, *, expected_version: int | None = None, **fields: Any) -> Segment:
    """Set named fields (see :data:`FIELDS`) of a segment; ``expected_version`` is the one that the editor saw, where it
    is known. A new rule is computed at once by a job.

    Raises:
        StateError: somebody changed it in between. RuleError, SegmentError, InputError: as for :func:`create_segment`.
    """
    actor.require("segment")
    if unknown := sorted(set(fields) - set(FIELDS)):
        raise InputError(
            _("%(field)s is no field of a segment that can be set; one of %(fields)s is needed.")
            % {"field": unknown[0], "fields": ", ".join(FIELDS)}
        )
    known = schema(actor.user)
    with transaction.atomic():
        row = _locked(actor, key)
        if expected_version is not None and row.version != expected_version:
            raise StateError(
                _(
                    "“%(segment)s” was changed meanwhile: you saw version %(seen)d, now it is version %(now)d. "
                    "Look at the present values, then save again."
                )
                % {"segment": row, "seen": expected_version, "now": row.version}
            )
        before = {name: getattr(row, name) for name in FIELDS}
        if "name" in fields:
            row.name = _named(fields["name"])
        if "description" in fields:
            row.description = str(fields["description"]).strip()
        if "form" in fields:
            row.form = _form(fields["form"])
        new_rule = False
        if "text" in fields and fields["text"].strip() != row.text:
            node = _rule(row.kind, fields["text"], known, row.key, actor.user)
            row.text = fields["text"].strip()
            new_rule = node is not None and to_json(node) != row.rule
            row.rule = to_json(node) if node is not None else {}
        told = {name: [before[name], getattr(row, name)] for name in FIELDS if before[name] != getattr(row, name)}
        if told:
            row.version += 1
            row.save(update_fields=[*told, "rule", "version"])
            audit.record(actor, "segment.changed", "segment", row.pk, told)
        if new_rule:
            request_refresh(row)
    return row


def rewrite_rule(actor: Actor, row: Segment, text: str) -> AuditEntry:
    """Give a segment, which the caller has locked, another rule, whoever's it is: because what it named is no more. Its
    members are computed anew."""
    actor.require("administer")
    told = {"text": [row.text, text]}
    row.text, row.rule = text, to_json(parse(text, schema()))
    row.version += 1
    row.save(update_fields=["text", "rule", "version"])
    if row.retired_at is None:
        request_refresh(row)
    return audit.record(actor, "segment.changed", "segment", row.pk, told)


def delete_segment(actor: Actor, key: str) -> Segment:
    """Take a segment out of use; :func:`restore_segment` undoes it, ledger and all.

    Raises:
        StateError: other segments refer to it; they are named.
    """
    actor.require("segment")
    known = schema()
    with transaction.atomic():
        row = _locked(actor, key)
        users: list[Segment] = []
        for other in _others(row):
            rule = from_json(other.rule, known)
            if key in references(rule) or key in stays_of(rule, known):
                users.append(other)
        if users:
            raise _in_use(actor, row, users)
        row.retired_at = timezone.now()
        row.version += 1
        row.save(update_fields=["retired_at", "version"])
        audit.record(actor, "segment.deleted", "segment", row.pk, {"name": [row.name, None]})
    return row


def _in_use(actor: Actor, row: Segment, users: Sequence[Segment]) -> StateError:
    """What refers to a segment, by name as far as the actor sees it."""
    seen = set(standing(actor.user).values_list("pk", flat=True))
    names = [f"“{other.name}”" for other in users if other.pk in seen]
    if len(names) == len(users):
        text = _("“%(segment)s” is used by %(users)s; change those first.")
    else:
        names += not_seen(len(users) - len(names))
        text = _("“%(segment)s” is used by %(users)s; change those first, or ask somebody who sees all segments.")
    return StateError(text % {"segment": row, "users": ", ".join(names)})


def restore_segment(actor: Actor, key: str) -> Segment:
    """Undo :func:`delete_segment`; its members are computed anew.

    Raises:
        NotFound: there is no deleted segment of that key. SegmentError: what it refers to is gone.
    """
    actor.require("segment")
    with transaction.atomic():
        mine = Segment.objects.select_for_update(of=("self",)).filter(owned(actor.user, ROOM), key=key)
        row = mine.filter(retired_at__isnull=False).first()
        if row is None:
            raise NotFound(_("There is no deleted segment “%(key)s”.") % {"key": key})
        if row.kind == Segment.Kind.RULE:
            check_references(row.key, from_json(row.rule, schema()), told=actor.user)
        row.retired_at = None
        row.version += 1
        row.save(update_fields=["retired_at", "version"])
        audit.record(actor, "segment.restored", "segment", row.pk, {"name": [None, row.name]})
        if row.kind == Segment.Kind.RULE:
            request_refresh(row)
    return row


def add_members(actor: Actor, key: str, public_ids: Iterable[str]) -> int:
    """Put customers, named by their public ids, into a static segment; returns how many were not in it yet.

    Raises:
        NotFound: a customer is not there or not the actor's to see; the first such id is named.
        StateError: the segment is one by rule. InputError: nobody is named, or too many.
    """
    return _named_members(actor, key, public_ids, enter=True)


def remove_members(actor: Actor, key: str, public_ids: Iterable[str]) -> int:
    """Take customers out of a static segment; returns how many were in it. Raises as :func:`add_members` does."""
    return _named_members(actor, key, public_ids, enter=False)


def change_members(actor: Actor, key: str, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> tuple[int, int]:
    """Put some customers into a static segment and take others out, all or none; how many of each. Raises as
    :func:`add_members` does."""
    into, out = list(add), list(remove)
    if not into and not out:
        raise InputError(_("Name 1 to %(limit)d customers by their ids.") % {"limit": MAX_NAMED})
    with transaction.atomic():
        added = add_members(actor, key, into) if into else 0
        return added, remove_members(actor, key, out) if out else 0


def _named_members(actor: Actor, key: str, public_ids: Iterable[str], *, enter: bool) -> int:
    actor.require("segment")
    wanted = list(dict.fromkeys(public_ids))
    if not wanted or len(wanted) > MAX_NAMED:
        raise InputError(_("Name 1 to %(limit)d customers by their ids.") % {"limit": MAX_NAMED})
    with transaction.atomic():
        row = _locked(actor, key)
        if row.kind != Segment.Kind.STATIC:
            raise StateError(
                _("“%(segment)s” is defined by its rule; change the rule instead of its members.") % {"segment": row}
            )
        keys = _seen(actor, wanted)
        inside = set(
            Membership.objects.filter(segment=row, left_at__isnull=True, customer_id__in=keys).values_list(
                "customer_id", flat=True
            )
        )
        moved = sorted(keys - inside if enter else keys & inside)
        if moved:
            apply_members(row, day_of_rules(), entered=moved if enter else [], left=[] if enter else moved)
            row.version += 1
            row.save(update_fields=["version"])
            verb = "segment.members_added" if enter else "segment.members_removed"
            named = [ids.encode(Customer.PREFIX, pk) for pk in moved[:100]]
            change = [None, named] if enter else [named, None]
            audit.record(actor, verb, "segment", row.pk, {"members": change, "count": [None, len(moved)]})
    return len(moved)


def _seen(actor: Actor, public_ids: list[str]) -> set[int]:
    """The surviving customers behind public ids, all of them the actor's to see."""
    decoded = {text: ids.decode(Customer.PREFIX, text) for text in public_ids}
    known = [pk for pk in decoded.values() if pk is not None]
    survivors = dict(Survivor.objects.filter(customer_id__in=known).values_list("customer_id", "survivor_id"))
    wanted = {text: pk if pk is None else survivors.get(pk, pk) for text, pk in decoded.items()}
    seen = set(
        visible(actor.user).filter(pk__in=[pk for pk in wanted.values() if pk is not None]).values_list("pk", flat=True)
    )
    for text, pk in wanted.items():
        if pk not in seen:
            raise NotFound(
                _("Customer %(id)s is not there or not yours to see; check the address.") % {"id": text[:40]}
            )
    return seen


def keep_snapshot(actor: Actor, key: str, name: str = "") -> Segment:
    """Keep a segment as it stands: make a segment by name of its present members, those whom the actor may see. Later
    refreshes do not change it. Without a ``name`` it is that of the segment with the day it looks from.

    Raises:
        NotFound: there is no such segment. StateError: it was never computed. InputError: the name is too long.
    """
    actor.require("segment")
    with transaction.atomic():
        row = _locked(actor, key)
        if row.as_of is None:
            raise StateError(_("“%(segment)s” was not computed yet; compute it first.") % {"segment": row})
        kept = create_segment(
            actor,
            name=name.strip() or f"{row.name[:100]} {row.as_of}",
            kind=Segment.Kind.STATIC,
            description=_("The members of “%(segment)s” as of %(day)s.") % {"segment": row, "day": row.as_of},
            form=row.form,
        )
        keys = sorted(members(actor.user, row).values_list("pk", flat=True))
        apply_members(kept, row.as_of, entered=keys, left=[])
        told: dict[str, list[Any]] = {"snapshot_of": [None, row.key], "count": [None, len(keys)]}
        audit.record(actor, "segment.members_added", "segment", kept.pk, told)
    return kept


def check_references(key: str, node: Node, viewer: User | None = None, *, told: User | None = None) -> None:
    """Walk what a rule refers to. What it names itself has to be ``viewer``'s to see (None: the system's); what lies
    behind that may be anybody's, and may ask for anything.

    Raises:
        SegmentError: a segment is not there, or leads back to ``key``; the circle is named as far as ``told`` (else the
            viewer) sees its segments.
    """
    known = schema()
    reader = told or viewer
    seen_by_reader = {key, *standing(reader).values_list("key", flat=True)}

    def walk(rule: Node, way: list[str], seen: QuerySet[Segment]) -> None:
        for name in sorted(references(rule)):
            named = [*way, name][1 if key else 0]
            if name in way:
                steps = [*way[way.index(name) :], name]
                circle = " → ".join(step if step in seen_by_reader else "…" for step in steps)
                first = next((step for step in steps if step in seen_by_reader), named)
                message = _("Segment “%(key)s” refers to itself: %(circle)s.") % {"key": first, "circle": circle}
                raise SegmentError(message, named)
            other = seen.filter(key=name).first()
            if other is None and name != named:
                raise gone_behind(named)
            if other is None:
                raise SegmentError(_("There is no segment “%(key)s”.") % {"key": name}, named)
            if other.kind == Segment.Kind.RULE:
                walk(from_json(other.rule, known), [*way, name], standing())

    walk(node, [key] if key else [], standing(viewer))
    check_stays(node, known, viewer, but=key)


def _rule(kind: str, text: str, known: Schema, key: str, viewer: User | None) -> Node | None:
    if kind not in Segment.Kind.values:
        raise InputError(_("kind = “%(kind)s”: write rule or static.") % {"kind": kind})
    if kind == Segment.Kind.STATIC:
        if text.strip():
            raise InputError(_("A segment by name has no rule; leave the rule out."))
        return None
    node = parse(text, known)
    check_rule(key, node, text, viewer)
    return node


def check_rule(key: str, node: Node, text: str, viewer: User | None) -> None:
    """:func:`check_references` of a rule that was written as ``text``, with the place in it in what is raised."""
    try:
        check_references(key, node, viewer)
    except SegmentError as error:
        raise placed(error, text, standing(viewer).values_list("key", flat=True)) from error


def _others(row: Segment) -> list[Segment]:
    found = []
    for other in Segment.objects.filter(retired_at__isnull=True, kind=Segment.Kind.RULE).exclude(pk=row.pk):
        try:
            from_json(other.rule, schema())
        except RuleError:  # broken by itself, as its own page says; it refers to nothing that can be computed
            continue
        found.append(other)
    return found


def _locked(actor: Actor, key: str) -> Segment:
    mine = Segment.objects.select_for_update(of=("self",)).filter(owned(actor.user, ROOM), key=key)
    row = mine.filter(retired_at__isnull=True).first()
    if row is None:
        raise NotFound(_("There is no segment “%(key)s”.") % {"key": key})
    return row


def _named(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > 120:
        raise InputError(_("A segment needs a name of 1 to 120 characters."))
    return name


def _form(form: str) -> str:
    if form and form not in Segment.Form.values:
        raise InputError(
            _("form = “%(form)s”: write one of %(forms)s.") % {"form": form, "forms": ", ".join(Segment.Form.values)}
        )
    return form


def _free_key(name: str) -> str:
    base = (slugify(name.replace("ß", "ss")) or "segment")[:50].strip("-")
    taken = set(Segment.objects.filter(key__startswith=base).values_list("key", flat=True))
    return next(key for key in (base, *(f"{base}-{n}" for n in range(2, 10_000))) if key not in taken)
