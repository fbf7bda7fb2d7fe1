"""Links of the columnar copy between customers as they stand: who was merged is the record that survived."""

from typing import Any

import numpy as np
import numpy.typing as npt

from rondo.warehouse.tables import Tables

Whole = npt.NDArray[np.int64]

_SPARSE = 8
"""Up to so many possible keys per customer a table of them is made."""


def between_survivors(tables: Tables, links: Any) -> Any:
    """``links`` with the columns ``subject`` and ``object``, the customers that their ends stand for."""
    for end in ("subject", "object"):
        now = tables.survivors.select(**{f"{end}_was": "customer_id", f"{end}_is": "survivor_id"})
        links = links.left_join(now, links[f"{end}_id"] == now[f"{end}_was"])
        links = links.mutate(**{end: links[f"{end}_is"].fill_null(links[f"{end}_id"])})
    return links


def placed(who: Whole, ids: Whole) -> tuple[Whole, npt.NDArray[np.bool_]]:
    """Positions in ``ids``, which are ascending, and which of ``who`` are there at all."""
    highest = int(ids[-1]) if ids.size else 0
    if who.size > ids.size and highest <= _SPARSE * ids.size and int(who.min()) >= 0:
        # Keys are given out one after the other: a table of all of them is quicker than a search in random order.
        table = np.full(highest + 2, -1, np.int64)
        table[ids] = np.arange(ids.size)
        place = table[np.minimum(who, highest + 1)]
        return np.maximum(place, 0), place >= 0
    place = np.clip(np.searchsorted(ids, who), 0, max(ids.size - 1, 0))
    return place, ids[place] == who if ids.size else np.zeros(who.size, bool)
