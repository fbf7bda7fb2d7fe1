"""Work beside the database: its result, its language, its errors."""

import importlib
import threading

import pytest
from django.utils import translation
from threadpoolctl import threadpool_info, threadpool_limits

from rondo.analysis.beside import side_by_side
from rondo.errors import InputError

pytestmark = pytest.mark.once


def test_work_runs_in_a_thread_in_the_language_of_who_asked_and_its_libraries_keep_to_one() -> None:
    importlib.import_module("sklearn.cluster")  # which brings OpenMP

    def threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info()}

    def work(word: str) -> tuple[str, str | None, bool, set[int]]:
        return word, translation.get_language(), threading.current_thread() is threading.main_thread(), threads()

    with threadpool_limits(2), translation.override("de"):
        assert threads() == {2} and {pool["user_api"] for pool in threadpool_info()} == {"blas", "openmp"}
        with side_by_side() as beside:
            started = beside.start(work, "done")
            assert started.result() == ("done", "de", False, {1})
            assert threads() == {1}
        assert threads() == {2}


def test_an_error_in_the_block_ends_the_work_and_what_had_not_begun_never_does() -> None:
    begun: list[str] = []
    go, there = threading.Event(), threading.Event()

    def first() -> None:
        there.set()
        go.wait(60)
        begun.append("first")

    with pytest.raises(InputError, match="no room"), side_by_side() as beside:
        beside.start(first)
        second = beside.start(begun.append, "second")
        second.add_done_callback(lambda _done: go.set())  # the first goes on once the second is called off
        assert there.wait(60)
        raise InputError("no room on the disk")
    assert begun == ["first"]


def test_an_error_of_the_work_reaches_who_asks_for_its_result() -> None:
    def work() -> None:
        raise InputError("too few customers")

    with side_by_side() as beside:
        failed = beside.start(work)
        with pytest.raises(InputError, match="too few"):
            failed.result()
