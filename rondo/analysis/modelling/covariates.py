"""What a hybrid is offered beside purchases: campaigns received and the mix of categories, on any day of the past.

Both are of the 91 days that end with the day, so that they mean the same early and late in a log, and nothing after the
day counts. The days on which everybody is forecast (the run's own, and that of its hold-out) are asked of the columnar
copy; all others are asked of the customers that hybrids learn from alone, whose rows are read once.
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
from rondo.analysis.modelling.panel import Panel
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
    at the first question and closes it in the end. It can be entered again, and knows then what it was asked before.

    ``learnt``: the keys of the customers that other days than ``as_of`` and those of ``whole`` are asked of, ascending,
    None: all; ``tables``: where the copy is open already, and is left so.
    """

    def __init__(
        self,
        log: Log,
        as_of: int,
        currency: str,
        learnt: npt.NDArray[np.int64] | None = None,
        tables: Tables | None = None,
        whole: tuple[int, ...] = (),
    ) -> None:
        self._log, self._as_of, self._currency = log, as_of, currency
        self._learnt = log.customers if learnt is None else learnt
        self._tables, self._lent = tables, tables is not None
        self._whole = {as_of, *whole}
        self._panels: dict[str, Panel] = {}
        self._found: dict[tuple[str, int], Features] = {}
        self._parts: dict[tuple[str, int], npt.NDArray[np.float64]] = {}
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
            return self._of_all(name, day) if day in self._whole else self._of_learnt(name, day)

        return known

    def _names(self, name: str) -> tuple[str, ...]:
        return CAMPAIGNS if name == "campaigns" else (*MIX, *(f"{SHARE}{one}" for one in self._kinds()))

    def _kinds(self) -> list[str]:
        if self._largest is None:
            # By a sixth of the log, before any hold-out begins, so that none knows of goods that became large later;
            # and they are the same on every day.
            tables, first = self._open(), self._log.days.first_day
            known = past(tables, day_of(first + (self._as_of - first) // 6), self._currency)
            self._largest = largest(tables, known)
        return self._largest

    def _of_all(self, name: str, day: int) -> Features:
        if (name, day) not in self._found:
            names, tables = self._names(name), self._open()
            known = past(tables, day_of(day), self._currency)
            rows = campaigns(known) if name == "campaigns" else mix(known, self._kinds())
            self._found[name, day] = self._aligned(tables.arrow(rows), names)
        return self._found[name, day]

    def _of_learnt(self, name: str, day: int) -> Features:
        names = self._names(name)
        if (name, day) not in self._parts:
            panel = self._panel(name)
            self._parts[name, day] = (
                panel.campaigns(day, WINDOW_DAYS)
                if name == "campaigns"
                else panel.mix(day, WINDOW_DAYS, len(self._kinds()))
            )
        values = np.zeros((self._log.customers.size, len(names)))
        values[np.searchsorted(self._log.customers, self._learnt)] = self._parts[name, day]
        return Features(names, values)

    def _panel(self, name: str) -> Panel:
        if name not in self._panels:
            kinds, tables = self._kinds() if name == "mix" else [], self._open()
            known = past(tables, day_of(self._as_of), self._currency)
            if self._learnt.size < self._log.customers.size:
                known = only(tables, known, self._learnt)
            rows = tables.arrow(_sent(known) if name == "campaigns" else _bought(known, kinds))
            # Returns alone make nobody a customer of the log.
            ids = rows["customer_id"].to_numpy()
            place = np.minimum(np.searchsorted(self._learnt, ids), self._learnt.size - 1)
            self._panels[name] = Panel.of(rows.filter(pa.array(self._learnt[place] == ids)), self._learnt)
        return self._panels[name]

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
    t = _lines(known, _depth(names))
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


def _sent(known: Past) -> Any:
    """Every campaign received: ``customer_id``, ``day`` (days since 1970-01-01), ``what``."""
    t = known.exposures
    return t.select("customer_id", day=_number(t.sent_on), what=t.campaign_id)


def _bought(known: Past, names: list[str]) -> Any:
    """Every line bought: ``customer_id``, ``day``, ``what`` (its category) and ``kind``, its place in ``names``."""
    t = _lines_of(known, known.orders.select(of="id", on="business_date"), _depth(names))
    kind = ibis.literal(-1, "int16")
    for place, name in enumerate(names):
        kind = ibis.ifelse(t.kind == name, ibis.literal(place, "int16"), kind)
    return t.select("customer_id", day=_number(t.on), what=t.category, kind=kind)


def _number(day: Any) -> Any:
    return day.delta(ibis.date("1970-01-01"), unit="day").cast("int32")


def _depth(names: list[str]) -> int:
    return names[0].count(_WITHIN) + 1 if names else 1


def _lines(known: Past, depth: int) -> Any:
    """Lines of the window: ``customer_id``, ``category`` and ``kind``, the path of its ancestor at that depth."""
    orders = _recent(known.orders, "business_date", known)
    return _lines_of(known, orders.select(of="id", on="business_date"), depth)


def _lines_of(known: Past, orders: Any, depth: int) -> Any:
    paths = known.categories.path.split(_WITHIN)[:depth].join(_WITHIN)
    kinds = known.categories.select(named="id", kind=paths)
    goods = known.products.select(product="id", category="category_id")
    goods = goods.left_join(kinds, goods.category == kinds.named).select("product", "category", "kind")
    lines = known.lines.filter(lambda row: row.total >= 0)
    joined = lines.join(orders, lines.order_id == orders.of).left_join(goods, lines.product_id == goods.product)
    return joined.select("customer_id", "category", "kind", "on")


def _recent(table: Any, column: str, known: Past) -> Any:
    return table.filter(lambda row: row[column] > ibis.literal(known.as_of - timedelta(days=WINDOW_DAYS)))


__all__ = ["CAMPAIGNS", "GROUPS", "MIX", "SHARE", "WINDOW_DAYS", "Offer", "campaigns", "largest", "mix"]
