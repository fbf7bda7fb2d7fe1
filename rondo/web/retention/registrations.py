"""What retention puts into the command palette."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rondo.foundation.models import User
from rondo.foundation.registry import Finder, Hit, registries
from rondo.foundation.rights import has_right
from rondo.foundation.search import begins


def find_retention(viewer: User, text: str, limit: int) -> list[Hit]:
    """The page of retention, by its name, for who administers."""
    if not text or not has_right(viewer, "administer"):
        return []
    hits = [Hit(_("Retention"), "", reverse("retention"), "hourglass")]
    return [hit for hit in hits if begins(hit.title, text)][:limit]


registries.finders.add("retention", Finder("retention", gettext_lazy("Retention"), 76, find_retention))
