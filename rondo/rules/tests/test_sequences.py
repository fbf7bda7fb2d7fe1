"""The walk over events in their order finds whom a plain loop finds, and names whose days run against the clock."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

import ibis
import numpy as np
import pyarrow as pa
import pytest

from rondo.rules.sequences import MAX_CUSTOMER, IntArray, Path, Steps, against_the_clock, in_order, stepped, walk

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


def ordered(events: list[Event]) -> tuple[IntArray, Steps]:
    columns = {
        "customer_id": pa.array([event.customer for event in events], pa.int64()),
        "occurred_at": pa.array([event.at for event in events], pa.timestamp("us", "UTC")),
        "id": pa.array([event.id for event in events], pa.int64()),
        "business_date": pa.array([event.day for event in events], pa.date32()),
        "steps": pa.array([event.steps for event in events], pa.int64()),
    }
    rows = ibis.memtable(pa.table(columns))
    steps = stepped([(rows.steps & (1 << number)) > 0 for number in range(3)])
    found = ibis.duckdb.connect().to_pyarrow(in_order(rows, steps=steps))
    return found["event"].to_numpy(), found["steps"].to_numpy()


@pytest.mark.parametrize("days", [None, 3, 20])
@pytest.mark.parametrize(("steps", "excluded"), [(1, True), (2, False), (2, True), (3, False)])
def test_walk_finds_whom_a_plain_loop_finds(
    steps: int, excluded: bool, days: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moments of this year, of 1901 and before 1900, several at one moment, a business day before, of and after UTC's,
    customers up to the highest key, events that are no step, parts that end within a customer."""
    monkeypatch.setattr("rondo.rules.sequences._AT_ONCE", 16)
    chance, path = random.Random(7), Path(steps, excluded, days, AS_OF)
    events: list[Event] = []
    for customer in [*range(1, 120), MAX_CUSTOMER]:
        shift = chance.choice([-1, 0, 1])
        then = chance.choices([0, 45_000, 80_000], [9, 1, 1])[0]
        for second in chance.choices(range(0, 40 * 86_400, 20_000), k=chance.randrange(16)):
            at = datetime(2024, 3, 15, tzinfo=UTC) - timedelta(days=then, seconds=second)
            day = at.date() + timedelta(days=shift)
            events.append(Event(customer, at, len(events), min(day, AS_OF), chance.randrange(8)))
    events.sort()
    wanted = {who for who, rows in groupby(events, lambda event: event.customer) if plain([*rows], path)}
    numbers, bits = ordered(chance.sample(events, len(events)))
    found = walk(numbers, bits.__getitem__, path)
    assert set(found.tolist()) == wanted and (np.diff(found) > 0).all()
    assert not against_the_clock(numbers).size
    assert 10 < len(found) < 110


def test_nobody_has_gone_where_nothing_happened() -> None:
    numbers, bits = ordered([])
    assert not walk(numbers, bits.__getitem__, Path(2, False, 7, AS_OF)).size


def test_whose_days_run_against_the_clock_is_named() -> None:
    noon = datetime(2024, 3, 1, 12, tzinfo=UTC)

    def event(customer: int, hours: float = 0.0, days: int = 0) -> Event:
        at = noon + timedelta(hours=hours)
        return Event(customer, at, 0, at.date() + timedelta(days=days), 1)

    events = [
        *(event(1), event(1, 1)),  # plainly one after the other
        *(event(2, 0, 1), event(2, 1, 0)),  # a later moment on an earlier day
        *(event(3, 0, 9), event(3, 1, 9)),  # days of no zone
        *(event(4, 1), event(4, 2, 1), event(4, 3), event(4, 4, 1), event(4, 5)),  # more than once
        event(5),
    ]
    assert against_the_clock(ordered(events)[0]).tolist() == [2, 4]
