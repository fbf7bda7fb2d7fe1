"""When reports are due: weekdays, ends of months, the days on which clocks are put forward and back."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from rondo.reports.schedule import Schedule

pytestmark = pytest.mark.once
BERLIN = ZoneInfo("Europe/Berlin")


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("schedule", "now", "last", "coming"),
    [
        # Monday, 23 November 2026; seven o'clock in Berlin is six in winter.
        (Schedule("daily", (), 1, 7), at(2026, 11, 23, 6), at(2026, 11, 23, 6), at(2026, 11, 24, 6)),
        (Schedule("daily", (), 1, 7), at(2026, 11, 23, 5, 59), at(2026, 11, 22, 6), at(2026, 11, 23, 6)),
        (Schedule("weekly", (0,), 1, 7), at(2026, 11, 23, 5), at(2026, 11, 16, 6), at(2026, 11, 23, 6)),
        (Schedule("weekly", (0, 4), 1, 7), at(2026, 11, 23, 7), at(2026, 11, 23, 6), at(2026, 11, 27, 6)),
        (Schedule("monthly", (), 31, 7), at(2026, 2, 15), at(2026, 1, 31, 6), at(2026, 2, 28, 6)),
        (Schedule("monthly", (), 29, 7), at(2028, 2, 29, 6), at(2028, 2, 29, 6), at(2028, 3, 29, 5)),
        # 29 March 2026 has no two o'clock: it counts as three; 25 October has two, of which the first counts.
        (Schedule("daily", (), 1, 2), at(2026, 3, 29, 12), at(2026, 3, 29, 1), at(2026, 3, 30, 0)),
        (Schedule("daily", (), 1, 2), at(2026, 10, 25, 0, 30), at(2026, 10, 25, 0), at(2026, 10, 26, 1)),
        (Schedule("daily", (), 1, 2), at(2026, 10, 25, 1, 30), at(2026, 10, 25, 0), at(2026, 10, 26, 1)),
        (Schedule("daily", (), 1, 23), at(2026, 11, 23, 22, 30), at(2026, 11, 23, 22), at(2026, 11, 24, 22)),
        (Schedule("daily", (), 1, 0), at(2026, 11, 23, 22, 30), at(2026, 11, 22, 23), at(2026, 11, 23, 23)),
        (Schedule("never", (), 1, 7), at(2026, 11, 23), None, None),
    ],
)
def test_last_and_next_time(schedule: Schedule, now: datetime, last: datetime | None, coming: datetime | None) -> None:
    assert schedule.last_until(now, BERLIN) == last
    assert schedule.next_after(now, BERLIN) == coming
