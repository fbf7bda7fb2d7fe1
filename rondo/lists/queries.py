"""Reads of saved views: everybody's own, and those that others share."""

from collections.abc import Sequence

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from rondo.errors import NotFound
from rondo.foundation import ids
from rondo.foundation.models import User
from rondo.foundation.prepared import prepared
from rondo.foundation.rights import has_right
from rondo.lists.models import CUSTOMERS, Arrangement, SavedView


def visible(viewer: User) -> QuerySet[SavedView]:
    """The views that ``viewer`` may open, by name."""
    return _visible(viewer.pk)


def all_visible(viewer: User) -> list[SavedView]:
    """The same, as rows."""
    return _rows(viewer.pk)


def _visible(user: int) -> QuerySet[SavedView]:
    rows = SavedView.objects.filter(Q(owner=user) | Q(is_shared=True), deleted_at=None)
    return rows.select_related("owner").order_by("name", "pk")


_rows = prepared(_visible)


def get_visible(viewer: User, key: str) -> SavedView:
    """One of them by its public id; raises NotFound otherwise."""
    pk = ids.decode(SavedView.PREFIX, key)
    row = next((view for view in all_visible(viewer) if view.pk == pk), None)
    if row is None:
        raise NotFound(_("This view is not there, or not shared with you; choose another one."))
    return row


def may_change(viewer: User, view: SavedView) -> bool:
    """Whether ``viewer`` may change the view: its owner, of a shared one who may still share, and administrators."""
    if not view.is_shared:
        return view.owner_id == viewer.pk
    return has_right(viewer, "administer") or (view.owner_id == viewer.pk and has_right(viewer, "share"))


@prepared
def _arrangements(user: int, kind: str) -> QuerySet[Arrangement]:
    return Arrangement.objects.filter(Q(user=user) | Q(user=None), kind=kind)


def arrangement(viewer: User, kind: str = CUSTOMERS) -> tuple[list[str], str]:
    """The order and the default of the views for ``viewer``: the own ones, else what holds for everybody."""
    found: Sequence[Arrangement] = sorted(_arrangements(viewer.pk, kind), key=lambda row: row.user_id is None)
    order: list[str] = next((row.order for row in found if row.order), [])
    default = next((row.default for row in found if row.default), "")
    return list(order), default
