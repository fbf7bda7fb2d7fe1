"""How value and revenue are spread over customers: bins, the recency by frequency grid, concentration, activity."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rondo.analysis.results import Activity, Concentration, GridCell, LorenzPoint, ValueBin
from rondo.science.concentration import lorenz, top_share

BINS = 20
BANDS = 5
_INT = npt.NDArray[np.int64]


def value_edges(values: _INT) -> list[int]:
    """Ascending edges of value bins: from 0 in round steps such that the 99th percentile falls into the last ones; the
    last edge lies above the largest value."""
    if not values.size:
        return []
    reach = max(int(np.quantile(values, 0.99, method="inverted_cdf")), BINS)
    step = _round_up(reach / BINS)
    edges = [step * number for number in range(reach // step + 2)]
    return [*edges[:-1], max(edges[-1], int(values.max()) + 1)]


def _round_up(width: float) -> int:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    power = 10 ** int(np.floor(np.log10(width)))
    return int(next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= width))


def value_bins(values: _INT, edges: list[int]) -> list[ValueBin]:
    """Customers and their value per bin [low, high)."""
    if not edges:
        return []
    place = np.clip(np.searchsorted(np.array(edges), values, side="right") - 1, 0, len(edges) - 2)
    return [
        ValueBin(
            low=edges[number],
            high=edges[number + 1],
            customers=int((place == number).sum()),
            value=int(values[place == number].sum()),
        )
        for number in range(len(edges) - 1)
    ]


def band_edges(values: _INT) -> list[int]:
    """Upper bounds of up to five bands of about equal size, ascending; the last one is the largest value."""
    if not values.size:
        return []
    cuts = np.quantile(values, [0.2, 0.4, 0.6, 0.8, 1.0], method="inverted_cdf")
    return sorted({int(cut) for cut in cuts})


def grid(
    recency: _INT, frequency: _INT, value: _INT, recency_edges: list[int], days_edges: list[int]
) -> list[GridCell]:
    """The recency by frequency grid; band 5 is the best: bought last, bought most often.

    Where many customers are alike there are fewer than five bands; the best still counts 5.
    """
    if not recency_edges or not days_edges:
        return []
    r = np.searchsorted(np.array(recency_edges), recency, side="left")
    f = np.searchsorted(np.array(days_edges), frequency, side="left")

    def count(row: int, column: int) -> tuple[int, int]:
        here = (r == row) & (f == column)
        return int(here.sum()), int(value[here].sum())

    return cells(recency_edges, days_edges, count)


def cells(recency: list[int], frequency: list[int], count: Callable[[int, int], tuple[int, int]]) -> list[GridCell]:
    """The grid's cells with their bounds; ``count(row, column)`` gives customers and value, row and column from 0."""
    found = []
    for row in range(len(recency)):
        for column in range(len(frequency)):
            customers, worth = count(row, column)
            found.append(
                GridCell(
                    recency=BANDS - row,
                    frequency=BANDS - (len(frequency) - 1 - column),
                    customers=customers,
                    value=worth,
                    recency_low=recency[row - 1] + 1 if row else 0,
                    recency_high=recency[row],
                    frequency_low=frequency[column - 1] + 1 if column else 1,
                    frequency_high=frequency[column],
                )
            )
    return found


def concentration(revenue: _INT) -> Concentration | None:
    """How unevenly revenue is spread over buyers; net returns count as 0. None without revenue."""
    amounts = np.maximum(revenue, 0)
    if not amounts.size or amounts.sum() <= 0:
        return None
    curve = lorenz(amounts)
    best_first = np.sort(amounts)[::-1]
    carrying = int(np.searchsorted(np.cumsum(best_first), 0.8 * int(amounts.sum())) + 1)
    points = [
        LorenzPoint(customers=float(1 - c), revenue=float(1 - s))
        for c, s in zip(curve.customers[::-1], curve.share[::-1], strict=True)
    ]
    return Concentration(
        points=points,
        top_10=top_share(amounts, 0.1),
        top_20=top_share(amounts, 0.2),
        share_carrying_80=carrying / amounts.size,
        gini=curve.gini,
    )


def activity(scores: pa.Table) -> Activity:
    """Customers by activity, and the value of those who are late."""
    counts = {row["values"]: row["counts"] for row in pc.value_counts(scores["activity"]).to_pylist()}
    late = scores.select(["value"]).filter(pc.equal(scores["activity"], "late"))
    return Activity(
        active=counts.get("active", 0),
        late=counts.get("late", 0),
        asleep=counts.get("asleep", 0),
        never=counts.get("never", 0),
        late_value=int(whole(late, "value").sum()),
    )


def whole(scores: pa.Table, name: str) -> _INT:
    """A column of whole numbers as int64, 0 for null."""
    column: Any = scores[name].fill_null(0)
    return np.asarray(column.to_numpy(), dtype=np.int64)
