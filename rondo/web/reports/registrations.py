"""What reports put into the command palette, and the work that comes round."""

from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rondo.foundation.models import User
from rondo.foundation.registry import Finder, Hit, Periodic, registries
from rondo.foundation.rights import enters
from rondo.foundation.search import begins
from rondo.reports.queries import ROOM, visible


def find_reports(viewer: User, text: str, limit: int) -> list[Hit]:
    """The page of reports, the way to a new one, and one's own by name."""
    if not text or not enters(viewer, ROOM):
        return []
    hits = [Hit(_("Reports by mail"), "", reverse("reports"), "mail")]
    hits.append(Hit(_("New report"), "", reverse("report-new"), "plus"))
    hits += [Hit(row.name, "", reverse("report", args=[row.pk]), "mail") for row in visible(viewer)[:200]]
    return [hit for hit in hits if begins(hit.title, text)][:limit]


registries.finders.add("reports", Finder("reports", gettext_lazy("Reports"), 60, find_reports))
registries.periodic.add("reports", Periodic("reports", "rondo.web.reports.mailing.send_due", timedelta(minutes=5)))
