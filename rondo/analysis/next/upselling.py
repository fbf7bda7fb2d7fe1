"""Price tiers and trading up of a run, for pages and analysts: tiers with edges, customers' tiers, who may go up."""

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rondo.analysis.next.lines import Lines
from rondo.analysis.next.shapes import TierCategory, TierRow, Trading, Upsell
from rondo.science.price_tiers import COUNT, LENGTH, MASS, VOLUME, Paid, TradingUp
from rondo.science.price_tiers.trading import FEWEST_DAYS

SHOWN = 40
"""Categories on the page: those with most to be gained."""
PER_CUSTOMER = 3
EXAMPLES = 3
TIERS = {1: ("one",), 2: ("low", "high"), 3: ("low", "middle", "high")}
"""Names of the tiers of a category, by their count."""
UNITS = {MASS: "g", VOLUME: "ml", COUNT: "pieces", LENGTH: "m"}
PRICE_TIERS = pa.schema(
    [
        ("category", pa.string()),
        ("level", pa.int64()),
        ("tier", pa.string()),
        ("from_price", pa.int64()),
        ("mean_price", pa.int64()),
        ("products", pa.int64()),
        ("purchases", pa.int64()),
        ("by_size", pa.bool_()),
        ("usual_size", pa.float64()),
        ("size_unit", pa.string()),
        ("size_power", pa.float64()),
        ("assortativity", pa.float64()),
        ("false_discovery_rate", pa.float64()),
        ("held", pa.bool_()),
    ]
)
PRODUCT_TIERS = pa.schema(
    [
        ("product_id", pa.int64()),
        ("category", pa.string()),
        ("tier", pa.string()),
        ("paid_price", pa.int64()),
        ("price_at_usual_size", pa.int64()),
        ("purchases", pa.int64()),
    ]
)
TRADING_UP = pa.schema(
    [
        ("customer_id", pa.int64()),
        ("category", pa.string()),
        ("purchase_days", pa.int64()),
        ("days_low", pa.int64()),
        ("days_middle", pa.int64()),
        ("days_high", pa.int64()),
        ("spend_low", pa.int64()),
        ("spend_middle", pa.int64()),
        ("spend_high", pa.int64()),
        ("usual_tier", pa.string()),
        ("trend", pa.float64()),
        ("last_purchase", pa.date32()),
        ("chance", pa.float64()),
        ("chance_low", pa.float64()),
        ("chance_high", pa.float64()),
        ("gain", pa.int64()),
        ("gain_low", pa.int64()),
        ("gain_high", pa.int64()),
    ]
)


class Upselling:
    """What :mod:`rondo.science.price_tiers` found, in the shapes that are written and shown."""

    def __init__(self, found: TradingUp, paid: Paid, lines: Lines) -> None:
        self.found, self.lines = found, lines
        self.paid_total = int(paid.paid.sum())
        tiers = found.state.tiers
        two = np.flatnonzero(tiers.count > 1)
        graded = np.isin(tiers.category, two) & (tiers.tier >= 0)
        self.graded_total = int(paid.paid[graded[paid.product]].sum())
        self.names = _labels(tiers.paths)
        rows = np.flatnonzero(~np.isnan(found.gain))
        # Known sizes first: elsewhere, a dearer product may simply be a larger pack.
        per_pack = ~tiers.by_size[found.state.habits.category[rows]]
        order = np.lexsort((-np.rint(found.gain[rows] * 100), per_pack, found.state.habits.customer[rows]))
        rows = rows[order]
        who = found.state.habits.customer[rows]
        place = np.arange(rows.size) - np.searchsorted(who, who)
        self.best, self.some = rows[place == 0], rows[place < PER_CUSTOMER]

    def columns(self, start: int, stop: int) -> dict[str, pa.Array]:
        """What the pages' rows say of the customers from ``start`` to before ``stop``."""
        found, habits = self.found, self.found.state.habits
        upsells: list[list[Upsell]] = [[] for _customer in range(start, stop)]
        low, high = np.searchsorted(habits.customer[self.some], (start, stop))
        for row in self.some[low:high]:
            upsells[int(habits.customer[row]) - start].append(self._upsell(int(row)))
        first = np.full(stop - start, -1)
        low, high = np.searchsorted(habits.customer[self.best], (start, stop))
        first[habits.customer[self.best[low:high]] - start] = self.best[low:high]
        at, none = np.maximum(first, 0), first < 0
        if not found.gain.size:
            at, none = np.empty(0, np.int64), np.ones(stop - start, bool)
            empty = {name: pa.nulls(stop - start, kind) for name, kind in _COLUMNS.items()}
            return {**empty, "upsells": pa.array(["[]"] * (stop - start))}
        names = [None if missing else self.names[habits.category[row]] for row, missing in zip(at, none, strict=True)]
        return {
            "upsell_category": pa.array([name[:120] if name else None for name in names], pa.string()),
            "upsell_chance": pa.array(np.round(np.nan_to_num(found.chance[at]), 6), mask=none),
            "upsell_gain": pa.array(_money(found.gain[at]), mask=none),
            "upsells": pa.array([json.dumps(rows) for rows in upsells]),
        }

    def _upsell(self, row: int) -> Upsell:
        found, habits = self.found, self.found.state.habits
        kind = int(habits.category[row])
        return Upsell(
            category=self.names[kind],
            usual=TIERS[int(found.state.tiers.count[kind])][int(habits.usual[row])],
            next=TIERS[int(found.state.tiers.count[kind])][int(habits.usual[row]) + 1],
            top=int(habits.usual[row]) + 2 == int(found.state.tiers.count[kind]),
            days=int(habits.count[row]),
            above=int(habits.above[row]),
            rising=bool(habits.trend[row] > 0),
            chance=round(float(found.chance[row]), 4),
            low=round(float(found.chance_low[row]), 4),
            high=round(float(found.chance_high[row]), 4),
            gain=int(_money(found.gain[row])),
            gain_low=int(_money(found.gain_low[row])),
            gain_high=int(_money(found.gain_high[row])),
        )

    def price_tiers(self) -> pa.RecordBatch:
        """Rows of :data:`PRICE_TIERS`."""
        tiers, held = self.found.state.tiers, self.found.state.held
        kind = np.repeat(np.arange(len(tiers.paths)), tiers.count)
        tier = np.concatenate([np.arange(count) for count in tiers.count] or [np.empty(0, np.int64)]).astype(np.int64)
        graded = np.flatnonzero(tiers.tier >= 0)
        cell = tiers.category[graded] * 3 + tiers.tier[graded]
        width = len(tiers.paths) * 3
        products = np.bincount(cell, minlength=width)[kind * 3 + tier]
        purchases = np.bincount(cell, tiers.bought[graded], minlength=width)[kind * 3 + tier].astype(np.int64)
        edge = np.where(tier > 0, tiers.edges[kind, np.maximum(tier - 1, 0)], 0)
        sized = tiers.by_size[kind]
        return pa.record_batch(
            [
                pa.array([tiers.paths[code] for code in kind], pa.string()),
                pa.array(tiers.depth[kind]),
                pa.array([TIERS[int(tiers.count[code])][place] for code, place in zip(kind, tier, strict=True)]),
                pa.array(edge, mask=tier == 0),
                pa.array(_money(tiers.prices[kind, tier])),
                pa.array(products),
                pa.array(purchases),
                pa.array(sized),
                pa.array(tiers.usual[kind], mask=~sized),
                pa.array([UNITS.get(int(code), "m²") for code in tiers.measure[kind]], pa.string(), mask=~sized),
                pa.array(tiers.power[kind], mask=~sized),
                _known(held.assortativity[kind]),
                _known(held.adjusted[kind]),
                pa.array(held.called[kind]),
            ],
            schema=PRICE_TIERS,
        )

    def product_tiers(self) -> pa.RecordBatch:
        """Rows of :data:`PRODUCT_TIERS`: every product that is graded."""
        tiers = self.found.state.tiers
        rows = np.flatnonzero(tiers.tier >= 0)
        kinds = tiers.category[rows]
        return pa.record_batch(
            [
                pa.array(self.lines.products[rows]),
                pa.array(tiers.paths, pa.string()).take(pa.array(kinds)),
                pa.array(
                    [TIERS[int(tiers.count[k])][t] for k, t in zip(kinds, tiers.tier[rows], strict=True)], pa.string()
                ),
                pa.array(tiers.price[rows]),
                pa.array(tiers.level_price[rows]),
                pa.array(tiers.bought[rows]),
            ],
            schema=PRODUCT_TIERS,
        )

    def trading_up(self, start: int, stop: int) -> pa.RecordBatch:
        """Rows of :data:`TRADING_UP`, of the customers from ``start`` to before ``stop``."""
        found, habits, tiers = self.found, self.found.state.habits, self.found.state.tiers
        low, high = np.searchsorted(habits.customer, (start, stop))
        rows = np.arange(low, high)
        rows = rows[habits.count[rows] >= FEWEST_DAYS]
        kinds = habits.category[rows]
        two = tiers.count[kinds] == 2
        names = np.where(two, np.array(["low", "high", ""])[habits.usual[rows]], np.array(TIERS[3])[habits.usual[rows]])
        money = (found.gain, found.gain_low, found.gain_high)
        return pa.record_batch(
            [
                pa.array(self.lines.customers[habits.customer[rows]]),
                pa.array(tiers.paths, pa.string()).take(pa.array(kinds)),
                pa.array(habits.count[rows]),
                *(pa.array(column) for column in _by_name(habits.days[rows], two)),
                *(pa.array(column) for column in _by_name(habits.spend[rows], two)),
                pa.array(names.tolist(), pa.string()),
                pa.array(habits.trend[rows]),
                pa.array(habits.last[rows].astype(np.int32)).cast(pa.date32()),
                *(_known(part[rows]) for part in (found.chance, found.chance_low, found.chance_high)),
                *(pa.array(_money(part[rows]), mask=np.isnan(part[rows])) for part in money),
            ],
            schema=TRADING_UP,
        )

    def results(self, numbers: list[str], names: list[str]) -> Trading:
        """What the page of the whole base shows; ``numbers``, ``names``: of the products by code."""
        found, tiers, held = self.found, self.found.state.tiers, self.found.state.held
        habits, judged = found.state.habits, found.judged
        kinds = len(tiers.paths)
        gains = np.bincount(habits.category[self.best], found.gain[self.best], minlength=kinds)
        people = np.bincount(habits.category[self.best], minlength=kinds)
        known = habits.count >= FEWEST_DAYS
        shares = np.bincount(habits.category[known] * 3 + habits.usual[known], minlength=kinds * 3).reshape(-1, 3)
        ranked = np.lexsort((-shares.sum(axis=1), -gains, ~tiers.by_size))
        ranked = ranked[(tiers.count[ranked] > 1) & (shares.sum(axis=1)[ranked] > 0)][:SHOWN]
        spread = _spread(judged)
        categories = []
        for code in ranked:
            examples = _examples(tiers, int(code), numbers, names)
            total = int(shares[code].sum())
            categories.append(
                TierCategory(
                    name=self.names[code],
                    path=tiers.paths[code],
                    level=int(tiers.depth[code]),
                    by_size=bool(tiers.by_size[code]),
                    usual=round(float(tiers.usual[code]), 1) if tiers.by_size[code] else 0.0,
                    unit=UNITS.get(int(tiers.measure[code]), "m²") if tiers.by_size[code] else "",
                    customers=total,
                    held=bool(held.called[code]),
                    assortativity=round(float(np.nan_to_num(held.assortativity[code])), 4),
                    tiers=[
                        TierRow(
                            tier=TIERS[int(tiers.count[code])][place],
                            start=int(tiers.edges[code, place - 1]) if place else 0,
                            price=int(_money(tiers.prices[code, place])),
                            share=round(int(shares[code, place]) / total, 6),
                            examples=examples[place],
                        )
                        for place in range(int(tiers.count[code]))
                    ],
                    candidates=int(people[code]),
                    gain=int(_money(gains[code])),
                    gain_low=int(_money(gains[code] * spread[0])),
                    gain_high=int(_money(gains[code] * spread[1])),
                )
            )
        whole = (judged.ratio_low, judged.ratio_high) if judged else (1.0, 1.0)
        total_gain = float(found.gain[self.best].sum())
        return Trading(
            categories=categories,
            graded=int((tiers.count > 1).sum()),
            flat=int((tiers.count == 1).sum()),
            held=int(held.called.sum()),
            tested=int((~np.isnan(held.p)).sum()),
            by_size=int((tiers.by_size & (tiers.count > 1)).sum()),
            covered=round(self.graded_total / self.paid_total, 6) if self.paid_total else 0.0,
            candidates=int(self.best.size),
            gain=int(_money(total_gain)),
            gain_low=int(_money(total_gain * min(whole[0], 1.0))),
            gain_high=int(_money(total_gain * max(whole[1], 1.0))),
            reason=found.reason.value,
            card=_plain(found.describe()),
        )


_COLUMNS = {"upsell_category": pa.string(), "upsell_chance": pa.float64(), "upsell_gain": pa.int64()}


def _labels(paths: list[str]) -> list[str]:
    """Names of categories: the last part of the path, with the part above where two would be named alike."""
    last = [path.rpartition(" > ")[2] for path in paths]
    twice = {name for name in last if last.count(name) > 1} if len(set(last)) < len(last) else set()
    return [
        " > ".join(path.split(" > ")[-2:]) if name in twice else name for path, name in zip(paths, last, strict=True)
    ]


def _examples(tiers: Any, code: int, numbers: list[str], names: list[str]) -> list[list[str]]:
    """The products bought most often, by tier; those of like name once."""
    rows = np.flatnonzero((tiers.category == code) & (tiers.tier >= 0))
    found: list[list[str]] = [[], [], []]
    for row in rows[np.argsort(-tiers.bought[rows], kind="stable")]:
        name, place = names[row] or numbers[row], found[int(tiers.tier[row])]
        if len(place) < EXAMPLES and name not in place:
            place.append(name)
    return found


def _spread(judged: Any) -> tuple[float, float]:
    """What a category's sum is multiplied by for its interval: as the hold-out has categories differ, the whole base's
    where there are too few."""
    if judged is None:
        return 1.0, 1.0
    if np.isnan(judged.kind_low):
        return min(judged.ratio_low, 1.0), max(judged.ratio_high, 1.0)
    return min(judged.kind_low, 1.0), max(judged.kind_high, 1.0)


def _by_name(table: npt.NDArray[np.int64], two: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.int64]]:
    """Columns low, middle, high of a table by place, where the second of two tiers is the high one."""
    return [table[:, 0], np.where(two, 0, table[:, 1]), np.where(two, table[:, 1], table[:, 2])]


def _known(values: npt.NDArray[np.float64]) -> pa.Array:
    return pa.array(np.nan_to_num(values), mask=np.isnan(values))


def _money(values: Any) -> Any:
    return np.rint(np.nan_to_num(values)).astype(np.int64)


def _plain(value: Any) -> Any:
    """As JSON: not-a-numbers are null."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and np.isnan(value):
        return None
    return value
