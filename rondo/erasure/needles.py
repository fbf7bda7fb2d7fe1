"""What names a person beyond doubt in any text: their identifiers, and their full name where nobody else has it.

A first name alone, or a name that two customers have, names nobody beyond doubt; it goes with the person's own rows and
is left in texts about others. Names are found in any case, with umlauts written either way, and with the family name
first; numbers with any blanks and dashes between their digits, and with digits of any script.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from rondo.customers.models import Address, Customer, Identifier
from rondo.foundation import ids
from rondo.foundation.holdings import MARK
from rondo.foundation.models import AuditEntry
from rondo.foundation.search import fold

T = TypeVar("T")

_BATCH = 500
MOST_HINTS = 60
"""With more of them choosing costs more than looking through all texts."""
_CODE, _DIGITS = 6, 8
"""The fewest characters of a code, and digits of a number, that name somebody."""
_LETTERS = {
    "a": "(?:ae|æ|[aàáâãäå])",
    "e": "[eèéêë]",
    "i": "[iìíîï]",
    "o": "(?:oe|œ|[oòóôõöø])",
    "u": "(?:ue|[uùúûü])",
    "c": "[cç]",
    "n": "[nñ]",
    "l": "[lł]",
    "d": "[dđ]",
    "y": "[yýÿ]",
}
_ACCENT = "[\u0300-\u036f]*"
_BETWEEN = r"[\W_]{0,4}"
"""What people put between the digits of a number: blanks, dashes of all kinds, dots, slashes, brackets."""
_DECIMALS = [sign for sign in map(chr, range(0x20000)) if sign.isdecimal()]  # there are none beyond
SAME_DIGITS = {str(value): "".join(sign for sign in _DECIMALS if int(sign) == value) for value in range(10)}
"""The signs of each digit in all scripts: 4, \N{ARABIC-INDIC DIGIT FOUR}, \N{FULLWIDTH DIGIT FOUR}, and so on."""
_PLAIN_DIGITS = str.maketrans({sign: digit for digit, signs in SAME_DIGITS.items() for sign in signs})
_RUN = re.compile(r"\d[\d\W_]*\d")
_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|["\\/bfnrt])')
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


class Needles:
    """What to look for: patterns, each under an anchor, a folded word or eight digits, that is in every text which it
    finds something in; so that many persons are looked for at the price of one. ``hints`` are texts of which one is in
    every such text (case does not count), unless the digits of one of ``numbers`` are, in their order, with anything
    between them: for the database to choose rows by. ``ids``: public ids of the records."""

    def __init__(self, ids: frozenset[str] = frozenset()) -> None:
        self.ids = ids
        self.hints: set[str] = set()
        self.numbers: set[str] = set()
        self._anchors: dict[str, list[str]] = {}
        self._compiled: dict[str, re.Pattern[str]] = {}

    def add(self, anchor: str, pattern: str, hints: Iterable[str] = ()) -> None:
        """Look for a pattern, too."""
        known = self._anchors.setdefault(anchor, [])
        if pattern not in known:
            known.append(pattern)
        self.hints.update(hints)

    def may_be_within(self, text: str) -> bool:
        """Whether a text is worth looking through: in no time, and True for any that names one of the persons."""
        if len(self.hints) + len(self.numbers) > MOST_HINTS:
            return True
        folded = text.casefold()
        if self.numbers and not text.isascii():
            folded = plain_digits(folded)
        elif self.numbers and "\\u" in text:
            folded += plain_digits(_plain(text))
        return any(hint.casefold() in folded for hint in self.hints) or any(
            _in_order(number, folded) for number in self.numbers
        )

    def within(self, text: str) -> bool:
        """Whether the text names one of the persons; where it is JSON, as it is written there, too."""
        told = [text, _plain(text)] if "\\" in text else [text]
        return any(pattern.search(one) for one in told for pattern in self._near(one))

    def about(self, text: str) -> bool:
        """Whether the text names one of the persons, or holds the public id of one of their records."""
        return any(one in text for one in self.ids) or self.within(text)

    def taken_out(self, value: Any) -> Any:
        """A text, or JSON, with :data:`~rondo.foundation.holdings.MARK` where a person was named."""
        if isinstance(value, str):
            for pattern in self._near(value):
                value = pattern.sub(MARK, value)
            return value
        if isinstance(value, list):
            return [self.taken_out(part) for part in value]
        if isinstance(value, dict):
            return {self.taken_out(name): self.taken_out(part) for name, part in value.items()}
        return value

    def _near(self, text: str) -> list["re.Pattern[str]"]:
        """The patterns whose anchor is in the text, the longest first, so that a name in another one does not break
        it."""
        if not self._anchors:
            return []
        there = set(fold(text).split())
        for run in _RUN.findall(text):
            digits = re.sub(r"\D", "", plain_digits(run))
            there.update(digits[place : place + _DIGITS] for place in range(len(digits) - _DIGITS + 1))
        found = [one for anchor in there if anchor in self._anchors for one in self._anchors[anchor]]
        return [self._pattern(one) for one in sorted(found, key=len, reverse=True)]

    def _pattern(self, text: str) -> "re.Pattern[str]":
        if text not in self._compiled:
            self._compiled[text] = re.compile(text, re.IGNORECASE)
        return self._compiled[text]


def needles_of(records: Sequence[int]) -> Needles | None:
    """What names the persons of these customer records; None where there are no records."""
    if not records:
        return None
    found = Needles(frozenset(ids.encode(Customer.PREFIX, record) for record in records))
    for name in _alone(_names(records), records):
        words = fold(name).split()
        for order in (words, [words[-1], *words[:-1]]):
            found.add(max(words, key=len), _words(order), _spellings(max(name.split(), key=len)))
    for street in _streets(records):
        words = fold(street).split()
        found.add(max(words, key=len), _words(words), _spellings(max(street.split(), key=len)))
    for kind, text in ((kind, plain_digits(text)) for kind, text in _identifiers(records)):
        digits = re.sub(r"\D", "", text)
        is_phone = kind == Identifier.Kind.PHONE
        if is_phone or digits == re.sub(_BETWEEN, "", text):
            if len(digits) >= _DIGITS:
                anchor = digits[-_DIGITS:] if is_phone else digits[:_DIGITS]
                found.add(anchor, _number(digits, is_phone=is_phone))
                found.numbers.add(anchor)
        elif len(text) >= _CODE and (words := fold(text).split()):
            pattern = rf"(?<![\w@.+-]){re.escape(text)}(?![\w@+-])"
            found.add(max(words, key=len), pattern, _spellings(text))
    return found


def _names(records: Sequence[int]) -> set[str]:
    """Their names of today and before, as they were written."""
    found: set[str] = set()
    for rows in _parts(records):
        customers = Customer.objects.filter(pk__in=rows).values_list("name", "given_name", "family_name")
        for name, given, family in customers:
            found |= {name, f"{given} {family}"}
        for changes in _changes(rows):
            found |= {value for value in changes.get("name", ()) if isinstance(value, str)}
    return {name for name in found if len(fold(name).split()) > 1 and len(fold(name)) >= _CODE}


def _alone(names: set[str], records: Sequence[int]) -> list[str]:
    """Those of the names that nobody else has."""
    folded = {name: fold(name) for name in names}
    shared: set[str] = set()
    wanted, own = sorted(set(folded.values())), set(records)
    for rows in _parts(wanted):
        others = Customer.objects.filter(folded_name__in=rows).values_list("pk", "folded_name")
        shared |= {name for pk, name in others if pk not in own}
    return sorted(name for name in names if folded[name] not in shared)


def _identifiers(records: Sequence[int]) -> set[tuple[str, str]]:
    """Kind and text of their identifiers of today and before, in each form in which they were written."""
    found: set[tuple[str, str]] = set()
    for rows in _parts(records):
        for kind, value, shown in Identifier.objects.filter(customer_id__in=rows).values_list("kind", "value", "shown"):
            found |= {(kind, value), (kind, shown)}
        for changes in _changes(rows):
            for kind in Identifier.Kind.values:
                found |= {(kind, value) for value in changes.get(kind, ()) if isinstance(value, str)}
    return {(kind, text) for kind, text in found if text}


def _streets(records: Sequence[int]) -> list[str]:
    """Streets with a number, of today and before, where nobody else lives."""
    found: set[str] = set()
    for rows in _parts(records):
        found |= set(Address.objects.filter(customer_id__in=rows).values_list("street", flat=True))
        found |= streets_before(rows)
    found = {street for street in found if any(c.isdigit() for c in street) and len(fold(street).split()) > 1}
    shared: set[str] = set()
    own = set(records)
    for some in _parts(sorted(found)):
        others = Address.objects.filter(street__in=some).values_list("customer_id", "street")
        shared |= {street for customer, street in others if customer not in own}
    found -= shared
    return sorted(found - had_by_others(found, own))


def had_by_others(values: Iterable[str], own: set[int]) -> set[str]:
    """Those of the values that the audit log tells of somebody else, too: who lived there with them, or before. The log
    is looked through once for all of them."""
    known = Q(record_type="customer") | Q(about__isnull=False)
    told = AuditEntry.objects.filter(known).order_by()
    left = {value: f" {fold(value)} " for value in values}
    hints = sorted({hint for value in left for hint in _spellings(max(value.split(), key=len))})
    if not hints:
        return set()
    if len(hints) <= MOST_HINTS:
        told = told.alias(text=Cast("changes", TextField())).filter(reduce(or_, (Q(text__icontains=h) for h in hints)))
    shared: set[str] = set()
    rows = told.values_list("record_id", "about", "changes")
    for record, about, changes in rows.iterator(chunk_size=2000):
        if (about if about is not None else record) in own:
            continue
        texts = [f" {fold(one)} " for one in _texts(changes)]
        for value in [value for value, words in left.items() if any(words in text for text in texts)]:
            shared.add(value)
            del left[value]
        if not left:
            break
    return shared


def _texts(told: Any) -> Iterator[str]:
    left = [told]
    while left:
        one = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            left += one.values()
        elif isinstance(one, list):
            left += one


def streets_before(records: Sequence[int]) -> set[str]:
    """The streets of their addresses that the audit log tells of: those that files changed, and those that were taken
    away, which stand there as one line."""
    found: set[str] = set()
    lines: set[str] = set()
    for changes in _changes(records):
        found |= {value for value in changes.get("street", ()) if isinstance(value, str)}
        lines |= {value for value in changes.get("address", ()) if isinstance(value, str)}
    unsure: dict[str, list[str]] = {}
    for line in lines:
        first, *rest = line.split(", ")
        if any(c.isdigit() for c in "".join(rest)):  # the postal code comes behind the street
            found.add(first)
        else:
            words = first.split(" ")
            unsure[first] = [" ".join(words[place:]) for place in range(1, len(words))]
    cities = sorted({city for ends in unsure.values() for city in ends})
    known: set[str] = set()
    for some in _parts(cities):
        known |= set(Address.objects.filter(city__in=some).values_list("city", flat=True))
    return found | {first for first, ends in unsure.items() if not known & set(ends)}


def _changes(records: Sequence[int]) -> Iterator[dict[str, Any]]:
    """What the audit log says of these records, and of what was a part of them."""
    entries = AuditEntry.objects.filter(Q(record_type="customer", record_id__in=records) | Q(about__in=records))
    for changes in entries.order_by().values_list("changes", flat=True):
        if isinstance(changes, dict):
            yield {name: values for name, values in changes.items() if isinstance(values, list)}


def plain_digits(text: str) -> str:
    """A text with the digits of other scripts as 0 to 9."""
    return text if text.isascii() else text.translate(_PLAIN_DIGITS)


def _in_order(digits: str, text: str) -> bool:
    place = 0
    for digit in digits:
        place = text.find(digit, place) + 1
        if not place:
            return False
    return True


def _plain(text: str) -> str:
    """A text without the escapes of JSON: letters as they are, and a blank for all that is none."""
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else " ", text)
    # What lies beyond 16 bits is written as two halves.
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]


def _words(words: Sequence[str]) -> str:
    """Folded words one behind the other, with letters as anybody may write them."""
    spelt = [
        "".join(f"{_LETTERS.get(letter, re.escape(letter))}{_ACCENT}" for letter in word).replace(
            f"s{_ACCENT}s{_ACCENT}", f"(?:s{_ACCENT}s{_ACCENT}|ß)"
        )
        for word in words
    ]
    return r"(?<!\w)" + r"[\W_]+".join(spelt) + r"(?!\w)"


def _number(digits: str, *, is_phone: bool) -> str:
    """A number with anything that people put between digits; of a phone number its end, with what stands before it."""
    if is_phone:
        return rf"(?<!\d)(?:[+\uff0b]?\d[\d\W_]{{0,14}}?)?{_spelt(digits[-_DIGITS:])}(?!\d)"
    return rf"(?<!\d){_spelt(digits)}(?!\d)"


def _spelt(digits: str) -> str:
    return _BETWEEN.join(f"[{SAME_DIGITS[digit]}]" for digit in digits)


def _spellings(word: str) -> set[str]:
    """A word as a database may hold it: umlauts either way, in capitals, and as JSON escapes what is not ASCII."""
    forms = {word, word.lower(), fold(word).replace(" ", ""), word.translate(_UMLAUTS)}
    for pair, umlaut in (("ae", "ä"), ("oe", "ö"), ("ue", "ü"), ("ss", "ß")):
        forms |= {form.lower().replace(pair, umlaut) for form in tuple(forms)}
    forms |= {form.upper() for form in tuple(forms)} | {form.capitalize() for form in tuple(forms)}
    return {form for one in forms for form in (one, json.dumps(one)[1:-1])}
