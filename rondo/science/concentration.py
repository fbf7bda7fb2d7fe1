"""Concentration: what share of revenue or value comes from the best customers (Lorenz 1905; Gini 1912)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import FloatArray, Numbers, refuse_where


@dataclass(frozen=True)
class Lorenz:
    """Points of the curve from (0, 0) to (1, 1), customers from the smallest amount up, and the Gini coefficient.

    ``gini``: 0 when all bring the same, towards 1 when one brings all.
    """

    customers: FloatArray
    share: FloatArray
    gini: float


def lorenz(amounts: Numbers, points: int = 101) -> Lorenz:
    """Lorenz curve of non-negative amounts per customer, at evenly spaced shares of customers.

    Raises InputError for negative amounts (set net returns to 0 first and say so), no customers, or a total of 0.
    """
    cumulated = _cumulated(amounts)
    n = cumulated.size - 1
    total = float(cumulated[-1])
    where = np.linspace(0, 1, points)
    share = np.interp(where, np.arange(n + 1) / n, cumulated / total)
    # Twice the area between the curve and the diagonal, by trapezia over all customers.
    gini = 1 - float((cumulated[1:] / total).sum() + (cumulated[:-1] / total).sum()) / n
    return Lorenz(where, share, max(gini, 0.0))


def top_share(amounts: Numbers, top: float) -> float:
    """Share of the total that the best ``top`` (0 to 1) of customers bring; a part of a customer counts in part."""
    if not 0 <= top <= 1:
        raise InputError(f"top: {top}: a share between 0 and 1 is needed")
    cumulated = _cumulated(amounts)
    n = cumulated.size - 1
    return 1 - float(np.interp((1 - top) * n, np.arange(n + 1), cumulated / cumulated[-1]))


def _cumulated(amounts: Numbers) -> npt.NDArray[Any]:
    array = np.asarray(amounts)
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise InputError("column amounts: one number per customer is needed")
    if not array.size:
        raise InputError("column amounts: no customers")
    values = array.astype(np.int64) if array.dtype.kind in "iu" else array.astype(np.float64)
    refuse_where(~np.isfinite(array.astype(np.float64)), values, "amounts", "must be a finite number")
    refuse_where(values < 0, values, "amounts", "must not be negative; set net returns to 0")
    cumulated = np.concatenate((np.zeros(1, values.dtype), np.cumsum(np.sort(values))))
    if cumulated[-1] <= 0:
        raise InputError("column amounts: the total is 0, shares do not exist")
    return cumulated
