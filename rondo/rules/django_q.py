"""Rules as Django conditions on customers, for operational lists on SQLite and PostgreSQL.

Each part is a condition that an index serves for one customer (``EXISTS``), or, ``as_set``, a set of keys that is made
once: the first suits a list that is walked in its order until the page is full, the second a count. Who did something
is then gathered from all chains in one pass; their keys are asked for once for a schema, and compared from then on.
"""

from collections.abc import Iterable
from collections.abc import Sequence as Parts
from datetime import date
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Count,
    DateField,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact, GreaterThanOrEqual, LessThanOrEqual
from django.db.models.sql.compiler import SQLCompiler

from rondo.foundation.registry import RuleEvents, RuleField, RuleSource
from rondo.rules.compiling import SetCompiler, holds_of_nobody, within
from rondo.rules.matching import resolve, resolve_period
from rondo.rules.schema import Context, Members, Schema
from rondo.rules.tree import ANY_KIND, Comparison, Did, Event, InSegment, Linked, Node, Not, Sequence, children
from rondo.rules.values import DAYS_OF

NOBODY = Q(pk__in=())

_COUNTS = {"at_least": GreaterThanOrEqual, "at_most": LessThanOrEqual, "exactly": Exact}


class DaysAfter(Func):
    """A date some whole days after a date."""

    output_field = DateField()
    arity = 1

    def __init__(self, day: Any, days: int) -> None:
        super().__init__(day)
        self.days = days

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, Any]:
        """Dates are texts there."""
        return super().as_sql(compiler, connection, template=f"date(%(expressions)s, '+{self.days} days')", **context)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, Any]:
        """A date plus an integer is a date there."""
        return super().as_sql(compiler, connection, template=f"(%(expressions)s + {self.days})", **context)


class AmongKeys(Func):
    """Whether a key is one of many, given as one parameter however many they are: as a text that joins them by commas,
    so that keys that come from elsewhere are never objects."""

    output_field = BooleanField()
    conditional = True
    arity = 1

    def __init__(self, key: Any, keys: str) -> None:
        super().__init__(key)
        self.keys = keys

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, Any]:
        """The keys are the rows of a JSON list."""
        sql, params = super().as_sql(
            compiler, connection, template="%(expressions)s IN (SELECT value FROM json_each(%%s))", **context
        )
        return sql, (*params, f"[{self.keys}]")

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, Any]:
        """The keys are an array."""
        template = "%(expressions)s = ANY (%%s::bigint[])"
        sql, params = super().as_sql(compiler, connection, template=template, **context)
        return sql, (*params, f"{{{self.keys}}}")


def among(keys: Iterable[int]) -> Q:
    """Customers that have one of the keys."""
    return Q(AmongKeys(F("pk"), ",".join(map(str, sorted(keys)))))


def outer(name: str, depth: int) -> Any:
    """A column of the query ``depth`` levels around a subquery."""
    found: Any = name
    for _level in range(depth):
        found = OuterRef(found)
    return found


class QCompiler(SetCompiler[Q]):
    """Conditions on a query of customers."""

    def __init__(self, schema: Schema, context: Context, *, as_set: bool = False) -> None:
        super().__init__(schema, context)
        self.as_set = as_set

    def junction(self, conjunction: bool, parts: Parts[Q]) -> Q:
        if not parts:
            return ~NOBODY if conjunction else NOBODY
        found = parts[0]
        for part in parts[1:]:
            found = found & part if conjunction else found | part
        return found

    def own(self, node: Comparison, term: RuleField, positive: bool) -> Q:
        return self.condition(node, term, positive)

    def condition(self, node: Comparison, term: RuleField, positive: bool) -> Q:
        """A comparison on a column of the row itself, or its complement."""
        match = resolve(node, term, self.context)
        return match.q(term.column) if positive != match.negated else match.not_q(term.column)

    def rows(self, source: RuleSource, node: Node, positive: bool) -> Q:
        assert source.rows is not None
        absent = self.absent(node)
        found = self.on_row(
            node, not absent, lambda part, holds: self.condition(part, self.schema.fields[part.field], holds)
        )
        exists = self.keys(source.rows().filter(found), source.customer)
        return exists if positive != absent else ~exists

    def keys(self, rows: QuerySet[Any], column: str) -> Q:
        """Customers whose key is in ``column`` of one of the rows."""
        if self.as_set:
            return Q(pk__in=rows.order_by().values(column))
        return Q(Exists(rows.filter(**{column: OuterRef("pk")})))

    def other(self, node: Comparison, term: RuleField, positive: bool) -> Q:
        source = self.schema.sources[term.source]
        assert source.condition is not None
        match = resolve(node, term, self.context)
        found = source.condition(term, match.positive, self.as_set)
        return found if positive != match.negated else ~found

    def members(self, found: Members, positive: bool) -> Q:
        inside = among(found.customers) if found.rows is None else self.keys(found.rows(), "customer_id")
        return inside if positive else ~inside

    def linked(self, node: Linked, positive: bool) -> Q:
        assert self.schema.links is not None and self.schema.customers.rows is not None
        others = self.schema.customers.rows()
        if node.inner is not None:
            others = self._others(node, node.inner, others)
        found = self.schema.links.condition(node.role, node.direction, others)
        return found if positive else ~found

    def _others(self, node: Linked, inner: Node, others: QuerySet[Any]) -> QuerySet[Any]:
        """The customers at the other end for whom the inner rule holds. Where that rule has queries within queries of
        its own, its customers are looked up beforehand: SQLite parses only so deep."""
        assert self.schema.links is not None
        if not _is_deep(inner):
            return others.filter(self.node(inner))
        everyone = self.schema.customers.rows
        assert everyone is not None
        back = "by" if node.direction == "to" else "to"
        linked = others.filter(self.schema.links.condition(node.role, back, everyone()))
        kept, self.as_set = self.as_set, False
        found = list(linked.filter(self.node(inner)).order_by().values_list("pk", flat=True))
        self.as_set = kept
        return everyone().filter(among(found))

    # Events

    def has(self, chain: RuleEvents) -> bool:
        return chain.rows is not None

    def elsewhere(self, node: Did | Sequence, chain: RuleEvents, positive: bool) -> Q:
        # Customers that the copy does not know yet have none of these events: what holds for them is its complement.
        negated = holds_of_nobody(node)
        asked = (Not(node) if negated else node, self.context.as_of, self.context.viewer)
        if asked not in self.schema.asked:
            from rondo.rules.ibis_sets import compile_ibis, joined  # Ibis is slow to import

            assert chain.keys is not None
            keys = chain.keys(lambda tables: compile_ibis(asked[0], self.schema, self.context, tables))
            self.schema.asked[asked] = joined(keys)
        inside = Q(AmongKeys(F("pk"), self.schema.asked[asked]))
        return inside if positive != negated else ~inside

    def events(self, event: Event, owner: Any = None) -> QuerySet[Any]:
        """Standing events of a customer, or of all, up to the day, of the kind and with the details asked for."""
        chain = self.schema.chain(event.kind)
        assert chain.rows is not None and chain.belongs is not None
        if owner is None:
            rows = chain.gathered(chain.rows()).filter(business_date__lte=self.context.as_of)
        else:
            rows = chain.rows().filter(chain.belongs("customer_id", owner), business_date__lte=self.context.as_of)
        if event.kind != ANY_KIND:
            rows = rows.filter(kind=event.kind)
        parts = Q()
        for comparison in event.where:
            detail = self.schema.details[comparison.field]
            if detail.part:
                parts &= self.detail(comparison)
            else:
                rows = rows.filter(self.detail(comparison))
        if parts:
            assert chain.parts is not None
            rows = rows.filter(Exists(chain.parts().filter(parts, **{chain.part_event: OuterRef("pk")})))
        return rows.order_by()

    def detail(self, comparison: Comparison) -> Q:
        """The condition of a detail on a row of events or parts."""
        term = self.schema.details[comparison.field]
        match = resolve(comparison, term, self.context)
        assert term.q is not None
        condition = term.q(match.positive, self.context.as_of)
        return ~condition if match.negated else condition

    def did(self, node: Did, positive: bool) -> Q:
        negated = holds_of_nobody(node)
        asked = (Not(node) if negated else node, self.context.as_of, self.context.viewer)
        if self.as_set and asked not in self.schema.asked:
            self.schema.asked[asked] = _joined(self._doers(node, negated))
        if asked in self.schema.asked:
            found = Q(AmongKeys(F("pk"), self.schema.asked[asked]))
            return found if positive != negated else ~found
        found = self._counted(node)
        return found if positive else ~found

    def _doers(self, node: Did, negated: bool) -> QuerySet[Any]:
        """The customers, as ``_doer``, whose events fit; where that holds of who has none, those whose do not."""
        chain = self.schema.chain(node.event.kind)
        assert chain.owner is not None
        rows = self._window(self.events(node.event), *resolve_period(node.period, self.context.as_of))
        rows = rows.annotate(_doer=chain.owner("customer_id"))
        total = node.total
        if total is not None:
            worth: Any = F("amount")
            parts = [self.detail(part) for part in node.event.where if self.schema.details[part.field].part]
            if parts:
                assert chain.parts is not None
                lines = chain.parts().filter(*parts, **{chain.part_event: OuterRef("pk")})
                worth = Subquery(_summed(lines, Sum("total")), output_field=BigIntegerField())
            rows = rows.annotate(_worth=worth)
        groups: QuerySet[Any] = rows.values("_doer").annotate(_number=Count("pk"))
        fits = Q(_COUNTS[node.count.operator](F("_number"), Value(node.count.n)))
        if total is not None:
            own = Sum("_worth", filter=Q(currency=self.schema.currency), output_field=BigIntegerField())
            groups = groups.annotate(_total=Coalesce(own, Value(0), output_field=BigIntegerField()))
            fits &= Q(_COUNTS[total.operator](F("_total"), Value(total.amount)))
        doers: QuerySet[Any] = groups.filter(~fits if negated else fits).values("_doer")
        return doers

    def _window(self, rows: QuerySet[Any], first: date | None, last: date) -> QuerySet[Any]:
        rows = rows.filter(business_date__lte=last)
        return rows if first is None else rows.filter(business_date__gte=first)

    def _counted(self, node: Did) -> Q:
        first, last = resolve_period(node.period, self.context.as_of)
        if _is_amount(node):
            found = Q()  # an amount says that there are some
        elif (node.count.operator, node.count.n) == ("at_least", 1):
            found = Q(Exists(self._window(self.events(node.event, OuterRef("pk")), first, last)))
        elif (node.count.operator, node.count.n) in (("at_most", 0), ("exactly", 0)):
            found = ~Q(Exists(self._window(self.events(node.event, OuterRef("pk")), first, last)))
        else:
            rows = self._window(self.events(node.event, OuterRef("pk")), first, last)
            number = _one(rows, Count("pk"))
            found = Q(_COUNTS[node.count.operator](number, Value(node.count.n)))
        if node.total is not None:
            amount = self._amount(node, first, last)
            found &= Q(_COUNTS[node.total.operator](amount, Value(node.total.amount)))
        return found

    def _amount(self, node: Did, first: date | None, last: date) -> Any:
        chain = self.schema.chain(node.event.kind)
        currency = self.schema.currency
        parts = [c for c in node.event.where if self.schema.details[c.field].part]
        if not parts:
            rows = self._window(self.events(node.event, OuterRef("pk")), first, last)
            return _one(rows.filter(currency=currency), Sum("amount"))
        rows = self._window(self.events(node.event, OuterRef(OuterRef("pk"))), first, last).filter(currency=currency)
        assert chain.parts is not None
        lines = chain.parts().filter(**{f"{chain.part_event}__in": rows.values("pk")})
        for comparison in parts:
            lines = lines.filter(self.detail(comparison))
        return _one(lines, Sum("total"))

    def sequence(self, node: Sequence, positive: bool) -> Q:
        first, last = resolve_period(node.period, self.context.as_of)
        chain = self.schema.chain(node.steps[0].kind)
        days = None if node.within is None else node.within.n * DAYS_OF[node.within.unit]
        rows = self._window(self.events(node.steps[0], OuterRef("pk")), first, last)
        if node.excluded is not None and days is not None:
            # Whether the window is over is a question to the day alone.
            rows = rows.filter(business_date__lte=shifted_back(self.context.as_of, days))
        found = Q(Exists(rows.filter(self._next(node, chain, 1, days))))
        return found if positive else ~found

    def _next(self, node: Sequence, chain: RuleEvents, step: int, days: int | None) -> Q:
        """On a row of the step before: what has to follow. ``step`` levels of queries lie around what follows."""
        if step < len(node.steps):
            rows = self._later(self.events(node.steps[step], outer("pk", step + 1)), step, days)
            if node.excluded is not None:
                # The exclusion is counted from the next such event, not from a later one.
                between = self.events(node.steps[step], outer("pk", step + 2)).filter(_after(2), _before(1))
                rows = rows.filter(~Exists(between))
            return Q(Exists(rows.filter(self._next(node, chain, step + 1, days))))
        if node.excluded is None:
            return Q()
        return ~Q(Exists(self._later(self.events(node.excluded, outer("pk", step + 1)), step, days)))

    def _later(self, rows: QuerySet[Any], step: int, days: int | None) -> QuerySet[Any]:
        rows = rows.filter(_after(1))
        if days is not None:
            rows = rows.filter(business_date__lte=DaysAfter(outer("business_date", step), days))
        return rows


def _is_deep(node: Node) -> bool:
    if isinstance(node, Did | Sequence | Linked | InSegment):
        return True
    return any(_is_deep(part) for part in children(node))


def _after(depth: int) -> Q:
    """A row comes after the row ``depth`` levels around it: by its moment, then by its key."""
    at, key = outer("occurred_at", depth), outer("pk", depth)
    return Q(occurred_at__gt=at) | Q(occurred_at=at, pk__gt=key)


def _before(depth: int) -> Q:
    at, key = outer("occurred_at", depth), outer("pk", depth)
    return Q(occurred_at__lt=at) | Q(occurred_at=at, pk__lt=key)


def shifted_back(day: date, days: int) -> date:
    """The day so many days before."""
    return date.fromordinal(max(day.toordinal() - days, 1))


def _one(rows: QuerySet[Any], aggregate: Any) -> Any:
    """An aggregate over the rows of a correlated query; 0 where there is none."""
    found = Subquery(_summed(rows, aggregate), output_field=BigIntegerField())
    return Coalesce(found, Value(0), output_field=BigIntegerField())


def _summed(rows: QuerySet[Any], aggregate: Any) -> QuerySet[Any]:
    grouped = rows.order_by().annotate(_all=Value(1)).values("_all")
    found: QuerySet[Any] = grouped.annotate(_found=aggregate).values("_found")
    return found


def _is_amount(node: Did) -> bool:
    """Whether a sum alone decides: of events of which there are to be any, more than nothing."""
    total = node.total
    some = (node.count.operator, node.count.n) == ("at_least", 1)
    return some and total is not None and total.operator == "at_least" and not within(0, "at_least", total.amount)


def _joined(doers: QuerySet[Any]) -> str:
    """The keys of customers as one text, which the database puts together."""
    try:
        sql, params = doers.query.sql_with_params()
    except EmptyResultSet:
        return ""
    joined = "string_agg(_doer::text, ',')" if connection.vendor == "postgresql" else "group_concat(_doer)"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {joined} FROM ({sql}) AS found", params)
        return cursor.fetchone()[0] or ""


def compile_q(node: Node, schema: Schema, context: Context, *, as_set: bool = False) -> Q:
    """The condition on a query of customers (``visible(viewer)``) that a checked rule means.

    ``as_set``: sets that are made once instead of a look for each customer; quicker where most of the base is looked
    at, as for a count.

    Raises:
        SegmentError: a segment is missing or refers to itself.
    """
    return QCompiler(schema, context, as_set=as_set).node(node)
