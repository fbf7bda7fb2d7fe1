"""Reads of duplicates: every one leaves out pairs of which the viewer does not see both customers."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from rondo.customers.models import Merge
from rondo.customers.queries import visible
from rondo.duplicates.models import AutomaticMerging, Decision, Pair, Search
from rondo.foundation.models import User
from rondo.science.proportions import Share, wilson

LEVEL = 0.95
"""Coverage of the interval of precision."""


def latest_search() -> Search | None:
    """The search that ended last, of those that ended well."""
    return Search.objects.filter(status=Search.Status.DONE).order_by("-pk").first()


def newer_search() -> Search | None:
    """The newest search if it is under way or failed; else None."""
    row = Search.objects.order_by("-pk").first()
    return row if row is not None and row.status != Search.Status.DONE else None


def of_both(viewer: User | None) -> QuerySet[Pair]:
    """Pairs whose customers both stand for themselves, and which ``viewer`` both may see."""
    seen = visible(viewer).values("pk")
    return Pair.objects.filter(left__in=seen, right__in=seen).select_related("left", "right")


_UNDONE = Q(status=Pair.Status.MERGED) & (Q(merge__isnull=True) | Q(merge__undone_at__isnull=False))
"""A merge that was undone elsewhere leaves its pair open."""


def open_pairs(viewer: User | None, least: float = 0.0, status: str = Pair.Status.OPEN) -> QuerySet[Pair]:
    """Pairs to decide (or put off: ``status`` later) from probability ``least`` on; in no order."""
    wanted = Q(status=status) | _UNDONE if status == Pair.Status.OPEN else Q(status=status)
    return of_both(viewer).filter(wanted, probability__gte=least)


def certain_pairs(least: float) -> QuerySet[Pair]:
    """Open pairs from probability ``least`` on that may be merged without asking: not those about which anybody ever
    decided, nor those whose merge was undone, by hand or here. What a person took back is not merged again."""
    undone = Merge.objects.filter(
        Q(loser=OuterRef("left"), winner=OuterRef("right")) | Q(loser=OuterRef("right"), winner=OuterRef("left")),
        undone_at__isnull=False,
    )
    rows = open_pairs(None, least).filter(status=Pair.Status.OPEN)
    return rows.exclude(Exists(Decision.objects.filter(pair=OuterRef("pk")))).exclude(Exists(undone))


def decisions(viewer: User | None) -> QuerySet[Decision]:
    """Standing decisions, newest first, about pairs whose customers (or their survivors) ``viewer`` sees."""
    from rondo.customers.queries import belongs_to

    seen = visible(viewer)
    return (
        Decision.objects.filter(
            belongs_to(seen, "pair__left_id"), belongs_to(seen, "pair__right_id"), undone_at__isnull=True
        )
        .select_related("pair__left", "pair__right", "pair__merge", "by")
        .order_by("-pk")
    )


def precision(least: float = 0.0) -> Share | None:
    """Of the pairs that people decided at probability ``least`` or more, the share that they merged, with Wilson's
    interval; None before any. What the job merged by itself is no label."""
    labels = Decision.objects.filter(undone_at__isnull=True, automatic=False, probability__gte=least)
    right = labels.filter(decided=Pair.Status.MERGED).count()
    wrong = labels.filter(decided=Pair.Status.DIFFERENT).count()
    return wilson(right, right + wrong, LEVEL)


def automatic_from() -> float | None:
    """From which probability on pairs are merged by themselves; None: never."""
    return AutomaticMerging.objects.order_by("-pk").values_list("least", flat=True).first()
