"""Lines and campaigns of some customers over the whole log, read once: their covariates on any day, from arrays.

A hybrid and the hold-outs that judge it ask for some thirty days, whose windows overlap. What is said of a day here is
what the queries of :mod:`rondo.analysis.modelling.covariates` say of it (a test holds the two together).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Codes = npt.NDArray[np.int32]
Columns = npt.NDArray[np.float64]
_AT_ONCE = 2**25  # customers times categories, of which a table is quicker than sorting


@dataclass(frozen=True)
class Panel:
    """Rows by day, ascending; customers are numbered from 0 to ``size``. ``what``: a campaign, or a category, -1 where
    there is none; ``kind``: place among the largest categories, -1 where it is none of them."""

    size: int
    customer: Codes
    day: Codes
    what: Codes
    kind: Codes | None = None

    @classmethod
    def of(cls, rows: pa.Table, customers: npt.NDArray[np.int64]) -> Self:
        """From columns ``customer_id``, ``day``, ``what`` and perhaps ``kind``; ``customers``: all keys, ascending."""
        days = rows["day"].to_numpy()
        order = np.argsort(days, kind="stable")
        names = rows["what"].combine_chunks().dictionary_encode().indices.fill_null(-1)
        return cls(
            customers.size,
            np.searchsorted(customers, rows["customer_id"].to_numpy())[order].astype(np.int32),
            days[order].astype(np.int32),
            names.to_numpy(zero_copy_only=False)[order].astype(np.int32),
            rows["kind"].to_numpy()[order].astype(np.int32) if "kind" in rows.column_names else None,
        )

    def campaigns(self, day: int, window: int) -> Columns:
        """Campaigns received in the ``window`` days that end with ``day``, and how near its end the last one was."""
        rows = self._window(day, window)
        last = np.full(self.size, day - window, np.int64)
        np.maximum.at(last, self.customer[rows], self.day[rows].astype(np.int64))
        return np.column_stack((self._different(rows), (last - (day - window)).astype(np.float64)))

    def mix(self, day: int, window: int, kinds: int) -> Columns:
        """Different categories, lines, and the share of each of the largest ``kinds`` categories."""
        rows = self._window(day, window)
        who = self.customer[rows]
        count = np.bincount(who, minlength=self.size).astype(np.float64)
        found = [self._different(rows), count]
        for place in range(kinds):
            inside = who[self.kind[rows] == place] if self.kind is not None else who[:0]
            found.append(np.bincount(inside, minlength=self.size) / np.maximum(count, 1))
        return np.column_stack(found)

    def _window(self, day: int, window: int) -> slice:
        return slice(*np.searchsorted(self.day, [day - window, day], side="right").tolist())

    def _different(self, rows: slice) -> Columns:
        known = self.what[rows] >= 0
        span = int(self.what.max(initial=0)) + 1
        pairs = self.customer[rows][known].astype(np.int64) * span + self.what[rows][known]
        if self.size * span <= _AT_ONCE:
            there = np.zeros(self.size * span, np.bool_)
            there[pairs] = True
            return np.asarray(there.reshape(self.size, span).sum(axis=1), dtype=np.float64)
        return np.bincount(np.unique(pairs) // span, minlength=self.size).astype(np.float64)


__all__ = ["Panel"]
