"""A search that finds nobody, read as what it was probably meant to say."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from rondo.customers.nearby import readings
from rondo.customers.queries import sees_all, visible
from rondo.customers.searching import Search
from rondo.foundation.models import User
from rondo.web.customers.fields import Field
from rondo.web.customers.lists import phases, read_page
from rondo.web.customers.selection import Selection

OTHERS = 3
"""So many other readings are offered."""
TRIED = 6
"""So many readings are tried, at most."""
_NAME = Field("name", "", "text", "customer", "folded_name")


@dataclass(frozen=True)
class Meant:
    """What is searched: ``search``, and ``others`` that somebody may have meant besides. ``said`` is empty where the
    text was found as it was typed."""

    search: Search
    said: str = ""
    others: tuple[str, ...] = ()


def finds(viewer: User, search: Search, limit: int = 1) -> list[int]:
    """The first customers in the viewer's reach whom a search names."""
    return read_page(phases(Selection(viewer, search=search), _NAME, False, relevance=True), limit=limit).ids


def _finds_any(viewer: User, search: Search) -> bool:
    """Whether a search names anybody by their name. For who sees all, the first entry of the index tells it; for others
    it takes the way that begins with the few they see."""
    if not sees_all(viewer):
        return bool(finds(viewer, search))
    standing = visible(viewer).filter(pk=OuterRef("customer_id"))
    return search.entries().filter(Exists(standing)).order_by().exists()


def meant_by(viewer: User, search: Search, *, found_none: bool = False, others: int = OTHERS) -> Meant:
    """The search as it is, where it names anybody the viewer may see; else the likeliest reading of it that does.
    ``found_none``: the caller knows that it names nobody; ``others``: so many other readings are wanted."""
    if not search.words:
        return Meant(search)
    if not found_none and (_finds_any(viewer, search) or search.identified(visible(viewer))):
        return Meant(search)
    read = [Search(text, whole=search.whole) for text in readings(search.words)[:TRIED]]
    right = []
    for one in read:
        if _finds_any(viewer, one):
            right.append(one)
        if len(right) > others:
            break
    if not right:
        return Meant(search)
    return Meant(right[0], right[0].text, tuple(one.text for one in right[1:]))
