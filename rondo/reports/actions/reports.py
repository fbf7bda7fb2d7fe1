"""Making and changing reports: everybody those that they see (:func:`rondo.reports.queries.visible`)."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.errors import InputError, NotFound
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.models import User
from rondo.foundation.rights import owned
from rondo.reports import queries
from rondo.reports.models import Recipient, Report, Sending
from rondo.reports.queries import recipients_of

MOST_PAGES = 12
"""Pages of one report."""
MOST_RECIPIENTS = 200
_PLAIN = ("name", "language", "rhythm", "weekdays", "day", "hour", "addresses")
_TIMES = frozenset({"rhythm", "weekdays", "day", "hour"})


def create_report(actor: Actor, *, recipients: Iterable[int], **fields: Any) -> Report:
    """A report of the actor's, sent from its next due time on. ``addresses`` are (path with query, title) of its pages,
    ``recipients`` keys of users; for the rest see :class:`rondo.reports.models.Report`.

    Raises:
        InputError: a field is not usable; the message says which and what would be.
    """
    actor.require("see")
    if actor.user is None:
        raise InputError(_("A report belongs to a person; make it as one."))
    values = _checked({"language": "", "rhythm": Report.Rhythm.WEEKLY, "weekdays": [0], "day": 1, "hour": 7, **fields})
    people = _people(recipients)
    with transaction.atomic():
        row = Report.objects.create(owner=actor.user, **values)
        Recipient.objects.bulk_create(Recipient(report=row, user_id=key) for key in sorted(people))
        told = {name: [None, values[name]] for name in _PLAIN} | {"recipients": [None, sorted(people.values())]}
        audit.record(actor, "report.created", "report", row.pk, told)
    return row


def change_report(actor: Actor, report_id: int, *, recipients: Iterable[int] | None = None, **fields: Any) -> Report:
    """Set named fields of a report. After a change of its times only due times from now on count.

    Raises:
        NotFound: no such report, or one that the actor does not see. InputError: as on creation.
    """
    with transaction.atomic():
        row = _own(actor, report_id)
        values = _checked({name: getattr(row, name) for name in _PLAIN} | fields)
        told = {name: [getattr(row, name), values[name]] for name in _PLAIN if getattr(row, name) != values[name]}
        for name in told:
            setattr(row, name, values[name])
        written = list(told)
        if _TIMES & set(told):
            row.counted_from = timezone.now()
            written.append("counted_from")
        if written:
            row.save(update_fields=written)
        if recipients is not None:
            before = {person.pk: person.email for person in recipients_of(row)}
            people = _people(recipients, allowed=before)
            Recipient.objects.filter(report=row).exclude(user_id__in=people).delete()
            Recipient.objects.bulk_create(
                Recipient(report=row, user_id=key) for key in sorted(set(people) - set(before))
            )
            if set(people) != set(before):
                told["recipients"] = [sorted(before.values()), sorted(people.values())]
        if told:
            audit.record(actor, "report.changed", "report", row.pk, told)
    return row


def pause_report(actor: Actor, report_id: int) -> Report:
    """Send nothing until :func:`resume_report`; what waited to be tried again is not."""
    with transaction.atomic():
        row = _own(actor, report_id)
        if row.paused_at is None:
            row.paused_at = timezone.now()
            row.save(update_fields=["paused_at"])
            _hold(row, _("The report was paused."))
            audit.record(actor, "report.paused", "report", row.pk, {"paused": [False, True]})
    return row


def resume_report(actor: Actor, report_id: int) -> Report:
    """Send again, from the next due time on: what fell due during the pause is not made up for."""
    with transaction.atomic():
        row = _own(actor, report_id)
        if row.paused_at is not None:
            row.paused_at, row.counted_from = None, timezone.now()
            row.save(update_fields=["paused_at", "counted_from"])
            audit.record(actor, "report.resumed", "report", row.pk, {"paused": [True, False]})
    return row


def delete_report(actor: Actor, report_id: int) -> Report:
    """Take a report away; :func:`restore_report` undoes it. What waited to be sent is not sent by itself any more."""
    with transaction.atomic():
        row = _own(actor, report_id)
        row.deleted_at = timezone.now()
        row.save(update_fields=["deleted_at"])
        _hold(row, _("The report was deleted."))
        audit.record(actor, "report.deleted", "report", row.pk, {"name": [row.name, None]})
    return row


def restore_report(actor: Actor, report_id: int) -> Report:
    """Undo :func:`delete_report`; due times that passed meanwhile are not made up for."""
    with transaction.atomic():
        row = _own(actor, report_id, deleted=True)
        row.deleted_at, row.counted_from = None, timezone.now()
        row.save(update_fields=["deleted_at", "counted_from"])
        audit.record(actor, "report.restored", "report", row.pk, {"name": [None, row.name]})
    return row


def leave_report(actor: Actor, report_id: int) -> None:
    """Get a report of somebody else's no longer; a second time changes nothing."""
    with transaction.atomic():
        gone = Recipient.objects.filter(report_id=report_id, user=actor.user, report__deleted_at=None).delete()[0]
        if gone and actor.user is not None:
            audit.record(actor, "report.left", "report", report_id, {"recipients": [actor.user.email, None]})


def _hold(row: Report, reason: str) -> None:
    """What waits to be sent is not sent, unless somebody asks for it again."""
    waiting = Sending.objects.filter(report=row, status=Sending.Status.WAITING)
    waiting.update(status=Sending.Status.HELD, error=reason, ended_at=timezone.now())


def _own(actor: Actor, report_id: int, *, deleted: bool = False) -> Report:
    """The report, locked, if it is one that the actor sees (those of the own reach)."""
    rows = Report.objects.filter(pk=report_id, deleted_at__isnull=not deleted)
    seen = Report.objects.filter(owned(actor.user, queries.ROOM), pk=report_id).exists()
    row = rows.select_for_update().first() if seen else None
    if row is None:
        raise NotFound(_("This report is not there; load the list again."))
    return row


def _people(keys: Iterable[int], allowed: "Iterable[int]" = ()) -> dict[int, str]:
    """Key and e-mail address of each recipient. Who is deactivated stays where they were (``allowed``), and gets
    nothing; nobody else is added."""
    wanted = set(keys)
    kept = set(allowed)
    found = {
        person.pk: person.email
        for person in User.objects.filter(pk__in=wanted, is_service=False)
        if person.is_active or person.pk in kept
    }
    if missing := sorted(wanted - set(found)):
        raise InputError(
            _("recipients: user %(key)s is not there or not active; choose another.") % {"key": missing[0]}
        )
    if not 1 <= len(found) <= MOST_RECIPIENTS:
        raise InputError(
            _("recipients: %(count)d; from 1 to %(most)d are needed.") % {"count": len(found), "most": MOST_RECIPIENTS}
        )
    return found


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    """The fields as they are kept; InputError names the one that is not usable."""
    name = " ".join(str(values["name"]).split())
    if not 1 <= len(name) <= 120:
        raise InputError(_("name: %(count)d signs; from 1 to 120 are needed.") % {"count": len(name)})
    if values["language"] and values["language"] not in dict(settings.LANGUAGES):
        raise InputError(_("language=%(value)r: 'en', 'de' or nothing is needed.") % {"value": values["language"]})
    if values["rhythm"] not in Report.Rhythm.values:
        raise InputError(
            _("rhythm=%(value)r: one of %(values)s is needed.")
            % {"value": values["rhythm"], "values": ", ".join(Report.Rhythm.values)}
        )
    weekdays = sorted(set(values["weekdays"]))
    if not set(weekdays) <= set(range(7)) or (values["rhythm"] == Report.Rhythm.WEEKLY and not weekdays):
        raise InputError(_("weekdays: choose at least one, 0 (Monday) to 6 (Sunday)."))
    for field, low, high in (("day", 1, 31), ("hour", 0, 23)):
        if not low <= int(values[field]) <= high:
            raise InputError(
                _("%(field)s=%(value)r: a whole number from %(low)d to %(high)d is needed.")
                % {"field": field, "value": values[field], "low": low, "high": high}
            )
    addresses = [[str(address), str(title)] for address, title in _pairs(values["addresses"])]
    if not 1 <= len(addresses) <= MOST_PAGES:
        raise InputError(
            _("pages: %(count)d; from 1 to %(most)d are needed.") % {"count": len(addresses), "most": MOST_PAGES}
        )
    return {**values, "name": name, "weekdays": weekdays, "addresses": addresses,
            "day": int(values["day"]), "hour": int(values["hour"])}  # fmt: skip


def _pairs(addresses: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    return [(address, title) for address, title in addresses]
