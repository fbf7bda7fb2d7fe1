"""Why customers leave: the reasons they give, in four groups, and how they are called.

The groups are fixed: natural, service or product, brand, competitor. The reasons in them come with the program, and a
company adds its own, renames them, or offers some no longer; what was given before keeps its words. A cancellation ends
the relationship; a notice says that it is going to end.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, overload

from django.db import transaction
from django.db.models import QuerySet
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override, pgettext_lazy

from rondo.errors import InputError, NotFound, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.models import AuditEntry
from rondo.foundation.prepared import prepared
from rondo.interactions.models import Departure, LeavingReason
from rondo.interactions.queries import LEAVING

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

GROUPS: dict[str, "_StrOrPromise"] = {
    "natural": pgettext_lazy("reason for leaving", "Natural"),
    "product": pgettext_lazy("reason for leaving", "Service or product"),
    "brand": pgettext_lazy("reason for leaving", "Brand"),
    "competitor": pgettext_lazy("reason for leaving", "Competitor"),
}
"""Groups of reasons for leaving, by key."""
DELIVERED: dict[str, dict[str, "_StrOrPromise"]] = {
    "natural": {
        "grown_out": gettext_lazy("grown out of it"),
        "moved": gettext_lazy("moved away"),
        "died": gettext_lazy("died"),
    },
    "product": {
        "quality": gettext_lazy("quality"),
        "price": gettext_lazy("price against value"),
        "service": gettext_lazy("service"),
        "range": gettext_lazy("range"),
    },
    "brand": {
        "self_image": gettext_lazy("self-image"),
        "trust": gettext_lazy("trust lost"),
    },
    "competitor": {
        "cheaper": gettext_lazy("cheaper elsewhere"),
        "better": gettext_lazy("better elsewhere"),
        "nearer": gettext_lazy("nearer elsewhere"),
    },
}
"""The reasons that come with the program, within each group; no key stands in two groups."""


@dataclass(frozen=True)
class Reason:
    """One reason as the company has it. ``is_offered``: whether it can be chosen; ``own``: the company added it."""

    key: str
    group: str
    label: str
    is_offered: bool = True
    own: bool = False


def reasons() -> dict[str, Reason]:
    """All reasons by key, group by group, those of the program first; in the language in force. One query."""
    rows = {row.key: row for row in _reasons()}
    found = {}
    for group, delivered in DELIVERED.items():
        for key, label in delivered.items():
            row = rows.get(key)
            found[key] = Reason(key, group, row.label if row else str(label), row is None or row.is_offered)
        for key, row in rows.items():
            if row.group == group and key not in delivered:
                found[key] = Reason(key, group, row.label, row.is_offered, own=True)
    return found


@prepared
def _reasons() -> QuerySet[LeavingReason]:
    return LeavingReason.objects.order_by("pk")


class Choices(Sequence[tuple[str, str]]):
    """The reasons as (key, label), read when they are asked for: a company may have changed them since the start."""

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter([(one.key, one.label) for one in reasons().values()])

    def __len__(self) -> int:
        return len(list(iter(self)))

    @overload
    def __getitem__(self, place: int) -> tuple[str, str]: ...

    @overload
    def __getitem__(self, place: slice) -> list[tuple[str, str]]: ...

    def __getitem__(self, place: int | slice) -> tuple[str, str] | list[tuple[str, str]]:
        return list(iter(self))[place]


def checked(kind: str, reason: str, sub_reason: str) -> tuple[str, str]:
    """A reason as it is kept: its group and itself; the group follows from the reason where it is not named.

    Raises:
        InputError: a kind that has no reason for leaving, or a group or reason that there is not.
    """
    if not reason and not sub_reason:
        return "", ""
    if kind not in LEAVING:
        raise InputError(_("Only a cancellation or a notice has a reason for leaving; choose one of these kinds."))
    known = reasons()
    named = known.get(sub_reason)
    group = reason or (named.group if named else "")
    if group not in GROUPS or (sub_reason and (named is None or named.group != group)):
        there = ", ".join([*GROUPS, *(f"{one.group}.{one.key}" for one in known.values())])
        given = ".".join(part for part in (reason, sub_reason) if part)
        raise InputError(
            _("There is no reason for leaving “%(given)s”; there are %(known)s.")
            % {"given": given[:60], "known": there}
        )
    return group, sub_reason


def words(reason: str, sub_reason: str = "", known: Mapping[str, Reason] | None = None) -> str:
    """A reason in words, such as "Service or product: price against value"; empty where none was given. ``known``:
    :func:`reasons`, where many are told."""
    group = str(GROUPS.get(reason, reason))
    if not sub_reason:
        return group
    named = (reasons() if known is None else known).get(sub_reason)
    return f"{group}: {named.label if named else sub_reason}"


def add_reason(actor: Actor, group: str, label_en: str, label_de: str = "") -> tuple[LeavingReason, AuditEntry]:
    """A reason of the company's own; its key is made of the English name.

    Raises:
        InputError: no such group, or a name that is not usable or taken.
    """
    actor.require("administer")
    if group not in GROUPS:
        raise InputError(_("“%(value)s” is none of %(known)s.") % {"value": group[:40], "known": ", ".join(GROUPS)})
    with transaction.atomic():
        row = LeavingReason(group=group, label_en=_name(label_en), label_de=_name(label_de, needed=False))
        _check_free(row)
        row.key = _free_key(row.label_en)
        row.save(force_insert=True)
        told = {"label_en": [None, row.label_en], "label_de": [None, row.label_de], "group": [None, group]}
        return row, audit.record(actor, "leaving_reason.added", "leaving_reason", row.pk, told)


def change_reason(
    actor: Actor, key: str, *, label_en: str, label_de: str, is_offered: bool
) -> tuple[LeavingReason, AuditEntry | None]:
    """Call a reason otherwise, or offer it no longer; contacts that gave it keep it. No entry where nothing changes.

    Raises:
        NotFound: no such reason. InputError: a name that is not usable or taken.
    """
    actor.require("administer")
    with transaction.atomic():
        row = find_reason(key, lock=True)
        wanted = {"label_en": _name(label_en), "label_de": _name(label_de, needed=False), "is_offered": is_offered}
        told = {name: [getattr(row, name), value] for name, value in wanted.items() if getattr(row, name) != value}
        if not told:
            return row, None
        for name, value in wanted.items():
            setattr(row, name, value)
        _check_free(row)
        row.save()
        return row, audit.record(actor, "leaving_reason.changed", "leaving_reason", row.pk, told)


def take_back_reason(actor: Actor, entry_id: int) -> None:
    """Undo what an entry of the audit log tells of a reason.

    Raises:
        NotFound: no such entry or reason. StateError: it was changed since, or somebody gave the reason already.
    """
    actor.require("administer")
    with transaction.atomic():
        entry = AuditEntry.objects.filter(pk=entry_id, record_type="leaving_reason").first()
        row = LeavingReason.objects.select_for_update().filter(pk=entry.record_id).first() if entry else None
        if entry is None or row is None or entry.verb not in {"leaving_reason.added", "leaving_reason.changed"}:
            raise NotFound(_("This change cannot be taken back here; change the record by hand."))
        if entry.verb == "leaving_reason.changed":
            if any(getattr(row, name) != after for name, (_before, after) in entry.changes.items()):
                raise StateError(_("This was changed again meanwhile; change it by hand, looking at what stands now."))
            present = {name: getattr(row, name) for name in ("label_en", "label_de", "is_offered")}
            change_reason(
                actor, row.key, **present | {name: before for name, (before, _after) in entry.changes.items()}
            )
            return
        if Departure.objects.filter(sub_reason=row.key).exists():
            raise StateError(_("“%(reason)s” was given already; offer it no longer instead.") % {"reason": row})
        audit.record(actor, "leaving_reason.removed", "leaving_reason", row.pk, {"label_en": [row.label_en, None]})
        row.delete()


def find_reason(key: str, *, lock: bool = False) -> LeavingReason:
    """The reason of a key as a row, which is not saved yet where a reason of the program was never changed.

    Raises:
        NotFound: no such reason.
    """
    rows = LeavingReason.objects.select_for_update() if lock else LeavingReason.objects
    row = rows.filter(key=key).first()
    if row is not None:
        return row
    for group, delivered in DELIVERED.items():
        if key in delivered:
            return LeavingReason(
                key=key, group=group, label_en=_said("en", delivered[key]), label_de=_said("de", delivered[key])
            )
    raise NotFound(_("This reason for leaving is not there; load the list again."))


def _said(language: str, label: "_StrOrPromise") -> str:
    with override(language):
        return str(label)


def _name(text: str, *, needed: bool = True) -> str:
    name = " ".join(text.split())
    if (needed and not name) or len(name) > 60 or not name.isprintable():
        raise InputError(_("A reason has a name of 1 to 60 characters, not “%(name)s”.") % {"name": name[:70]})
    return name


def _check_free(row: LeavingReason) -> None:
    """Two reasons of one name could not be told apart."""
    for language, name in (("en", row.label_en), ("de", row.label_de)):
        with override(language):
            taken = {one.label.casefold() for one in reasons().values() if one.key != row.key}
        if name and name.casefold() in taken:
            raise InputError(
                _("There is a reason “%(name)s” already; choose another name, or offer that one again.")
                % {"name": name}
            )


def _free_key(name: str) -> str:
    base = slugify(name).replace("-", "_")[:16].strip("_") or "reason"
    base = f"for_{base}"[:16] if base[0].isdigit() else base  # rules take what begins with a digit for a number
    taken = set(reasons()) | set(GROUPS)
    tries = (f"{base[: 16 - len(str(n)) - 1]}_{n}" for n in count(2))
    return base if base not in taken else next(key for key in tries if key not in taken)
