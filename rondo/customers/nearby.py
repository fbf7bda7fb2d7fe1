"""Words of names that are one typing error away from a word: a letter left out, put in, taken for another, or two in
the wrong order.

All words that one error makes are tried against the index of name words, which stands anyway: about 54 for each letter,
a look into the index each, in one statement. So there is nothing to keep up to date, no extension of the database, and
both databases find the same.
"""

from collections.abc import Collection, Iterable
from itertools import product

from django.db import connection

from rondo.customers.models import NameWord

SHORTEST = 4
"""Shorter words are one error away from everything."""
LONGEST = 24
MOST = 6
"""So many words are offered for one."""
_SEVERAL = 12
"""Combinations of several words that are tried, at most."""
_COUNTED = 200
"""So many entries of a word are counted, at most, to put the common ones first."""
_LATIN = "abcdefghijklmnopqrstuvwxyz"
_SCRIPTS = (("а", "я"), ("α", "ω"))
"""First and last letter of other scripts of which all letters are tried."""


def _letters(word: str) -> str:
    for first, last in _SCRIPTS:
        if any(first <= letter <= last for letter in word):
            return "".join(map(chr, range(ord(first), ord(last) + 1)))
    return _LATIN


def edits(word: str) -> set[str]:
    """All texts one error away from a folded word (Damerau 1964: insertion, deletion, substitution, transposition).

    >>> sorted(edits("ab"))[:4]
    ['a', 'aab', 'ab', 'aba']
    """
    splits = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    letters = _letters(word)
    found = {left + right[1:] for left, right in splits if right}
    found |= {left + right[1] + right[0] + right[2:] for left, right in splits if len(right) > 1}
    found |= {left + letter + right[1:] for left, right in splits if right for letter in letters}
    found |= {left + letter + right for left, right in splits for letter in letters}
    return found


def known(words: Iterable[str], *, begun: bool = False) -> list[str]:
    """Those of some words that are in the index, or, ``begun``, that a word of the index begins with."""
    asked = sorted(set(words))
    if not asked:
        return []
    fits = "n.word >= v.word AND n.word < v.word || %s" if begun else "n.word = v.word"
    each = ", ".join(["(%s)"] * len(asked))
    typed = "CAST(w AS varchar(200))" if connection.vendor == "postgresql" else "w"
    collated = f'{typed} COLLATE "C"' if connection.vendor == "postgresql" else typed
    sql = (
        f"WITH given(w) AS (VALUES {each}), v(word) AS (SELECT {collated} FROM given) "
        "SELECT v.word FROM v WHERE EXISTS ("
        f'SELECT 1 FROM "{NameWord._meta.db_table}" AS n WHERE n.later IN (%s, %s) AND {fits})'
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*asked, False, True, *(["\U0010ffff"] if begun else [])])
        return [str(row[0]) for row in cursor.fetchall()]


def near(word: str) -> list[str]:
    """Words of names that a folded word may have been meant to be, the most common first: whole words, or where there
    are none, beginnings of words. None for a short word, or one with a digit, which is no name."""
    if not SHORTEST <= len(word) <= LONGEST or any(letter.isdigit() for letter in word):
        return []
    tried = {text for text in edits(word) if len(text) >= SHORTEST - 1} - {word}
    found = known(tried) or known((text for text in tried if len(text) >= len(word)), begun=True)
    return sorted(found, key=lambda text: (-_common(text), text[:1] != word[:1], text))[:MOST]


def _common(word: str) -> int:
    rows = NameWord.objects.filter(word=word, later__in=(False, True)).order_by()
    return len(rows.values_list("pk", flat=True)[:_COUNTED])


def readings(words: tuple[str, ...], there: Collection[str] | None = None) -> list[str]:
    """What a text of folded words may have been meant to say, the likeliest first; nothing where each word is far from
    every name.

    Words that begin no word of a name are corrected; where there is none of these, each of those that are no whole word
    of a name, in turn. Words that are names already are taken at their word. ``there``: those of the words that are
    names, for who does not see all customers.
    """
    there = set(known(words, begun=True)) if there is None else there
    missing = [word for word in words if word not in there]
    if missing:
        options = [[word] if word in there else near(word) for word in words]
        return [" ".join(some) for some, _number in zip(product(*options), range(_SEVERAL), strict=False)]
    found: list[str] = []
    whole = set(known(words))
    for place, word in enumerate(words):
        if word in whole:
            continue
        found += [" ".join((*words[:place], other, *words[place + 1 :])) for other in near(word)]
    return found[:_SEVERAL]
