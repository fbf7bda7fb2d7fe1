"""What the pages of segments put into the navigation and the command palette."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rondo.analysis.segments.queries import ROOM as SEGMENTS
from rondo.analysis.segments.queries import standing
from rondo.foundation.models import User
from rondo.foundation.registry import CustomerPanel, Finder, Hit, NavItem, registries
from rondo.foundation.rights import enters, has_right
from rondo.foundation.search import fold
from rondo.web.segments import why


def find_segments(viewer: User, text: str, limit: int) -> list[Hit]:
    """Segments each of whose searched words begins a word of the name or the key; and the way to a new one."""
    wanted = fold(text).split()
    if not wanted:
        return []

    def fits(words: str) -> bool:
        return all(any(word.startswith(part) for word in fold(words).split()) for part in wanted)

    hits = [
        Hit(row.name, str(row.get_status_display()), reverse("segment", args=[row.key]), "group", row.key)
        for row in standing(viewer)
        if fits(f"{row.name} {row.key}")
    ][:limit]
    if has_right(viewer, "segment") and enters(viewer, SEGMENTS) and fits(_("New segment")):
        hits.append(Hit(_("New segment"), "", reverse("segment-new"), "plus"))
    return hits[:limit]


registries.nav.add("segments", NavItem("segments", gettext_lazy("Segments"), "group", "segments", 40, room=SEGMENTS))
registries.finders.add("segments", Finder("segments", gettext_lazy("Segments"), 25, find_segments))
registries.customer_panels.add(
    "segments", CustomerPanel("segments", "worth", 40, "segments/panel.html", why.of_customer)
)
