"""Finding customers by what a person types: words of a name in any order, the beginning of one, a card number, an
e-mail address, an id. Names are found through the index of name words (``docs/decisions/name-words.md``)."""

import time
from collections.abc import Hashable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value

from rondo.customers.identifiers import LIMITS, normalise
from rondo.customers.models import Customer, Identifier, NameWord, Source, Survivor
from rondo.customers.queries import scope_key, visible
from rondo.errors import InputError
from rondo.foundation import ids
from rondo.foundation.loads import shown
from rondo.foundation.models import User
from rondo.foundation.prepared import prepared
from rondo.foundation.search import fold
from rondo.foundation.statements import Statements
from rondo.foundation.unindexed import Unindexed

MAX_LENGTH = 100
MAX_HITS = 50
MAX_WORDS = 6
_SHORTEST_PREFIX = 4
_LAST = "\U0010ffff"
_STATEMENTS = Statements()
_PROBES = (2_000, 40_000)
"""So many index entries are counted, at most, to tell which of several words is the rarest; the second where the first
does not tell."""
_COUNT_SECONDS = 60.0
"""So long the count of a common word is taken for true: which word leads changes the way, not what is found."""
_MOST_COUNTS = 5_000
_counts: dict[tuple[str, int], tuple[float, int]] = {}


@dataclass(frozen=True)
class Search:
    """A text to search by; an empty one selects everything. Words that begin another word of the text add nothing.
    ``whole``: identifiers are found by the whole text alone, for whom they are masked."""

    text: str
    whole: bool = False
    words: tuple[str, ...] = field(init=False)
    folded: str = field(init=False)

    def __post_init__(self) -> None:
        said = list(dict.fromkeys(fold(self.text[:MAX_LENGTH]).split()))
        needed = [word for word in said if not any(other != word and other.startswith(word) for other in said)]
        object.__setattr__(self, "words", tuple(needed[:MAX_WORDS]))
        object.__setattr__(self, "folded", " ".join(fold(self.text[:MAX_LENGTH]).split()))

    def __bool__(self) -> bool:
        return bool(self.text.strip())

    @cached_property
    def leading(self) -> str:
        """The word of the text that the fewest index entries begin with, as far as a bounded count can tell."""
        if len(self.words) < 2:
            return self.words[0] if self.words else ""
        counts: list[int] = []
        for limit in _PROBES:
            counts = [_count(word, limit) for word in self.words]
            if min(counts) < limit:
                break
        return min(zip(counts, self.words, strict=True), key=lambda pair: (pair[0], -len(pair[1]), pair[1]))[1]

    def with_marks(self, marks: Sequence[str]) -> "Search":
        """The search with marks in the places of its words and of its text, for a statement that is kept; see
        :attr:`marked`."""
        made = copy(self)
        words = dict(zip(self.words, marks, strict=False))
        leading = words.get(self.leading, "")
        object.__setattr__(made, "words", tuple(words.values()))
        object.__setattr__(made, "folded", leading if self.folded == self.leading else marks[-1])
        made.__dict__["leading"] = leading
        return made

    @property
    def marked(self) -> tuple[str, ...]:
        """The values for which :meth:`with_marks` takes marks."""
        return *self.words, self.folded

    @property
    def shape(self) -> Hashable:
        """What a statement of this search looks at besides :attr:`marked`."""
        leading = self.words.index(self.leading) if self.words else -1
        return bool(self), len(self.words), leading, self.folded == self.leading

    def by_beginning(self, column: str = "folded_name") -> Q:
        """Customers whose name begins with the text."""
        return begins(column, self.folded)

    def by_words(self, customer: str = "pk") -> Q:
        """Customers in whose names every word of the text begins a word, tried row by row; ``customer`` is the path
        of their key."""
        return _all_begun(self.words, customer)

    def entries(self) -> QuerySet[NameWord]:
        """Index entries of the customers in whose names every word of the text begins a word, by the rarest word.

        A customer may stand in it several times, once for each word that the rarest one begins.
        """
        if not self.words:
            return NameWord.objects.none()
        return NameWord.objects.filter(begun("word", self.leading), self._rest())

    def walk(self, later: bool, among: Sequence[int] | None = None) -> QuerySet[NameWord]:
        """Half of :meth:`entries`, each customer once, so that (word, customer) can be walked in the index's order.

        The halves are customers whose own name begins with the rarest word (``later`` false), and all others. With
        ``among``, it starts from these few customers instead of from the word.
        """
        if among is None:
            # Equal to a boolean is written as the bare column, for which SQLite takes no index; one of a list is not.
            rows = self.entries().filter(later__in=[later])
        else:
            rows = NameWord.objects.alias(_word=Unindexed(F("word")), _later=Unindexed(F("later")))
            rows = rows.filter(begun("_word", self.leading), self._rest(), customer_id__in=among, _later=later)
        if later:
            same = NameWord.objects.filter(begun("word", self.leading), customer_id=OuterRef("customer_id"))
            rows = rows.filter(~Exists(same.filter(Q(later=False) | Q(word__lt=OuterRef("word")))))
        return rows

    def _rest(self) -> Q:
        """Of a row of the index: its customer's names have the other words of the text, too."""
        return _all_begun([word for word in self.words if word != self.leading], "customer_id")

    def identified(self, viewer: User | None, among: Sequence[int] | None = None) -> tuple[int, ...]:
        """Those of the surviving customers in ``viewer``'s reach that a public id or an identifier names, of their own
        or of a record merged into them; at most MAX_HITS. ``among`` are the keys of all in reach, if they are few."""
        text = self.text.strip()[:MAX_LENGTH]
        if not text:
            return ()
        found: list[int] = []
        if (key := ids.decode(Customer.PREFIX, text)) is not None:
            found.append(key)
        found += _identified(text, viewer, among, whole=self.whole)
        if not found:
            return ()
        survivors = dict(Survivor.objects.filter(customer_id__in=found).values_list("customer_id", "survivor_id"))
        keys = dict.fromkeys(survivors.get(key, key) for key in found)
        seen = set(visible(viewer).filter(pk__in=list(keys)).values_list("pk", flat=True))
        return tuple(key for key in keys if key in seen)


def begins(column: str, text: str) -> Q:
    """``column`` begins with ``text``, written so that an index on the column is used by both databases.

    The upper bound holds in linguistic collations too: there the character after "z" may sort before every letter,
    while the last code point sorts after all text that begins with ``text``.
    """
    if not text:
        return Q(pk__in=())
    own = {f"{column}__gte": text, f"{column}__lt": f"{text}{_LAST}"}
    return Q(**own, **{f"{column}__startswith": Value(text)})  # the text as it is, so that a statement can be kept


def begun(column: str, text: str) -> Q:
    """A word of the index begins with ``text``: these are compared by code point, so that the range says it all."""
    return Q(**{f"{column}__gte": text, f"{column}__lt": f"{text}{_LAST}"})


def _count(word: str, limit: int) -> int:
    """Index entries that the word begins, up to ``limit``; of common words as it was up to a minute ago."""
    now = time.monotonic()
    kept = _counts.get((word, limit))
    if kept is not None and now - kept[0] < _COUNT_SECONDS:
        return kept[1]
    found = counted(word, f"{word}{_LAST}", limit)
    if found >= _PROBES[0]:
        if len(_counts) >= _MOST_COUNTS:
            _counts.clear()
        _counts[word, limit] = now, found
    return found


def _all_begun(words: Iterable[str], customer: str) -> Q:
    condition = Q()
    for word in words:
        condition &= Q(Exists(NameWord.objects.filter(begun("word", word), customer_id=OuterRef(customer))))
    return condition


def _normal_forms(text: str) -> Iterable[tuple[str, str]]:
    for kind in LIMITS:
        try:
            yield kind, normalise(kind, text).value
        except InputError:
            continue


def _identified(text: str, viewer: User | None, among: Sequence[int] | None, *, whole: bool) -> list[int]:
    """Records that hold an identifier equal to the text in its kind's normal form, or an e-mail address or card that
    begins with it (at most MAX_HITS of these, of which each stands for one in reach; none where ``whole``)."""
    forms: dict[str, list[str]] = {}
    for kind, value in _normal_forms(text):
        forms.setdefault(value, []).append(kind)
    begun_text, prefixes = text.casefold(), []
    if not whole and len(begun_text) >= _SHORTEST_PREFIX and " " not in begun_text:
        prefixes = [(Identifier.Kind.EMAIL, begun_text), (Identifier.Kind.CARD, begun_text.upper())]
    if among is None:
        return _looked_up(forms, prefixes, viewer)
    merged = Survivor.objects.filter(survivor_id__in=among).values_list("customer_id", flat=True)
    meant = Q(pk__in=())
    for value, kinds in forms.items():
        meant |= Q(kind__in=kinds, _value=value)
    for kind, beginning in prefixes:
        meant |= Q(begins("_value", beginning), kind=kind)
    held = Identifier.objects.alias(_value=Unindexed(F("value"))).filter(shown(), customer_id__in=[*among, *merged])
    found = held.filter(meant).filter(_stands_for(visible(viewer))).order_by("pk")
    return list(found.values_list("customer_id", flat=True)[:MAX_HITS])


def _stands_for(rows: QuerySet[Customer]) -> Q:
    """Of an identifier: it is held by one of ``rows``, or by a record merged into one."""
    own = Exists(rows.filter(pk=OuterRef("customer_id")))
    return own | Exists(rows.filter(absorbed__customer_id=OuterRef("customer_id")))


def _looked_up(
    forms: dict[str, list[str]], prefixes: list[tuple[Identifier.Kind, str]], viewer: User | None
) -> list[int]:
    """:func:`_identified` by the indices of identifiers.

    One look into an index for each way an identifier may be meant, in one statement: joined by OR, a planner without
    statistics reads the whole table instead. Few identifiers can be equal to the text, so that the caller sorts out
    those of customers out of reach; many can begin with it, so that these are sorted out before the limit.
    """
    sources = tuple(_sources())
    owned = [Q(source__isnull=True)] + ([Q(source_id__in=sources)] if sources else [])
    held = Identifier.objects.filter(shown()).order_by()

    def equal(values: list[str]) -> "QuerySet[Any]":
        meant = zip(values, forms.values(), strict=True)
        return _either([held.filter(of, kind__in=kinds, value=value) for value, kinds in meant for of in owned])

    def begun_by(texts: list[str]) -> "QuerySet[Any]":
        mine = _stands_for(visible(viewer))
        meant = [(kind, text) for (kind, _text), text in zip(prefixes, texts, strict=True)]
        looks = [held.filter(begins("value", text), of, mine, kind=kind) for kind, text in meant for of in owned]
        return _either(looks)[:MAX_HITS]

    hits: list[tuple[int, int]] = []
    if forms:
        hits += _STATEMENTS.ask((sources, tuple(map(tuple, forms.values()))), list(forms), equal)
    if prefixes:
        kinds = tuple(kind for kind, _text in prefixes)
        hits += _STATEMENTS.ask((scope_key(viewer), sources, kinds), [text for _kind, text in prefixes], begun_by)
    return list(dict.fromkeys(customer for customer, _pk in sorted(hits, key=lambda hit: hit[1])))


@prepared
def _sources() -> "QuerySet[Source, int]":
    return Source.objects.order_by("pk").values_list("pk", flat=True)


def _either(looks: list[QuerySet[Identifier]]) -> "QuerySet[Any]":
    """The customers and keys of what any of these finds."""
    first, *others = (look.values_list("customer_id", "pk") for look in looks)
    return first.union(*others, all=True) if others else first


def counted(word: str, beyond: str, limit: int) -> int:
    """How many entries of the index have a word from ``word`` on and before ``beyond``, of ``limit`` at most."""
    sql = (
        f'SELECT count(*) FROM (SELECT 1 FROM "{NameWord._meta.db_table}" '
        "WHERE later IN (%s, %s) AND word >= %s AND word < %s LIMIT %s) AS found"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [False, True, word, beyond, limit])
        return int(cursor.fetchone()[0])
