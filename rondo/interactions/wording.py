"""Notes by their words: what was written and said to and by customers, found by the beginnings of its words."""

import re
from collections.abc import Iterator

from django.db import connection

from rondo.customers.queries import belongs_to, visible
from rondo.foundation.models import User
from rondo.foundation.rights import masked
from rondo.foundation.search import fold
from rondo.interactions.models import Interaction
from rondo.interactions.queries import standing, traces

SHORTEST = 3
"""Letters of the longest word, at least: fewer would begin a word of nearly every note."""
_MOST_WORDS = 8
_AT_ONCE = 200
_ROUNDS = 10
_AROUND = 60

_POSTGRES = (
    "SELECT interaction_id FROM interactions_words WHERE said @@ to_tsquery('simple', %s) AND interaction_id < %s "
    "ORDER BY interaction_id DESC LIMIT %s"
)
_SQLITE = (
    "SELECT rowid FROM interactions_words WHERE interactions_words MATCH %s AND rowid < %s ORDER BY rowid DESC LIMIT %s"
)


def find(viewer: User, text: str, limit: int) -> list[Interaction]:
    """The last entered interactions whose title or text has a word that begins with each word of ``text``, letters
    folded, of customers whom ``viewer`` may see; none where notes are masked for them.

    Of many thousands the last entered 2,000 are looked through for those that the viewer may see.
    """
    words = [word for word in fold(text).split()[:_MOST_WORDS] if word]
    if masked(viewer, "notes") or max(map(len, words), default=0) < SHORTEST:
        return []
    found: list[Interaction] = []
    mine = standing().exclude(kind__in=traces()).filter(belongs_to(visible(viewer)))  # nobody sees who is in the bin
    for keys in _newest(words):
        found += mine.filter(pk__in=keys).order_by("-pk")[: limit - len(found)]
        if len(found) >= limit:
            break
    return found


def _newest(words: list[str]) -> Iterator[list[int]]:
    """Keys of interactions with these words, the last entered first, some at a time."""
    if connection.vendor == "postgresql":
        statement, asked = _POSTGRES, " & ".join(f"{word}:*" for word in words)
    else:
        statement, asked = _SQLITE, " ".join(f'"{word}"*' for word in words)
    last = 2**62
    for _round in range(_ROUNDS):
        with connection.cursor() as cursor:
            cursor.execute(statement, [asked, last, _AT_ONCE])
            keys = [int(key) for (key,) in cursor.fetchall()]
        if keys:
            yield keys
        if len(keys) < _AT_ONCE:
            return
        last = keys[-1]


def around(row: Interaction, text: str) -> str:
    """A line of what was found: the text around the first word that was looked for."""
    words = fold(text).split()
    said = " ".join(f"{row.title} {row.body}".split())
    places = (place for place in re.finditer(r"\w+", said) if fold(place[0]).startswith(tuple(words)))
    start = next((place.start() for place in places), 0)
    first = max(0, start - _AROUND // 3)
    if first:
        first = said.find(" ", first) + 1 or first
    cut = said[first : first + _AROUND * 2]
    return f"{'…' if first else ''}{cut}{'…' if first + len(cut) < len(said) else ''}"


def sweep() -> None:
    """Let the index itself forget words of what was erased or deleted: it only marks them as gone. Takes as long as
    the index is large, and on PostgreSQL nobody writes notes meanwhile."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("REINDEX INDEX interaction_words")
        else:
            cursor.execute("INSERT INTO interactions_words (interactions_words) VALUES ('optimize')")
