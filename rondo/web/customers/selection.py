"""Which customers a list holds: those the viewer may see, that meet the conditions, and that the search finds."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from rondo.analysis.models import Score
from rondo.analysis.segments.models import Membership
from rondo.analysis.segments.queries import present
from rondo.customers.models import AttributeValue, Customer, NameWord, Survivor
from rondo.customers.queries import sees_all, visible
from rondo.customers.searching import Search
from rondo.foundation.loads import hidden_loads, shown
from rondo.foundation.models import User
from rondo.foundation.unindexed import Unindexed
from rondo.web.customers.fields import Field
from rondo.web.customers.filters import Condition
from rondo.web.customers.rules import Rule

NARROW = 2000
"""A condition that at most this many customers meet is looked up first; the others are tried on those alone."""


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
        self.conditions = tuple(conditions)
        self.search = search or Search("")
        self._shown = shown()
        self._visible = visible(viewer)

    @cached_property
    def has_merges(self) -> bool:
        """Whether any customer was merged into another."""
        return Survivor.objects.exists()

    def _at(self, place: str) -> list[Condition]:
        return [c for c in self.conditions if c.field.place == place]

    @cached_property
    def hits(self) -> tuple[int, ...]:
        """Customers of the viewer's whom the text names by an identifier, whatever the conditions."""
        return self.search.identified(self._visible, self._few)

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
        return rows.filter(self.rule.each) if self.rule else rows

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
        if self.narrow is not None:
            rows = rows.filter(customer_id__in=self.narrow)
        return rows.filter(Exists(self._without_facts.filter(pk=OuterRef("customer_id"))))

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
        if self.only is not None:
            return sorted(self.only)
        if self._few is not None:
            return sorted(self._few)
        if self.search and self.probe_search:
            entries = self.search.entries().order_by().values_list("customer_id", flat=True)
            if len(found := list(entries[: NARROW + 1])) <= NARROW:
                return sorted({*found, *self.hits})
        for candidates in self._candidates():
            found = list(candidates[: NARROW + 1])
            if len(found) <= NARROW:
                if self.has_merges:
                    found += Survivor.objects.filter(customer_id__in=found).values_list("survivor_id", flat=True)
                return sorted(set(found))
        return None

    def _candidates(
        self,
    ) -> Iterable[
        QuerySet[Customer, int]
        | QuerySet[Score, int]
        | QuerySet[AttributeValue, int]
        | QuerySet[Membership, int]
        | QuerySet[Any, int]
    ]:
        for condition in self.conditions:
            if condition.negated:
                continue
            if condition.field.place == "fact":
                yield Score.objects.filter(condition.match()).values_list("customer_id", flat=True)
            elif condition.field.place == "beside":
                rows = condition.field.beside._default_manager.filter(condition.match())
                yield rows.values_list("customer_id", flat=True)
            elif condition.field.place == "attribute":
                values = AttributeValue.objects.filter(condition.match(), definition_id=condition.field.definition)
                yield values.values_list("customer_id", flat=True)
            elif condition.field.place == "segment":
                yield present().filter(condition.match()).values_list("customer_id", flat=True)
            elif condition.field.key != "name":
                yield Customer.objects.filter(condition.match()).values_list("pk", flat=True)
        if self.rule:
            yield self._visible.filter(self.rule.whole).order_by().values_list("pk", flat=True)

    def count(self) -> tuple[int, int | None]:
        """How many customers are selected, exactly, and the sum of their values (minor units), if any is known."""
        if (self.rule and not self.rule.is_counted) or (self.search and not self.probe_search):
            whole = Selection(
                self.viewer,
                self.conditions,
                self.search,
                rule=self.rule.counted() if self.rule else None,
                only=self.only,
                probe_search=bool(self.search),
            )
            return whole.count()
        if self.needs_score:
            found = self.scores().aggregate(number=Count("pk"), value=Sum("value"))
            return found["number"], found["value"]
        narrowed = bool(self.conditions or self.rule or self.search or self.only is not None)
        plain = not narrowed and sees_all(self.viewer)
        if self.search and self.narrow is None:
            named = self.search.entries().order_by().values("customer_id")
            rows = self.customers(searched=False).filter(Q(pk__in=named) | Q(pk__in=self.hits))
            scores = Score.objects.filter(customer_id__in=rows.values("pk"))
            return rows.count(), scores.aggregate(value=Sum("value"))["value"]
        if not plain:
            return self.customers().count(), self.scores().aggregate(value=Sum("value"))["value"]
        # The whole base: what was merged or taken back since the analysis is taken off, which is quicker than to ask
        # of every score whether its customer is still there.
        gone = Q(customer_id__in=Survivor.objects.values("customer_id")) if self.has_merges else Q(pk__in=())
        if hidden := hidden_loads():
            gone |= Q(customer__load_id__in=hidden)
        whole = Score.objects.aggregate(value=Sum("value"))["value"]
        lost = Score.objects.filter(gone).aggregate(value=Sum("value"))["value"]
        return self.customers().count(), whole - (lost or 0) if whole is not None else None
