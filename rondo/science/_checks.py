"""Checks of what is handed to the models: every refusal names column, index and value."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Numbers = npt.ArrayLike


def refuse_where(bad: npt.NDArray[np.bool_], values: npt.NDArray[Any], column: str, remedy: str) -> None:
    """Raise InputError for the first row that is marked bad."""
    if bad.any():
        index = int(np.argmax(bad))
        count = int(np.count_nonzero(bad))
        more = f" (and {count - 1} more)" if count > 1 else ""
        raise InputError(f"column {column}, index {index}: {values[index]!s}{more}: {remedy}")


def as_column(values: Numbers, column: str) -> FloatArray:
    """One-dimensional float64 array of finite, non-negative numbers; a scalar becomes one row."""
    try:
        array = np.atleast_1d(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise InputError(f"column {column}: not numeric ({error})") from error
    if array.ndim != 1:
        raise InputError(f"column {column}: {array.ndim} dimensions, one is needed")
    # One pass settles the normal case; the row is looked up only when there is something to report.
    if array.size and not (array.min() >= 0 and array.max() < np.inf):
        refuse_where(~np.isfinite(array), array, column, "must be a finite number")
        refuse_where(array < 0, array, column, "must not be negative")
    return array


def same_length(columns: dict[str, npt.NDArray[Any]]) -> int:
    """Common number of rows; raises InputError when the columns differ."""
    lengths = {name: int(array.size) for name, array in columns.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InputError(f"columns differ in length: {listed}; give one row per customer in each")
    return next(iter(lengths.values()))


def history(x: Numbers, t_x: Numbers, T: Numbers) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Checked purchase history per customer.

    ``x`` repeat purchases, ``t_x`` time of the last one since the first purchase, ``T`` time observed since
    the first purchase (same time unit). Raises InputError naming column, index and value.
    """
    x_, t_, T_ = as_column(x, "x"), as_column(t_x, "t_x"), as_column(T, "T")
    size = max(x_.size, t_.size, T_.size)
    x_, t_, T_ = (np.broadcast_to(c, (size,)) if c.size == 1 else c for c in (x_, t_, T_))
    same_length({"x": x_, "t_x": t_, "T": T_})
    if size == 0:
        return x_, t_, T_
    whole = x_ == np.floor(x_)
    if not whole.all():
        refuse_where(~whole, x_, "x", "must be a whole number of repeat purchases")
    late = t_ > T_
    if late.any():
        index = int(np.argmax(late))
        raise InputError(
            f"column t_x, index {index}: {t_[index]} is after T = {T_[index]}; the last purchase must lie "
            "inside the time observed"
        )
    repeat, moved = x_ > 0, t_ > 0
    refuse_where(repeat & ~moved, t_, "t_x", "must be above 0 where x > 0 (merge purchases per customer and day)")
    refuse_where(moved & ~repeat, t_, "t_x", "must be 0 where x = 0 (no repeat purchase, no time of it)")
    return x_, t_, T_


def positive(value: float, name: str) -> float:
    """A finite number above 0."""
    if not np.isfinite(value) or value <= 0:
        raise InputError(f"{name}: {value}: must be a finite number above 0")
    return float(value)
