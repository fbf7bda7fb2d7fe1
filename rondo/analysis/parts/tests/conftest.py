"""Each test of this room has a columnar copy of its own."""

from rondo.analysis.tests.conftest import warehouse

__all__ = ["warehouse"]
