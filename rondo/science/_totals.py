"""Totals of a base and of groups of it, and what is worked out of them."""

import numpy as np

from rondo.science._checks import FloatArray, IntArray


def totals(values: FloatArray | IntArray, ranks: IntArray) -> FloatArray:
    """The total of all in entry 0, and of each group behind it."""
    groups = np.bincount(ranks, weights=values)
    return np.concatenate(([values.sum()], groups)).astype(np.float64)


def whole_totals(values: IntArray, ranks: IntArray) -> IntArray:
    """The same of whole numbers, exactly."""
    result = np.zeros(int(ranks.max()) + 2, np.int64)
    np.add.at(result, ranks + 1, values)
    result[0] = values.sum()
    return result


def relative(part: FloatArray, whole: FloatArray) -> FloatArray:
    """``part`` of ``whole``; 0 where that is not above 0."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def quadratic(slopes: FloatArray, known: FloatArray) -> FloatArray:
    """The variance of each group by its slopes along parameters whose covariance is ``known``."""
    return np.asarray(np.maximum(np.einsum("ig,ij,jg->g", slopes, known, slopes), 0.0), dtype=np.float64)
