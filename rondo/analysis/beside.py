"""Two things at once: what needs no database runs in a thread beside the one that has the connection."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from django.utils import translation
from threadpoolctl import threadpool_limits

P = ParamSpec("P")
T = TypeVar("T")


class Beside:
    """A thread of its own for work on arrays and files, one piece after the other in the order given."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._language = translation.get_language()

    def start(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Begin ``work``, which must not ask the database; its result, or what it raised, is had of the future."""

        def run() -> T:
            with translation.override(self._language), one_thread():
                return work(*args, **kwargs)

        return self._pool.submit(run)


@contextmanager
def one_thread() -> Iterator[None]:
    """Linear algebra (BLAS), and what is put out to OpenMP, keep to one thread each in the block: on arrays such as
    these more of them mostly wait for one another, which OpenMP does by spinning, and sums would depend on how many
    processors there are. Of OpenMP this holds for the thread that asks, and for libraries that are loaded by then."""
    with threadpool_limits(limits=1):
        yield


@contextmanager
def side_by_side() -> Iterator[Beside]:
    """A :class:`Beside` while the block runs; left by an error, what has not begun never does. Both threads keep to
    themselves (:func:`one_thread`)."""
    with one_thread():
        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="beside")
        try:
            yield Beside(pool)
        finally:
            pool.shutdown(cancel_futures=True)
