"""Instants and business dates of whole columns, through the zone database of Python.

Offsets are looked up once per distinct quarter of an hour: every zone in use changes its offset on one.
"""

from datetime import UTC, datetime, timedelta, tzinfo

import numpy as np
import numpy.typing as npt

Micros = npt.NDArray[np.int64]
_SLOT = 900_000_000
_DAY = 86_400_000_000
_EPOCH = datetime(1970, 1, 1)


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
