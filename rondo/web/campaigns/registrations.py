"""What the pages of campaigns put into the navigation and the command palette."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from rondo.campaigns import queries
from rondo.foundation.models import User
from rondo.foundation.registry import Finder, Hit, NavItem, registries
from rondo.foundation.search import fold
from rondo.web import formats


def find_campaigns(viewer: User, text: str, limit: int) -> list[Hit]:
    """Campaigns each of whose searched words begins a word of the name, the newest first."""
    wanted = fold(text).split()
    if not wanted:
        return []
    hits = []
    for campaign in queries.visible(viewer).order_by("-starts_on", "-pk"):
        words = fold(f"{campaign.name} {campaign.type}").split()
        if all(any(word.startswith(part) for word in words) for part in wanted):
            detail = f"{formats.day(campaign.starts_on)} – {formats.day(campaign.ends_on)}"
            address = reverse("campaign", args=[campaign.public_id])
            hits.append(Hit(campaign.name, detail, address, "megaphone", campaign.public_id))
            if len(hits) == limit:
                break
    return hits


registries.nav.add("campaigns", NavItem("campaigns", _("Campaigns"), "megaphone", "campaigns", 50))
registries.finders.add("campaigns", Finder("campaigns", _("Campaigns"), 30, find_campaigns))
