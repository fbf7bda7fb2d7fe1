"""What audit entries tell of: per type of record its name, who may see it, and where it is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from rondo.analysis.segments.queries import standing
from rondo.campaigns.models import Campaign
from rondo.customers.models import AttributeDefinition, Customer
from rondo.customers.queries import visible
from rondo.erasure.models import Erasure
from rondo.foundation import ids
from rondo.foundation.models import Role, Team, User
from rondo.foundation.rights import has_right
from rondo.interactions.models import Interaction, LeavingReason
from rondo.lists import queries as lists
from rondo.reports import queries as reports
from rondo.webhooks import queries as webhooks
from rondo.webhooks.models import Endpoint

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


@dataclass(frozen=True)
class Kind:
    """A type of record. ``seen(viewer)``: those that the viewer may open; None: there is no page. ``address``: where
    one is. ``handle`` finds the key of a record by what stands in addresses."""

    label: "_StrOrPromise"
    seen: "Callable[[User], QuerySet[Model]] | None" = None
    address: Callable[[Model], str] = lambda row: ""
    handle: Callable[[str], int | None] = lambda text: int(text) if text.isdecimal() and len(text) < 16 else None
    embedded: bool = False


def _administered(model: type[Model]) -> "Callable[[User], QuerySet[Model]]":
    def rows(viewer: User) -> "QuerySet[Model]":
        found = model._default_manager.all()
        return found if has_right(viewer, "administer") else found.none()

    return rows


def _contacts(viewer: User) -> "QuerySet[Model]":
    return Interaction.objects.filter(customer__in=visible(viewer)).select_related("customer")


def _attributes(viewer: User) -> "QuerySet[Model]":
    rows = _administered(AttributeDefinition)(viewer)
    return rows.filter(state__in=["standing", "archived"])


def _erasures(viewer: User) -> "QuerySet[Model]":
    return Erasure.objects.all() if has_right(viewer, "erase") else Erasure.objects.none()


def _customer(row: Model) -> str:
    return reverse("customer", args=[ids.encode(Customer.PREFIX, int(row.pk))])


def _segment_key(text: str) -> int | None:
    return standing().filter(key=text).values_list("pk", flat=True).first()


KINDS: dict[str, Kind] = {
    "customer": Kind(
        _("Customer"),
        visible,
        _customer,
        lambda text: ids.decode(Customer.PREFIX, text),
    ),
    "interaction": Kind(
        _("Contact"),
        _contacts,
        lambda row: _customer(row.customer),  # type: ignore[attr-defined]
    ),
    "segment": Kind(
        _("Segment"),
        lambda viewer: standing(viewer),
        lambda row: reverse("segment", args=[row.key]),  # type: ignore[attr-defined]
        _segment_key,
    ),
    "campaign": Kind(
        _("Campaign"),
        lambda viewer: Campaign.objects.all(),
        lambda row: reverse("campaign", args=[row.public_id]),  # type: ignore[attr-defined]
        lambda text: ids.decode(Campaign.PREFIX, text),
    ),
    "report": Kind(
        _("Report"),
        reports.visible,
        lambda row: reverse("report", args=[row.pk]),
    ),
    "webhook": Kind(
        _("Webhook"),
        webhooks.visible,
        lambda row: reverse("webhook", args=[row.public_id]),  # type: ignore[attr-defined]
        lambda text: ids.decode(Endpoint.PREFIX, text),
    ),
    "view": Kind(
        _("View"),
        lists.visible,
        lambda row: reverse("customers") + f"?view={row.key}",  # type: ignore[attr-defined]
    ),
    "user": Kind(_("User"), _administered(User), lambda row: reverse("user", args=[row.pk])),
    "role": Kind(_("Role"), _administered(Role), lambda row: reverse("role", args=[row.key])),  # type: ignore[attr-defined]
    "leaving_reason": Kind(
        _("Reason for leaving"),
        _administered(LeavingReason),
        lambda row: reverse("leaving-reason", args=[row.key]),  # type: ignore[attr-defined]
    ),
    "team": Kind(_("Team"), _administered(Team), lambda row: reverse("team", args=[row.pk])),
    "load": Kind(_("Import")),
    "run": Kind(_("Analysis")),
    "study": Kind(_("Study")),
    "model": Kind(_("Model")),
    "attribute": Kind(
        _("Attribute"),
        _attributes,
        lambda row: reverse("attribute", args=[row.key]),  # type: ignore[attr-defined]
    ),
    "erasure": Kind(
        _("Erasure"),
        _erasures,
        lambda row: reverse("erasure", args=[row.public_id]),  # type: ignore[attr-defined]
    ),
    "installation": Kind(_("Company")),
    "standing": Kind(_("Thresholds of the ladder and of the life cycle")),
    "search": Kind(_("Search for duplicates")),
    "duplicate": Kind(_("Pair of duplicates")),
    "buying_stages": Kind(_("Thresholds of buying stages")),
}


def named(viewer: User, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], tuple[str, str]]:
    """Name and address of those records that ``viewer`` may open, a query per type."""
    keys: dict[str, set[int]] = {}
    for kind, key in wanted:
        keys.setdefault(kind, set()).add(key)
    found: dict[tuple[str, int], tuple[str, str]] = {}
    for kind, some in keys.items():
        known = KINDS.get(kind)
        if known is not None and known.seen is not None:
            for row in known.seen(viewer).filter(pk__in=some):
                name = str(row.customer) if isinstance(row, Interaction) else str(row)
                found[kind, int(row.pk)] = (name, known.address(row))
    return found
