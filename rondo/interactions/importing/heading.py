"""Where the names of a file's columns stand, and what columns are called that share a name or have none."""

import re
from collections import Counter
from collections.abc import Sequence

LOOKED_AT = 200
"""So many of the first rows tell where the names stand."""
_MARK = re.compile(r"\ufeff?\"?sep=(.)\"?[ \t]*(\r\n|\r|\n|$)", re.IGNORECASE)


def said_mark(sample: str) -> str:
    """The delimiter that a first line ``sep=X``, as spreadsheets write it, says; empty where there is none."""
    found = _MARK.match(sample)
    return found[1] if found else ""


def place_of_names(rows: Sequence[Sequence[str]]) -> int:
    """Which of the first rows holds the names: the first that has at least half as many filled cells as most have.

    What stands before it is a title or an empty row. Where most rows have one cell alone, it is the first that has any.
    """
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    counts = Counter(count for count in filled if count)
    if not counts:
        return 0
    most = max(counts.values())
    usual = max(count for count, often in counts.items() if often == most)
    needed = max(usual / 2, 2) if usual > 1 else 1
    return next(place for place, count in enumerate(filled) if count >= needed)


def names(cells: Sequence[str]) -> list[str]:
    """Columns by name: one without a name is called by its place, the second of a name has its number behind it."""
    plain = [cell.strip() or f"column {place}" for place, cell in enumerate(cells, start=1)]
    taken = set(plain)
    found: list[str] = []
    for name in plain:
        given, number = name, 1
        while given in found or (number > 1 and given in taken):
            number += 1
            given = f"{name} ({number})"
        found.append(given)
    return found
