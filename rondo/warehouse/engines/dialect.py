"""Ibis expressions in Spark's SQL, where Ibis 12 gives other figures than on DuckDB, or none.

It needs no Spark, so that a test can write every expression of the analysis on a machine without it.
"""

from typing import Any

import ibis.expr.operations as ops
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.base import SQLGlotCompiler
from ibis.backends.sql.compilers.pyspark import PySparkCompiler


class SparkCompiler(PySparkCompiler):  # type: ignore[misc]  # Ibis has no types
    """Ibis' own compiler for Spark, mended; each method says why."""

    __slots__ = ()

    def visit_NonNullLiteral(self, op: Any, *, value: Any, dtype: Any) -> Any:
        """A number with a point is a decimal to Spark, which calculates with other roundings."""
        return (
            self.cast(repr(value), dtype)
            if dtype.is_floating()
            else super().visit_NonNullLiteral(op, value=value, dtype=dtype)
        )

    def visit_Field(self, op: Any, *, rel: Any, name: str) -> Any:
        """Ibis asks an option here that is only there with PySpark: whether NaN is null. It is not."""
        return SQLGlotCompiler.visit_Field(self, op, rel=rel, name=name)

    def visit_CountStar(self, op: Any, *, arg: Any, where: Any) -> Any:
        """Ibis adds up ones, which is null where there is nothing to add."""
        return super().visit_CountStar(op, arg=arg, where=None) if where is None else self.f.count_if(where)

    def visit_DateDelta(self, op: Any, *, part: Any, left: Any, right: Any) -> Any:
        """Ibis goes by way of times; days between dates need none."""
        if not isinstance(op.part, ops.Literal) or op.part.value != "day":
            return super().visit_DateDelta(op, part=part, left=left, right=right)
        return self.f.datediff(left, right)

    def visit_DateTruncate(self, op: Any, *, arg: Any, unit: Any) -> Any:
        """Ibis makes a time of the date."""
        return self.f.anon.trunc(arg, unit.singular)

    def visit_IntervalFromInteger(self, op: Any, *, arg: Any, unit: Any) -> Any:
        """Ibis writes a text for each row and has it read."""
        if unit.short != "D":
            return super().visit_IntervalFromInteger(op, arg=arg, unit=unit)
        zero = sge.convert(0)
        return self.f.anon.make_interval(zero, zero, zero, sge.Cast(this=arg, to=sge.DataType.build("int")))

    def visit_ArrayIndex(self, op: Any, *, arg: Any, index: Any) -> Any:
        """The last element is -1 to Ibis and to Spark, and Ibis adds 1."""
        last = isinstance(op.index, ops.Literal) and op.index.value < 0
        return self.f.element_at(arg, index) if last else super().visit_ArrayIndex(op, arg=arg, index=index)

    def visit_ArraySlice(self, op: Any, *, arg: Any, start: Any, stop: Any) -> Any:
        """Shorter where the bounds are known."""
        bounds = [bound.value if isinstance(bound, ops.Literal) else -1 for bound in (op.start, op.stop)]
        if min(bounds) < 0:
            return super().visit_ArraySlice(op, arg=arg, start=start, stop=stop)
        return self.f.slice(arg, sge.convert(bounds[0] + 1), sge.convert(max(bounds[1] - bounds[0], 0)))


compiler = SparkCompiler()
"""The one that the engine and the tests use."""
