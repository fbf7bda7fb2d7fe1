"""The views of the customers list as tabs: those that everybody has, the own ones, and those that others share."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from rondo.customers.unseen import names_any, unseen_fields
from rondo.foundation.models import User
from rondo.foundation.registry import registries
from rondo.lists.models import SavedView
from rondo.lists.queries import all_visible, arrangement, get_visible
from rondo.lists.states import State

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

ALL = "all"
_BUILT_IN: "dict[str, tuple[_StrOrPromise, tuple[str, ...]]]" = {
    ALL: (_("All"), ()),
    "active": (_("Active"), ("activity:is:active",)),
    "late": (_("Late"), ("activity:is:late",)),
    "asleep": (_("Asleep"), ("activity:is:asleep",)),
    "mine": (_("Mine"), ("owner:is:me",)),
}


@dataclass(frozen=True)
class Tab:
    """A view one click away. ``view`` is None for those that everybody has."""

    key: str
    label: "_StrOrPromise"
    state: State
    view: SavedView | None = None

    @property
    def address(self) -> str:
        """What follows the address of the list."""
        if self.view is not None or not self.state.filters:
            return f"?view={self.key}"
        return "?" + urlencode([("f", text) for text in self.state.filters], safe=":")


def _saved(viewer: User, views: Iterable[SavedView]) -> list[Tab]:
    """Their owners see what they wrote; others nothing of what they do not see."""
    hidden = unseen_fields(viewer)
    return [Tab(view.key, view.name, _shown(view, viewer, hidden), view) for view in views]


def _shown(view: SavedView, viewer: User, hidden: frozenset[str]) -> State:
    return view.state if view.owner_id == viewer.pk else view.state.without(hidden, names_any)


def _built_in() -> list[Tab]:
    has_facts = "activity" in registries.facts
    return [
        Tab(key, label, State(filters))
        for key, (label, filters) in _BUILT_IN.items()
        if has_facts or not any(text.startswith("activity:") for text in filters)
    ]


def tab_of(viewer: User, key: str) -> Tab:
    """The view of a key; raises NotFound where it is none, or none that ``viewer`` may open."""
    built_in = next((tab for tab in _built_in() if tab.key == key), None)
    return built_in or _saved(viewer, [get_visible(viewer, key)])[0]


def tabs_of(viewer: User) -> tuple[list[Tab], str]:
    """All views that ``viewer`` may open, in the order they were given, and the key of the one to begin with."""
    order, default = arrangement(viewer)
    found: Iterable[Tab] = [*_built_in(), *_saved(viewer, all_visible(viewer))]
    rank = {key: place for place, key in enumerate(order)}
    tabs = sorted(found, key=lambda tab: rank.get(tab.key, len(rank)))
    return tabs, default if any(tab.key == default for tab in tabs) else ALL
