"""What imports put into the command palette, and the work that comes round."""

from datetime import time, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rondo.foundation.models import User
from rondo.foundation.registry import Finder, Hit, Periodic, registries
from rondo.foundation.rights import has_right
from rondo.foundation.search import begins


def find_imports(viewer: User, text: str, limit: int) -> list[Hit]:
    """The page of imports, by its name, for who may import."""
    if not text or not has_right(viewer, "import"):
        return []
    hits = [
        Hit(_("Import"), "", reverse("imports"), "upload"),
        Hit(_("Import customers"), "", reverse("imports"), "upload"),
    ]
    return [hit for hit in hits if begins(hit.title, text)][:limit]


registries.finders.add("imports", Finder("imports", gettext_lazy("Import"), 70, find_imports))
registries.periodic.add(
    "old-uploads",
    Periodic("old-uploads", "rondo.interactions.importing.choosing.forget_old", timedelta(days=1), at=time(3, 40)),
)
