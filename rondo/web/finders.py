"""What the command palette finds: customers, and pages by their name."""

from django.urls import reverse
from django.utils.translation import gettext as _

from rondo.foundation.models import User
from rondo.foundation.registry import Hit
from rondo.foundation.rights import has_right
from rondo.foundation.search import fold
from rondo.web.charts.portfolio import customers_where
from rondo.web.context import navigation


def find_pages(viewer: User, text: str, limit: int) -> list[Hit]:
    """Pages of the navigation one of whose words begins with ``text``; without a text all of them."""
    wanted = fold(text)
    hits = [Hit(str(entry["label"]), "", entry["url"], entry["icon"]) for entry in navigation(viewer, "")]
    hits.append(Hit(_("Households"), "", customers_where(rule="kind = household"), "house"))
    hits.append(Hit(_("Organisations, companies"), "", customers_where(rule="kind = organisation"), "building-2"))
    if has_right(viewer, "delete"):
        hits.append(Hit(_("Bin"), "", reverse("customers-bin"), "trash-2"))
    hits.append(Hit(_("Movements"), "", reverse("movements"), "chart-pie"))
    hits.append(Hit(_("Relationships"), "", reverse("relationships"), "heart-handshake"))
    hits.append(Hit(_("Cohorts"), "", reverse("cohorts"), "chart-pie"))
    hits.append(Hit(_("Buying patterns"), "", reverse("buying"), "chart-pie"))
    hits.append(Hit(_("Buying stages"), "", reverse("buying-stages"), "chart-pie"))
    hits.append(Hit(_("Bought together"), "", reverse("together"), "chart-pie"))
    hits.append(Hit(_("Trading up"), "", reverse("trading-up"), "chart-pie"))
    hits.append(Hit(_("Leads"), "", reverse("leads"), "chart-pie"))
    hits.append(Hit(_("Your profile"), "", reverse("profile"), "user"))
    if has_right(viewer, "administer"):
        hits.append(Hit(_("First steps"), "", reverse("start"), "list-checks"))
        hits.append(Hit(_("Reasons for leaving"), "", reverse("leaving-reasons"), "heart-handshake"))
        hits.append(Hit(_("Users"), "", reverse("users"), "users"))
        hits.append(Hit(_("Teams"), "", reverse("teams"), "users"))
        hits.append(Hit(_("Roles"), "", reverse("roles"), "shield"))
        hits.append(Hit(_("Attributes"), "", reverse("attributes"), "tags"))
        hits.append(Hit(_("New attribute"), "", reverse("attribute-new"), "plus"))
    if has_right(viewer, "audit"):
        hits.append(Hit(_("Audit log"), "", reverse("audit-log"), "history"))
    hits.append(Hit(_("Signing in and sessions"), "", reverse("security"), "shield-check"))
    hits.append(Hit(_("API tokens"), "", reverse("tokens"), "key-round"))
    if has_right(viewer, "administer"):
        hits.append(Hit(_("Invitations"), "", reverse("invitations"), "mail"))
        hits.append(Hit(_("Service accounts"), "", reverse("service-accounts"), "key-round"))
        hits.append(Hit(_("Two factors"), "", reverse("signing-in-settings"), "shield-check"))
    return [hit for hit in hits if any(word.startswith(wanted) for word in fold(hit.title).split())][:limit]
