"""The stages of one customer as one text: ``|12d5.16.14|15p0.0.30`` says of the category with key 12: due for 5 days,
bought 16 days ago, rhythm 14 days; without a purchase the last two are empty.

Compact, because a base has tens of categories per customer; and the beginning of an entry (``|12d``) is what rules look
for.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from rondo.science.buying_stages import STAGE_OF, BuyingStage, Reason

STAGES = tuple(stage.name.lower() for stage in BuyingStage)
"""Keys of the stages in their order."""
LETTERS = "udcsepav"
"""One letter per :class:`rondo.science.buying_stages.Reason`."""
_ENTRY = re.compile(rf"\|(\d+)([{LETTERS}])(\d+)\.(\d*)\.(\d*)")


@dataclass(frozen=True)
class Entry:
    """Where a customer stands in one category: ``reason`` why, ``since`` when, the day last ``bought`` and the
    ``rhythm`` in days (None: never bought)."""

    category: int
    reason: Reason
    since: date
    bought: date | None
    rhythm: int | None

    @property
    def stage(self) -> str:
        """The key of the stage."""
        return STAGES[int(STAGE_OF[self.reason])]


def entries(text: str, as_of: date) -> list[Entry]:
    """What a text of the run that looks from ``as_of`` says."""
    return [
        Entry(
            int(category),
            Reason(LETTERS.index(letter)),
            as_of - timedelta(days=int(since)),
            as_of - timedelta(days=int(bought)) if bought else None,
            int(rhythm) if rhythm else None,
        )
        for category, letter, since, bought, rhythm in _ENTRY.findall(text)
    ]


def letters_of(stage: str) -> str:
    """The letters of the reasons for which a customer stands in a stage."""
    return "".join(letter for letter, code in zip(LETTERS, STAGE_OF, strict=False) if STAGES[code] == stage)


def beginning(category: int, letter: str) -> str:
    """How an entry of a category begins."""
    return f"|{category}{letter}"
