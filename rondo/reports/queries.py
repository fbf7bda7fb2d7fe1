"""Reads of reports: everybody's own; all for who may administer; and those that somebody gets from others."""

from collections.abc import Sequence

from django.conf import settings
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from rondo.errors import NotFound
from rondo.foundation.models import User
from rondo.foundation.rights import owned
from rondo.reports.models import Recipient, Report, Sending
from rondo.reports.schedule import Schedule

ROOM = "reports"
"""The room of reports by mail, each of which belongs to who set it up."""


def visible(viewer: User) -> QuerySet[Report]:
    """The reports that ``viewer`` may see and change, the newest first."""
    rows = Report.objects.filter(owned(viewer, ROOM), deleted_at=None)
    return rows.select_related("owner").order_by("-id")


def get_visible(viewer: User, report_id: int) -> Report:
    """One of them; raises NotFound otherwise."""
    row = visible(viewer).filter(pk=report_id).first()
    if row is None:
        raise NotFound(_("This report is not there; load the list again."))
    return row


def received(viewer: User) -> QuerySet[Report]:
    """Reports of others that ``viewer`` gets."""
    rows = Report.objects.filter(deleted_at=None, recipient__user=viewer)
    return rows.exclude(owner=viewer).select_related("owner").order_by("-id")


def recipients_of(report: Report) -> QuerySet[User]:
    """Who gets it, by address."""
    return User.objects.filter(recipient__report=report).order_by("email")


def recipients_of_each(reports: Sequence[Report]) -> dict[int, list[User]]:
    """The same of several reports, by their keys."""
    found: dict[int, list[User]] = {report.pk: [] for report in reports}
    rows = Recipient.objects.filter(report_id__in=found).select_related("user").order_by("user__email")
    for row in rows:
        found[row.report_id].append(row.user)
    return found


def last_sendings(reports: Sequence[Report]) -> dict[int, Sending]:
    """The latest sending of each report that was ever sent, by the report's key."""
    latest = Sending.objects.filter(report=OuterRef("pk")).order_by("-due_at", "-id").values("pk")[:1]
    keys = Report.objects.filter(pk__in=[report.pk for report in reports]).values(last=Subquery(latest))
    return {row.report_id: row for row in Sending.objects.filter(pk__in=keys)}


def possible_recipients() -> QuerySet[User]:
    """Who may be chosen: people who can sign in."""
    return User.objects.filter(is_active=True, is_service=False).order_by("name", "email")


def sendings_of(report: Report, limit: int = 30) -> list[Sending]:
    """The latest sendings, newest first."""
    return list(report.sendings.select_related("recipient").order_by("-due_at", "-id")[:limit])


def schedule_of(report: Report) -> Schedule:
    """When it is due."""
    return Schedule(report.rhythm, tuple(report.weekdays), report.day, report.hour)


def mail_is_set() -> bool:
    """Whether a mail server is set, without which nothing is sent."""
    return bool(settings.RONDO_MAIL)
