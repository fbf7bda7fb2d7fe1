"""Forecast against what happened: total, error per customer, and deciles of customers ranked by forecast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import FloatArray, Numbers, as_column, same_length


@dataclass(frozen=True)
class Group:
    """One row of the table by rank: ``group`` 1 holds the highest forecasts. Totals over ``customers``."""

    group: int
    customers: int
    forecast: float
    actual: float


@dataclass(frozen=True)
class HoldOutCheck:
    """How a forecast did.

    ``forecast``, ``actual``: totals; ``mae``, ``rmse``: error per customer; ``correlation``: Pearson over customers,
    None where one side does not vary; ``groups``: table by rank of the forecast.
    """

    customers: int
    forecast: float
    actual: float
    mae: float
    rmse: float
    correlation: float | None
    groups: tuple[Group, ...]

    @property
    def ratio(self) -> float | None:
        """Forecast divided by what happened; None when nothing happened."""
        return self.forecast / self.actual if self.actual else None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready figures."""
        return {
            "customers": self.customers,
            "forecast": self.forecast,
            "actual": self.actual,
            "ratio": self.ratio,
            "mae": self.mae,
            "rmse": self.rmse,
            "correlation": self.correlation,
            "groups": [vars(group) for group in self.groups],
        }


def compare(forecast: Numbers, actual: Numbers, groups: int = 10) -> HoldOutCheck:
    """Compare a forecast per customer with what happened, purchases or spend alike.

    Ties of the forecast are ordered by position, so that equal input gives an equal table. Whole numbers are summed as
    whole numbers. ``actual`` may be negative (returns). Raises InputError for empty or unequal columns.
    """
    expected = as_column(forecast, "forecast")
    given = np.asarray(actual)
    if given.ndim != 1 or given.dtype.kind not in "iuf":
        raise InputError("column actual: one number per customer is needed")
    if given.dtype.kind == "f" and not np.isfinite(given).all():
        index = int(np.argmin(np.isfinite(given)))
        raise InputError(f"column actual, index {index}: {given[index]}: must be a finite number")
    size = same_length({"forecast": expected, "actual": given})
    if size == 0:
        raise InputError("columns forecast and actual: no customers; choose an origin after the first purchase")
    error = expected - given
    rank = rank_groups(expected, groups)
    table = []
    for number in range(min(groups, size)):
        members = rank == number
        table.append(
            Group(number + 1, int(members.sum()), float(expected[members].sum()), float(given[members].sum())),
        )
    return HoldOutCheck(
        customers=size,
        forecast=float(expected.sum()),
        actual=float(given.sum()),
        mae=float(np.abs(error).mean()),
        rmse=float(np.sqrt((error**2).mean())),
        correlation=correlation(expected, given.astype(np.float64)),
        groups=tuple(table),
    )


def rank_groups(forecast: FloatArray, groups: int = 10) -> npt.NDArray[np.int64]:
    """Group of each customer by rank of the forecast, 0 the highest; sizes differ by at most one."""
    if groups < 1:
        raise InputError(f"groups: {groups}: at least 1")
    order = np.argsort(-forecast, kind="stable")
    result = np.empty(forecast.size, np.int64)
    result[order] = np.arange(forecast.size, dtype=np.int64) * min(groups, forecast.size) // max(forecast.size, 1)
    return result


def correlation(one: FloatArray, other: FloatArray) -> float | None:
    """Pearson's correlation; None where one side does not vary."""
    a, b = one - one.mean(), other - other.mean()
    spread = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / spread if spread > 0 else None
