"""Changes of buying behaviour as facts: what changed most clearly for a customer, into what, and for about how long."""

from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rondo.analysis.between import placed
from rondo.analysis.facts import Past
from rondo.analysis.modelling import Log, day_of
from rondo.science import mixes
from rondo.science.changes import KINDS, Found, find_changes
from rondo.science.mixes import Parts
from rondo.warehouse.tables import Tables

FACTS = ("change", "change_weeks", "change_to")
_WORDS = {
    ("rhythm", False): "rarer",
    ("rhythm", True): "oftener",
    ("level", False): "less",
    ("level", True): "more",
    ("mix", True): "other",
    ("channel", True): "elsewhere",
}
_NAMED = 9
"""So many categories or channels are told apart, those of most spend; the others are one."""
_FEW_ROOTS = 3
"""Below so many categories on the first level those of the second tell what is bought."""
_EPOCH = ibis.date("1970-01-01")


@dataclass(frozen=True)
class MadeOf:
    """What purchase days were made of, with the names of the parts (empty: the others together)."""

    parts: Parts
    names: list[str]


def made_of(tables: Tables, known: Past, log: Log, as_of: int) -> tuple[MadeOf | None, MadeOf | None]:
    """The mix of categories and of channels of those who buy often enough to be judged; None where all is one."""
    days = np.bincount(log.days.customer[log.days.day > as_of - 7 * mixes.WEEKS], minlength=log.customers.size)
    able = log.customers[days >= mixes.RECENT_DAYS + mixes.PAST_DAYS]
    chosen = tables.take(pa.table({"member": pa.array(able, pa.int64())}))
    since = ibis.literal(day_of(as_of - 7 * mixes.WEEKS))
    t = known.orders.filter((known.orders.business_date > since) & (known.orders.total >= 0))
    t = t.filter(t.customer_id.isin(chosen.member))
    orders = known.keep(
        t.select("customer_id", "total", order="id", day=t.business_date.delta(_EPOCH, unit="day").cast("int64"))
    )
    return _mix(tables, known, orders, log), _channels(tables, known, orders, log)


def _mix(tables: Tables, known: Past, orders: Any, log: Log) -> MadeOf | None:
    goods = known.products.join(known.categories.select(category_id="id", path="path"), "category_id")
    names = goods.path.split(" > ")
    roots = int(tables.arrow(names[0].nunique().as_table())[0][0].as_py())
    level = names[0] if roots >= _FEW_ROOTS else names[:2].join(" > ")
    goods = goods.select(good="id", part=level)
    lines = known.lines.filter(known.lines.total > 0).select("order_id", "product_id", paid="total")
    lines = lines.join(orders, lines.order_id == orders.order)
    lines = lines.join(goods, lines.product_id == goods.good)
    return _parts(tables, lines, log)


def _channels(tables: Tables, known: Past, orders: Any, log: Log) -> MadeOf | None:
    t = known.interactions.filter(known.interactions.kind == "purchase").select("id", part="channel")
    found = orders.join(t, orders.order == t.id)
    return _parts(tables, found.filter(found.total > 0).mutate(paid=found.total), log)


def _parts(tables: Tables, rows: Any, log: Log) -> MadeOf | None:
    """Rows of customer, day, part and what was paid as parts by code; None where there are fewer than two."""
    sums = rows.group_by("customer_id", "day", "part").aggregate(paid=rows.paid.sum().cast("int64"))
    found = tables.arrow(sums.order_by("customer_id", "day", "part"))
    largest = (
        found.group_by("part").aggregate([("paid", "sum")]).sort_by([("paid_sum", "descending"), ("part", "ascending")])
    )
    names: list[str] = largest["part"].to_pylist()
    if len(names) < 2:
        return None
    if len(names) > _NAMED + 1:
        names = [*names[:_NAMED], ""]
    code: Any = pc.fill_null(pc.index_in(found["part"], pa.array(names)), len(names) - 1)
    customer = np.searchsorted(log.customers, found["customer_id"].to_numpy())
    # Of those that are one part by now a day has several rows; their shares add up.
    part, day, paid = code.to_numpy(), found["day"].to_numpy(), found["paid"].to_numpy()
    keys = (customer.astype(np.int64) * (2**20) + day) * len(names) + part
    order = np.argsort(keys, kind="stable")
    first = np.flatnonzero(np.concatenate(([True], np.diff(keys[order]) != 0))) if keys.size else np.empty(0, np.int64)
    amount = np.add.reduceat(paid[order].astype(np.float64), first) if keys.size else np.empty(0)
    kept = order[first]
    parts = Parts(
        customer[kept].astype(np.int64), day[kept].astype(np.int64), part[kept].astype(np.int64), amount,
        len(names), int(log.customers.size),
    )  # fmt: skip
    return MadeOf(parts, names)


def beside(
    facts: pa.Table, log: Log, as_of: int, mix: MadeOf | None = None, channel: MadeOf | None = None
) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """The facts, ordered by ``customer_id``, with those of change, and which customers could be judged.

    They are null where nothing changed beyond chance, and where somebody buys too rarely to tell. Of several changes of
    a customer the clearest is told; ``change_to`` is the category or channel whose share rose most.
    """
    found = find_changes(log.days, as_of, mix=mix.parts if mix else None, channel=channel.parts if channel else None)
    names = {"mix": mix.names if mix else [], "channel": channel.names if channel else []}
    ids = facts["customer_id"].to_numpy()
    # The clearest last, so that it is the one that stays.
    order = np.argsort(-found.p, kind="stable")
    who = log.customers[found.customer[order]]
    place = np.searchsorted(ids, who)
    shown = place < ids.size
    shown[shown] = ids[place[shown]] == who[shown]
    row = np.full(ids.size, -1, np.int64)
    row[place[shown]] = order[shown]
    columns = _told(found, row, names)
    for name, column in zip(FACTS, columns, strict=True):
        facts = facts.append_column(name, column)
    able = log.customers[found.able]
    return facts, able[placed(able, ids)[1]]


def _told(found: Found, row: npt.NDArray[np.int64], names: dict[str, list[str]]) -> list[pa.Array]:
    """The facts by customer, from the row of ``found`` that tells of each; null where that is -1."""
    nothing = row < 0
    words = [_WORDS.get((kind, up), "") for kind in KINDS for up in (False, True)]
    word = (found.kind * 2 + found.up.astype(np.int64))[row] if len(found) else np.zeros(row.size, np.int64)
    weeks = found.weeks[row].astype(np.int64) if len(found) else np.zeros(row.size, np.int64)
    # All names one after the other, and what is null behind them: the others together, and kinds without parts.
    start = np.full(len(KINDS), -1, np.int64)
    parts: list[str | None] = []
    for kind, own in names.items():
        start[KINDS.index(kind)] = len(parts)
        parts += [name[:120] or None for name in own]
    into = np.full(row.size, len(parts), np.int64)
    if len(found):
        first = start[found.kind[row]]
        into = np.where(nothing | (first < 0), len(parts), first + found.gained[row])
    return [
        pa.array(words, pa.string()).take(pa.array(word, mask=nothing)),
        pa.array(weeks, mask=nothing),
        pa.array([*parts, None], pa.string()).take(pa.array(into)),
    ]
