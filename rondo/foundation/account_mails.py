"""Mails about accounts: invitations, forgotten passwords, and what has changed about somebody's signing in.

They leave by a job after the commit. A job carries a key, never a link or an address: the link is made when the mail
is, so that no table holds one. A mail server that does not answer is tried again.
"""

import logging
import smtplib
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from rondo.foundation.installation import installation
from rondo.foundation.installation import language as company_language
from rondo.foundation.jobs import enqueue_after_commit, task
from rondo.foundation.models import Invitation, User

log = logging.getLogger("rondo.mail")

RETRIES = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
"""Pauses before a mail that the server did not take is tried again."""
RESET_HOURS = settings.PASSWORD_RESET_TIMEOUT // 3600


@dataclass(frozen=True)
class Letter:
    """What a mail says: paragraphs, then a button, then small print."""

    subject: str
    lines: list[str]
    button: str
    url: str
    small: str


def tell(user: User, what: str) -> None:
    """Tell a user by mail of a change to how they sign in; nothing where no mail server is set."""
    if settings.RONDO_MAIL and not user.is_service:
        enqueue_after_commit(send_account_mail, what, user.pk)


def ask_for_reset(user: User | None) -> None:
    """Queue the mail to who has forgotten the password. Without a user a job is queued that sends nothing, so that the
    page takes as long for an address without an account."""
    enqueue_after_commit(send_account_mail, "password_reset", user.pk if user else 0)


def invite_by_mail(invitation: Invitation) -> None:
    """Queue the mail of an invitation."""
    enqueue_after_commit(send_account_mail, "invitation", invitation.pk)


@task()
def send_account_mail(kind: str, key: int, attempt: int = 1) -> str:
    """Make and send one mail; returns how it ended. Run twice it sends twice, the same."""
    invitation: Invitation | None = None
    user: User | None = None
    if kind == "invitation":
        invitation = Invitation.objects.select_related("invited_by").filter(pk=key).first()
    else:
        user = User.objects.filter(pk=key, is_active=True, is_service=False).first()
    to = user.email if user else invitation.email if invitation else ""
    if not to or (invitation is not None and (invitation.accepted_at or invitation.withdrawn_at)):
        return "nobody"
    language = (user.language if user else invitation.language if invitation else "") or company_language()
    with override(language):
        letter = _of_invitation(invitation) if invitation else _of_user(kind, user) if user else None
        if letter is None:
            return "unknown"
        mail = _made(letter, to)
    try:
        mail.send()
    except (OSError, smtplib.SMTPException) as error:
        return _failed(kind, key, attempt, error)
    if invitation is not None:
        Invitation.objects.filter(pk=key).update(mail=Invitation.Mail.SENT, mailed_at=timezone.now(), mail_error="")
    return "sent"


def _failed(kind: str, key: int, attempt: int, error: Exception) -> str:
    log.warning("A mail (%s %d) was not taken: %s", kind, key, error)
    again = attempt <= len(RETRIES)
    if kind == "invitation":
        state = Invitation.Mail.WAITING if again else Invitation.Mail.FAILED
        Invitation.objects.filter(pk=key).update(mail=state, mail_error=str(error)[:300])
    if again:
        later = send_account_mail.using(run_after=timezone.now() + RETRIES[attempt - 1])
        enqueue_after_commit(later, kind, key, attempt + 1)
    return "again" if again else "failed"


def _made(letter: Letter, to: str) -> EmailMultiAlternatives:
    context = {"letter": letter, "company": installation().company or "Rondo", "language": get_language()}
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or urlsplit(settings.RONDO_URL).hostname
    mail = EmailMultiAlternatives(
        letter.subject,
        render_to_string("mail/account.txt", context),
        to=[to],
        headers={
            "Message-ID": f"<rondo-{uuid4().hex}@{domain}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            "Content-Language": get_language() or "en",
        },
    )
    mail.attach_alternative(render_to_string("mail/account.html", context), "text/html")
    return mail


def _of_invitation(row: Invitation) -> Letter:
    from rondo.foundation.invitations import DAYS, link_of

    company = installation().company or "Rondo"
    by = {"person": row.invited_by or company, "company": company}
    return Letter(
        _("Invitation to Rondo at %(company)s") % by,
        [
            _("%(person)s invites you to work with the customers of %(company)s in Rondo.") % by,
            _("With the link you choose your name and a password or a passkey. It works once, within %(days)d days.")
            % {"days": DAYS},
        ],
        _("Accept the invitation"),
        link_of(row),
        _("If you do not know what this is about, do nothing: nothing is set up without you."),
    )


def _of_user(kind: str, user: User) -> Letter | None:
    if kind == "password_reset":
        return Letter(
            _("Choose a new password"),
            [
                _("Somebody, probably you, has asked for a new password for %(email)s.") % {"email": user.email},
                _("The link works once, within %(hours)d hours.") % {"hours": RESET_HOURS},
            ],
            _("Choose a new password"),
            _reset_url(user),
            _("If it was not you, do nothing: your password stays as it is."),
        )
    said = _changes().get(kind)
    if said is None:
        return None
    return Letter(
        said,
        [said + ".", _("Account: %(email)s.") % {"email": user.email}],
        _("See how you sign in"),
        settings.RONDO_URL + reverse("security"),
        _("If it was not you, choose a new password at once and tell an administrator."),
    )


def _changes() -> dict[str, str]:
    return {
        "password_set": _("Your password was changed"),
        "totp_activated": _("An authenticator app was added to your account"),
        "totp_deactivated": _("The authenticator app was removed from your account"),
        "webauthn_added": _("A passkey was added to your account"),
        "webauthn_removed": _("A passkey was removed from your account"),
        "recovery_codes_generated": _("New recovery codes were made for your account"),
        "second_factor_reset": _("An administrator has reset your second factor"),
    }


def _reset_url(user: User) -> str:
    from allauth.account.forms import default_token_generator
    from allauth.account.utils import user_pk_to_url_str

    parts = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    return str(settings.RONDO_URL + reverse("account_reset_password_from_key", kwargs=parts))
