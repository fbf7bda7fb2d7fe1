"""Reasons and interests of one customer as texts that are short, and that rules can look into.

Reasons: ``kind.web_visit;0.83;3;5;2`` says of a theme: log odds added against the average lead, contacts of the last
14 days, contacts in all, days since the last; the next follows after ``|``. Interests: ``|12:0.0731t14`` says of the
category with key 12: chance, why (:data:`LETTERS`), and ten times how many times the average that is.
"""

import re
from dataclasses import dataclass
from typing import Any

from rondo.science.reasons import Why

LETTERS = "tdlcp"
"""One letter per :class:`rondo.science.reasons.Why`."""
CHANCE_LENGTH = 6
_INTEREST = re.compile(rf"\|(\d+):(\d\.\d{{4}})([{LETTERS}])(\d+)")


@dataclass(frozen=True)
class Reason:
    """Why somebody is likelier (``effect`` above 0) or less likely to buy than the average lead."""

    theme: str
    effect: float
    recent: int
    total: int
    silent: int | None


@dataclass(frozen=True)
class Interest:
    """A category that somebody never bought of: chance, how many times the average, and why."""

    category: int
    chance: float
    times: float
    why: Why


def reasons(text: str) -> list[Reason]:
    """The reasons that a text tells, strongest first."""
    found = []
    for part in filter(None, text.split("|")):
        theme, effect, recent, total, silent = part.rsplit(";", 4)
        found.append(Reason(theme, float(effect), int(recent), int(total), int(silent) if int(silent) >= 0 else None))
    return found


def interests(text: str) -> list[Interest]:
    """The interests that a text tells, likeliest first."""
    return [
        Interest(int(category), float(chance), int(times) / 10, Why(LETTERS.index(letter)))
        for category, chance, letter, times in _INTEREST.findall(text)
    ]


def beginning(category: int) -> str:
    """How the entry of a category begins; its chance follows in :data:`CHANCE_LENGTH` letters."""
    return f"|{category}:"


def reason_texts(chances: Any, top: int = 3, least: float = 0.05) -> tuple[list[str], list[str | None]]:
    """Texts of a block of :class:`rondo.science.leads.Chances`, and the strongest theme of each: the themes that move
    a chance in the direction in which it differs from the average, or both ways where they balance."""
    import numpy as np

    parts, evidence = chances.parts, chances.evidence
    direction = np.where(parts.sum(axis=1) >= 0, 1.0, -1.0)
    weight = parts * direction[:, None]
    order = np.argsort(-weight, axis=1, kind="stable")[:, :top]
    texts: list[str] = []
    firsts: list[str | None] = []
    for row, best in enumerate(order.tolist()):
        told = [
            f"{evidence.themes[at]};{parts[row, at]:.2f};{evidence.recent[row, at]};{evidence.total[row, at]};"
            f"{evidence.silent[row, at]}"
            for at in best
            if weight[row, at] >= least
        ]
        texts.append("|".join(told))
        firsts.append(evidence.themes[best[0]][:80] if told else None)
    return texts, firsts
