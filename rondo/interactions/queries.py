"""Reads of the chain: visible interactions of one customer, newest first, paged by key."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache

from django.db.models import BooleanField, Exists, F, Func, OuterRef, QuerySet

from rondo.customers.identifiers import DOTS
from rondo.foundation.loads import shown
from rondo.foundation.models import User
from rondo.foundation.prepared import prepared
from rondo.foundation.registry import registries
from rondo.foundation.rights import masked
from rondo.interactions.models import Interaction, Order, Retraction

COMPLAINTS = ("complaint",)
"""Kinds by which customers complain."""

USUAL = 41
"""So many interactions are read at once, one more than a page shows."""

LEAVING = ("cancellation", "notice")
"""Kinds by which customers say that they leave; see :mod:`rondo.interactions.departures`."""


def standing() -> QuerySet[Interaction]:
    """Interactions that are neither retracted nor part of a hidden load."""
    return _standing().all()


@lru_cache(maxsize=1)
def _standing() -> QuerySet[Interaction]:
    """The query, never run itself: to copy it costs a page far less than to build it anew for each of its parts."""
    return Interaction.objects.filter(shown(), ~Exists(Retraction.objects.filter(interaction_id=OuterRef("pk"))))


class _OfAnyKind(Func):
    """That there is a kind, in the very words of the index ``interaction_kind``. Without statistics SQLite would take
    that index for any question that names a kind, also of one customer; so it holds under these words alone."""

    output_field = BooleanField()
    conditional = True
    template = "%(expressions)s > ''"
    arity = 1


def by_kind_and_day(rows: QuerySet[Interaction]) -> QuerySet[Interaction]:
    """The same interactions, looked up by their kind and business date, to be asked of the chains of all customers."""
    return rows.filter(_OfAnyKind(F("kind")))


def traces() -> list[str]:
    """Kinds that are no contact somebody made and answer nothing, such as an opened mail."""
    return [kind.key for kind in registries.interaction_kinds if kind.trace]


def answering() -> QuerySet[Interaction]:
    """Standing interactions that may answer another: traces left out."""
    return standing().exclude(kind__in=traces())


def chain(
    customer_ids: Sequence[int],
    *,
    kinds: Iterable[str] = (),
    before: tuple[datetime, int] | None = None,
    limit: int = USUAL,
) -> list[Interaction]:
    """One customer's chain, newest first: at most ``limit`` interactions before the key ``(occurred_at, id)``.

    ``customer_ids`` are the survivor's records (:func:`rondo.customers.queries.record_ids`), already checked as
    visible.
    """
    wanted = list(kinds)
    if not wanted and before is None and limit == USUAL:
        return _newest(customer_ids)
    rows = standing().filter(customer_id__in=customer_ids)
    if wanted:
        rows = rows.filter(kind__in=wanted)
    if before is not None:
        at, key = before
        rows = rows.filter(occurred_at__lte=at).exclude(occurred_at=at, id__gte=key)
    return list(rows.select_related("actor", "order").order_by("-occurred_at", "-id")[:limit])


@prepared
def _newest(customer_ids: Sequence[int]) -> QuerySet[Interaction]:
    rows = standing().filter(customer_id__in=customer_ids).select_related("actor", "order")
    return rows.order_by("-occurred_at", "-id")[:USUAL]


def hush(viewer: User | None, rows: Sequence[Interaction]) -> Sequence[Interaction]:
    """The interactions, which were read to be shown, without what was written or said where that is masked for
    ``viewer``: the text of each, and the title of those that people log by hand."""
    if masked(viewer, "notes"):
        for row in rows:
            kind = registries.interaction_kinds.get(row.kind)
            row.body = DOTS if row.body else ""
            if row.title and (kind is None or kind.by_hand):
                row.title = DOTS
    return rows


def orders_of(customer_ids: Sequence[int], limit: int = 50) -> list[Order]:
    """A customer's latest orders, newest first."""
    rows = standing().filter(customer_id__in=customer_ids, kind="purchase").select_related("order")
    return [i.order for i in rows.order_by("-occurred_at", "-id")[:limit]]
