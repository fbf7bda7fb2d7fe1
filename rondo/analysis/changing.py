"""Changes of buying behaviour as facts: what changed most clearly for a customer, and for about how long."""

from typing import Any

import numpy as np
import pyarrow as pa

from rondo.analysis.modelling import Log
from rondo.science.changes import KINDS, find_changes

FACTS = ("change", "change_weeks")
_WORDS = {("rhythm", False): "rarer", ("rhythm", True): "oftener", ("level", False): "less", ("level", True): "more"}


def beside(facts: pa.Table, log: Log, as_of: int) -> tuple[pa.Table, int]:
    """The facts, ordered by ``customer_id``, with the two of change, and how many customers could be judged.

    Both are null where nothing changed beyond chance, and where somebody buys too rarely to tell. Of two changes of a
    customer the clearer one is told.
    """
    found = find_changes(log.days, as_of)
    ids = facts["customer_id"].to_numpy()
    change: list[str | None] = [None] * ids.size
    weeks: list[int | None] = [None] * ids.size
    # The clearest last, so that it is the one that stays.
    for row in np.argsort(-found.p, kind="stable"):
        place = int(np.searchsorted(ids, log.customers[found.customer[row]]))
        if place < ids.size and ids[place] == log.customers[found.customer[row]]:
            change[place] = _WORDS[KINDS[found.kind[row]], bool(found.up[row])]
            weeks[place] = int(found.weeks[row])
    columns: list[Any] = [pa.array(change, pa.string()), pa.array(weeks, pa.int64())]
    for name, column in zip(FACTS, columns, strict=True):
        facts = facts.append_column(name, column)
    return facts, max(found.judged)
