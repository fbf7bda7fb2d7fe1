"""Finding customers by what a person types: a name, the beginning of one, a card number, an e-mail address, an id."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from django.db.models import Q

from rondo.customers.identifiers import LIMITS, normalise
from rondo.customers.models import Customer, Identifier, Source, Survivor
from rondo.errors import InputError
from rondo.foundation import ids
from rondo.foundation.loads import shown
from rondo.foundation.search import fold

MAX_LENGTH = 100
MAX_HITS = 50
_SHORTEST_PREFIX = 4


@dataclass(frozen=True)
class Search:
    """A text to search by; an empty one selects everything."""

    text: str
    words: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple(fold(self.text[:MAX_LENGTH]).split())[:6])

    def __bool__(self) -> bool:
        return bool(self.text.strip())

    @cached_property
    def hits(self) -> tuple[int, ...]:
        """Customers (survivors) that an identifier or a public id names; at most MAX_HITS."""
        text = self.text.strip()[:MAX_LENGTH]
        key = ids.decode(Customer.PREFIX, text)
        found = [] if key is None else [key]
        named = Identifier.objects.filter(shown(), pk__in=list(_identifiers(text)))
        found += named.order_by("pk").values_list("customer_id", flat=True)
        survivors = dict(Survivor.objects.filter(customer_id__in=found).values_list("customer_id", "survivor_id"))
        return tuple(dict.fromkeys(survivors.get(pk, pk) for pk in found))

    def by_identifier(self) -> Q:
        """Customers named by an identifier."""
        return Q(pk__in=self.hits)

    def by_beginning(self) -> Q:
        """Customers whose name begins with the text."""
        return _begins("folded_name", " ".join(self.words))

    def by_words(self) -> Q:
        """Customers in whose name every word of the text begins a word."""
        condition = Q()
        for word in self.words:
            condition &= Q(folded_name__startswith=word) | Q(folded_name__contains=f" {word}")
        return condition

    def by_later_word(self) -> Q:
        """What :meth:`by_words` finds and :meth:`by_beginning` does not."""
        if len(self.words) == 1:
            return Q(folded_name__contains=f" {self.words[0]}") & ~Q(folded_name__startswith=self.words[0])
        return self.by_words() & ~self.by_beginning()

    def condition(self) -> Q:
        """Customers that the text finds, one way or another."""
        return (self.by_words() | self.by_identifier()) if self.words else self.by_identifier()


def _begins(column: str, text: str) -> Q:
    """``column`` begins with ``text``, written so that an index on the column is used by both databases.

    The upper bound holds in linguistic collations too: there the character after "z" may sort before every letter,
    while the last code point sorts after all text that begins with ``text``.
    """
    if not text:
        return Q(pk__in=())
    return Q(**{f"{column}__gte": text, f"{column}__lt": f"{text}\U0010ffff", f"{column}__startswith": text})


def _normal_forms(text: str) -> Iterable[tuple[str, str]]:
    for kind in LIMITS:
        try:
            yield kind, normalise(kind, text).value
        except InputError:
            continue


def _identifiers(text: str) -> Iterable[int]:
    """Keys of identifiers equal to the text in their kind's normal form, or of e-mail addresses and cards that begin
    with it; at most MAX_HITS.

    One look into an index for each way an identifier may be meant, in one statement: joined by OR, a planner without
    statistics reads the whole table instead.
    """
    ways = [Q(kind=kind, value=value) for kind, value in _normal_forms(text)]
    begun = text.casefold()
    if len(begun) >= _SHORTEST_PREFIX and " " not in begun:
        ways.append(Q(_begins("value", begun), kind=Identifier.Kind.EMAIL))
        ways.append(Q(_begins("value", begun.upper()), kind=Identifier.Kind.CARD))
    if not ways:
        return []
    sources = list(Source.objects.values_list("pk", flat=True))
    owned = [Q(source__isnull=True)] + ([Q(source_id__in=sources)] if sources else [])
    looks = [Identifier.objects.filter(way, of).order_by().values_list("pk", flat=True) for way in ways for of in owned]
    first, *others = looks
    return (first.union(*others, all=True) if others else first)[:MAX_HITS]
