"""The verbs of saved views: kept, changed, shared, deleted, put back; and their arrangement."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.errors import InputError, NotFound, PermissionRefused, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.models import AuditEntry, User
from rondo.foundation.rights import has_right
from rondo.lists.models import CUSTOMERS, Arrangement, SavedView
from rondo.lists.queries import get_visible, may_change
from rondo.lists.states import State

FIELDS = ("name", "is_shared", "query")
"""What :func:`change_view` may set."""
MOST_VIEWS = 200
"""Views that one person keeps."""
_LONGEST = 60


def save_view(
    actor: Actor, name: str, state: State, *, shared: bool = False, kind: str = CUSTOMERS
) -> tuple[SavedView, AuditEntry]:
    """Keep a list under a name, for oneself or shared with everybody.

    Raises:
        InputError: the name is empty, too long or one of the own views has it, or there are too many;
        PermissionRefused: the actor may not share.
    """
    user = _person(actor)
    if shared:
        actor.require("share")
    state.check()
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two at once could take the same name
        if SavedView.objects.filter(owner=user, kind=kind, deleted_at=None).count() >= MOST_VIEWS:
            raise InputError(_("You keep %(most)d views already; delete one of them first.") % {"most": MOST_VIEWS})
        row = SavedView(kind=kind, owner=user, is_shared=shared, query=state.to_dict())
        row.name = _name(name, row)
        row.save(force_insert=True)
        told = {field: [None, getattr(row, field)] for field in FIELDS}
        return row, audit.record(actor, "view.created", "view", row.pk, told)


def change_view(
    actor: Actor, key: str, *, expected_version: int | None = None, **fields: Any
) -> tuple[SavedView, AuditEntry | None]:
    """Set named fields (see :data:`FIELDS`; ``query`` a :class:`State`) of a view; no entry if none differs.

    Raises:
        NotFound: not there or not the actor's to open; PermissionRefused: not the actor's to change; StateError:
        somebody changed it since ``expected_version``; InputError: a value is not usable.
    """
    user = _person(actor)
    with transaction.atomic():
        row = _locked(user, get_visible(user, key).pk)
        _check_may(user, row)
        if expected_version is not None and row.version != expected_version:
            raise StateError(
                _("The view “%(view)s” was changed meanwhile; look at it as it is now, then save again.")
                % {"view": row}
            )
        if isinstance(state := fields.get("query"), State):
            state.check()
            fields["query"] = state.to_dict()
        if "name" in fields:
            fields["name"] = _name(fields["name"], row)
        if fields.get("is_shared") and not row.is_shared:
            actor.require("share")
        return _write(actor, row, fields, "view.changed")


def rewrite_view(actor: Actor, row: SavedView, state: State) -> AuditEntry:
    """Let a view, which the caller has locked, ask for something else, whoever's it is: because what it named is no
    more."""
    actor.require("administer")
    told = {"query": [row.query, state.to_dict()]}
    row.query = state.to_dict()
    row.version += 1
    row.save(update_fields=["query", "version"])
    return audit.record(actor, "view.changed", "view", row.pk, told)


def delete_view(actor: Actor, key: str) -> tuple[SavedView, AuditEntry]:
    """Delete a view; :func:`take_back` puts it back as it was.

    Raises:
        NotFound: not there or not the actor's to open; PermissionRefused: not the actor's to change.
    """
    user = _person(actor)
    with transaction.atomic():
        row = _locked(user, get_visible(user, key).pk)
        _check_may(user, row)
        row.deleted_at = timezone.now()
        row.save(update_fields=["deleted_at"])
        return row, audit.record(actor, "view.deleted", "view", row.pk, {"name": [row.name, None]})


def take_back(actor: Actor, entry_id: int) -> SavedView:
    """Undo what an audit entry tells of a view: its making, a change, or its deletion.

    Raises:
        NotFound: no such entry of a view that the actor may change; StateError: it was changed since.
    """
    user = _person(actor)
    entry = AuditEntry.objects.filter(pk=entry_id, record_type="view", actor=user).first()
    if entry is None:
        raise NotFound(_("This can no longer be undone here; change the view by hand."))
    with transaction.atomic():
        # Who administers and shares a view no more does not see it any longer, and still takes that back.
        withdrew = entry.changes.get("is_shared") == [True, False] and has_right(user, "administer")
        row = _locked(user, entry.record_id, everybodys=withdrew)
        if not withdrew:
            _check_may(user, row)
        if entry.verb in ("view.deleted", "view.created") and (row.deleted_at is None) != (
            entry.verb == "view.created"
        ):
            raise StateError(_("This was undone already; look at the views as they are now."))
        if entry.verb == "view.deleted":
            row.name = _name(row.name, row)
            row.deleted_at = None
            row.save(update_fields=["deleted_at"])
            audit.record(actor, "view.restored", "view", row.pk, {"name": [None, row.name]})
        elif entry.verb == "view.created":
            row.deleted_at = timezone.now()
            row.save(update_fields=["deleted_at"])
            audit.record(actor, "view.deleted", "view", row.pk, {"name": [row.name, None]})
        else:
            if any(getattr(row, name) != after for name, (_before, after) in entry.changes.items()):
                raise StateError(_("The view was changed again meanwhile; change it by hand."))
            _write(actor, row, {name: before for name, (before, _after) in entry.changes.items()}, "view.changed")
    return row


def arrange(
    actor: Actor, order: Sequence[str], default: str, *, everybody: bool = False, kind: str = CUSTOMERS
) -> None:
    """Keep the order of the views and which of them the list opens with, for oneself, or for everybody who did not
    choose (who administers). Keys of views that are gone are harmless: they are passed over.

    Raises:
        InputError: there are more keys than views can be, or everybody would begin with a view that is not shared.
        NotFound: the view to open with is not there.
    """
    user = _person(actor)
    if everybody:
        actor.require("administer")
    if len(order) > 2 * MOST_VIEWS or any(len(key) > 40 or "\x00" in key for key in (*order, default)):
        raise InputError(_("These are more views than one keeps; load the list again."))
    if default.startswith(f"{SavedView.PREFIX}_"):
        opens = get_visible(user, default)
        if everybody and not opens.is_shared:
            raise InputError(
                _("“%(view)s” is shared with nobody; share it before all begin with it.") % {"view": opens.name}
            )
    keys = list(dict.fromkeys(order))
    with transaction.atomic():
        whose = None if everybody else user
        row = Arrangement.objects.select_for_update().filter(user=whose, kind=kind).first()
        before = {"order": row.order if row else [], "default": row.default if row else ""}
        after = {"order": keys, "default": default}
        if before == after:
            return
        Arrangement.objects.update_or_create(user=whose, kind=kind, defaults=after)
        if everybody:
            words = {"order": "order", "default": "opens_with"}
            told = {words[name]: [before[name], after[name]] for name in after if before[name] != after[name]}
            audit.record(actor, "views.arranged", "user", user.pk, told)


def _person(actor: Actor) -> User:
    actor.require("see")
    if actor.user is None:
        raise PermissionRefused(_("A view belongs to a person; sign in."))
    return actor.user


def _locked(user: User, pk: int, *, everybodys: bool = False) -> SavedView:
    row = SavedView.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if row is None or (row.owner_id != user.pk and not row.is_shared and not everybodys):
        raise NotFound(_("This view is not there, or not shared with you; choose another one."))
    return row


def _check_may(user: User, row: SavedView) -> None:
    if not may_change(user, row):
        raise PermissionRefused(
            _("The view “%(view)s” is %(owner)s's; save it under a name of your own instead.")
            % {"view": row, "owner": row.owner}
        )


def _name(name: str, row: SavedView) -> str:
    words = " ".join(str(name).split())
    if not words or len(words) > _LONGEST or "\x00" in words:
        raise InputError(_("A view needs a name of 1 to %(most)d characters.") % {"most": _LONGEST})
    others = SavedView.objects.filter(owner_id=row.owner_id, kind=row.kind, deleted_at=None).exclude(pk=row.pk)
    if any(other.casefold() == words.casefold() for other in others.values_list("name", flat=True)):
        raise InputError(_("There is a view “%(name)s” of yours already; choose another name.") % {"name": words})
    return words


def _write(actor: Actor, row: SavedView, fields: dict[str, Any], verb: str) -> tuple[SavedView, AuditEntry | None]:
    told = {}
    for name, value in fields.items():
        if name not in FIELDS:
            raise InputError(_("%(field)s is nothing that a view keeps.") % {"field": name})
        if getattr(row, name) != value:
            told[name] = [getattr(row, name), value]
            setattr(row, name, value)
    if not told:
        return row, None
    row.version += 1
    row.save(update_fields=[*told, "version"])
    return row, audit.record(actor, verb, "view", row.pk, told)
