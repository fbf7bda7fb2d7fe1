"""Made-up customers with planted duplicates and households, seeded, as many as asked for."""

import numpy as np
import pyarrow as pa

from rondo.duplicates.engine import RECORDS
from rondo.duplicates.engine.tests.febrl import Pairs

_SYLLABLES = (
    "ba",
    "den",
    "ger",
    "hol",
    "ka",
    "lin",
    "mar",
    "no",
    "ra",
    "sen",
    "ti",
    "vo",
    "wes",
    "zel",
    "an",
    "el",
    "ir",
    "or",
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _words(rng: np.random.Generator, count: int, least: int, most: int) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        size = int(rng.integers(least, most + 1))
        found["".join(_SYLLABLES[i] for i in rng.integers(0, len(_SYLLABLES), size))] = None
    return list(found)


def _skewed(rng: np.random.Generator, size: int, count: int) -> np.ndarray:
    """Indices below ``size``, the first ones far more often (Zipf, exponent 0.9)."""
    weight = 1.0 / np.arange(3, size + 3) ** 0.9
    return rng.choice(size, count, p=weight / weight.sum())


def _slip(rng: np.random.Generator, text: str) -> str:
    """The text with one slip of the keyboard: a letter lost, doubled, changed, or two exchanged."""
    if len(text) < 3:
        return text
    at, how = int(rng.integers(1, len(text) - 1)), int(rng.integers(4))
    letter = _LETTERS[int(rng.integers(26))] if text[at].isalpha() else str(int(rng.integers(10)))
    return (
        text[:at] + text[at + 1 :],
        text[:at] + text[at] + text[at:],
        text[:at] + letter + text[at + 1 :],
        text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :],
    )[how]


def made_up(count: int, seed: int = 7, twice: float = 0.04, together: float = 0.1) -> tuple[pa.Table, Pairs]:
    """``count`` customers in shuffled order, and the pairs of them that are one person.

    The share ``twice`` are second records, with slips and gaps; ``together`` live with somebody else: same family name,
    address and telephone, another given name, birth date and e-mail address.
    """
    rng = np.random.default_rng(seed)
    given, family = _words(rng, 2_000, 2, 3), _words(rng, 40_000, 2, 4)
    streets, cities = _words(rng, 20_000, 2, 4), _words(rng, 3_000, 2, 3)
    second, mates = int(count * twice), int(count * together)
    people = count - second
    rows = []
    g, f = _skewed(rng, len(given), people), _skewed(rng, len(family), people)
    s, c = rng.integers(0, len(streets), people), _skewed(rng, len(cities), people)
    days = (np.datetime64("1935-01-01") + rng.integers(0, 365 * 70, people)).astype(str)
    numbers, house = rng.integers(10_000_000, 99_999_999, people), rng.integers(1, 140, people)
    gaps = rng.random((people, 4))
    for i in range(people):
        near = i - 1 if 0 < i <= 2 * mates and i % 2 else i  # every second one lives with the one before
        first, last = given[g[i]], family[f[near]]
        rows.append(
            {
                "kind": "person",
                "given": first,
                "family": last,
                "birth": days[i] if gaps[i, 0] > 0.3 else "",
                "street": f"{streets[s[near]]}str. {house[near]}" if gaps[i, 1] > 0.1 else "",
                "postal": f"{10000 + 7 * int(c[near]):05d}" if gaps[i, 1] > 0.1 else "",
                "city": cities[c[near]] if gaps[i, 1] > 0.1 else "",
                "mails": [f"{first}.{last}{numbers[i] % 97}@mail{numbers[i] % 40}.net"] if gaps[i, 2] > 0.4 else [],
                "phones": [f"+49{numbers[near]}"] if gaps[i, 3] > 0.4 else [],
            }
        )
    origin = rng.choice(people, second, replace=False)
    for i in origin.tolist():
        copy = dict(rows[i])
        for name in ("given", "family", "birth", "street", "postal", "city"):
            chance = rng.random()
            if chance < 0.12:
                copy[name] = _slip(rng, str(copy[name]))
            elif chance < 0.17:
                copy[name] = ""
        if rng.random() < 0.15:
            copy["street"] = f"{streets[int(rng.integers(len(streets)))]}str. {int(rng.integers(1, 140))}"
        if rng.random() < 0.6:
            copy["mails"] = []
        if rng.random() < 0.6:
            copy["phones"] = []
        rows.append(copy)
    order = rng.permutation(count)
    place = np.empty(count, np.int64)
    place[order] = np.arange(1, count + 1)
    true = {
        (min(place[i], place[people + n]).item(), max(place[i], place[people + n]).item())
        for n, i in enumerate(origin.tolist())
    }
    table = pa.Table.from_pylist([{"id": n + 1, **rows[i]} for n, i in enumerate(order.tolist())], schema=RECORDS)
    return table, true
