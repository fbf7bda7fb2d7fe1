"""What is bought together, for pages and analysts: categories and products, with the customers behind a pair."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rondo.analysis.next.lines import Lines
from rondo.analysis.next.shapes import Pair, PairTable, quoted
from rondo.science.together import BoughtTogether, bought_together

SHOWN = 30
MARKED = 2.0
"""Pairs at least so many times as often as chance would have it are shown first, those in most baskets beyond it."""
PAIRS = pa.schema(
    [
        ("level", pa.string()),
        ("one", pa.string()),
        ("other", pa.string()),
        ("baskets", pa.int64()),
        ("with_one", pa.int64()),
        ("with_other", pa.int64()),
        ("lift", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("plain_lift", pa.float64()),
        ("false_discovery_rate", pa.float64()),
    ]
)
"""``level``: category or product; ``one``, ``other``: path of the category, id of the product."""

Codes = npt.NDArray[np.int64]


def category_pairs(lines: Lines) -> tuple[PairTable, pa.RecordBatch]:
    """Pairs of categories on the second level."""
    shelf = lines.shelf[lines.product]
    known = shelf > 0
    found = bought_together(lines.customer[known], lines.basket[known], shelf[known])
    names = [path.rpartition(" > ")[2] for path in lines.shelves]
    rules = [quoted(path) for path in lines.shelves]
    table = _shown(found, lines.buyer, lines.shelf[lines.bought], names, "category", rules)
    return table, _rows(found, "category", pa.array(lines.shelves))


def product_pairs(lines: Lines, numbers: list[str], names: list[str]) -> tuple[PairTable, pa.RecordBatch]:
    """Pairs of products, whose ``numbers`` and ``names`` are given by code. Those of one category are left out of what
    the page shows: they are kinds of one thing, to be put side by side, not a reason to sell the other."""
    found = bought_together(lines.customer, lines.basket, lines.product)
    apart = lines.shelf[found.one] != lines.shelf[found.other]
    rules = [quoted(number) for number in numbers]
    table = _shown(found, lines.buyer, lines.bought, names, "product", rules, apart)
    return table, _rows(found, "product", pa.array(lines.products).cast(pa.string()))


def _shown(
    found: BoughtTogether,
    customer: Codes,
    item: Codes,
    names: list[str],
    field: str,
    rules: list[str],
    among: npt.NDArray[np.bool_] | None = None,
) -> PairTable:
    called = found.called & (found.lift > 1)
    rows = np.flatnonzero(called if among is None else called & among)
    beyond = found.baskets[rows] * (1 - 1 / found.low[rows])
    best = rows[np.lexsort((-beyond, found.low[rows] < MARKED))][:SHOWN]
    width = len(names)
    buyers = np.unique(customer * width + item)
    of = {int(code): buyers[buyers % width == code] // width for code in {*found.one[best], *found.other[best]}}
    return PairTable(
        pairs=[
            Pair(
                one=names[int(found.one[at])],
                other=names[int(found.other[at])],
                baskets=int(found.baskets[at]),
                with_one=int(found.with_one[at]),
                with_other=int(found.with_other[at]),
                lift=round(float(found.lift[at]), 4),
                low=round(float(found.low[at]), 4),
                high=round(float(found.high[at]), 4),
                customers=int(np.setdiff1d(of[int(found.one[at])], of[int(found.other[at])]).size),
                rule=f"did purchase where {field} = {rules[int(found.one[at])]} "
                f"and did not purchase where {field} = {rules[int(found.other[at])]}",
            )
            for at in best
        ],
        called=int(called.sum()),
        tested=found.tested,
        baskets=found.total,
    )


def _rows(found: BoughtTogether, level: str, names: pa.Array) -> pa.RecordBatch:
    return pa.record_batch(
        [
            pa.repeat(level, found.one.size),
            names.take(pa.array(found.one)),
            names.take(pa.array(found.other)),
            pa.array(found.baskets),
            pa.array(found.with_one),
            pa.array(found.with_other),
            pa.array(found.lift),
            pa.array(found.low),
            pa.array(found.high),
            pa.array(found.plain),
            pa.array(found.adjusted),
        ],
        schema=PAIRS,
    )
