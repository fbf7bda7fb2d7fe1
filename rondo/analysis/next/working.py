"""Working out what comes next: models fitted on arrays, results written block of customers by block of customers."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rondo.analysis.modelling import day_number, day_of
from rondo.analysis.next.lines import Lines
from rondo.analysis.next.shapes import Habit, Suggestion
from rondo.errors import InputError
from rondo.science import due
from rondo.science.next_purchase import BasketLog, NextConfig, NextModel, Ranking, basket_log, fit

TOP = 10
SHOWN = 5
HABIT_DAYS = 3
LIKELY_DAYS, LIKELY = 91, 0.5
SOON_DAYS = 7
MANY = 200_000
"""Customers from which the choice of new products is narrowed, so that the work stays within minutes."""

PRODUCTS = pa.schema(
    [
        ("customer_id", pa.int64()),
        ("product_id", pa.int64()),
        ("place", pa.int64()),
        ("is_new", pa.bool_()),
        ("probability", pa.float64()),
        ("purchases", pa.int64()),
        ("last_purchase", pa.date32()),
        ("mean_gap_days", pa.float64()),
    ]
)
CATEGORIES = pa.schema(
    [
        ("customer_id", pa.int64()),
        ("category", pa.string()),
        ("place", pa.int64()),
        ("is_new", pa.bool_()),
        ("probability", pa.float64()),
        ("purchase_days", pa.int64()),
        ("last_purchase", pa.date32()),
        ("typical_gap_days", pa.float64()),
        ("due", pa.date32()),
        ("due_low", pa.date32()),
        ("due_high", pa.date32()),
        ("chance_7", pa.float64()),
        ("chance_28", pa.float64()),
    ]
)
_FAR = 36_500


@dataclass
class Rhythms:
    """When every pair of customer and category is due; ``model`` is None where there are too few gaps."""

    pairs: due.Pairs
    model: due.Rhythm | None
    due: due.Due
    week: npt.NDArray[Any]
    month: npt.NDArray[Any]
    likely: npt.NDArray[Any]

    @classmethod
    def of(cls, lines: Lines, as_of: int, buys: npt.NDArray[np.float64]) -> "Rhythms":
        """Fitted to lines with a category. ``buys``: chance of each customer to buy anything within
        :data:`LIKELY_DAYS`; nothing of a category is likelier than that."""
        known = lines.shelf[lines.product] > 0 if lines.shelf.size else np.empty(0, bool)
        shelf = lines.shelf[lines.product[known]]
        pairs, gaps, place = due.purchase_pairs(lines.customer[known], shelf, lines.day[known], as_of)
        try:
            model = due.fit(pairs, gaps, place, as_of, len(lines.shelves))
        except InputError:
            nothing = np.full(pairs.days.size, np.nan)
            return cls(pairs, None, due.Due(nothing, nothing, nothing), nothing, nothing, nothing)
        there = np.minimum(buys[pairs.customer] / np.maximum(model.chance(pairs, LIKELY_DAYS), 1e-9), 1.0)
        chances = (model.chance(pairs, days, there) for days in (SOON_DAYS, 28, LIKELY_DAYS))
        return cls(pairs, model, model.forecast(pairs, there), *chances)

    def rows_of(self, start: int, stop: int) -> slice:
        """The pairs of the customers from ``start`` to before ``stop``."""
        low, high = np.searchsorted(self.pairs.customer, (start, stop))
        return slice(int(low), int(high))


@dataclass
class Next:
    """The fitted models of a run; ``reason`` says why there is no ranking."""

    lines: Lines
    as_of: int
    rhythms: Rhythms
    what: BasketLog
    shelves: BasketLog
    products: NextModel | None
    categories: NextModel | None
    reason: str

    def blocks(self) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch, pa.Table]]:
        """Block by block: rows of :data:`PRODUCTS`, of :data:`CATEGORIES`, and of the table that the pages read."""
        size = 5_000
        for start in range(0, self.lines.customers.size, size):
            stop = min(start + size, self.lines.customers.size)
            goods = _moved(self.products.rank(self.what.of(start, stop), TOP), start) if self.products else None
            kinds = _moved(self.categories.rank(self.shelves.of(start, stop), TOP), start) if self.categories else None
            # Everybody here has a line, and so a visit.
            last = self.what.visit_day[self.what.first[start + 1 : stop + 1] - 1]
            yield (
                self._product_rows(goods, last, start),
                self._category_rows(kinds),
                self._shown(goods, last, start, stop),
            )

    def _product_rows(self, found: Ranking | None, last: npt.NDArray[Any], start: int) -> pa.RecordBatch:
        if found is None:
            return pa.RecordBatch.from_pylist([], schema=PRODUCTS)
        bought = ~found.is_new
        return pa.record_batch(
            [
                pa.array(self.lines.customers[found.customer]),
                pa.array(self.lines.products[found.product]),
                pa.array(found.place),
                pa.array(found.is_new),
                pa.array(found.probability),
                pa.array(found.count),
                _dates(last[found.customer - start] - found.silent, bought),
                pa.array(found.gap, mask=found.count < 2),
            ],
            schema=PRODUCTS,
        )

    def _category_rows(self, found: Ranking | None) -> pa.RecordBatch:
        if found is None:
            return pa.RecordBatch.from_pylist([], schema=CATEGORIES)
        pairs, rhythms = self.rhythms.pairs, self.rhythms
        width = len(self.lines.shelves)
        keys, wanted = pairs.customer * width + pairs.category, found.customer * width + found.product
        at = np.clip(np.searchsorted(keys, wanted), 0, max(keys.size - 1, 0))
        here = (keys[at] == wanted) & ~found.is_new if keys.size else np.zeros(wanted.size, bool)
        timed = here & ~np.isnan(rhythms.due.median[at])
        paths = pa.array(self.lines.shelves)
        return pa.record_batch(
            [
                pa.array(self.lines.customers[found.customer]),
                paths.take(pa.array(found.product)),
                pa.array(found.place),
                pa.array(found.is_new),
                pa.array(found.probability),
                pa.array(np.where(here, pairs.days[at], 0)),
                _dates(pairs.last[at], here),
                pa.array(pairs.typical[at], mask=~here | (pairs.days[at] < 2)),
                *(
                    _dates(
                        self.as_of + np.minimum(np.nan_to_num(days[at], posinf=_FAR), _FAR), timed & (days[at] < _FAR)
                    )
                    for days in (rhythms.due.median, rhythms.due.low, rhythms.due.high)
                ),
                pa.array(np.nan_to_num(rhythms.week[at]), mask=~timed),
                pa.array(np.nan_to_num(rhythms.month[at]), mask=~timed),
            ],
            schema=CATEGORIES,
        )

    def _shown(self, goods: Ranking | None, last: npt.NDArray[Any], start: int, stop: int) -> pa.Table:
        """The rows that the pages read, of the customers from ``start`` to before ``stop``."""
        habits = self._habits(start, stop)
        suggestions = self._suggestions(goods, last, start, stop)
        first = [row[0] if row else None for row in habits]
        return pa.table(
            {
                "customer_id": pa.array(self.lines.customers[start:stop]),
                "next_category": pa.array([row["category"][:120] if row else None for row in first], pa.string()),
                "next_due": pa.array(
                    [date.fromisoformat(row["due"]) if row and row["due"] else None for row in first], pa.date32()
                ),
                "next_chance": pa.array([row["chance"] if row else None for row in first], pa.float64()),
                "habits": pa.array([json.dumps(row) for row in habits]),
                "products": pa.array([json.dumps(row) for row in suggestions]),
            }
        )

    def _habits(self, start: int, stop: int) -> list[list[Habit]]:
        """Per customer the categories due soonest."""
        found: list[list[Habit]] = [[] for _customer in range(start, stop)]
        rhythms, rows = self.rhythms, self.rhythms.rows_of(start, stop)
        if rhythms.model is None:
            return found
        numbers = np.arange(rows.start, rows.stop)
        pairs = rhythms.pairs
        numbers = numbers[(pairs.days[rows] >= HABIT_DAYS) & (rhythms.likely[rows] >= LIKELY)]
        numbers = numbers[np.isfinite(rhythms.due.median[numbers])]
        order = np.lexsort((-rhythms.week[numbers], rhythms.due.median[numbers], pairs.customer[numbers]))
        numbers = numbers[order]
        who = pairs.customer[numbers]
        for number in numbers[np.arange(who.size) - np.searchsorted(who, who) < SHOWN]:
            high = rhythms.due.high[number]
            found[int(pairs.customer[number]) - start].append(
                Habit(
                    category=self.lines.name_of(int(pairs.category[number])),
                    days=int(pairs.days[number]),
                    last=day_of(int(pairs.last[number])).isoformat(),
                    typical=float(pairs.typical[number]),
                    due=self._ahead(rhythms.due.median[number]),
                    low=self._ahead(rhythms.due.low[number]),
                    high=self._ahead(high) if np.isfinite(high) else None,
                    chance=round(float(rhythms.week[number]), 4),
                )
            )
        return found

    def _ahead(self, days: float) -> str:
        return (day_of(self.as_of) + timedelta(days=min(int(days), _FAR))).isoformat()

    def _suggestions(
        self, goods: Ranking | None, last: npt.NDArray[Any], start: int, stop: int
    ) -> list[list[Suggestion]]:
        """Per customer the best products bought before, then the best new ones."""
        found: list[list[Suggestion]] = [[] for _customer in range(start, stop)]
        if goods is None:
            return found
        lines, pairs, rows = self.lines, self.rhythms.pairs, self.rhythms.rows_of(start, stop)
        bought = set((pairs.customer[rows] * len(lines.shelves) + pairs.category[rows]).tolist())
        for new in (False, True):
            best = goods.rows(goods.is_new == new).best(SHOWN)
            for at in range(best.customer.size):
                customer, product = int(best.customer[at]), int(best.product[at])
                shelf = int(lines.shelf[product])
                found[customer - start].append(
                    Suggestion(
                        product=int(lines.products[product]),
                        new=new,
                        chance=round(float(best.probability[at]), 4),
                        count=int(best.count[at]),
                        last="" if new else day_of(int(last[customer - start] - best.silent[at])).isoformat(),
                        gap=round(float(best.gap[at]), 1),
                        kind=lines.name_of(shelf) if new and customer * len(lines.shelves) + shelf in bought else "",
                    )
                )
        return found


def work_out(lines: Lines, as_of: date, buys: npt.NDArray[np.float64]) -> Next:
    """Fit what the lines allow, as of the end of a day; ``buys``: see :meth:`Rhythms.of`."""
    day = day_number(as_of)
    config = NextConfig() if lines.customers.size <= MANY else replace(NextConfig(), candidates=300)
    what, shelves = _product_log(lines), _category_log(lines)
    reason, products, categories = "", None, None
    try:
        products = fit(what, day, config)
        categories = fit(shelves, day, config)
    except InputError as error:
        reason = str(error)
    return Next(lines, day, Rhythms.of(lines, day, buys), what, shelves, products, categories, reason)


def _product_log(lines: Lines) -> BasketLog:
    return basket_log(
        lines.customer,
        lines.basket,
        lines.product,
        lines.day,
        kind=lines.kind,
        family=lines.shelf,
        customers=lines.customers.size,
    )


def _category_log(lines: Lines) -> BasketLog:
    known = lines.shelf[lines.product] > 0
    shelf = lines.shelf[lines.product[known]]
    floor = np.zeros(len(lines.shelves), np.int64)
    floor[lines.shelf] = lines.floor
    return basket_log(
        lines.customer[known],
        lines.basket[known],
        shelf,
        lines.day[known],
        kind=floor,
        customers=lines.customers.size,
    )


def _moved(found: Ranking, start: int) -> Ranking:
    return replace(found, customer=found.customer + start)


def _dates(days: npt.NDArray[Any], known: npt.NDArray[Any]) -> pa.Array:
    return pa.array(np.where(known, days, 0).astype(np.int32), mask=~known).cast(pa.date32())
