"""What the demo consists of, and what stays when it is cleared, counted."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from rondo.analysis.models import Run, Segment
from rondo.campaigns.models import Campaign, Exposure
from rondo.customers.models import Customer
from rondo.demo.models import Clearing
from rondo.foundation.models import AuditEntry, Load, Role, Team, User
from rondo.interactions.models import Interaction
from rondo.lists.models import SavedView
from rondo.reports.models import Report


@dataclass(frozen=True)
class Preview:
    """How many rows of what go, and of what stay, by the names of :data:`rondo.demo.words.GOES` and ``STAYS``."""

    goes: dict[str, int]
    stays: dict[str, int]


def demo_loads() -> QuerySet[Load]:
    """The imports of the demo, whatever became of them."""
    return Load.objects.filter(options__is_demo=True)


def demo_customers() -> QuerySet[Customer]:
    """Every record of the demo, merged ones and those split off among them."""
    return Customer.objects.filter(is_demo=True)


def demo_campaigns() -> QuerySet[Campaign]:
    """The campaigns that the demo brought."""
    return Campaign.objects.filter(load__in=demo_loads())


def latest_clearing() -> Clearing | None:
    """The newest removal, under way or ended."""
    return Clearing.objects.order_by("-pk").first()


def preview() -> Preview:
    """What would go and what would stay."""
    loads = list(demo_loads().filter(status=Load.Status.VISIBLE))
    brought = {name: sum(load.counts.get(f"{name}_created", 0) for load in loads) for name in ("lines", "products")}
    about = Interaction.objects.filter(customer__in=demo_customers())
    mine = Q(load__isnull=True) | ~Q(load__in=demo_loads())
    goes = {
        "customers": demo_customers().count(),
        "contacts": about.count(),
        **brought,
        "campaigns": demo_campaigns().count(),
        "exposures": Exposure.objects.filter(campaign__in=demo_campaigns()).count(),
        "own_contacts": about.filter(mine).count(),
        "runs": Run.objects.count(),
    }
    stays = {
        "users": User.objects.count(),
        "roles": Role.objects.count(),
        "teams": Team.objects.count(),
        "customers": Customer.objects.filter(is_demo=False).count(),
        "imports": Load.objects.filter(status=Load.Status.VISIBLE).exclude(options__is_demo=True).count(),
        "segments": Segment.objects.filter(retired_at__isnull=True).count(),
        "views": SavedView.objects.count(),
        "reports": Report.objects.count(),
        "audit": AuditEntry.objects.count(),
    }
    return Preview(goes, stays)
