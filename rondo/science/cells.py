"""Distinct rows with counts: what a customer-base model needs to know of a base, however large.

The likelihood of a model of (x, t_x, T) is a sum over customers, and customers with the same history add the same
term. A base of millions therefore shrinks to its distinct histories, its *cells*, and how many customers are in each.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rondo.science._checks import FloatArray, IntArray, Numbers, as_column, history, same_length

# A table over all possible keys is faster than sorting as long as it fits the processor's cache.
_DENSE_LIMIT = 1 << 17
_KEY_LIMIT = 1 << 62


@dataclass(frozen=True)
class Cells:
    """Distinct purchase histories.

    ``x``, ``t_x``, ``T``: one row per cell, sorted by x, then t_x, then T. ``counts``: customers (or weight) per cell.
    ``inverse``: for each customer the row of its cell, so that ``per_cell[cells.inverse]`` is per customer.
    """

    x: FloatArray
    t_x: FloatArray
    T: FloatArray
    counts: FloatArray
    inverse: npt.NDArray[np.intp]

    def __len__(self) -> int:
        return int(self.x.size)

    @property
    def n_customers(self) -> float:
        """Customers, or the sum of weights where weights were given."""
        return float(self.counts.sum())

    def fingerprint(self) -> str:
        """SHA-256 over the cells and counts: equal for the same base in any order of rows."""
        return fingerprint(self.x, self.t_x, self.T, self.counts)


def reduce_to_cells(x: Numbers, t_x: Numbers, T: Numbers, weights: Numbers | None = None) -> Cells:
    """Reduce customers to distinct (x, t_x, T).

    Times that are whole numbers or whole days in weeks (multiples of 1/7) take the fastest path; any other times work.
    ``weights``: customers that each row stands for (default 1). Raises InputError for impossible rows.
    """
    x_, t_, T_ = history(x, t_x, T)
    (ux, ut, uT), inverse, counts = distinct_rows(x_, t_, T_, weights=weights)
    return Cells(ux, ut, uT, counts, inverse)


def distinct_rows(
    *columns: FloatArray, weights: Numbers | None = None
) -> tuple[tuple[FloatArray, ...], npt.NDArray[np.intp], FloatArray]:
    """Distinct rows over columns of equal length, sorted by the first column, then the next.

    Returns the columns of the distinct rows, for each input row the index of its distinct row, and the count (or sum of
    ``weights``) of each. Raises InputError when the lengths differ or a weight is negative or not a number.
    """
    size = same_length({str(i): c for i, c in enumerate(columns)})
    weight = None if weights is None else as_column(weights, "weights")
    if weight is not None:
        same_length({"rows": columns[0], "weights": weight})
    if size == 0:
        return tuple(c[:0] for c in columns), np.empty(0, np.intp), np.empty(0, np.float64)
    codes: list[IntArray] = []
    spans: list[int] = []
    for column in columns:
        code, span = _integer_code(column)
        codes.append(code)
        spans.append(span)
    space = 1
    for span in spans:
        space *= span
    if space >= _KEY_LIMIT:
        codes, spans = zip(*(_dense_code(code) for code in codes), strict=True)  # type: ignore[assignment]
    key = codes[0]
    for code, span in zip(codes[1:], spans[1:], strict=True):
        key = key * span
        key += code
    space = 1
    for span in spans:
        space *= span
    if space <= _DENSE_LIMIT:
        first, inverse, counts = _by_table(key, space)
    else:
        first, inverse, counts = _by_sorting(key, space)
    if weight is not None:
        counts = np.bincount(inverse, weights=weight, minlength=first.size)
    return tuple(column[first] for column in columns), inverse, counts.astype(np.float64)


def fingerprint(*columns: npt.NDArray[Any]) -> str:
    """SHA-256 of columns as little-endian float64, with their lengths; the caller fixes the order of rows."""
    digest = hashlib.sha256()
    for column in columns:
        data = np.ascontiguousarray(column, dtype="<f8")
        digest.update(str(data.size).encode() + b":")
        digest.update(data.tobytes())
    return digest.hexdigest()


def _integer_code(column: FloatArray) -> tuple[IntArray, int]:
    """Order-preserving whole numbers from 0, and one more than the largest."""
    top = float(column.max())
    if top < 2**31:
        for scale in (1.0, 7.0):
            scaled = column * scale
            rounded = np.rint(scaled)
            # Days turned into weeks and back differ from whole numbers by rounding only.
            if np.abs(scaled - rounded).max() <= 4e-16 * scale * max(top, 1.0):
                code = rounded.astype(np.int64)
                low = int(code.min())
                if low:
                    code -= low
                return code, int(code.max()) + 1
    return _dense_code(column)


def _dense_code(column: npt.NDArray[Any]) -> tuple[IntArray, int]:
    values, inverse = np.unique(column, return_inverse=True)
    return inverse.astype(np.int64), int(values.size)


def _by_table(key: IntArray, space: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    counts = np.bincount(key, minlength=space)
    present = np.flatnonzero(counts)
    position = np.zeros(space, np.intp)
    position[present] = np.arange(present.size)
    inverse = position[key]
    first = np.empty(present.size, np.intp)
    first[inverse[::-1]] = np.arange(key.size - 1, -1, -1)
    return first, inverse, counts[present].astype(np.int64)


def _by_sorting(key: IntArray, space: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    bits = int(key.size).bit_length()
    if space.bit_length() + bits <= 62:
        # Key and row number in one word: sorting words is several times faster than sorting row numbers by key.
        packed = key << bits
        packed |= np.arange(key.size)
        packed.sort()
        order = packed & ((1 << bits) - 1)
        ordered = packed >> bits
    else:
        order = np.argsort(key, kind="stable")
        ordered = key[order]
    starts = np.empty(key.size, np.bool_)
    starts[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=starts[1:])
    inverse = np.empty(key.size, np.intp)
    inverse[order] = np.cumsum(starts) - 1
    where = np.flatnonzero(starts)
    counts = np.diff(np.append(where, key.size))
    return order[where], inverse, counts.astype(np.int64)
