"""Buying stages of a run: signals read from the columnar copy, stages of all pairs of customer and category."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rondo.analysis.buying_stages.shapes import SignalCount
from rondo.analysis.buying_stages.texts import LETTERS, STAGES
from rondo.analysis.facts import Past
from rondo.analysis.facts.taste import kinds
from rondo.analysis.modelling import day_number, day_of
from rondo.foundation.registry import registries
from rondo.science.buying_stages import (
    STAGE_OF,
    BuyingStage,
    BuyingStageRules,
    Reason,
    Signals,
    Stand,
    Turn,
    Walk,
    turns,
)
from rondo.science.standing import weekly_grid
from rondo.warehouse.tables import Tables

Codes = npt.NDArray[np.int64]
_EPOCH = ibis.date("1970-01-01")
_BATCH = 65_536
WEEKS = 13
"""So many weeks back the ledger tells of every Sunday."""

STOOD = pa.schema(
    [
        ("customer_id", pa.int64()),
        ("category_id", pa.int64()),
        ("category", pa.string()),
        ("stage", pa.string()),
        ("reason", pa.string()),
        ("since", pa.date32()),
        ("last_purchase", pa.date32()),
        ("rhythm_days", pa.int64()),
    ]
)
"""Columns of the open table ``buying_stages``."""
MOVED = pa.schema(
    [
        ("customer_id", pa.int64()),
        ("category_id", pa.int64()),
        ("day", pa.date32()),
        ("before", pa.string()),
        ("after", pa.string()),
    ]
)
"""Columns of the open table ``buying_moves``, the ledger; ``before`` is null in the first entry of a pair."""


@dataclass(frozen=True)
class Read:
    """Signals up to the day of a run. ``customers``: ids, ascending. ``who``: customer (place in ``customers``) of each
    pair, ascending; ``signals.category`` is its category, a place in ``paths`` and ``keys`` (key of the category)."""

    customers: Codes
    who: Codes
    signals: Signals
    paths: list[str]
    keys: Codes
    counts: list[SignalCount]


def read(tables: Tables, known: Past) -> Read:
    """The signals of all customers shown: lines of orders above 0, and contacts that name a category or product."""
    named = kinds(known)
    goods = known.products.left_join(named, known.products.category_id == named.category)
    goods = known.keep(goods.filter(goods.kind.notnull()).select(product="id", kind="kind"))
    rows = tables.arrow(
        _bought(known, goods)
        .union(_told(tables, known, goods, named))
        .semi_join(known.customers.select(customer_id="id"), "customer_id")
        .order_by("customer_id", "kind", "day")
    )
    shelves = tables.arrow(named.group_by("kind").aggregate(path=named.path.max()).order_by("kind"))
    paths: list[str] = shelves["path"].to_pylist()
    categories = tables.arrow(known.categories.select("id", "path"))
    place: Any = pc.index_in(pa.array(paths, pa.string()), categories["path"])
    keys = categories["id"].take(place).to_numpy() if paths else np.empty(0, np.int64)
    customer, kind = rows["customer_id"].to_numpy(), rows["kind"].to_numpy().astype(np.int64)
    # Rows are in the order of pairs: no sorting is needed to number them.
    begins = np.concatenate(([True], (np.diff(customer) != 0) | (np.diff(kind) != 0))) if customer.size else _NOBODY
    first = np.flatnonzero(begins)
    customers, who = np.unique(customer[first], return_inverse=True)
    signals = Signals(
        np.cumsum(begins) - 1, rows["day"].to_numpy().astype(np.int64), rows["sign"].to_numpy().astype(np.uint8),
        kind[first],
    )  # fmt: skip
    return Read(customers.astype(np.int64), who.astype(np.int64), signals, paths, keys, _counts(tables, known))


_NOBODY = np.empty(0, bool)


def _bought(known: Past, goods: Any) -> Any:
    """Purchase days per customer and category."""
    orders = known.orders.select(order_id="id", business_date="business_date")
    t = known.lines.filter(lambda row: (row.total >= 0) & (row.quantity_milli > 0)).join(orders, "order_id")
    t = t.join(goods, t.product_id == goods.product)
    return t.select(
        "customer_id",
        kind=t.kind.cast("int64"),
        day=t.business_date.delta(_EPOCH, unit="day").cast("int64"),
        sign=ibis.literal(int(BuyingStage.PURCHASE), "int64"),
    ).distinct()


def _signs() -> dict[str, int]:
    """Kinds of contact that are signs, with the stage of each."""
    return {kind.key: STAGES.index(kind.signals) for kind in registries.interaction_kinds if kind.signals}


def _told(tables: Tables, known: Past, goods: Any, named: Any) -> Any:
    """Contacts that are a sign of a stage and name a category, or a product that has one."""
    signs = _signs()
    if "abouts" not in tables.names:
        empty = {"customer_id": pa.int64(), "kind": pa.int64(), "day": pa.int64(), "sign": pa.int64()}
        return ibis.memtable(pa.schema(list(empty.items())).empty_table())
    t = tables.abouts.filter(
        lambda row: (row.business_date <= ibis.literal(known.as_of)) & row.kind.isin(list(signs))
    ).select("customer_id", "category_id", "product_id", "business_date", contact="kind")
    t = t.left_join(named.select(category_id="category", of_category="kind"), "category_id")
    t = t.left_join(goods.select(product_id="product", of_product="kind"), "product_id")
    found = t.of_category.fill_null(t.of_product)
    return (
        t.mutate(found=found)
        .filter(lambda row: row.found.notnull())
        .select(
            "customer_id",
            kind=ibis._.found.cast("int64"),
            day=ibis._.business_date.delta(_EPOCH, unit="day").cast("int64"),
            sign=ibis._.contact.cases(*((key, sign) for key, sign in signs.items()), else_=0).cast("int64"),
        )
        .distinct()
    )


def _counts(tables: Tables, known: Past) -> list[SignalCount]:
    signs = _signs()
    t = known.interactions.filter(known.interactions.kind.isin(list(signs)))
    whole = dict(zip(*tables.arrow(t.group_by("kind").aggregate(n=t.count())).to_pydict().values(), strict=True))
    named: dict[str, int] = {}
    if "abouts" in tables.names:
        a = tables.abouts.filter(tables.abouts.business_date <= ibis.literal(known.as_of))
        named = dict(zip(*tables.arrow(a.group_by("kind").aggregate(n=a.count())).to_pydict().values(), strict=True))
    return [SignalCount(kind=key, all=whole.get(key, 0), named=named.get(key, 0)) for key in signs]


@dataclass(frozen=True)
class Ledger:
    """Changes of stage, by category and then by day: customers and categories by id."""

    pair: Codes
    day: npt.NDArray[np.int32]
    before: npt.NDArray[np.uint8]
    after: npt.NDArray[np.uint8]


@dataclass
class Stages:
    """The stages of a run: how all pairs stand on its day, and the ledger of how they came there."""

    read: Read
    as_of: int
    stand: Stand
    first: int
    ledger: Ledger
    per_pair: npt.NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        self.per_pair = self.stand.stage

    def served(self) -> pa.Table:
        """The rows of :class:`rondo.analysis.models.StageOf`."""
        found, stand = self.read, self.stand
        heads = pa.array([f"|{key}" for key in found.keys], pa.string()).take(pa.array(found.signals.category))
        letters = pa.array(list(LETTERS), pa.string()).take(pa.array(stand.reason))
        bought = stand.bought >= 0
        texts: Any = pc.binary_join_element_wise(
            pc.binary_join_element_wise(heads, letters, _text(self.as_of - stand.since), ""),
            _text(self.as_of - stand.bought, bought),
            _text(stand.rhythm, bought),
            ".",
        )
        size = found.customers.size
        offsets = np.searchsorted(found.who, np.arange(size + 1)).astype(np.int32)
        joined: Any = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), texts), "")
        width = len(STAGES)
        counts = np.bincount(found.who * width + self.per_pair, minlength=size * width).reshape(size, width)
        columns = {"customer_id": pa.array(found.customers), "stages": joined}
        return pa.table(columns | {key: pa.array(counts[:, place]) for place, key in enumerate(STAGES)})

    def counts(self) -> npt.NDArray[np.int64]:
        """Customers by category and stage."""
        width = len(STAGES)
        cells = np.bincount(self.read.signals.category * width + self.per_pair, minlength=len(self.read.paths) * width)
        found: npt.NDArray[np.int64] = cells.reshape(-1, width)
        return found

    def stood(self) -> Iterator[pa.RecordBatch]:
        """Rows of :data:`STOOD`."""
        found, stand = self.read, self.stand
        reasons = pa.array([reason.name.lower() for reason in Reason])
        paths, keys, names = pa.array(found.paths, pa.string()), pa.array(found.keys), pa.array(STAGES)
        for start in range(0, found.who.size, _BATCH):
            rows = slice(start, start + _BATCH)
            category, bought = pa.array(found.signals.category[rows]), stand.bought[rows]
            yield pa.record_batch(
                [
                    pa.array(found.customers[found.who[rows]]),
                    keys.take(category),
                    paths.take(category),
                    names.take(pa.array(self.per_pair[rows])),
                    reasons.take(pa.array(stand.reason[rows])),
                    pa.array(stand.since[rows].astype(np.int32)).cast(pa.date32()),
                    pa.array(np.maximum(bought, 0).astype(np.int32), mask=bought < 0).cast(pa.date32()),
                    pa.array(stand.rhythm[rows], mask=bought < 0),
                ],
                schema=STOOD,
            )

    def moved(self) -> Iterator[pa.RecordBatch]:
        """Rows of :data:`MOVED`, by category and day."""
        found, ledger = self.read, self.ledger
        names = pa.array([*STAGES, None])
        for start in range(0, ledger.pair.size, _BATCH):
            rows = slice(start, start + _BATCH)
            pair = ledger.pair[rows]
            yield pa.record_batch(
                [
                    pa.array(found.customers[found.who[pair]]),
                    pa.array(found.keys[found.signals.category[pair]]),
                    pa.array(ledger.day[rows]).cast(pa.date32()),
                    names.take(pa.array(ledger.before[rows])),
                    names.take(pa.array(ledger.after[rows])),
                ],
                schema=MOVED,
            )


def _text(days: npt.NDArray[Any], known: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Whole numbers as texts; empty where not known."""
    found = pa.array(np.maximum(days, 0).astype(np.int32)).cast(pa.string())
    return found if known is None else pc.if_else(pa.array(known), found, "")


def work_out(found: Read, as_of: date, rules: BuyingStageRules) -> Stages:
    """The stages of all pairs on the day of a run and, from Sunday to Sunday, before it."""
    day = day_number(as_of)
    signals = found.signals
    first = int(signals.day.min()) if signals.day.size else day
    grid = days_read(first, day)
    walk = Walk(signals, rules, len(found.paths))
    parts: list[Turn] = list(turns(walk, grid))
    pair = np.concatenate([part.pair for part in parts])
    order = np.argsort(signals.category[pair].astype(np.int32), kind="stable")
    days = np.repeat(np.array([part.day for part in parts], np.int32), [part.pair.size for part in parts])
    ledger = Ledger(
        pair[order],
        days[order],
        np.concatenate([part.before for part in parts])[order],
        np.concatenate([part.after for part in parts])[order],
    )
    return Stages(found, day, walk.stand(), int(grid[0]), ledger)


def days_read(first: int, as_of: int) -> Codes:
    """The days on which the ledger reads the stages: Sundays and ``as_of``; of Sundays that lie more than 13 weeks back
    every fourth, since a ledger of every category is long."""
    grid = weekly_grid(first, as_of)
    back = np.arange(grid.size)[::-1]
    kept: Codes = grid[(back <= WEEKS) | (back % 4 == WEEKS % 4)]
    return kept


def first_day(stages: Stages) -> str:
    """The first day that the ledger tells of."""
    return day_of(stages.first).isoformat()


def stages_alone(found: Read, as_of: date, rules: BuyingStageRules) -> npt.NDArray[np.uint8]:
    """The stage of every pair on a day, without a ledger."""
    walk = Walk(found.signals, rules, len(found.paths))
    walk.until(day_number(as_of))
    stage: npt.NDArray[np.uint8] = STAGE_OF[walk.reasons()]
    return stage
