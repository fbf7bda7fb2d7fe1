"""Shares: web processes even out what they have in hand, by letting connections go.

Browsers and proxies keep their connections, and which web process takes one up is chance: of eight, seven may lie with
one process, whose answers then take twice as long while the other one idles. So the processes tell each other how many
requests each has in hand, averaged over :data:`SECONDS`. One that has :data:`MORE` of them than another ends the
connection of an answer with it (``Connection: close``), and its sender comes back over a new one, to any of them.
"""

import ctypes
import math
import multiprocessing
import os
import time
from collections.abc import Callable
from typing import Any

SECONDS = 0.5
"""Time constant of the average."""
MORE = 1.25
"""So many more requests in hand are too many."""
PAUSE_SECONDS = 0.03
"""Between two connections that a process lets go: the first has to be counted elsewhere before the second goes."""
_PID, _COUNT, _MEAN, _AT = range(4)
_COLUMNS = 4


def new_table(processes: int) -> Any:
    """What the processes tell each other, in memory that those forked from this one share: four numbers a process."""
    return multiprocessing.Array(ctypes.c_double, _COLUMNS * processes)


_tables: list[Any] = []


def expect(processes: int) -> None:
    """Before they are forked: so many web processes will share what there is to do, each begun anew if it ends."""
    _tables[:] = [new_table(2 * processes)]


def own_share() -> "Share":
    """That of this process; alone, if none was expected."""
    return Share(_tables[0] if _tables else new_table(1))


class Share:
    """What one process has in hand, beside the others. Each call has to come under one lock of the process."""

    def __init__(self, table: Any, clock: Callable[[], float] = time.monotonic, pid: int = 0) -> None:
        self._table, self._clock = table, clock
        self._pid = pid or os.getpid()
        self._seat = self._take_seat()
        if self._seat < 0:  # alone, then
            self._table, self._seat = new_table(1), 0
        self._let_go_at = -math.inf

    def change(self, by: int) -> None:
        """So many requests more, or less, are in hand."""
        row = self._table.get_obj()
        now = self._clock()
        row[self._seat + _MEAN] = self._mean(self._seat, now)
        row[self._seat + _AT] = now
        row[self._seat + _COUNT] += by

    def lets_go(self) -> bool:
        """Whether the connection of the answer at hand should end with it; it is taken to end then."""
        now = self._clock()
        pids = {seat: int(self._table.get_obj()[seat + _PID]) for seat in self._seats() if seat != self._seat}
        others = [seat for seat, pid in pids.items() if pid and _lives(pid)]
        if not others or now - self._let_go_at < PAUSE_SECONDS:
            return False
        if self._mean(self._seat, now) - min(self._mean(seat, now) for seat in others) < MORE:
            return False
        self._let_go_at = now
        return True

    def _mean(self, seat: int, now: float) -> float:
        _pid, count, mean, at = self._table.get_obj()[seat : seat + _COLUMNS]
        return float(count + (mean - count) * math.exp(-max(0.0, now - at) / SECONDS))

    def _seats(self) -> range:
        return range(0, len(self._table), _COLUMNS)

    def _take_seat(self) -> int:
        with self._table.get_lock():
            row = self._table.get_obj()
            for seat in self._seats():
                if not row[seat + _PID] or not _lives(int(row[seat + _PID])):
                    row[seat : seat + _COLUMNS] = [self._pid, 0.0, 0.0, self._clock()]
                    return seat
        return -1


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
