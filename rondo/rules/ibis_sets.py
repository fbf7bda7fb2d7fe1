"""Rules as sets of customers on the columnar copy, written as Ibis expressions that DuckDB and Spark run.

Every part is a set of keys, asked as ``customer_id IN (...)``: expressions stay shallow (writing a query is what Ibis
spends its time on), and engines turn them into semi-joins. What the copy does not hold (names and other free text,
birth dates) is asked of the operational store, which gives the set of keys.
"""

from collections.abc import Sequence as Parts
from datetime import date, timedelta
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rondo.foundation.registry import RuleEvents, RuleField, RuleSource
from rondo.rules.compiling import SetCompiler, holds_of_nobody, within
from rondo.rules.django_q import QCompiler, shifted_back
from rondo.rules.matching import resolve, resolve_period
from rondo.rules.schema import Context, Members, Schema
from rondo.rules.sequences import CUSTOMER, MAX_CUSTOMER, Path, against_the_clock, in_order, stepped, walk
from rondo.rules.tree import (
    ANY_KIND,
    AllOf,
    AnyOf,
    Comparison,
    Count,
    Did,
    Event,
    Linked,
    Node,
    Not,
    Sequence,
    Span,
    Total,
)
from rondo.rules.values import DAYS_OF

NEVER = date(9999, 12, 31)
"""Stands for "no such event" where the next one is looked for."""
LONG_AGO = date(1, 1, 1)
"""Stands for "no such event" where the one before is looked for."""


class IbisCompiler(SetCompiler[Any]):
    """Conditions on the table of customers of an opened copy."""

    def __init__(self, schema: Schema, context: Context, tables: Any) -> None:
        super().__init__(schema, context)
        self.tables = tables
        first = next(iter(self.schema.customers.fields()))
        self.customers = self.schema.customers.frame(tables, first)

    def reaches(self, term: RuleField) -> bool:
        return bool(term.copied)

    def junction(self, conjunction: bool, parts: Parts[Any]) -> Any:
        if not parts:
            return self.customers.customer_id.notnull() if conjunction else self.customers.customer_id.isnull()
        return ibis.and_(*parts) if conjunction else ibis.or_(*parts)

    def among(self, found: Any, positive: bool = True, column: str = "customer_id") -> Any:
        """Whether a customer's key is in a column, which has no null, of a table."""
        inside = self.customers.customer_id.isin(found[column])
        return inside if positive else ~inside

    def leaf(self, frame: Any, node: Comparison, term: RuleField, positive: bool) -> Any:
        """A comparison on a column of a frame, or its complement."""
        match = resolve(node, term, self.context)
        found = match.expr(frame[term.copied])
        return found if positive != match.negated else ~found.fill_null(False)

    def own(self, node: Comparison, term: RuleField, positive: bool) -> Any:
        return self.leaf(self.customers, node, term, positive)

    def rows(self, source: RuleSource, node: Node, positive: bool) -> Any:
        fields = self.schema.fields
        frame = source.frame(self.tables, fields[_some_field(node)])
        absent = self.absent(node)
        found = self.on_row(node, not absent, lambda part, holds: self.leaf(frame, part, fields[part.field], holds))
        return self.among(frame.filter(found), positive != absent)

    def other(self, node: Comparison, term: RuleField, positive: bool) -> Any:
        if not term.copied:
            return self._operational(node, positive)
        source = self.schema.sources[term.source]
        match = resolve(node, term, self.context)
        frame = source.frame(self.tables, term)
        found = frame.filter(match.expr(frame[term.copied]))
        return self.among(found, positive != match.negated)

    def has(self, chain: RuleEvents) -> bool:
        return chain.frame is not None

    def elsewhere(self, node: Did | Sequence, chain: RuleEvents, positive: bool) -> Any:
        return self._operational(node, positive)

    def _operational(self, node: Comparison | Did | Sequence, positive: bool) -> Any:
        """What the copy does not hold, as the set of keys that the operational store finds."""
        rows = self.schema.customers.rows
        assert rows is not None
        negated = node.operator in ("is_not", "unknown") if isinstance(node, Comparison) else holds_of_nobody(node)
        condition = QCompiler(self.schema, self.context, as_set=True).node(node, not negated)
        found = rows().filter(condition).order_by().values_list("pk", flat=True)
        return self._keys(found, positive != negated)

    def _keys(self, keys: Any, positive: bool) -> Any:
        return self.among(ibis.memtable(pa.table({"customer_id": pa.array(keys, pa.int64())})), positive)

    def members(self, found: Members, positive: bool) -> Any:
        if found.rows is None:
            return self._keys(sorted(found.customers), positive)
        keys = found.rows().order_by("customer_id").values_list("customer_id", flat=True)
        return self._keys(np.fromiter(keys.iterator(chunk_size=20_000), np.int64), positive)

    def linked(self, node: Linked, positive: bool) -> Any:
        assert self.schema.links is not None
        links = self.schema.links.frame(self.tables, node.role, node.direction)
        others = self.customers if node.inner is None else self.customers.filter(self.node(node.inner))
        return self.among(links.filter(links.other_id.isin(others.customer_id)), positive)

    # Events

    def window(self, rows: Any, first: date | None, last: date) -> Any:
        rows = rows.filter(rows.business_date <= ibis.literal(last))
        return rows if first is None else rows.filter(rows.business_date >= ibis.literal(first))

    def conditions(self, event: Event, rows: Any, *, part: bool) -> list[Any]:
        """Conditions of the event's own details, or of those of its parts."""
        found = []
        for comparison in event.where:
            term = self.schema.details[comparison.field]
            if term.part == part:
                match = resolve(comparison, term, self.context)
                assert term.expr is not None
                expr = term.expr(self.tables, rows, match.positive, self.context.as_of)
                found.append(~expr.fill_null(False) if match.negated else expr)
        return found

    def parts(self, event: Event) -> Any | None:
        """The parts that all conditions on parts hold for; None where there is no such condition."""
        if not any(self.schema.details[comparison.field].part for comparison in event.where):
            return None
        part_frame = self.schema.chain(event.kind).part_frame
        assert part_frame is not None
        lines = part_frame(self.tables)
        return lines.filter(*self.conditions(event, lines, part=True))

    def _frame(self, event: Event) -> Any:
        frame = self.schema.chain(event.kind).frame
        assert frame is not None
        return frame(self.tables)

    def events(self, event: Event, first: date | None, last: date) -> Any:
        """Events of the kind within the window, with the details asked for."""
        rows = self.window(self._frame(event), first, last)
        if event.kind != ANY_KIND:
            rows = rows.filter(rows.kind == event.kind)
        wanted = self.conditions(event, rows, part=False)
        return rows.filter(*wanted) if wanted else rows

    def did(self, node: Did, positive: bool) -> Any:
        first, last = resolve_period(node.period, self.context.as_of)
        rows = self.events(node.event, first, last)
        lines = self.parts(node.event)
        if node.total is None:
            if lines is not None:
                rows = rows.filter(rows.id.isin(lines.event_id))
            if (node.count.operator, node.count.n) == ("at_least", 1):
                return self.among(rows, positive)
            counted = rows.group_by("customer_id").aggregate(n=rows.count())
            return self._compared(counted, node.count, None, positive)
        if lines is None:
            amount = ibis.cases((rows.currency == self.schema.currency, rows.amount))
            counted = rows.group_by("customer_id").aggregate(n=rows.count(), total=amount.sum())
        else:
            per_event = lines.group_by("event_id").aggregate(paid=lines.total.sum())
            joined = rows.inner_join(per_event, rows.id == per_event.event_id)
            amount = ibis.cases((joined.currency == self.schema.currency, joined.paid))
            counted = joined.group_by("customer_id").aggregate(n=joined.count(), total=amount.sum())
        return self._compared(counted, node.count, node.total, positive)

    def _compared(self, counted: Any, count: Count, total: Total | None, positive: bool) -> Any:
        """Customers whose figures fit. Who did nothing has 0 and 0, and is found by those who do not fit."""
        fits = _limit(counted.n, count.operator, count.n)
        nothing = within(0, count.operator, count.n)
        if total is not None:
            fits &= _limit(counted.total.fill_null(0), total.operator, total.amount)
            nothing = nothing and within(0, total.operator, total.amount)
        return self.among(counted.filter(~fits if nothing else fits), positive != nothing)

    def sequence(self, node: Sequence, positive: bool) -> Any:
        """By a walk in this process, or by a window of the engine where its rows are elsewhere."""
        as_of = self.context.as_of
        steps = [*node.steps, *([node.excluded] if node.excluded is not None else [])]
        kinds = {step.kind for step in steps}
        # What follows lies behind the first step and, with a window, not beyond its end: files of other days are left.
        first, last = resolve_period(node.period, as_of)
        end = as_of if node.within is None else min(as_of, last + timedelta(days=_days(node.within)))
        rows = self.window(self._frame(steps[0]), first, end)
        order, walks = self.schema.chain(steps[0].kind).order, self._walks()
        known = order(self.tables, first, end) if walks and order is not None else None
        asked = any(step.where for step in steps)
        # By the order of all events the others cost little, which have no step; to look for them costs more.
        if ANY_KIND not in kinds and (known is None or asked):
            rows = rows.filter(rows.kind.isin(sorted(kinds)))
        flags = {f"is_{number}": self._is(step, rows) for number, step in enumerate(steps)}
        begins = rows.business_date <= ibis.literal(last)
        if first is not None:
            begins &= rows.business_date >= ibis.literal(first)
        flags["is_0"] &= begins
        marked = rows.select("customer_id", "occurred_at", "id", "business_date", **flags)
        if asked:
            marked = marked.filter(ibis.or_(*(marked[name] for name in flags)))
        if not walks:
            return self.among(self._ordered(node, marked), positive)
        return self._keys(self._walked(node, marked, known), positive)

    def _walked(self, node: Sequence, marked: Any, known: Any | None) -> Any:
        """Who went the way, by the order that is known of all events, or by one of the events asked for. Customers of
        whom it does not tell are asked by the latter, and in the end by the engine."""
        steps = stepped([marked[name] for name in marked.columns if name.startswith("is_")])
        days = None if node.within is None else _days(node.within)
        path = Path(len(node.steps), node.excluded is not None, days, self.context.as_of)
        if known is not None:
            asked = self.tables.arrow(marked.select("id", steps=steps))
            placed, behind = known.steps(asked["id"].to_numpy(), asked["steps"].to_numpy())
            found, apart = walk(known.chain.events, placed, path), known.apart
            if known.later.events.size:
                found = np.setdiff1d(found, known.later.events // CUSTOMER)
                found = np.concatenate((found, walk(known.later.events, behind, path)))
        else:
            asked = self.tables.arrow(in_order(marked, steps=steps))
            events = asked["event"].to_numpy()
            found, apart = walk(events, asked["steps"].to_numpy().__getitem__, path), against_the_clock(events)
        if not apart.size:
            return found
        those = ibis.memtable(pa.table({"customer_id": apart}))
        among = marked.filter(marked.customer_id.isin(those.customer_id))
        if known is not None:
            others = self._walked(node, among, None)
        else:
            asked = self.tables.arrow(self._ordered(node, among).select("customer_id").distinct())
            others = asked["customer_id"].to_numpy()
        return np.concatenate((np.setdiff1d(found, apart, assume_unique=True), others))

    def _walks(self) -> bool:
        """Whether the engine's rows are in this process, and keys of customers leave room for what a walk asks."""
        if not self.tables.in_process:
            return False
        highest = self.tables.arrow(self.customers.customer_id.max()).as_py()
        return highest is None or highest <= MAX_CUSTOMER

    def _ordered(self, node: Sequence, marked: Any) -> Any:
        """The steps that complete a sequence, by one window over the events that may be a step: for each, from the last
        step backwards, the day on which the rest of the sequence is complete, as the least over the events behind it.
        Without an excluded event the window also goes forwards from the first step, with the latest day on which it
        began, and both meet in the middle: engines then sort the events once for three steps, where one direction sorts
        them for every step."""
        order = {"group_by": "customer_id", "order_by": ["occurred_at", "id"]}
        behind, before = ibis.window(**order, rows=(1, None)), ibis.window(**order, rows=(None, -1))
        never, long_ago, last_step = ibis.literal(NEVER), ibis.literal(LONG_AGO), len(node.steps) - 1
        # "done": the day of the last step; "broken": the day of the first excluded event behind it.
        wanted = {"done": ibis.cases((marked[f"is_{last_step}"], marked.business_date), else_=never)}
        if node.excluded is not None:
            excluded = ibis.cases((marked[f"is_{last_step + 1}"], marked.business_date), else_=never)
            following = excluded.min().over(behind).fill_null(never)
            wanted["broken"] = ibis.cases((marked[f"is_{last_step}"], following), else_=never)
        met = 0 if node.excluded is not None else last_step // 2
        walked = marked.mutate(**wanted, begun=ibis.cases((marked.is_0, marked.business_date), else_=long_ago))
        for number in range(last_step - 1, met - 1, -1):
            reached = {
                name: ibis.cases(
                    (walked[f"is_{number}"], walked[name].min().over(behind).fill_null(never)), else_=never
                )
                for name in wanted
            }
            forwards = last_step - number
            if forwards <= met:
                latest = walked.begun.max().over(before).fill_null(long_ago)
                reached["begun"] = ibis.cases((walked[f"is_{forwards}"], latest), else_=long_ago)
            walked = walked.mutate(**reached)
        return walked.filter(*self._complete(node, walked))

    def _is(self, step: Event, rows: Any) -> Any:
        found = ibis.literal(True) if step.kind == ANY_KIND else rows.kind == step.kind
        lines = self.parts(step)
        if lines is not None:
            found &= rows.id.isin(lines.event_id)
        for condition in self.conditions(step, rows, part=False):
            found &= condition.fill_null(False)
        return found

    def _complete(self, node: Sequence, walked: Any) -> list[Any]:
        never = ibis.literal(NEVER)
        begun = walked.begun > ibis.literal(LONG_AGO)
        if node.within is None:
            found = [begun, walked.done < never]
            return found if node.excluded is None else [*found, walked.broken == never]
        days = _days(node.within)
        end = walked.begun + ibis.interval(days=days)
        end = end.cast("date")
        found = [begun, walked.done <= end]
        if node.excluded is not None:
            over = walked.begun <= ibis.literal(shifted_back(self.context.as_of, days))
            found += [walked.broken > end, over]
        return found


def _days(span: Span) -> int:
    return span.n * DAYS_OF[span.unit]


def _some_field(node: Node) -> str:
    while not isinstance(node, Comparison):
        assert isinstance(node, Not | AllOf | AnyOf)
        node = node.part if isinstance(node, Not) else node.parts[0]
    return node.field


def _limit(column: Any, operator: str, limit: Any) -> Any:
    if operator == "at_least":
        return column >= limit
    return column <= limit if operator == "at_most" else column == limit


def compile_ibis(node: Node, schema: Schema, context: Context, tables: Any) -> Any:
    """The surviving customers for whom a checked rule holds, as an Ibis table with the one column ``customer_id``.

    ``tables`` is an opened columnar copy (:func:`rondo.warehouse.tables.open_tables`). Fields that the copy does not
    hold are asked of the operational store at once, and their keys become a part of the expression.

    Raises:
        SegmentError: a segment is missing or refers to itself.
    """
    compiler = IbisCompiler(schema, context, tables)
    condition = compiler.node(node)
    return compiler.customers.filter(condition).select("customer_id")


def joined(keys: Any) -> str:
    """A column of keys as one text, joined by commas."""
    column = keys.combine_chunks()
    if not len(column):
        return ""
    whole = pa.ListArray.from_arrays(pa.array([0, len(column)], pa.int32()), column.cast(pa.string()))
    return str(pc.binary_join(whole, ",")[0].as_py())


def preview(node: Node, schema: Schema, context: Context, tables: Any, sample: int = 20) -> tuple[int, list[int]]:
    """How many customers a rule holds for, and the keys of some of them: those that come first in an order that looks
    like chance and is the same each time, so that a preview does not flicker."""
    found = compile_ibis(node, schema, context, tables)
    keys = tables.arrow(found)["customer_id"].combine_chunks().to_numpy()
    if len(keys) <= sample:
        return len(keys), sorted(keys.tolist())
    # Knuth's multiplicative hash spreads neighbouring keys.
    mixed = (keys.astype(np.uint64) * np.uint64(2654435761)) % np.uint64(2**32)
    chosen = keys[np.argpartition(mixed, sample)[:sample]]
    return len(keys), sorted(chosen.tolist())
