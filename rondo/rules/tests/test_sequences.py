"""The walk over packed events finds whom a plain loop finds, and names as unsure whose order numbers cannot tell."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

import ibis
import pyarrow as pa
import pytest

from rondo.rules.sequences import MAX_CUSTOMER, Path, packed, walk

AS_OF = date(2024, 3, 15)


class Event(NamedTuple):
    customer: int
    at: datetime
    id: int
    day: date
    steps: int  # a bit for each step that it may be


def plain(events: list[Event], path: Path) -> bool:
    """Whether one customer went the way, by trying each first step."""
    last = path.as_of if path.days is None else date.max
    for place, first in enumerate(events):
        if not first.steps & 1:
            continue
        end = last if path.days is None else first.day + timedelta(days=path.days)
        at = place
        for number in range(1, path.steps):
            at = next((n for n in range(at + 1, len(events)) if events[n].steps & 1 << number), len(events))
            if at == len(events) or events[at].day > end:
                break
        else:
            if not path.excluded:
                return True
            broken = any(event.steps & 1 << path.steps and event.day <= end for event in events[at + 1 :])
            if end <= path.as_of and not broken:
                return True
    return False


def walked(events: list[Event], path: Path) -> tuple[set[int], set[int]]:
    columns = {
        "customer_id": pa.array([event.customer for event in events], pa.int64()),
        "occurred_at": pa.array([event.at for event in events], pa.timestamp("us", "UTC")),
        "business_date": pa.array([event.day for event in events], pa.date32()),
        "steps": pa.array([event.steps for event in events], pa.int64()),
    }
    rows = ibis.memtable(pa.table(columns))
    flags = [(rows.steps & (1 << number)) > 0 for number in range(3)]
    events_packed = ibis.duckdb.connect().to_pyarrow(packed(rows, flags)).to_numpy()
    found, unsure = walk(events_packed.copy(), path)
    return set(found.tolist()), set(unsure.tolist())


@pytest.mark.parametrize("days", [None, 3, 20])
@pytest.mark.parametrize(("steps", "excluded"), [(1, True), (2, False), (2, True), (3, False)])
def test_walk_finds_whom_a_plain_loop_finds(
    steps: int, excluded: bool, days: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moments of the year 1901 and of this one, a business day before, of and after UTC's, customers up to the highest
    key, parts that end within a customer."""
    monkeypatch.setattr("rondo.rules.sequences._AT_ONCE", 16)
    chance, path = random.Random(7), Path(steps, excluded, days, AS_OF)
    events: list[Event] = []
    for customer in [*range(1, 120), MAX_CUSTOMER]:
        shift = chance.choice([-1, 0, 1])
        of_then = chance.random() < 0.1
        for second in chance.sample(range(40 * 86_400), chance.randrange(9)):
            at = datetime(2024, 3, 15, tzinfo=UTC) - timedelta(days=45_000 if of_then else 0, seconds=second)
            day = at.date() + timedelta(days=shift)
            events.append(Event(customer, at, len(events), min(day, AS_OF), chance.randrange(1, 8)))
    events.sort()
    wanted = {who for who, rows in groupby(events, lambda event: event.customer) if plain([*rows], path)}
    found, unsure = walked(chance.sample(events, len(events)), path)
    assert found == wanted and not unsure
    assert 10 < len(found) < 110


def test_whose_order_the_numbers_do_not_tell_is_unsure() -> None:
    noon, path = datetime(2024, 3, 1, 12, tzinfo=UTC), Path(2, False, 7, AS_OF)

    def event(customer: int, steps: int, hours: float = 0.0, days: int = 0) -> Event:
        at = noon + timedelta(hours=hours)
        return Event(customer, at, 0, at.date() + timedelta(days=days), steps)

    events = [
        *(event(1, 1), event(1, 2, 1)),  # plainly one after the other
        *(event(2, 1), event(2, 2)),  # at once
        *(event(3, 1), event(3, 1), event(3, 2, 5)),  # at once, but alike
        *(event(4, 1, 0, 1), event(4, 2, 1, 0)),  # a later moment on an earlier day
        *(event(5, 1, 0, 9), event(5, 2, 1, 9)),  # days of no zone
        *(event(6, 2), event(6, 1, 1)),  # the other way round
    ]
    assert walked(events, path) == ({1, 3}, {2, 4, 5})
