"""What becomes of each sending: claimed under a lease, handed over once, tried again where it surely failed.

The steps are conditional updates, so that of several workers one makes each mail (docs/decisions/mail-once.md).
"""

from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.errors import NotFound, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor, system
from rondo.foundation.installation import zone
from rondo.foundation.rights import owned
from rondo.reports import queries
from rondo.reports.models import Recipient, Report, Sending

LEASE = timedelta(minutes=10)
"""How long a worker may take for one mail; then it counts as dead."""
RETRIES = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=6))
"""Pauses before a failed sending is tried again; after the last one it stays failed."""

Status = Sending.Status


def plan_due(now: datetime | None = None) -> int:
    """Make a sending per recipient of every report that has fallen due; returns how many.

    Of several due times that passed unseen (the machine was off) only the last counts. Safe to run twice, and by two at
    once: a due time is claimed by moving the report's ``counted_from``.
    """
    now = now or timezone.now()
    made = 0
    for row in Report.objects.filter(deleted_at=None, paused_at=None).exclude(rhythm=Report.Rhythm.NEVER):
        due = queries.schedule_of(row).last_until(now, zone())
        if due is None or due <= row.counted_from:
            continue
        with transaction.atomic():
            same = Report.objects.filter(pk=row.pk, counted_from=row.counted_from, paused_at=None, deleted_at=None)
            if same.update(counted_from=due):
                made += _make(row, due)
    return made


def send_now(actor: Actor, report_id: int, now: datetime | None = None) -> int:
    """Send a report to all its recipients now, whatever its rhythm; returns how many sendings wait. A second time
    within the minute changes nothing.

    Raises:
        NotFound: no such report, or not the actor's. StateError: no mail server is set.
    """
    row = Report.objects.filter(owned(actor.user, queries.ROOM), pk=report_id, deleted_at=None).first()
    if row is None:
        raise NotFound(_("This report is not there; load the list again."))
    if not queries.mail_is_set():
        raise StateError(_("No mail server is set: give RONDO_MAIL_URL and RONDO_MAIL_FROM, then start Rondo again."))
    due = (now or timezone.now()).replace(second=0, microsecond=0)
    with transaction.atomic():
        made = _make(row, due)
        if made:
            audit.record(actor, "report.sent_now", "report", row.pk, {"recipients": [None, made]})
    return made


def send_again(actor: Actor, sending_id: int) -> Sending:
    """Try a sending again that failed, was not sent, or of which it is unknown; under the same Message-ID.

    Raises:
        NotFound: no such sending, or not of the actor's report. StateError: it was sent, or is under way.
    """
    with transaction.atomic():
        row = Sending.objects.select_for_update().select_related("report").filter(pk=sending_id).first()
        if row is None or not Report.objects.filter(owned(actor.user, queries.ROOM), pk=row.report_id).exists():
            raise NotFound(_("This sending is not there; load the list again."))
        if row.status not in {Status.FAILED, Status.UNKNOWN, Status.HELD}:
            raise StateError(_("This sending is %(status)s already.") % {"status": row.get_status_display()})
        row.status, row.try_at, row.attempts, row.error, row.ended_at = Status.WAITING, timezone.now(), 0, "", None
        row.save(update_fields=["status", "try_at", "attempts", "error", "ended_at"])
        audit.record(actor, "report.sent_again", "report", row.report_id, {"message": [None, row.message_id]})
    return row


def _make(report: Report, due: datetime) -> int:
    known = set(Sending.objects.filter(report=report, due_at=due).values_list("recipient_id", flat=True))
    keys = Recipient.objects.filter(report=report).exclude(user_id__in=known).values_list("user_id", flat=True)
    rows = [
        Sending(report=report, recipient_id=key, due_at=due, try_at=timezone.now(), message_id=_message_id())
        for key in keys
    ]
    Sending.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _message_id() -> str:
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or urlsplit(settings.RONDO_URL).hostname
    return f"<rondo-{uuid4().hex}@{domain}>"


# Steps of a worker


def claim(now: datetime | None = None) -> Sending | None:
    """The next sending to be made, claimed for :data:`LEASE`; None if there is none. What a worker left while it was
    making it is taken up, as often as :data:`RETRIES` says; what it left while handing it over becomes unknown."""
    now = now or timezone.now()
    lost = Sending.objects.filter(status=Status.HANDING, lease_until__lt=now)
    lost.update(status=Status.UNKNOWN, error=_("The worker died while it handed the mail over."), ended_at=now)
    dead = Sending.objects.filter(status=Status.MAKING, lease_until__lt=now, attempts__gt=len(RETRIES))
    for sending in dead.select_related("recipient"):
        _ended(sending, Status.MAKING, Status.FAILED, _("The worker died each time it made the mail."), "report.failed")
    ready = Q(status=Status.WAITING, try_at__lte=now) | Q(status=Status.MAKING, lease_until__lt=now)
    todo = Sending.objects.filter(ready, report__deleted_at=None)
    for key, attempts in list(todo.order_by("try_at", "id").values_list("pk", "attempts")[:20]):
        same = Sending.objects.filter(ready, pk=key, attempts=attempts)
        if same.update(status=Status.MAKING, lease_until=now + LEASE, attempts=attempts + 1):
            return Sending.objects.select_related("report__owner", "recipient").get(pk=key)
    return None


def hand_over(sending: Sending) -> bool:
    """Say that the mail is about to go; False if another worker has taken the sending up meanwhile."""
    return _moved(sending, Status.MAKING, status=Status.HANDING, lease_until=timezone.now() + LEASE)


def was_sent(sending: Sending) -> None:
    """The mail server has taken it."""
    _ended(sending, Status.HANDING, Status.SENT, "", "report.sent")


def is_unknown(sending: Sending, reason: str) -> None:
    """The connection broke while the mail was handed over."""
    _ended(sending, Status.HANDING, Status.UNKNOWN, reason, "report.unknown")


def was_held(sending: Sending, reason: str) -> None:
    """Nothing is sent to this recipient, for a reason that stays."""
    _ended(sending, Status.MAKING, Status.HELD, reason, "report.held")


def has_failed(sending: Sending, reason: str) -> None:
    """It was surely not sent; it is tried again after a pause, as often as :data:`RETRIES` says."""
    before = Status.HANDING if Sending.objects.filter(pk=sending.pk, status=Status.HANDING).exists() else Status.MAKING
    if sending.attempts > len(RETRIES):
        _ended(sending, before, Status.FAILED, reason, "report.failed")
        return
    later = timezone.now() + RETRIES[sending.attempts - 1]
    _moved(sending, before, status=Status.WAITING, try_at=later, lease_until=None, error=reason[:500])


def _ended(sending: Sending, before: str, status: str, reason: str, verb: str) -> None:
    with transaction.atomic():
        if _moved(sending, before, status=status, error=reason[:500], ended_at=timezone.now(), lease_until=None):
            told = {"recipient": [None, sending.recipient.email], "message": [None, sending.message_id]}
            if reason:
                told["reason"] = [None, reason[:500]]
            audit.record(system("job"), verb, "report", sending.report_id, told)


def _moved(sending: Sending, before: str, **fields: object) -> bool:
    """Set fields if the sending is still this worker's."""
    same = Sending.objects.filter(pk=sending.pk, status=before, attempts=sending.attempts)
    return bool(same.update(**fields))
