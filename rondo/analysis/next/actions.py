"""Working out what comes next for the run being served, and putting it in the place of what was there."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rondo.analysis import scores
from rondo.analysis.between import placed
from rondo.analysis.facts import past
from rondo.analysis.following import once_for_current, put_in_place, write
from rondo.analysis.kept import Kept
from rondo.analysis.modelling import day_number
from rondo.analysis.models import NextFound, NextOf, Run
from rondo.analysis.next.lines import Lines, read_lines
from rondo.analysis.next.paid import read_paid
from rondo.analysis.next.pairing import PAIRS, category_pairs, product_pairs
from rondo.analysis.next.shapes import Found
from rondo.analysis.next.upselling import PRICE_TIERS, PRODUCT_TIERS, TRADING_UP, Upselling
from rondo.analysis.next.working import CATEGORIES, PRODUCTS, Next, work_out
from rondo.foundation.actors import Actor
from rondo.science import price_tiers
from rondo.warehouse.tables import Tables, open_tables

DUE = pa.schema(
    [
        ("customer_id", pa.int64()),
        ("next_category", pa.string()),
        ("next_due", pa.date32()),
        ("next_chance", pa.float64()),
        ("upsell_category", pa.string()),
        ("upsell_chance", pa.float64()),
        ("upsell_gain", pa.int64()),
    ]
)
TABLES = ("next_products", "next_categories", "next_due", "pairs", "price_tiers", "product_tiers", "trading_up")
"""The open tables that are written; docs/next.md describes them."""


def work_out_next(actor: Actor) -> NextFound | None:
    """Work out what comes next as of the current run; None before the first analysis. Safe to run twice.

    Raises PermissionRefused where the actor may not analyse, StateError where another process is at it for long.
    """

    def work(run: Run) -> NextFound:
        with open_tables() as tables:
            before = past(tables, run.as_of, run.config["currency"])
            lines = read_lines(tables, before)
            paid, goods = read_paid(tables, before, lines)
            numbers, names = _names(tables, lines)
            buys = _buys(tables, lines)
        upselling = Upselling(price_tiers.work_out(paid, goods, day_number(run.as_of)), paid, lines)
        del paid, goods
        return _store(run, work_out(lines, run.as_of, buys), upselling, numbers, names, actor)

    return once_for_current(actor, NextFound, (NextOf,), work, "next")


def _buys(tables: Tables, lines: Lines) -> npt.NDArray[np.float64]:
    """Chance of each customer to buy anything within 91 days, by the risk that the run serves; 1 where it has none."""
    rows = tables.arrow(tables.scores.select("customer_id", "churn").order_by("customer_id"))
    ids, churn = rows["customer_id"].to_numpy(), rows["churn"].fill_null(0.0).to_numpy()
    place, here = placed(lines.customers, ids)
    return np.asarray(np.where(here, 1 - churn[place], 1.0) if ids.size else np.ones(lines.customers.size))


def _names(tables: Tables, lines: Lines) -> tuple[list[str], list[str]]:
    """Numbers and names of the products, by code."""
    t = tables.products
    rows = tables.arrow(t.select("id", "number", name=(t.name == "").ifelse(t.number, t.name)))
    place: Any = pc.index_in(pa.array(lines.products), rows["id"])
    return rows["number"].take(place).to_pylist(), rows["name"].take(place).to_pylist()


def _store(
    run: Run, found: Next, upselling: Upselling, numbers: list[str], names: list[str], actor: Actor
) -> NextFound:
    lines = found.lines
    of_categories, category_rows = category_pairs(lines)
    of_products, product_rows = product_pairs(lines, numbers, names)
    goods, kinds, shown = Kept(PRODUCTS), Kept(CATEGORIES), Kept(scores.schema(NextOf))
    trading = Kept(TRADING_UP)
    soon = start = 0
    week = run.as_of + timedelta(days=6)  # the end of “within next 7 days”, which the run's day begins
    for some_goods, some_kinds, some in found.blocks():
        goods.add(some_goods)
        kinds.add(some_kinds)
        stop = start + some.num_rows
        trading.add(upselling.trading_up(start, stop))
        for name, column in upselling.columns(start, stop).items():
            some = some.append_column(name, column)
        start = stop
        rows = some.select(scores.schema(NextOf).names).cast(scores.schema(NextOf))
        soon += _due_until(rows, week)
        for batch in rows.to_batches():
            shown.add(batch)
    table = shown.table()
    prepared = scores.prepare(run.pk, table, NextOf)
    results = Found(
        categories=of_categories,
        products=of_products,
        customers=int(lines.customers.size),
        due_in_week=soon,
        reason=found.reason,
        models={
            name: model.describe()
            for name, model in (("products", found.products), ("categories", found.categories))
            if model is not None
        },
        trading=upselling.results(numbers, names),
    )
    write("next_products", goods, run)
    write("next_categories", kinds, run)
    due = Kept(DUE)
    for batch in table.select(DUE.names).to_batches():
        due.add(batch)
    write("next_due", due, run)
    pairs = Kept(PAIRS)
    pairs.add(category_rows)
    pairs.add(product_rows)
    write("pairs", pairs, run)
    edges, graded = Kept(PRICE_TIERS), Kept(PRODUCT_TIERS)
    edges.add(upselling.price_tiers())
    graded.add(upselling.product_tiers())
    write("price_tiers", edges, run)
    write("product_tiers", graded, run)
    write("trading_up", trading, run)
    return put_in_place(actor, run, NextFound, [prepared], results, "next")


def _due_until(rows: pa.Table, day: date) -> int:
    return int(pc.sum(pc.less_equal(rows["next_due"], pa.scalar(day))).as_py() or 0)
