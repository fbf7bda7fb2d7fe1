"""Saved views that name choices of an attribute, where some choices are merged into another."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.customers.ruled import ATTRIBUTE_PREFIX
from rondo.errors import InputError
from rondo.foundation.actors import Actor
from rondo.foundation.models import AuditEntry, User
from rondo.foundation.registry import ChoiceUses
from rondo.lists.actions import rewrite_view
from rondo.lists.models import CUSTOMERS, SavedView
from rondo.lists.states import State
from rondo.rules import Schema, schema, with_values
from rondo.web.customers.filters import with_choices


def find(viewer: User | None, key: str, merged: Mapping[str, str]) -> list[str]:
    """The views that would be rewritten, in words."""
    return in_words(viewer, [row for row, _state in _naming(key, merged)])


def in_words(viewer: User | None, rows: Sequence[SavedView]) -> list[str]:
    """Views by name; of those that ``viewer`` may not open the number."""
    told = [
        _("the view “%(view)s”") % {"view": row.name}
        for row in rows
        if viewer is None or row.is_shared or row.owner_id == viewer.pk
    ]
    rest = len(rows) - len(told)
    words = ngettext("%(n)d view that others keep for themselves", "%(n)d views that others keep for themselves", rest)
    return [*told, words % {"n": rest}] if rest else told


def rewrite(actor: Actor, key: str, merged: Mapping[str, str]) -> list[int]:
    """Rewrite what they ask for."""
    return [rewrite_view(actor, row, state).pk for row, state in _naming(key, merged, locked=True)]


def take_back(actor: Actor, entry: AuditEntry) -> None:
    """Put a view back to what it asked for before ``entry``, unless it asks for something else by now."""
    before, after = entry.changes["query"]
    row = SavedView.objects.select_for_update(of=("self",)).filter(pk=entry.record_id).first()
    if row is not None and row.query == after:
        rewrite_view(actor, row, State.from_dict(before))


def _naming(key: str, merged: Mapping[str, str], *, locked: bool = False) -> Iterator[tuple[SavedView, State]]:
    """Views of customers that name a choice that goes, deleted ones too, since they can be put back; and what they
    would ask for."""
    known = schema()
    rows = SavedView.objects.filter(kind=CUSTOMERS).order_by("pk")
    if not locked:
        rows = rows.filter(deleted_at__isnull=True)
    for row in rows.select_for_update(of=("self",)) if locked else rows:
        state = _rewritten(row.state, ATTRIBUTE_PREFIX + key, merged, known)
        if state != row.state:
            yield row, state


def _rewritten(state: State, key: str, merged: Mapping[str, str], known: Schema) -> State:
    filters = dict.fromkeys(_understood(lambda text: with_choices(text, key, merged), text) for text in state.filters)
    rule = _understood(lambda text: with_values(text, key, merged, known), state.rule) if state.rule else ""
    return replace(state, filters=tuple(filters), rule=rule)


def _understood(rewritten: Callable[[str], str], text: str) -> str:
    """What is broken by itself stays as it is; the list says so where the view is opened."""
    try:
        return rewritten(text)
    except InputError:
        return text


USES = ChoiceUses(find, rewrite, take_back)
