"""Reads of webhooks: one's own; all for who may administer."""

from collections.abc import Sequence

from django.db.models import Count, Max, Q, QuerySet
from django.utils.translation import gettext as _

from rondo.errors import NotFound
from rondo.foundation import ids
from rondo.foundation.models import User
from rondo.foundation.rights import has_right
from rondo.webhooks.models import Delivery, Endpoint

WAITS = (Delivery.Status.WAITING, Delivery.Status.SENDING)


def visible(viewer: User | None, *, deleted: bool = False) -> QuerySet[Endpoint]:
    """The webhooks that ``viewer`` may see and change, by name (None: the system, all)."""
    rows = Endpoint.objects.filter(Q() if deleted else Q(deleted_at=None))
    if viewer is not None and not has_right(viewer, "administer"):
        rows = rows.filter(owner=viewer)
    return rows.select_related("owner__role").order_by("name", "pk")


def get_visible(viewer: User | None, ref: str | int, *, deleted: bool = False) -> Endpoint:
    """One of them by public id or key; raises NotFound otherwise."""
    key = ids.decode(Endpoint.PREFIX, ref) if isinstance(ref, str) else ref
    row = None if key is None else visible(viewer, deleted=deleted).filter(pk=key).first()
    if row is None:
        raise NotFound(_("This webhook is not there; load the list again."))
    return row


def log_of(endpoint: Endpoint, status: str = "", kind: str = "") -> QuerySet[Delivery]:
    """The messages to a webhook, newest first, of one status or kind."""
    rows = Delivery.objects.filter(endpoint=endpoint).select_related("event")
    if status:
        rows = rows.filter(status__in=WAITS if status == "waiting" else [status])
    if kind:
        rows = rows.filter(event__kind=kind)
    return rows.annotate(tried=Count("tries"), took=Max("tries__milliseconds")).order_by("-pk")


def delivery_of(viewer: User | None, public_id: str) -> Delivery:
    """One message of a webhook that ``viewer`` sees; raises NotFound otherwise."""
    key = ids.decode(Delivery.PREFIX, public_id)
    rows = Delivery.objects.select_related("event", "endpoint__owner").filter(endpoint__in=visible(viewer))
    row = None if key is None else rows.filter(pk=key).first()
    if row is None:
        raise NotFound(_("This message is not there any more; the log is kept for some days."))
    return row


def counts(rows: Sequence[Endpoint]) -> dict[int, dict[str, int]]:
    """How many messages each webhook has in the log, by status: delivered, waiting and given up."""
    found: dict[int, dict[str, int]] = {}
    grouped = Delivery.objects.filter(endpoint__in=rows).values_list("endpoint_id", "status").order_by()
    for key, status, number in grouped.annotate(n=Count("pk")):
        name = "waiting" if status in WAITS else status
        one = found.setdefault(key, {})
        one[name] = one.get(name, 0) + number
    return found


def troubled(viewer: User) -> list[Endpoint]:
    """Webhooks of ``viewer`` that were stopped after failures, or fail now."""
    if not has_right(viewer, "integrate"):
        return []
    return list(visible(viewer).filter(Q(state=Endpoint.State.FAILED) | Q(state="active", failures__gte=3)))
