"""The kinds of data that rules can be made for, and which of their rows are too old."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from rondo.campaigns.models import Exposure
from rondo.customers.models import Customer, Link, Survivor
from rondo.customers.queries import binned, visible
from rondo.erasure.models import Hold
from rondo.foundation.installation import business_now
from rondo.foundation.models import AuditEntry
from rondo.interactions.models import Interaction
from rondo.reports.models import Sending

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


@dataclass(frozen=True)
class Kind:
    """One kind. ``old(before)`` are the rows that are older (how they go: :mod:`rondo.retention.actions.removing`);
    a rule asks for at least ``least`` days. ``emptied``: the rows stay and lose their values, so that what was
    done is told by how far it went."""

    key: str
    label: "_StrOrPromise"
    meaning: "_StrOrPromise"
    old: "Callable[[datetime], QuerySet[Any]]"
    least: int
    emptied: bool = False


def _in_bin(before: datetime) -> QuerySet[Customer]:
    standing = Q(until__isnull=True) | Q(until__gte=business_now().date())
    kept = Hold.objects.filter(standing, customer_id=OuterRef("pk"), ended_at__isnull=True)
    return binned(None).filter(~Exists(kept), bin__created_at__lt=before)


def _never_active(before: datetime) -> QuerySet[Customer]:
    """Nobody ever had a contact with them or any record merged into them, no campaign reached them, and nobody belongs
    to them: what is said and bought in a household or a company stands with its members."""
    found = visible(None).filter(created_at__lt=before)
    merged = Survivor.objects.filter(survivor_id=OuterRef("pk"))
    members = Link.objects.filter(role__in=Link.BELONGING)
    signs: tuple[tuple[QuerySet[Any], str], ...] = (
        (Interaction._default_manager.all(), "customer_id"),
        (Exposure._default_manager.all(), "customer_id"),
        (members, "object_id"),
    )
    for rows, column in signs:
        of_merged = rows.filter(**{column: OuterRef("customer_id")})
        found = found.filter(
            ~Exists(rows.filter(**{column: OuterRef("pk")})), ~Exists(merged.filter(Exists(of_merged)))
        )
    return found


def _told(before: datetime) -> QuerySet[Interaction]:
    return Interaction.objects.filter(~Q(title="") | ~Q(body=""), occurred_at__lt=before)


def _audit_values(before: datetime) -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(at__lt=before).exclude(changes={})


def _sendings(before: datetime) -> QuerySet[Sending]:
    return Sending.objects.filter(ended_at__lt=before)


KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind(
            "bin",
            _("Customers in the bin"),
            _("Erased for good so many days after they were put there; not those whom a hold keeps."),
            _in_bin,
            1,
        ),
        Kind(
            "prospects",
            _("Prospects who were never active"),
            _("Put into the bin when there was no contact, purchase or campaign within so many days after they came."),
            _never_active,
            30,
        ),
        Kind(
            "texts",
            _("Texts of contacts"),
            _("When there was a contact, of which kind and over which channel stays, what was said does not."),
            _told,
            30,
        ),
        Kind(
            "audit",
            _("Values in the audit log"),
            _("Who did what and when stays, from what to what does not. Undo reaches no further back."),
            _audit_values,
            30,
            emptied=True,
        ),
        Kind(
            "sendings",
            _("Reports that were mailed"),
            _("When which one went to whom."),
            _sendings,
            30,
        ),
    )
}
"""By key, in the order of the page."""
