"""The engines that run the analysis: DuckDB in this process, or Apache Spark on a cluster (``RONDO_ENGINE``).

Everything is written once, as Ibis expressions. What the engines do differently beside that (how a file becomes a
view, how rows are kept, how a result comes back) is behind :class:`~rondo.warehouse.engines.engine.Engine`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from rondo.warehouse.engines.engine import Engine


def connect() -> Engine:
    """The engine that ``RONDO_ENGINE`` names, opened.

    Raises:
        InputError: the setting's size of memory is none.
        StateError: Spark is not installed, has no Java, or its master does not answer.
    """
    name, _colon, rest = str(settings.RONDO_ENGINE).partition(":")
    if name == "spark":
        from rondo.warehouse.engines.spark import Spark

        return Spark(str(settings.RONDO_ENGINE))
    from rondo.warehouse.engines.duck import Duck

    return Duck(rest)


def is_cluster() -> bool:
    """Whether ``RONDO_ENGINE`` names a cluster."""
    return str(settings.RONDO_ENGINE).startswith("spark:")


@contextmanager
def on_cluster() -> Iterator[Any]:
    """A Spark session for work beside the columnar copy; None where ``RONDO_ENGINE`` names no cluster.

    Raises:
        StateError: Spark is not installed, has no Java, its master does not answer, or it could not do the work.
    """
    if not is_cluster():
        yield None
        return
    from rondo.warehouse.engines import cluster

    session = cluster.session(str(settings.RONDO_ENGINE))
    with cluster.answering():
        yield session


__all__ = ["Engine", "connect", "is_cluster", "on_cluster"]
