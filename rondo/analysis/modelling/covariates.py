"""What a hybrid is offered beside purchases: campaigns received and the mix of categories, on any day of the past.

Both are of the 91 days that end with the day, so that they mean the same early and late in a log. They are computed
when a hybrid asks for a day, from the columnar copy as it stood open then, and nothing after the day is read. Days
before the run's own are asked of the customers that the hybrid learns from alone.
"""

from collections.abc import Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rondo.analysis.facts.past import Past, only, past
from rondo.analysis.modelling.log import Log, day_of
from rondo.science.features import Features
from rondo.science.hybrid import Covariates, Hybrid, joined
from rondo.warehouse.tables import Tables, open_tables

WINDOW_DAYS = 91
GROUPS = ("campaigns", "mix")
CAMPAIGNS = ("received_91", "nearness_91")
MIX = ("kinds_91", "lines_91")
"""Columns of the groups; the second one has the shares of categories on top."""
LARGEST = 5
"""Categories whose shares are told."""
SHARE = "share:"
"""What the name of the column of a category's share begins with."""
_WITHIN = " > "


class Offer:
    """Groups of covariates of the customers of a log, by name (``campaigns``, ``mix``); a context that opens the copy
    at the first question and closes it in the end.

    ``learnt``: the keys of the customers that days before ``as_of`` are asked of, None: all; ``tables``: where the copy
    is open already, and is left so.
    """

    def __init__(
        self,
        log: Log,
        as_of: int,
        currency: str,
        learnt: npt.NDArray[np.int64] | None = None,
        tables: Tables | None = None,
    ) -> None:
        self._log, self._as_of, self._currency, self._learnt = log, as_of, currency, learnt
        self._tables, self._lent = tables, tables is not None
        self._pasts: dict[int, Past] = {}
        self._found: dict[tuple[str, int], Features] = {}
        self._largest: list[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._tables is not None and not self._lent:
            self._tables.close()
            self._tables = None

    def groups(self) -> Mapping[str, Covariates]:
        """Each group of which there are rows by the run's day, as a function of a day."""
        tables = self._open()
        known = past(tables, day_of(self._as_of), self._currency)
        rows = {"campaigns": known.exposures, "mix": known.lines}
        return {name: self._group(name) for name in GROUPS if tables.arrow(rows[name].count()).as_py()}

    def taken(self, fitted: Hybrid) -> Covariates | None:
        """The groups that a hybrid took, as one; None where it took none."""
        names = [one.name for one in fitted.tried if one.taken]
        if not names or fitted.effects is None:
            return None
        # Those of the fit: what was copied since may have made others the largest.
        self._largest = [name.removeprefix(SHARE) for name in fitted.effects.names if name.startswith(SHARE)]
        return joined([self._group(name) for name in names])

    def _open(self) -> Tables:
        if self._tables is None:
            self._tables = open_tables()
        return self._tables

    def _group(self, name: str) -> Covariates:
        def known(day: int) -> Features:
            if (name, day) not in self._found:
                self._found[name, day] = self._ask(name, day)
            return self._found[name, day]

        return known

    def _ask(self, name: str, day: int) -> Features:
        tables = self._open()
        if day not in self._pasts:
            known = past(tables, day_of(day), self._currency)
            if self._learnt is not None and day != self._as_of:
                known = only(tables, known, self._learnt)
            self._pasts[day] = known
        known = self._pasts[day]
        if name == "campaigns":
            return self._aligned(tables.arrow(campaigns(known)), CAMPAIGNS)
        if self._largest is None:
            # By the middle of the log: from there on a hybrid learns, and they are the same on every day.
            middle = (self._log.days.first_day + self._as_of) // 2
            then = past(tables, day_of(middle), self._currency)
            self._largest = largest(tables, then)
        shares = tuple(f"{SHARE}{name}" for name in self._largest)
        return self._aligned(tables.arrow(mix(known, self._largest)), (*MIX, *shares))

    def _aligned(self, rows: pa.Table, names: tuple[str, ...]) -> Features:
        """The columns of a table beside ``customer_id``, in its order, one row per customer of the log; 0 for those who
        are not in it."""
        values = np.zeros((self._log.customers.size, len(names)))
        ids = rows["customer_id"].to_numpy().astype(np.int64)
        place = np.searchsorted(self._log.customers, ids)
        place[place == self._log.customers.size] = 0
        bought = self._log.customers[place] == ids
        for number in range(len(names)):
            values[place[bought], number] = rows.column(number + 1).cast("float64").to_numpy()[bought]
        return Features(names, values)


def campaigns(known: Past) -> Any:
    """Per customer: campaigns received in the window, and how near its end the last one was (91 on the day itself)."""
    t = _recent(known.exposures, "sent_on", known)
    last = t.sent_on.max().delta(ibis.literal(known.as_of), unit="day")
    return t.group_by("customer_id").aggregate(received_91=t.campaign_id.nunique(), nearness_91=WINDOW_DAYS + last)


def mix(known: Past, names: list[str]) -> Any:
    """Per customer: different categories and lines of the window, and the share of lines of each of ``names``, which
    are paths of one depth."""
    t = _lines(known, names[0].count(_WITHIN) + 1 if names else 1)
    shares = {f"share_{place}": t.count(where=t.kind == name) / t.count() for place, name in enumerate(names)}
    return t.group_by("customer_id").aggregate(kinds_91=t.category.nunique(), lines_91=t.count(), **shares)


def largest(tables: Tables, known: Past) -> list[str]:
    """Paths of the categories with the most lines of the window: of the first level, or of the second one where the
    first has but one."""
    found: list[str] = []
    for depth in (1, 2):
        t = _lines(known, depth).filter(lambda row: row.kind.notnull())
        counted = t.group_by(name="kind").aggregate(lines=t.count())
        first = counted.order_by([counted.lines.desc(), counted.name]).limit(LARGEST)
        found = tables.arrow(first)["name"].to_pylist()
        if len(found) != 1:
            break
    return found


def _lines(known: Past, depth: int) -> Any:
    """Lines of the window: ``customer_id``, ``category`` and ``kind``, the path of its ancestor at that depth."""
    orders = _recent(known.orders, "business_date", known).select(of="id")
    paths = known.categories.path.split(_WITHIN)[:depth].join(_WITHIN)
    kinds = known.categories.select(named="id", kind=paths)
    goods = known.products.select(product="id", category="category_id")
    goods = goods.left_join(kinds, goods.category == kinds.named).select("product", "category", "kind")
    lines = known.lines.filter(lambda row: row.total >= 0)
    joined = lines.join(orders, lines.order_id == orders.of).left_join(goods, lines.product_id == goods.product)
    return joined.select("customer_id", "category", "kind")


def _recent(table: Any, column: str, known: Past) -> Any:
    return table.filter(lambda row: row[column] > ibis.literal(known.as_of - timedelta(days=WINDOW_DAYS)))


__all__ = ["CAMPAIGNS", "GROUPS", "MIX", "SHARE", "WINDOW_DAYS", "Offer", "campaigns", "largest", "mix"]
