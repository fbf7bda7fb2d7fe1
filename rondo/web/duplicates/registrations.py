"""The way to the work list in the command palette."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rondo.foundation.models import User
from rondo.foundation.registry import Finder, Hit, registries
from rondo.foundation.rights import has_right
from rondo.foundation.search import begins


def find_pages(viewer: User, text: str, limit: int) -> list[Hit]:
    """The work list, for administrators the threshold of merging by itself, and the form of a new customer."""
    hits = []
    if has_right(viewer, "merge") and begins(_("Duplicates"), text):
        hits.append(Hit(_("Duplicates"), _("one customer, once"), reverse("duplicates"), "copy"))
    if has_right(viewer, "merge") and has_right(viewer, "administer") and begins(_("Merge automatically"), text):
        hits.append(Hit(_("Merge automatically"), _("Duplicates"), reverse("duplicates-automatic"), "copy"))
    if has_right(viewer, "edit") and begins(_("New customer"), text):
        hits.append(Hit(_("New customer"), "", reverse("customer-new"), "plus"))
    return hits[:limit]


registries.finders.add("duplicates", Finder("duplicates", gettext_lazy("Duplicates"), 35, find_pages))
