"""What changed in the chain, in the order in which it happened: for another system that keeps a copy.

Whoever writes or retracts a contact, publishes an import or takes one back notes it here, with the number of its change
(see :mod:`rondo.foundation.change_numbers`). An import is one note, however many rows it has: its rows are found by the
span of their keys, so that following the chain costs a load nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from django.db.models import Exists, OuterRef, Q, QuerySet

from rondo.customers.queries import belongs_to, once_visible
from rondo.foundation import change_numbers
from rondo.foundation.models import Load, User
from rondo.interactions.models import ChainChange, Interaction

EXAMINED = 10_000
"""At most so many interactions are looked at for one page, whatever it leaves out: a page's cost has a bound."""
_BATCH = 500


def note_interaction(key: int) -> None:
    """Put a new number on one interaction, inside the transaction that writes or retracts it."""
    ChainChange.objects.update_or_create(interaction_id=key, defaults={"change": change_numbers.draw()})


def note_interactions(keys: Iterable[int]) -> None:
    """Put one new number on many interactions, inside the transaction that writes or retracts them."""
    found = sorted(set(keys))
    number = change_numbers.draw() if found else 0
    for start in range(0, len(found), _BATCH):
        some = found[start : start + _BATCH]
        held = set(ChainChange.objects.filter(interaction_id__in=some).values_list("interaction_id", flat=True))
        ChainChange.objects.filter(interaction_id__in=held).update(change=number)
        fresh = [key for key in some if key not in held]
        ChainChange.objects.bulk_create(ChainChange(change=number, interaction_id=key) for key in fresh)


def note_load(load: Load, number: int | None = None) -> None:
    """Put a number (a new one unless given) on all interactions of a load, if it has any; inside the transaction that
    shows or hides them."""
    if Interaction._meta.db_table in load.spans:
        change = change_numbers.draw() if number is None else number
        ChainChange.objects.update_or_create(load_id=load.pk, defaults={"change": change})


@dataclass
class Walked:
    """One page of a walk: interactions with the numbers of their changes, the place (number, key) behind it, and
    whether more may come."""

    rows: list[tuple[int, Interaction]] = field(default_factory=list)
    behind: tuple[int, int] = (0, 0)
    more: bool = False


def walk(
    viewer: User | None,
    after: tuple[int, int],
    until: int,
    limit: int,
    *,
    kinds: Iterable[str] = (),
    orders: bool = False,
) -> Walked:
    """The interactions in ``viewer``'s reach that changed after a place in the order of changes (number, key) and up to
    number ``until``, in that order, whether they stand or not.

    At most ``limit`` rows of at most :data:`EXAMINED` looked at: a page may be short, or empty, with more to come.
    ``kinds`` leaves out other kinds, ``orders`` what is no order.
    """
    rows = Interaction.objects.filter(belongs_to(once_visible(viewer)))
    if wanted := list(kinds):
        rows = rows.filter(kind__in=wanted)
    if orders:
        rows = rows.filter(order__isnull=False).select_related("order__source")
    else:
        rows = rows.select_related("order")
    page = Walked(behind=after)
    left = EXAMINED
    number, key = after
    here = Q(change=number) & (Q(load__isnull=False) | Q(interaction_id__gt=key))
    notes = list(
        ChainChange.objects.filter(Q(change__gt=number) | here, change__gte=number, change__lte=until)
        .select_related("load")
        .order_by("change", "interaction_id")[: left + 1]
    )
    for load, together in groupby(notes, key=lambda note: note.load):
        if load is None:
            singles = list(together)
            for start in range(0, len(singles), _BATCH):
                some = singles[start : start + _BATCH]
                if left < len(some) or page.more:
                    page.more = True
                    return page
                _take_single(page, rows, some, limit)
                left -= len(some)
        else:
            (note,) = together
            left -= _take_load(page, rows, load, note.change, left, limit)
        if page.more:
            return page
    if len(notes) > EXAMINED:  # there may be more of them
        page.more = True
    else:
        page.behind = max(page.behind, (until, 2**63 - 1))
    return page


def _take_single(page: Walked, rows: QuerySet[Interaction], notes: list[ChainChange], limit: int) -> None:
    """Add interactions that have a note of their own, but for those whose import was noted after them."""
    keys = [note.interaction_id for note in notes if note.interaction_id is not None]
    found = rows.in_bulk(keys)
    loads = {row.load_id for row in found.values() if row.load_id is not None}
    later = dict(ChainChange.objects.filter(load_id__in=loads).values_list("load_id", "change")) if loads else {}
    for note in notes:
        row = found.get(note.interaction_id or 0)
        if row is not None and later.get(row.load_id or 0, 0) < note.change:
            if len(page.rows) == limit:
                page.more = True
                return
            page.rows.append((note.change, row))
        page.behind = (note.change, note.interaction_id or 0)


def _take_load(page: Walked, rows: QuerySet[Interaction], load: Load, number: int, left: int, limit: int) -> int:
    """Add interactions of a load, but for those that were noted singly after it; returns how many were looked at."""
    low, high = map(int, load.spans.get(Interaction._meta.db_table, (1, 0)))
    if page.behind[0] == number:
        low = max(low, page.behind[1] + 1)
    if low > high:
        return 0
    last = min(high, low + left - 1)
    singly = ChainChange.objects.filter(interaction_id=OuterRef("pk"), change__gt=number)
    mine = rows.filter(~Exists(singly), load_id=load.pk, pk__range=(low, last)).order_by("pk")
    for row in mine[: limit - len(page.rows) + 1]:
        if len(page.rows) == limit:
            page.more = True
            return int(row.pk) - low
        page.rows.append((number, row))
        page.behind = (number, row.pk)
    page.behind = (number, last)
    page.more = last < high
    return last - low + 1
