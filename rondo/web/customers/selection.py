"""Which customers a list holds: those the viewer may see, that meet the conditions, and that the search finds."""

import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from django.db.models import Count, Exists, F, Manager, Max, OuterRef, Q, QuerySet, Sum

from rondo.analysis.models import Score
from rondo.analysis.segments.queries import present
from rondo.customers.models import AttributeValue, Customer, NameWord, Survivor
from rondo.customers.queries import sees_all, visible
from rondo.customers.searching import Search
from rondo.foundation.loads import hidden_loads, shown
from rondo.foundation.models import User
from rondo.foundation.statements import Statements
from rondo.foundation.unindexed import Unindexed
from rondo.web.customers.fields import Field
from rondo.web.customers.filters import Condition
from rondo.web.customers.rules import Rule
from rondo.web.customers.shapes import shape_of, varies
from rondo.web.customers.tallies import tallied

NARROW = 2000
"""A condition that at most this many customers meet is looked up first; the others are tried on those alone."""

PART = 50_000
"""So many scores are counted by the index of a condition rather than by passing through all."""

PASSED = "-"
"""In place of a leading column: the table is passed through, and no index is of use."""

SAMPLED_FROM = 50_000
"""From this highest key on, a rule is tried on a sample of customers before all who meet it are looked for."""
SAMPLES = ((0, 100), (1, 400))
"""The place of each sample between the keys of the others, and its customers: a common rule is told by the first."""
COMMON = 5
"""A rule that holds for so many of the sampled is not narrow; one that leaves 2,000 of 1,000,000 seldom gets there."""

_KEPT_SECONDS, _MOST_KEPT = 60.0, 10_000
_STATEMENTS = Statements()
_beyond: dict[Hashable, float] = {}
"""Until when it is taken that more than so many meet a condition."""


class Selection:
    """Customers selected for one viewer, reachable from each table that can lead the way in a sorted list.

    ``rule`` has to hold beside the conditions. ``only`` keeps to customers given by their keys. ``probe_search`` tries
    whether the search alone leaves few, for lists that are not sorted by name.
    """

    def __init__(
        self,
        viewer: User,
        conditions: Iterable[Condition] = (),
        search: Search | None = None,
        *,
        rule: Rule | None = None,
        only: list[int] | None = None,
        probe_search: bool = False,
    ) -> None:
        self.viewer = viewer
        self.rule = rule
        self.only = only
        self.probe_search = probe_search
        self._wider: Selection | None = None
        self.conditions = tuple(conditions)
        self.search = search or Search("")
        self._shown = shown()
        self._visible = visible(viewer)

    def also(self, condition: Condition) -> "Selection":
        """The same with one condition more; what was found out of this one is not asked again."""
        made = self._with(self.rule, self.probe_search, (*self.conditions, condition))
        made._wider = self
        made.has_merges, made.hits = self.has_merges, self.hits
        return made

    def _with(self, rule: Rule | None, probe_search: bool, conditions: Iterable[Condition]) -> "Selection":
        return Selection(self.viewer, conditions, self.search, rule=rule, only=self.only, probe_search=probe_search)

    @cached_property
    def has_merges(self) -> bool:
        """Whether any customer was merged into another."""
        return Survivor.objects.exists()

    def _at(self, place: str) -> list[Condition]:
        return [c for c in self.conditions if c.field.place == place]

    @cached_property
    def hits(self) -> tuple[int, ...]:
        """Customers of the viewer's whom the text names by an identifier, whatever the conditions."""
        return self.search.identified(self.viewer, self._few)

    @cached_property
    def _few(self) -> list[int] | None:
        """All customers that the viewer may see, if they are at most NARROW."""
        if sees_all(self.viewer):
            return None
        found = list(self._visible.order_by().values_list("pk", flat=True)[: NARROW + 1])
        return found if len(found) <= NARROW else None

    @cached_property
    def _without_facts(self) -> QuerySet[Customer]:
        if not self.search:
            return self._unsearched
        found = Q(pk__in=self.hits)
        return self._unsearched.filter(self.search.by_words() | found if self.search.words else found)

    def found(self, later: bool) -> QuerySet[NameWord]:
        """Index entries that lead to selected customers whose name does not begin with the text, by a word that does
        (``later``: another than the first of their name); each customer once. See :meth:`Search.walk`."""
        rows = self.customers(searched=False, narrowed=False).exclude(self.search.by_beginning())
        if self.hits:
            rows = rows.exclude(pk__in=self.hits)
        entries = self.search.walk(later, self.narrow)
        return entries.filter(Exists(rows.filter(pk=OuterRef("customer_id"))))

    def beginning(self) -> QuerySet[Customer]:
        """The selected customers whose name begins with the text, without those whom an identifier names."""
        rows = self.customers(searched=False)
        if self.hits:
            rows = rows.exclude(pk__in=self.hits)
        if self.narrow is None:
            return rows.filter(self.search.by_beginning())
        return rows.alias(_name=Unindexed(F("folded_name"))).filter(self.search.by_beginning("_name"))

    @cached_property
    def _unsearched(self) -> QuerySet[Customer]:
        return self._without_rule.filter(self._meeting) if self.rule else self._without_rule

    @cached_property
    def _without_rule(self) -> QuerySet[Customer]:
        rows = self._visible
        for condition in self._at("customer"):
            rows = rows.filter(~condition.match() if condition.negated else condition.match())
        for condition in self._at("segment"):
            inside = Exists(present().filter(condition.match(), customer_id=OuterRef("pk")))
            rows = rows.filter(~inside if condition.negated else inside)
        for condition in self._at("beside"):
            own = condition.field.beside._default_manager.filter(condition.match(), customer_id=OuterRef("pk"))
            rows = rows.filter(~Exists(own) if condition.negated else Exists(own))
        for condition in self._at("attribute"):
            holds = self._attribute(condition)
            rows = rows.filter(~holds if condition.negated else holds)
        return rows

    @property
    def _meeting(self) -> Q:
        """The rule, as it is asked of the customers that :attr:`narrow` leaves: to look for few may have gathered from
        all chains what each then compares. A part of a list, such as a lane of a board, may hold none for whom the rule
        holds however common that is, and would be walked to its end."""
        assert self.rule is not None
        as_whole = self.narrow is None and (self.rule.is_counted or self._is_part)
        return self.rule.whole if as_whole else self.rule.each

    @property
    def _is_part(self) -> bool:
        """Whether it is a part of a list whose rule goes through chains."""
        return self._wider is not None and self.rule is not None and self.rule.has_events

    def _attribute(self, condition: Condition) -> Q:
        """An attribute of the customer's own record, else of a record merged into it."""
        values = AttributeValue.objects.filter(self._shown, definition_id=condition.field.definition)
        own = values.filter(customer_id=OuterRef("pk"))
        holds = Q(Exists(own.filter(condition.match())))
        if self.has_merges:
            inherited = values.filter(customer__survivor_row__survivor_id=OuterRef("pk"))
            holds |= Q(~Exists(own), Exists(inherited.filter(condition.match())))
        return holds

    def customers(self, searched: bool = True, narrowed: bool = True) -> QuerySet[Customer]:
        """The selected customers; without the search, or without :attr:`narrow`, if the caller says it better."""
        rows = self._without_facts if searched else self._unsearched
        if narrowed and self.narrow is not None:
            rows = rows.filter(pk__in=self.narrow)
        return self._with_facts(rows)

    def _with_facts(self, rows: QuerySet[Customer]) -> QuerySet[Customer]:
        facts = self._at("fact")
        own = Score.objects.filter(customer_id=OuterRef("pk"))
        wanted = [c.match() for c in facts if not c.negated]
        if wanted:
            rows = rows.filter(Exists(own.filter(*wanted)))
        for condition in facts:
            if condition.negated:
                rows = rows.filter(~Exists(own.filter(condition.match())))
        return rows

    def scores(self, leading: str = "") -> QuerySet[Score]:
        """The scores of the selected customers.

        With a ``leading`` column, the database is to walk that column's index and stop when the page is full; the other
        columns are written so that their indexes, which would have to be sorted as a whole, are no choice.
        """
        rows = self.scored(leading)
        if self.narrow is not None:
            rows = rows.filter(customer_id__in=self.narrow)
        return rows.filter(Exists(self._without_facts.filter(pk=OuterRef("customer_id"))))

    def scored(self, leading: str = "") -> QuerySet[Score]:
        """The scores that meet the conditions on facts, whoever may see them and whatever else is asked."""
        rows = Score.objects.all()
        for number, condition in enumerate(self._at("fact")):
            name = ""
            if leading and condition.field.column != leading:
                name = f"_condition_{number}"
                rows = rows.alias(**{name: Unindexed(F(condition.field.column))})
            match = condition.match(name)
            if condition.negated and condition.operator != "unknown":
                match = ~match | Q(**{f"{condition.field.column}__isnull": True})
            elif condition.negated:
                match = ~match
            rows = rows.filter(match)
        return rows

    def attribute_values(self, definition: int) -> QuerySet[AttributeValue]:
        """The values of one attribute that the selected customers carry themselves."""
        rows = AttributeValue.objects.filter(self._shown, definition_id=definition)
        if self.narrow is not None:
            rows = rows.filter(customer_id__in=self.narrow)
        return rows.filter(Exists(self.customers().filter(pk=OuterRef("customer_id"))))

    def beside(self, field: Field) -> QuerySet[Any]:
        """The rows of the selected customers in the table of a fact that is worked out after a run."""
        rows: QuerySet[Any] = field.beside._default_manager.all()
        if self.narrow is not None:
            rows = rows.filter(customer_id__in=self.narrow)
        return rows.filter(Exists(self.customers().filter(pk=OuterRef("customer_id"))))

    @property
    def needs_score(self) -> bool:
        """Whether a customer without a score is left out by a condition."""
        return any(not c.negated for c in self._at("fact"))

    def needs(self, key: str) -> bool:
        """Whether a condition leaves out customers for whom the field ``key`` is not known."""
        return any(c.field.key == key and not c.negated for c in self.conditions)

    def lacks(self, key: str) -> bool:
        """Whether a condition leaves out customers for whom the field ``key`` is known."""
        return any(c.field.key == key and c.operator == "unknown" for c in self.conditions)

    @cached_property
    def narrow(self) -> list[int] | None:
        """The customers that the first selective condition leaves, or None when no condition is selective.

        Each candidate is served by an index and asked for one row more than NARROW, so that asking stays cheap however
        large the base is.
        """
        if self._wider is not None and self._wider.narrow is not None:
            return self._wider.narrow
        if self.only is not None:
            return sorted(self.only)
        if self._few is not None:
            return sorted(self._few)
        if self.search and self.probe_search and self._wider is None:
            entries = self.search.entries().order_by().values_list("customer_id", flat=True)
            if len(found := list(entries[: NARROW + 1])) <= NARROW:
                return sorted({*found, *self.hits})
        for candidates in self._candidates():
            if (few := candidates()) is not None:
                if self.has_merges:
                    few += Survivor.objects.filter(customer_id__in=few).values_list("survivor_id", flat=True)
                return sorted(set(few))
        return None

    def _candidates(self) -> Iterable[Callable[[], list[int] | None]]:
        """For each condition what asks who meets it: their keys, or None where they are more than NARROW."""
        tried = len(self._wider.conditions) if self._wider is not None else 0
        for condition in self.conditions[tried:]:
            if condition.negated:
                if condition.operator == "unknown" and condition.field.place == "fact" and self.needs_score:
                    without = Score.objects.filter(**{f"{condition.field.column}__isnull": True})
                    yield partial(_few, without.values_list("customer_id", flat=True))
                continue
            if condition.field.place == "fact":
                yield partial(_few_meeting, condition, Score.objects, "customer_id")
            elif condition.field.place == "beside":
                rows = condition.field.beside._default_manager.filter(condition.match())
                yield partial(_few, rows.values_list("customer_id", flat=True))
            elif condition.field.place == "attribute":
                values = AttributeValue.objects.filter(condition.match(), definition_id=condition.field.definition)
                yield partial(_few, values.values_list("customer_id", flat=True))
            elif condition.field.place == "segment":
                yield partial(_few, present().filter(condition.match()).values_list("customer_id", flat=True))
            elif condition.field.key != "name":
                yield partial(_few_meeting, condition, Customer.objects, "pk")
        if self.rule and self._is_part:
            of_part = self._with_facts(self._without_rule.filter(self.rule.whole))
            yield partial(_few, of_part.order_by().values_list("pk", flat=True))
        elif self.rule and self._wider is None and (self.rule.is_counted or not self._is_common(self.rule)):
            yield partial(_few, self._visible.filter(self.rule.whole).order_by().values_list("pk", flat=True))

    def _is_common(self, rule: Rule) -> bool:
        """Whether a rule holds for so many customers of a large base that to look for the few would be in vain.

        It is tried on customers picked evenly from the base: to look until more than NARROW are found would ask of
        NARROW / share of them, seconds for a rule over the chain, of which a page needs but its rows.
        """
        highest = Customer.objects.aggregate(highest=Max("pk"))["highest"] or 0
        if highest < SAMPLED_FROM:
            return False
        met = 0
        for first, sampled in SAMPLES:
            step = max(highest // sampled, 1)
            keys = range(first * step // len(SAMPLES) + 1, highest + 1, step)
            met += self._visible.filter(pk__in=list(keys)).filter(rule.each).count()
            if met >= COMMON:
                return True
        return False

    def count(self) -> tuple[int, int | None]:
        """How many customers are selected, exactly, and the sum of their values (minor units), if any is known."""
        return tallied(self, "all", self._as_counted._count)

    def _count(self) -> tuple[int, int | None]:
        if self.needs_score:
            found = self._scores_counted().aggregate(number=Count("pk"), value=Sum("value"))
            return found["number"], found["value"]
        rows, scores = self._counted
        if self.rule:  # what the rule looks through is looked through once
            found = rows.aggregate(number=Count("pk"), value=Sum("score__value"))
            return found["number"], found["value"]
        if not self._is_everybody:
            return rows.count(), scores.aggregate(value=Sum("value"))["value"]
        whole = Score.objects.aggregate(value=Sum("value"))["value"]
        lost = self._gone.aggregate(value=Sum("value"))["value"]
        return rows.count(), whole - (lost or 0) if whole is not None else None

    def count_by(self, field: Field) -> "dict[Any, Counted] | None":
        """:meth:`count` by the values of a field of which a customer has one, as its column has them; under None, who
        has none. In as many queries as for one value.

        None where a customer may have the value of a record merged into it: that is asked value by value.
        """
        if field.place == "attribute" and self.has_merges:
            return None
        return tallied(self, field.key, lambda: self._as_counted._count_by(field))

    def _count_by(self, field: Field) -> "dict[Any, Counted]":
        rows: QuerySet[Any]
        if field.place == "fact" and self.needs_score:  # who has no score is left out
            rows = self._scores_counted().annotate(_group=Unindexed(F(field.column)))
            return {None: Counted()} | _by_value(rows, "_group", "value")
        customers, scores = self._counted
        if field.place == "customer":  # each has a value, or is among those under None
            return {None: Counted()} | _by_value(customers, field.column, "score__value")
        if field.place == "fact":
            everybody = Score.objects.all() if self._is_everybody else scores
            found = _by_value(everybody, field.column, "value")
            for value, lost in _by_value(self._gone, field.column, "value").items() if self._is_everybody else ():
                found[value] -= lost
        else:
            rows = self.beside(field) if field.place == "beside" else self.attribute_values(field.definition)
            found = _by_value(rows, field.column, "customer__score__value")
        # Who has no row at all is who is left.
        number, worth = self.count()
        with_worth = scores.filter(value__isnull=False).count() if field.place in ("beside", "attribute") else 0
        none = found.pop(None, Counted())
        known = sum(found.values(), Counted())
        if field.place in ("beside", "attribute"):
            none = Counted(0, (worth or 0) - known.worth, with_worth - known.with_worth)
        return found | {None: replace(none, number=number - known.number)}

    @cached_property
    def _as_counted(self) -> "Selection":
        """The selection as it is counted quickest: with the rule as a set, and the search tried first."""
        if (self.rule and not self.rule.is_counted) or (self.search and not self.probe_search):
            rule = self.rule.counted() if self.rule else None
            return self._with(rule, bool(self.search), self.conditions)
        return self

    def _scores_counted(self) -> QuerySet[Score]:
        """The scores of the selected customers, for all of them to be read: by the index of a condition that leaves a
        small part of the base, else as they stand, since most of them lie anywhere between others."""
        if self.narrow is not None:
            return self.scores()
        rare = (
            c for c in self._at("fact") if not c.negated and not _leaves_more(c, Score.objects, "customer_id", PART)
        )
        return self.scores(next((condition.field.column for condition in rare), PASSED))

    @cached_property
    def _is_everybody(self) -> bool:
        narrowed = bool(self.conditions or self.rule or self.search or self.only is not None)
        return not narrowed and sees_all(self.viewer)

    @property
    def _counted(self) -> tuple[QuerySet[Customer], QuerySet[Score]]:
        """The selected customers, and their scores, to be counted."""
        if self.search and self.narrow is None:
            named = self.search.entries().order_by().values("customer_id")
            rows = self.customers(searched=False).filter(Q(pk__in=named) | Q(pk__in=self.hits))
            return rows, Score.objects.filter(customer_id__in=rows.values("pk"))
        return self.customers(), self.scores()

    @property
    def _gone(self) -> QuerySet[Score]:
        """The scores of customers that were merged, deleted or taken back since the analysis. To take them off the
        whole base is quicker than to ask of every score whether its customer is still there."""
        gone = Q(customer_id__in=Customer.objects.filter(bin__isnull=False).values("pk"))
        if self.has_merges:
            gone |= Q(customer_id__in=Survivor.objects.values("customer_id"))
        if hidden := hidden_loads():
            gone |= Q(customer__load_id__in=hidden)
        return Score.objects.filter(gone)


def _few(candidates: "QuerySet[Any, int]") -> list[int] | None:
    """All candidates, or None where they are more than NARROW."""
    found = list(candidates[: NARROW + 1])
    return found if len(found) <= NARROW else None


def _few_meeting(condition: Condition, table: "Manager[Any]", key: str) -> list[int] | None:
    """The rows of a table that meet a condition, or None where they are more than NARROW; the row that would be one too
    many is asked for first, since most conditions hold for many. That it is there is kept for a minute: which way a
    list is found depends on it, not what is found."""
    if _leaves_more(condition, table, key, NARROW):
        return None
    return _meeting(condition, table, key, slice(NARROW + 1))


def _leaves_more(condition: Condition, table: "Manager[Any]", key: str, most: int) -> bool:
    """Whether more than ``most`` rows of a table meet a condition."""
    asked_for, now = (table.model, shape_of(condition), condition.values, most), time.monotonic()
    if _beyond.get(asked_for, now) > now:
        return True
    if not _meeting(condition, table, key, slice(most, most + 1)):
        return False
    if len(_beyond) >= _MOST_KEPT:
        _beyond.clear()
    _beyond[asked_for] = now + _KEPT_SECONDS
    return True


def _meeting(condition: Condition, table: "Manager[Any]", key: str, some: slice) -> list[int]:
    varying = list(condition.values) if varies(condition) else []

    def meeting(values: list[Any]) -> "QuerySet[Any, int]":
        asked = replace(condition, values=tuple(values)) if varying else condition
        return table.filter(asked.match()).values_list(key, flat=True)[some]

    return _STATEMENTS.ask((table.model, shape_of(condition), some.start, some.stop), varying, meeting)


@dataclass(frozen=True)
class Counted:
    """So many customers; the sum of what they are worth (minor units), and of how many of them that is known."""

    number: int = 0
    worth: int = 0
    with_worth: int = 0

    def __add__(self, other: "Counted") -> "Counted":
        return Counted(self.number + other.number, self.worth + other.worth, self.with_worth + other.with_worth)

    def __sub__(self, other: "Counted") -> "Counted":
        return Counted(self.number - other.number, self.worth - other.worth, self.with_worth - other.with_worth)


def _by_value(rows: QuerySet[Any], column: str, worth: str) -> dict[Any, Counted]:
    told = rows.order_by().values_list(column).annotate(Count("pk"), Sum(worth), Count(worth))
    return {value: Counted(number, total or 0, known) for value, number, total, known in told}
