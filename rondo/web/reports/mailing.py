"""Sends what is due: each recipient gets the report over what they may see at this moment, as a PDF by mail."""

import logging
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from rondo.errors import NotFound, PermissionRefused, RondoError
from rondo.foundation.actors import Actor
from rondo.foundation.installation import language as company_language
from rondo.foundation.jobs import task
from rondo.foundation.rights import has_right
from rondo.reports import queries
from rondo.reports.actions import sendings
from rondo.reports.models import Sending
from rondo.web import formats
from rondo.web.reports.composing import Made, make_report

log = logging.getLogger("rondo.reports")

_REFUSED = (
    smtplib.SMTPRecipientsRefused,
    smtplib.SMTPSenderRefused,
    smtplib.SMTPDataError,
    smtplib.SMTPHeloError,
    smtplib.SMTPNotSupportedError,
)
"""What a server says when it has not taken a mail."""


class _NotTheirs(Exception):
    """There is nothing in the report that the recipient may see; the reason is its text."""


class _NotMade(Exception):
    """The mail could not be made, or the server did not take it; the reason is its text."""


def send_due(actor: Actor) -> dict[str, int]:
    """Plan what has fallen due and send all that waits; how many mails ended how. Two at once are safe."""
    ended: dict[str, int] = {"planned": sendings.plan_due()}
    while (sending := sendings.claim()) is not None:
        status = _send(sending)
        ended[status] = ended.get(status, 0) + 1
    return ended


@task()
def send_waiting() -> dict[str, int]:
    """Send what somebody asked for now."""
    return send_due(Actor(None, "job"))


def _send(sending: Sending) -> str:
    """Make and send one mail; how it ended."""
    report, person = sending.report, sending.recipient
    owners = report.owner.language or company_language()
    theirs = report.language or person.language or company_language()
    if not person.is_active or not has_right(person, "see"):
        with override(owners):
            sendings.was_held(sending, _("%(person)s is deactivated and gets nothing.") % {"person": person.email})
        return "held"
    if not queries.recipients_of(report).filter(pk=person.pk).exists():
        with override(owners):
            sendings.was_held(sending, _("%(person)s gets this report no longer.") % {"person": person.email})
        return "held"
    try:
        with override(owners):
            connection = _connected()
        try:
            with override(theirs), _as_reasons():
                made = make_report(person, [address for address, _title in report.addresses], title=report.name)
                mail = _mail(sending, made)
            mail.connection = connection
            if not sendings.hand_over(sending):
                return "lost"
            return _handed(sending, mail, owners)
        finally:
            connection.close()
    except _NotTheirs as error:
        sendings.was_held(sending, str(error))
        return "held"
    except _NotMade as error:
        log.warning("%s to %s failed: %s", sending.message_id, person.email, error)
        sendings.has_failed(sending, str(error))
        return "failed"


def _connected() -> BaseEmailBackend:
    """A connection to the mail server; _NotMade says why there is none."""
    if not queries.mail_is_set():
        raise _NotMade(_("No mail server is set: give RONDO_MAIL_URL and RONDO_MAIL_FROM, then start Rondo again."))
    connection: BaseEmailBackend = get_connection()
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        raise _NotMade(_("The mail server does not answer: %(reason)s") % {"reason": _said(error)}) from error
    return connection


@contextmanager
def _as_reasons() -> Iterator[None]:
    """An error of ours is a reason in words; any other is named, and its place is in the log."""
    try:
        yield
    except (NotFound, PermissionRefused) as error:
        raise _NotTheirs(str(error)) from error
    except RondoError as error:
        raise _NotMade(str(error)) from error
    except Exception as error:
        log.exception("A report could not be made")
        raise _NotMade(f"{type(error).__name__}: {error}") from error


def _handed(sending: Sending, mail: EmailMessage, language: str) -> str:
    """Hand the mail over. A server that says no has not taken it. A connection that breaks leaves it unknown."""
    try:
        mail.send()
    except _REFUSED as error:
        with override(language):
            raise _NotMade(_("The mail server refused it: %(reason)s") % {"reason": _said(error)}) from error
    except (OSError, smtplib.SMTPException) as error:
        with override(language):
            said = _("The connection broke while the mail was handed over (%(reason)s).") % {"reason": _said(error)}
        sendings.is_unknown(sending, said)
        return "unknown"
    sendings.was_sent(sending)
    return "sent"


def _said(error: Exception) -> str:
    """What a mail server said, in one line."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        answers = "; ".join(f"{code} {_plain(text)}" for code, text in error.recipients.values())
        return answers or type(error).__name__
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_plain(error.smtp_error)}"
    return str(error) or type(error).__name__


def _plain(text: bytes | str) -> str:
    return text.decode(errors="replace") if isinstance(text, bytes) else text


def _mail(sending: Sending, made: Made) -> EmailMessage:
    """The mail in the language in force: a few lines of text, and the report."""
    report, person = sending.report, sending.recipient
    lines = [
        _("Attached is the report “%(report)s” as of %(day)s:")
        % {"report": report.name, "day": formats.day(made.as_of)},
        "",
        *(
            f"- {title}: {sentence}\n  {url}" if sentence else f"- {title}\n  {url}"
            for title, sentence, url in made.pages
        ),
        "",
        _("Its figures are those that you may see."),
    ]
    page = settings.RONDO_URL + reverse("reports")
    if report.owner_id == person.pk:
        lines.append(_("You set it up yourself; change or stop it here: %(url)s") % {"url": page})
    else:
        lines.append(
            _("%(person)s set it up for you; if you want it no longer, say so here: %(url)s")
            % {"person": report.owner, "url": page}
        )
    mail = EmailMessage(
        subject=f"{report.name} · {formats.day(made.as_of)}",
        body="\n".join(lines) + "\n",
        to=[person.email],
        reply_to=[report.owner.email] if report.owner_id != person.pk else [],
        headers={
            "Message-ID": sending.message_id,
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            "Content-Language": formats.language(),
        },
    )
    mail.attach(made.file_name, made.pdf, "application/pdf")
    return mail
