"""Web processes even out what they have in hand."""

import multiprocessing
import os
from collections.abc import Callable
from typing import Any

import pytest

from rondo.foundation.serving import shares
from rondo.foundation.serving.shares import PAUSE_SECONDS, SECONDS, Share, new_table
from rondo.foundation.serving.turns import Turns


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def two(clock: Clock) -> tuple[Share, Share]:
    table = new_table(4)
    return Share(table, clock, os.getpid()), Share(table, clock, os.getppid())


def test_who_has_more_than_the_other_lets_one_go_at_a_time() -> None:
    clock = Clock()
    busy, idle = two(clock)
    busy.change(5)
    idle.change(3)
    assert not busy.lets_go()  # a moment is no share
    clock.now += 5 * SECONDS
    assert busy.lets_go() and not idle.lets_go()
    assert not busy.lets_go()  # that one is to be counted first
    clock.now += 2 * PAUSE_SECONDS
    assert busy.lets_go()
    busy.change(-1)
    idle.change(1)
    clock.now += 5 * SECONDS
    assert not busy.lets_go() and not idle.lets_go()


def test_what_lies_back_counts_no_longer() -> None:
    clock = Clock()
    busy, _idle = two(clock)
    busy.change(8)
    clock.now += 5 * SECONDS
    busy.change(-8)
    assert busy.lets_go()
    clock.now += 5 * SECONDS
    assert not busy.lets_go()


def test_one_alone_lets_nothing_go() -> None:
    clock = Clock()
    alone = Share(new_table(2), clock)
    alone.change(8)
    clock.now += 5 * SECONDS
    assert not alone.lets_go()


def test_the_seat_of_a_process_that_ended_is_taken_again() -> None:
    process = multiprocessing.get_context("fork").Process(target=int)
    process.start()
    process.join()
    ended = process.pid
    assert ended
    clock, table = Clock(), new_table(2)
    Share(table, clock, ended).change(7)
    first, second = Share(table, clock, os.getpid()), Share(table, clock, os.getppid())
    first.change(3)
    clock.now += 5 * SECONDS
    assert first.lets_go() and not second.lets_go()
    third = Share(table, clock, os.getpid())  # there is no seat left: it is on its own
    third.change(100)
    clock.now += 5 * SECONDS
    assert not third.lets_go() and not second.lets_go()


def test_a_process_that_ended_is_nobody_to_share_with() -> None:
    process = multiprocessing.get_context("fork").Process(target=int)
    process.start()
    clock, table = Clock(), new_table(2)
    busy = Share(table, clock, os.getpid())
    busy.change(4)
    table.get_obj()[4] = float(process.pid or 0)
    process.join()
    clock.now += 5 * SECONDS
    assert not busy.lets_go()


def test_forked_processes_tell_each_other() -> None:
    shares.expect(2)
    try:
        first = shares.own_share()
        process = multiprocessing.get_context("fork").Process(target=_eight_in_hand)
        process.start()
        process.join()
        told = list(first._table.get_obj())
        assert 8.0 in told and float(process.pid or 0) in told
    finally:
        shares._tables.clear()


def _eight_in_hand() -> None:
    shares.own_share().change(8)


@pytest.mark.parametrize(("protocol", "ended"), [("HTTP/1.1", True), ("HTTP/2", False)])
def test_the_answer_ends_its_connection(protocol: str, ended: bool) -> None:
    clock = Clock()
    busy, _idle = two(clock)
    heads: list[list[tuple[str, str]]] = []

    def site(_environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        return [b"page"]

    turns = Turns(site, share=busy)
    for moved in (0, 4):
        busy.change(moved)
        clock.now += 5 * SECONDS
        asked = turns({"SERVER_PROTOCOL": protocol}, lambda _status, head: heads.append(head))
        assert list(asked) == [b"page"]
    assert [("Connection", "close") in head for head in heads] == [False, ended]
    assert turns._share._table.get_obj()[1] == 4.0
