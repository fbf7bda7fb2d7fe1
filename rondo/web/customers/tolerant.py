"""A search that finds nobody, read as what it was probably meant to say."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from rondo.customers.nearby import known, readings
from rondo.customers.queries import scope_key, sees_all, visible
from rondo.customers.searching import Search
from rondo.foundation.models import User
from rondo.foundation.statements import Statements
from rondo.web.customers.fields import Field
from rondo.web.customers.lists import read_page
from rondo.web.customers.selection import Selection
from rondo.web.customers.walks import walks

OTHERS = 3
"""So many other readings are offered."""
TRIED = 6
"""So many readings are tried, at most."""
_STATEMENTS = Statements()
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
    return read_page(walks(Selection(viewer, search=search), _NAME, False, relevance=True), limit=limit).ids


def found_or_meant(viewer: User, search: Search, limit: int) -> list[int]:
    """The first customers whom a search names or, where it names nobody, whom the likeliest reading of it names. A word
    that begins no word of any name can only be an identifier: names are not walked for it."""
    if _are_names(search):
        found = finds(viewer, search, limit)
    else:
        found = list(Selection(viewer, search=search).hits[:limit])
    if found:
        return found
    meant = meant_by(viewer, search, found_none=True, others=0)
    return finds(viewer, meant.search, limit) if meant.said else []


def _are_names(search: Search) -> bool:
    """Whether each word of a search begins a word of some name."""
    return set(known(search.words, begun=True)) == set(search.words)


def _finds_any(viewer: User, search: Search) -> bool:
    """Whether a search names anybody by their name. For who sees all, the first entry of the index tells it; for others
    it takes the way that begins with the few they see."""
    if not sees_all(viewer):
        return bool(finds(viewer, search))

    def entries(marks: list[str]) -> "QuerySet[Any]":
        standing = visible(viewer).filter(pk=OuterRef("customer_id"))
        found = search.with_marks(marks).entries().filter(Exists(standing), later__in=(False, True))  # as the index
        return found.order_by().values_list("pk", flat=True)[:1]

    return bool(search.words and _STATEMENTS.ask((scope_key(viewer), search.shape), search.marked[:-1], entries))


def meant_by(viewer: User, search: Search, *, found_none: bool = False, others: int = OTHERS) -> Meant:
    """The search as it is, where it names anybody the viewer may see; else the likeliest reading of it that does.
    ``found_none``: the caller knows that it names nobody; ``others``: so many other readings are wanted."""
    if not search.words:
        return Meant(search)
    named = not found_none and _are_names(search) and _finds_any(viewer, search)
    if named or (not found_none and search.identified(viewer)):
        return Meant(search)
    # What nobody in reach is called is no name: else it would tell that somebody out of reach is called so.
    there = None if sees_all(viewer) else {one for one in search.words if finds(viewer, Search(one, whole=True))}
    read = [Search(text, whole=search.whole) for text in readings(search.words, there)[:TRIED]]
    right = []
    for one in read:
        if _finds_any(viewer, one):
            right.append(one)
        if len(right) > others:
            break
    if not right:
        return Meant(search)
    return Meant(right[0], right[0].text, tuple(one.text for one in right[1:]))
