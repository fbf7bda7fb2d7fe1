"""What erasure puts on the page of a customer and into the command palette."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rondo.foundation.models import User
from rondo.foundation.registry import CustomerPanel, Finder, Hit, registries
from rondo.foundation.rights import has_right
from rondo.foundation.search import begins
from rondo.web.erasure import panel


def find_erasures(viewer: User, text: str, limit: int) -> list[Hit]:
    """The page of erasures, by its name, for who may erase."""
    if not text or not has_right(viewer, "erase"):
        return []
    hits = [Hit(_("Erasures"), "", reverse("erasures"), "eraser")]
    return [hit for hit in hits if begins(hit.title, text)][:limit]


registries.finders.add("erasures", Finder("erasures", gettext_lazy("Erasures"), 75, find_erasures))
registries.customer_panels.add("data", CustomerPanel("data", "who", 95, "erasure/panel.html", panel.of_customer))
