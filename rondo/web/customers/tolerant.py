"""A search that finds nobody, read as what it was probably meant to say."""

from dataclasses import dataclass

from rondo.customers.nearby import readings
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


def meant_by(viewer: User, search: Search) -> Meant:
    """The search as it is, where it names anybody the viewer may see; else the likeliest reading of it that does."""
    if not search.words or finds(viewer, search):
        return Meant(search)
    read = [Search(text, whole=search.whole) for text in readings(search.words)[:TRIED]]
    right = []
    for one in read:
        if finds(viewer, one):
            right.append(one)
        if len(right) > OTHERS:
            break
    if not right:
        return Meant(search)
    return Meant(right[0], right[0].text, tuple(one.text for one in right[1:]))
