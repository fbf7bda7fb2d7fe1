"""Instants and business dates of whole columns, through the zone database of Python.

Offsets are looked up once per distinct quarter of an hour: every zone in use changes its offset on one.
"""

from datetime import UTC, datetime, timedelta, tzinfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Micros = npt.NDArray[np.int64]
_SLOT = 900_000_000
_DAY = 86_400_000_000
_EPOCH = datetime(1970, 1, 1)
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def clock(array: pa.Array, first_year: int, last_year: int) -> tuple[Micros, npt.NDArray[np.bool_]]:
    """Arrow's dates or timestamps → (microseconds since 1970 as the clock shows them; lies in those years, both whole).

    What does not, nulls among it, is 0: a count of seconds or days may be so large that as microseconds it would come
    round to a day that looks good, and Python's calendar ends long before.
    """
    if pa.types.is_date32(array.type):
        per_day, whole = 1, pc.cast(pc.cast(array, pa.int32()), pa.int64())
    else:
        unit = "ms" if pa.types.is_date64(array.type) else array.type.unit
        per_day, whole = 86_400 * _PER_SECOND[unit], array.view(pa.int64())
    counts = np.asarray(pc.fill_null(whole, 0))
    first, after = ((datetime(year, 1, 1) - _EPOCH).days for year in (first_year, last_year + 1))
    valid = pc.is_valid(array).to_numpy(zero_copy_only=False) & (counts >= first * per_day) & (counts < after * per_day)
    counts = np.where(valid, counts, 0)
    return (counts * (_DAY // per_day) if per_day <= _DAY else counts // (per_day // _DAY)), valid


def _offsets(slots: Micros, zone: tzinfo, *, local: bool) -> Micros:
    def offset(slot: int) -> int:
        moment = _EPOCH + timedelta(microseconds=slot * _SLOT)
        aware = moment.replace(tzinfo=zone) if local else moment.replace(tzinfo=UTC).astimezone(zone)
        found = aware.utcoffset() or timedelta(0)
        return round(found.total_seconds() * 1_000_000)

    distinct, inverse = np.unique(slots, return_inverse=True)
    return np.array([offset(int(slot)) for slot in distinct], dtype=np.int64)[inverse]


def to_utc(local: Micros, zone: tzinfo) -> Micros:
    """Microseconds since 1970 of wall-clock times in ``zone`` → of the instants.

    A time that the clocks show twice is the earlier of the two; one that they skip is moved on by the gap (PEP 495,
    fold 0).
    """
    if local.size == 0:
        return local
    return local - _offsets(np.floor_divide(local, _SLOT), zone, local=True)


def business_days(utc: Micros, zone: tzinfo) -> npt.NDArray[np.int32]:
    """Instants (microseconds since 1970, UTC) → days since 1970 on the calendar of ``zone``."""
    if utc.size == 0:
        return np.zeros(0, dtype=np.int32)
    shifted = utc + _offsets(np.floor_divide(utc, _SLOT), zone, local=False)
    days: npt.NDArray[np.int32] = np.floor_divide(shifted, _DAY).astype(np.int32)
    return days


def day_starts(days: npt.NDArray[np.int32], zone: tzinfo) -> Micros:
    """The instants at which the given days (since 1970) begin in ``zone``, microseconds since 1970, UTC."""
    return to_utc(days.astype(np.int64) * _DAY, zone)
