"""Invitations: an administrator asks somebody by their e-mail address to become a user, with role, reach and team.

The link is made from the row's nonce and the installation's secret key. It works once, for :data:`DAYS` days, and only
as long as whoever invited may still administer. Sending again makes a new link; the one before is void.
"""

import hmac
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from rondo.errors import InputError, NotFound, StateError
from rondo.foundation import account_mails, accounts, audit
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import Invitation, Team, User

DAYS = 7
"""How long a link works."""
MOST = 100
"""Addresses that are invited at once."""


def invite(
    actor: Actor,
    addresses: Iterable[str],
    *,
    role: str,
    reach: str = "all",
    team: Team | None = None,
    language: str = "",
) -> list[Invitation]:
    """Invite each address, once; the mails leave after the commit where a mail server is set. An address with an open
    invitation gets a new one in its place.

    Raises:
        InputError: an address, the role or the reach is not usable, or there are too many; StateError: an address has
        an account already. Nobody is invited then.
    """
    actor.require("administer")
    wanted = list(dict.fromkeys(accounts.usable_address(text) for text in addresses if text.strip()))
    if not 1 <= len(wanted) <= MOST:
        raise InputError(
            _("%(count)d addresses: from 1 to %(most)d are needed.") % {"count": len(wanted), "most": MOST}
        )
    accounts.check_fields(role=role, reach=reach, language=language)
    made = []
    with transaction.atomic():
        for address in wanted:
            if User.objects.filter(email__iexact=address).exists():
                raise StateError(_("%(email)s has an account already; change that one.") % {"email": address})
            open_invitations().filter(email=address).update(withdrawn_at=timezone.now())
            row = Invitation.objects.create(
                email=address,
                role=role,
                reach=reach,
                team=team,
                language=language,
                invited_by=actor.user,
                expires_at=timezone.now() + timedelta(days=DAYS),
                nonce=secrets.token_urlsafe(20),
                mail=_first_state(),
            )
            told: dict[str, list[Any]] = {"email": [None, address], "role": [None, role], "reach": [None, reach]}
            if team is not None:
                told["team"] = [None, team.pk]
            audit.record(actor, "invitation.made", "invitation", row.pk, told)
            if settings.RONDO_MAIL:
                account_mails.invite_by_mail(row)
            made.append(row)
    return made


def send_again(actor: Actor, invitation_id: int) -> Invitation:
    """Give an open or outlived invitation a new link and all its days again; the link before is void.

    Raises:
        NotFound: there is none, or it was accepted or withdrawn.
    """
    actor.require("administer")
    with transaction.atomic():
        row = _waiting(invitation_id)
        row.nonce, row.mail, row.mail_error = secrets.token_urlsafe(20), _first_state(), ""
        row.expires_at, row.invited_by = timezone.now() + timedelta(days=DAYS), actor.user
        row.save(update_fields=["nonce", "mail", "mail_error", "expires_at", "invited_by"])
        audit.record(actor, "invitation.sent_again", "invitation", row.pk, {"email": [row.email, row.email]})
        if settings.RONDO_MAIL:
            account_mails.invite_by_mail(row)
    return row


def withdraw(actor: Actor, invitation_id: int) -> Invitation:
    """End an invitation: its link opens nothing from now on.

    Raises:
        NotFound: there is none, or it was accepted or withdrawn.
    """
    actor.require("administer")
    with transaction.atomic():
        row = _waiting(invitation_id)
        row.withdrawn_at = timezone.now()
        row.save(update_fields=["withdrawn_at"])
        audit.record(actor, "invitation.withdrawn", "invitation", row.pk, {"email": [row.email, None]})
    return row


def link_of(row: Invitation) -> str:
    """The address that accepts an invitation."""
    return f"{settings.RONDO_URL}/invitation/{row.pk}-{_signature(row)}"


def of_token(token: str) -> Invitation | None:
    """The invitation that a link's last part stands for, if it may be accepted now; else None."""
    key, _dash, signature = token.partition("-")
    if not (key.isascii() and key.isdigit() and len(key) < 19):
        return None
    row = open_invitations().select_related("invited_by", "team").filter(pk=int(key)).first()
    if row is None or not hmac.compare_digest(_signature(row).encode(), signature.encode()):
        return None
    # An administrator who was let go must not come back by an invitation to an address of their own.
    if row.invited_by is not None and not Actor(row.invited_by, "web").may("administer"):
        return None
    return row


def accept(token: str, name: str, password: str = "") -> User:
    """Make the user that an invitation is for, with the name and, if one is given, the password; the link is used up.

    Raises:
        NotFound: the link is not good, any more. InputError: the name is not usable.
    """
    with transaction.atomic():
        row = of_token(token)
        if row is None or not open_invitations().filter(pk=row.pk, nonce=row.nonce).update(accepted_at=timezone.now()):
            raise NotFound(_("This invitation is no longer good; ask for a new one."))
        fields = {"name": name, "role": row.role, "reach": row.reach, "team": row.team}
        user = accounts.add_user(system("web"), row.email, **fields)
        actor = Actor(user, "web")
        if row.language:
            accounts.change_preferences(actor, language=row.language)
        if password:
            accounts.choose_password(actor, password)
        Invitation.objects.filter(pk=row.pk).update(accepted_as=user)
        audit.record(actor, "invitation.accepted", "invitation", row.pk, {"user": [None, user.pk]})
        user.refresh_from_db()
    return user


def open_invitations() -> "QuerySet[Invitation]":
    """Invitations that can be accepted."""
    return Invitation.objects.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=timezone.now())


def shown_invitations() -> "QuerySet[Invitation]":
    """Invitations that wait for an answer, or have outlived it in the last 30 days, the newest first."""
    recent = Q(expires_at__gt=timezone.now() - timedelta(days=30))
    return (
        Invitation.objects.filter(recent, accepted_at=None, withdrawn_at=None)
        .select_related("invited_by", "team")
        .order_by("-pk")
    )


def _waiting(invitation_id: int) -> Invitation:
    row = Invitation.objects.select_for_update().filter(pk=invitation_id, accepted_at=None, withdrawn_at=None).first()
    if row is None:
        raise NotFound(_("This invitation is not open; load the page again."))
    return row


def _first_state() -> str:
    return Invitation.Mail.WAITING if settings.RONDO_MAIL else Invitation.Mail.NONE


def _signature(row: Invitation) -> str:
    return salted_hmac("rondo.invitations", f"{row.pk} {row.email} {row.nonce}", algorithm="sha256").hexdigest()[:40]
