"""When a report is due: an hour of the company's zone, on each day, on weekdays, or on a day of the month.

An hour that a day does not have (the clock is put forward) counts as the moment it would have been; of an hour that a
day has twice, the first is meant.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_MONTHS_AHEAD = timedelta(days=63)


@dataclass(frozen=True)
class Schedule:
    """``rhythm`` as of :class:`rondo.reports.models.Report`; ``weekdays`` 0 to 6, 0 is Monday."""

    rhythm: str
    weekdays: tuple[int, ...]
    day: int
    hour: int

    def falls_on(self, day: date) -> bool:
        """Whether the report is due on this day."""
        if self.rhythm == "daily":
            return True
        if self.rhythm == "weekly":
            return day.weekday() in self.weekdays
        if self.rhythm == "monthly":
            return day.day == min(self.day, monthrange(day.year, day.month)[1])
        return False

    def moment(self, day: date, zone: tzinfo) -> datetime:
        """The instant of the hour on this day."""
        return datetime.combine(day, time(self.hour), zone).astimezone(UTC)

    def next_after(self, moment: datetime, zone: tzinfo) -> datetime | None:
        """The first due time after ``moment``; None for a report without a rhythm."""
        today = moment.astimezone(zone).date()
        return next((due for due in self._due(today - timedelta(days=1), 1, zone) if due > moment), None)

    def last_until(self, moment: datetime, zone: tzinfo) -> datetime | None:
        """The last due time up to and with ``moment``; None for a report without a rhythm."""
        today = moment.astimezone(zone).date()
        return next((due for due in self._due(today + timedelta(days=1), -1, zone) if due <= moment), None)

    def _due(self, begin: date, step: int, zone: tzinfo) -> Iterator[datetime]:
        for days in range(_MONTHS_AHEAD.days):
            day = begin + timedelta(days=days * step)
            if self.falls_on(day):
                yield self.moment(day, zone)
