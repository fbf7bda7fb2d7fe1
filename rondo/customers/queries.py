"""Reads of customers. Every one starts from :func:`visible`."""

from django.db.models import Q, QuerySet

from rondo.customers.models import Customer, Survivor
from rondo.foundation import ids
from rondo.foundation.loads import shown
from rondo.foundation.models import Team, User


def team_branch(team_id: int) -> list[int]:
    """A team and all teams below it."""
    found = [team_id]
    level = [team_id]
    while level:
        level = [pk for pk in Team.objects.filter(parent_id__in=level).values_list("pk", flat=True) if pk not in found]
        found += level
    return found


def reach(viewer: User | None, prefix: str = "") -> Q:
    """The condition on a customer (at ``prefix``) that ``viewer``'s reads obey; None is the system, which sees all."""
    if viewer is None or viewer.reach == User.Reach.ALL:
        return Q()
    own = Q(**{f"{prefix}owner_id": viewer.pk})
    if viewer.reach == User.Reach.TEAM and viewer.team_id is not None:
        return own | Q(**{f"{prefix}team_id__in": team_branch(viewer.team_id)})
    return own


def visible(viewer: User | None) -> QuerySet[Customer]:
    """The surviving customers that ``viewer`` may see; rows of hidden loads and merged records are left out."""
    return Customer.objects.filter(shown(), reach(viewer), is_merged=False)


def sees_all(viewer: User | None) -> bool:
    """Whether figures of the whole base may be shown to ``viewer``."""
    return viewer is None or viewer.reach == User.Reach.ALL


def scope_key(viewer: User | None) -> str:
    """The part of a cache key that separates what viewers of different reach see."""
    if sees_all(viewer) or viewer is None:
        return "all"
    return f"{viewer.reach}-{viewer.pk}"


def get_visible(viewer: User | None, public_id: str) -> Customer:
    """One customer by public id; a merged record answers with its survivor.

    Raises:
        Customer.DoesNotExist: unknown, hidden, or not the viewer's to see.
    """
    key = ids.decode(Customer.PREFIX, public_id)
    if key is None:
        raise Customer.DoesNotExist(public_id)
    return visible(viewer).select_related("owner", "team").get(pk=survivor_id(key))


def survivor_id(customer_id: int) -> int:
    """The record that survives ``customer_id`` (itself if it was not merged)."""
    row = Survivor.objects.filter(customer_id=customer_id).values_list("survivor_id", flat=True).first()
    return customer_id if row is None else row


def record_ids(survivor: int) -> list[int]:
    """All records that a survivor stands for, itself first: rows keep the customer they were written with."""
    return [
        survivor,
        *Survivor.objects.filter(survivor_id=survivor).order_by("customer_id").values_list("customer_id", flat=True),
    ]
