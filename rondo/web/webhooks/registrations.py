"""What webhooks put into the command palette, and onto the home page of who has one that fails."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rondo.foundation.models import User
from rondo.foundation.registry import Finder, Hit, HomeCard, registries
from rondo.foundation.rights import has_right
from rondo.foundation.search import begins
from rondo.web.access import viewer
from rondo.webhooks.queries import troubled, visible


def find_webhooks(viewer: User, text: str, limit: int) -> list[Hit]:
    """The page of webhooks, the way to a new one, and one's own by name."""
    if not text or not has_right(viewer, "integrate"):
        return []
    hits = [Hit(_("Webhooks"), "", reverse("webhooks"), "webhook")]
    hits.append(Hit(_("New webhook"), "", reverse("webhook-new"), "plus"))
    hits += [
        Hit(row.name, "", reverse("webhook", args=[row.public_id]), "webhook", row.public_id) for row in visible(viewer)
    ]
    return [hit for hit in hits if begins(hit.title, text)][:limit]


def on_home(request: HttpRequest) -> dict[str, Any] | None:
    """Webhooks that were stopped or fail again and again; None, and nothing is read of others, where none does."""
    rows = troubled(viewer(request))
    return {"rows": rows} if rows else None


registries.finders.add("webhooks", Finder("webhooks", gettext_lazy("Webhooks"), 65, find_webhooks))
registries.home_cards.add("webhooks", HomeCard("webhooks", 5, "webhooks/home_card.html", on_home))
