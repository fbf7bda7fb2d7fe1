"""Which loads are hidden: rows of a load that is not ``visible`` are left out of every read."""

from functools import lru_cache

from django.db.models import Q

from rondo.foundation.models import Load


def hidden_loads() -> list[int]:
    """Ids of loads whose rows must not be seen (loading, undone, failed, abandoned). Few at any time."""
    return list(Load.objects.exclude(status=Load.Status.VISIBLE).values_list("id", flat=True))


@lru_cache(maxsize=64)
def shown(prefix: str = "") -> Q:
    """A condition that leaves out rows of hidden loads; ``prefix`` is the path to the row, such as ``interaction__``.

    The loads are looked up inside the statement itself: one that sees a row of a running load sees the load, too. The
    condition is the same for everybody, so that it is built once.
    """
    hidden = Load.objects.exclude(status=Load.Status.VISIBLE).values("id")
    return Q(**{f"{prefix}load_id__isnull": True}) | ~Q(**{f"{prefix}load_id__in": hidden})
