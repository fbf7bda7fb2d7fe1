"""Reads of the analysis: the run being served, its figures for one viewer, and the scores of one customer.

What computes figures anew (for whom not all customers are visible) is imported there: pages start without the models.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from django.core.cache import cache
from django.db.models import Case, Count, IntegerField, Min, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce, TruncWeek

from rondo.analysis.models import History, Run, RunPart, Score
from rondo.analysis.results import (
    Activity,
    BondCount,
    Edges,
    GridCell,
    Results,
    Standing,
    StandingCount,
    Totals,
    ValueBin,
    WeekPoint,
)
from rondo.analysis.ruled import CHOICES
from rondo.customers.models import Customer
from rondo.customers.queries import scope_key, sees_all, visible
from rondo.foundation.loads import shown
from rondo.foundation.models import User
from rondo.foundation.prepared import prepared
from rondo.foundation.registry import Fact, registries
from rondo.interactions.queries import answering, standing

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Keys = npt.NDArray[np.int64]

_KEEP_SECONDS = 60
_KEEP_PART_SECONDS = 3600
BLOCK = 20_000
"""So many customers are read at once."""


def facts_for(viewer: User | None) -> list[Fact]:
    """The facts that ``viewer`` may see: those that tell of other customers, too, are for who sees all of them."""
    everything = viewer is None or sees_all(viewer)
    return [fact for fact in registries.facts if everything or not fact.of_others]


def current_run() -> Run | None:
    """The run whose scores are served; None before the first analysis."""
    return Run.objects.filter(is_current=True).select_related("actor").first()


def current_run_day() -> tuple[int, date] | None:
    """The key of the run whose scores are served and the day it looks from, without its results; None before the first
    analysis."""
    return next(iter(_current_day()), None)


def current_run_key() -> int | None:
    """The key of the run whose scores are served; None before the first analysis."""
    run = current_run_day()
    return run[0] if run is not None else None


@prepared
def _current_day() -> QuerySet[Run, tuple[int, date]]:
    return Run.objects.filter(is_current=True).values_list("pk", "as_of")[:1]


def served() -> tuple[date, dict[str, Any]] | None:
    """The day that the scores look from, and the configuration they were made by; None before the first analysis."""
    # Its results and models beside them are long, and pages of one customer ask, too.
    return next(iter(_served()), None)


@prepared
def _served() -> QuerySet[Run, tuple[date, dict[str, Any]]]:
    return Run.objects.filter(is_current=True).values_list("as_of", "config").order_by("pk")[:1]


def last_runs(limit: int = 20) -> list[Run]:
    """The latest runs of any status, newest first, without their results."""
    return list(Run.objects.defer("results", "models_json").select_related("actor").order_by("-id")[:limit])


def score_of(customer_id: int) -> Score | None:
    """The facts of one surviving customer, already checked as visible; None before the first analysis."""
    return next(iter(_score(customer_id)), None)


@prepared
def _score(customer_id: int) -> QuerySet[Score]:
    return Score.objects.filter(pk=customer_id)


def history_of(customer_id: int) -> History | None:
    """How one surviving customer, already checked as visible, came to stand where they stand; None before an analysis
    has seen them."""
    return next(iter(_history(customer_id)), None)


@prepared
def _history(customer_id: int) -> QuerySet[History]:
    return History.objects.filter(pk=customer_id)


def stages_of(customer_id: int) -> list[tuple[date, str]]:
    """The latest stages of one surviving customer, already checked as visible, with the day each was first read, oldest
    first; empty before the first analysis."""
    found = history_of(customer_id)
    return course_of(found.stages) if found else []


def course_of(text: str) -> list[tuple[date, str]]:
    """The changes that a :class:`History` holds as text, oldest first."""
    entries = (entry.partition(" ") for entry in text.split(";") if entry)
    return [(date.fromisoformat(day), state) for day, _space, state in entries]


def visible_scores(viewer: User | None) -> QuerySet[Score]:
    """Scores of the customers that ``viewer`` may see."""
    return Score.objects.filter(customer_id__in=visible(viewer).values("id"))


def seen_keys(viewer: User | None) -> "Keys | None":
    """Keys of the scored customers that ``viewer`` may see, ascending; None for who sees all. Eight bytes each, read in
    blocks: of a large base no list of objects is made."""
    if sees_all(viewer):
        return None
    import numpy as np

    rows = visible_scores(viewer).order_by("customer_id").values_list("customer_id", flat=True)
    return np.fromiter(rows.iterator(chunk_size=BLOCK), np.int64)


def columns_of(scores: QuerySet[Score], names: Sequence[str]) -> "pa.Table":
    """Columns of scores by customer, read in blocks: of a large base few rows are objects at once."""
    import pyarrow as pa

    from rondo.analysis.scores import schema

    kinds = schema()
    columns = pa.schema([kinds.field(name) for name in names])
    rows = scores.order_by("customer_id").values_list(*names).iterator(chunk_size=BLOCK)
    batches = []
    while block := list(islice(rows, BLOCK)):
        arrays = [pa.array(column, kind) for column, kind in zip(zip(*block, strict=True), columns.types, strict=True)]
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=columns))
    return pa.Table.from_batches(batches, columns)


def digest_of(seen: "Keys | None") -> str:
    """A text that is equal for the same customers: what is kept of a viewer's customers is kept under it."""
    return "all" if seen is None else hashlib.sha256(seen.tobytes()).hexdigest()


def figures(viewer: User | None, run: Run | None = None) -> Results | None:
    """The results of the current run, restricted to what ``viewer`` may see; None before the first analysis. ``run``
    is the current one, for whom has read it.

    Who sees all customers gets the stored results. Others get totals, weeks, activity, bins, grid and concentration of
    their own customers, cut at the same edges; the base's interval, forecast, hold-out and change are of the whole base
    and left out. ``visible_value`` is the sum of the values of the customers the viewer sees.
    """
    run = run or current_run()
    if run is None:
        return None
    if sees_all(viewer):
        return cast(Results, run.results)
    key = f"analysis.figures.{run.pk}.{scope_key(viewer)}"
    found = cache.get(key)
    if found is None:
        found = _restricted(run, viewer)
        cache.set(key, found, _KEEP_SECONDS)
    return cast(Results, found)


def part(viewer: User | None, run_id: int, name: str) -> Any:
    """One part of a run's figures (:mod:`rondo.analysis.parts.shapes`), restricted to what ``viewer`` may see; None
    where the run, being older, has no such part.

    Who may not see all customers gets it computed from the columnar copy or the scores, and kept for as long as it is
    of the same customers.
    """
    row = RunPart.objects.filter(run_id=run_id, name=name).first()
    if row is None or sees_all(viewer):
        return row and row.figures
    seen = seen_keys(viewer)
    assert seen is not None
    key = f"analysis.part.{run_id}.{name}.{digest_of(seen)}"
    found = cache.get(key)
    if found is None:
        from rondo.analysis.parts.computing import compute_for

        run = Run.objects.defer("results", "models_json").get(pk=run_id)
        found = compute_for(run, name, row.figures, visible_scores(viewer), seen)
        cache.set(key, found, _KEEP_PART_SECONDS)
    return found


def _restricted(run: Run, viewer: User | None) -> Results:
    import numpy as np

    from rondo.analysis import portfolio

    whole = cast(Results, run.results)
    scores = visible_scores(viewer)
    cuts = whole["edges"]
    spend = np.fromiter(
        scores.filter(purchase_days__gt=0).order_by().values_list("spend", flat=True).iterator(), dtype=np.int64
    )
    return Results(
        totals=_totals(run, viewer, scores),
        value=None,
        weekly=_weekly(run, viewer),
        forecast=[],
        activity=_activity(scores),
        value_bins=_value_bins(scores, cuts),
        grid=_grid(scores, cuts),
        concentration=portfolio.concentration(spend),
        holdout=None,
        since_previous=None,
        notes=whole["notes"],
        edges=cuts,
        foreign_orders=0,
        visible_value=_sum(scores, "value"),
        standing=_standing(run, scores),
    )


def _sum(scores: QuerySet[Score], name: str) -> int:
    return int(scores.aggregate(found=Sum(name))["found"] or 0)


def _records(viewer: User | None, prefix: str = "") -> Q:
    """Rows of the customers that the viewer sees, and of the records merged into them."""
    seen = visible(viewer).values("id")
    return Q(**{f"{prefix}customer_id__in": seen}) | Q(**{f"{prefix}customer__survivor_row__survivor_id__in": seen})


def _orders(run: Run, viewer: User | None) -> QuerySet[Any]:
    return standing().filter(_records(viewer), order__currency=run.config["currency"], business_date__lte=run.as_of)


def _totals(run: Run, viewer: User | None, scores: QuerySet[Score]) -> Totals:
    orders = _orders(run, viewer).aggregate(
        n=Count("id"),
        lines=Sum("order__line_count"),
        revenue=Sum("order__total"),
        nonpositive=Count("id", filter=Q(order__total__lte=0)),
        first=Min("business_date"),
    )
    # The ledger belongs to a room above. Its lines are counted as the run counts them: those of merged records too,
    # those of hidden runs and of retracted contacts not.
    ledger: Any = Customer._meta.get_field("exposures").related_model
    received = ledger.objects.filter(
        _records(viewer),
        shown(),
        shown("campaign__"),
        shown("interaction__"),
        sent_on__lte=run.as_of,
        suppressed="",
        interaction__retraction=None,
    ).aggregate(n=Count("id"), campaigns=Count("campaign", distinct=True))
    reactions = answering().filter(
        _records(viewer),
        direction="inbound",
        in_response_to__exposure__isnull=False,
        business_date__lte=run.as_of,
    )
    return Totals(
        customers=scores.count(),
        buyers=scores.filter(purchase_days__gt=0).count(),
        orders=orders["n"],
        lines=orders["lines"] or 0,
        revenue=orders["revenue"] or 0,
        currency=run.config["currency"],
        first_day=orders["first"].isoformat() if orders["first"] else "",
        last_day=run.as_of.isoformat(),
        nonpositive_orders=orders["nonpositive"],
        campaigns=received["campaigns"],
        exposures=received["n"],
        reactions=reactions.count(),
    )


def _weekly(run: Run, viewer: User | None) -> list[WeekPoint]:
    from rondo.analysis.summary import week_points

    rows: Iterable[dict[str, Any]] = (
        _orders(run, viewer)
        .order_by()
        .annotate(week=TruncWeek("business_date"))
        .values("week")
        .annotate(
            revenue=Sum("order__total"),
            orders=Count("id"),
            buyers=Count(Coalesce("customer__survivor_row__survivor_id", "customer_id"), distinct=True),
        )
    )
    found = {row["week"]: row for row in rows}
    first = cast(Results, run.results)["totals"]["first_day"]
    return week_points(found, date.fromisoformat(first) if first and found else None, run.as_of)


def _activity(scores: QuerySet[Score]) -> Activity:
    counts = dict(scores.order_by().values_list("activity").annotate(n=Count("pk")))
    return Activity(
        active=counts.get("active", 0),
        late=counts.get("late", 0),
        asleep=counts.get("asleep", 0),
        never=counts.get("never", 0),
        late_value=_sum(scores.filter(activity="late"), "value"),
    )


def _standing(run: Run, scores: QuerySet[Score]) -> Standing:
    """Rungs, stages, types and bonds of these customers; weeks and moves would take the ledger of each and are left
    out."""

    def counted(name: str) -> list[StandingCount]:
        rows = scores.order_by().values(name).annotate(n=Count("pk"), worth=Sum("value"))
        found = {row[name]: row for row in rows}
        return [
            StandingCount(
                key=key,
                customers=found[key]["n"] if key in found else 0,
                value=(found[key]["worth"] or 0) if key in found else 0,
            )
            for key, _label in CHOICES[name]
        ]

    found = Standing(rungs=counted("ladder"), stages=counted("stage"), weekly=[], moves=None)
    if "types" in run.results.get("standing", {}):
        found["types"], found["attachment"] = counted("relationship"), counted("attachment")
        found["confidence"], found["bonds"] = counted("relationship_confidence"), _bonds(run, scores)
    return found


def _bonds(run: Run, scores: QuerySet[Score]) -> list[BondCount]:
    from rondo.analysis import bonds, thresholds

    return bonds.counted(columns_of(scores, bonds.FACTS), thresholds.read(run.config["standing"]).bonds)


def _place(name: str, edges: list[int]) -> Case:
    """Number of the band a column falls into: bands end with their edge, the last one is open."""
    return Case(
        *[When(**{f"{name}__lte": edge}, then=Value(number)) for number, edge in enumerate(edges[:-1])],
        default=Value(len(edges) - 1),
        output_field=IntegerField(),
    )


def _value_bins(scores: QuerySet[Score], cuts: Edges) -> list[ValueBin]:
    edges = cuts["value"]
    if not edges:
        return []
    place = _place("value", [edge - 1 for edge in edges[1:]])
    rows = scores.filter(value__isnull=False).order_by().annotate(place=place).values("place")
    found = {row["place"]: row for row in rows.annotate(n=Count("pk"), worth=Sum("value"))}
    return [
        ValueBin(
            low=edges[number],
            high=edges[number + 1],
            customers=found[number]["n"] if number in found else 0,
            value=found[number]["worth"] if number in found else 0,
        )
        for number in range(len(edges) - 1)
    ]


def _grid(scores: QuerySet[Score], cuts: Edges) -> list[GridCell]:
    from rondo.analysis import portfolio

    recency, frequency = cuts["recency"], cuts["frequency"]
    if not recency or not frequency:
        return []
    rows = (
        scores.filter(purchase_days__gt=0)
        .order_by()
        .annotate(row=_place("recency_days", recency), column=_place("purchase_days", frequency))
        .values("row", "column")
        .annotate(n=Count("pk"), worth=Sum("value"))
    )
    found = {(row["row"], row["column"]): (row["n"], row["worth"] or 0) for row in rows}
    return portfolio.cells(recency, frequency, lambda row, column: found.get((row, column), (0, 0)))
