"""Accounts: nobody signs up by themselves; users, one-time sign-in links, API tokens."""

import hashlib
from datetime import timedelta
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, validate_email

from rondo.errors import InputError, NotFound, StateError
from rondo.foundation import audit, ids
from rondo.foundation.actors import Actor
from rondo.foundation.models import ApiToken, LoginLink, User

CHANGEABLE = frozenset({"name", "role", "reach", "team", "is_active"})
"""What :func:`change_user` may set."""


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-up is closed: users are invited or made by an administrator."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


def digest(token: str) -> str:
    """What is kept of a secret token."""
    return hashlib.sha256(token.encode()).hexdigest()


def find_user(email: str) -> User:
    """The user with an e-mail address, in any letter case; raises NotFound."""
    user = User.objects.filter(email__iexact=email.strip()).first()
    if user is None:
        raise NotFound(_("There is no user %(email)s; rondo user list shows all.") % {"email": email})
    return user


def add_user(actor: Actor, email: str, **fields: Any) -> User:
    """Make a user without password (see :data:`CHANGEABLE` for the fields), who signs in by a one-time link first.

    Raises:
        InputError: no e-mail address, or a field is not usable; StateError: the address is taken.
    """
    actor.require("administer")
    try:
        address = validate_email(email.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise InputError(
            _("%(email)r is no e-mail address (%(reason)s); write it as name@example.org.")
            % {"email": email, "reason": str(error).rstrip(".")}
        ) from error
    row = User(email=address)
    _put(row, fields)
    row.set_unusable_password()
    with transaction.atomic():
        if User.objects.filter(email__iexact=address).exists():
            raise StateError(_("%(email)s has an account already; change that one.") % {"email": address})
        row.save(force_insert=True)
        audit.record(
            actor, "user.added", "user", row.pk, {n: [None, _plain(getattr(row, n))] for n in sorted(CHANGEABLE)}
        )
    return row


def change_user(actor: Actor, user: User, **fields: Any) -> User:
    """Set named fields (see :data:`CHANGEABLE`) of a user.

    Raises:
        InputError: a field is not usable; StateError: nobody would be left who may administer.
    """
    actor.require("administer")
    with transaction.atomic():
        # All administrators are locked, in order, so that two cannot each take the other's role away.
        list(
            User.objects.select_for_update()
            .filter(models.Q(pk=user.pk) | models.Q(role="administrator"))
            .order_by("pk")
        )
        row = User.objects.get(pk=user.pk)
        before = {name: getattr(row, name) for name in fields if name in CHANGEABLE}
        was_one = row.role == User.Role.ADMINISTRATOR and row.is_active
        _put(row, fields)
        changed = sorted(name for name in before if before[name] != getattr(row, name))
        if changed:
            row.save(update_fields=changed)
            left = User.objects.filter(role=User.Role.ADMINISTRATOR, is_active=True, is_service=False)
            if was_one and not left.exists():
                raise StateError(
                    _("%(user)s is the last administrator; give somebody else that role first.") % {"user": row}
                )
            told = {name: [_plain(before[name]), _plain(getattr(row, name))] for name in changed}
            audit.record(actor, "user.changed", "user", row.pk, told)
    return row


def _put(row: User, fields: dict[str, Any]) -> None:
    if unknown := sorted(set(fields) - CHANGEABLE):
        raise InputError(
            _("%(field)s cannot be set; one of %(fields)s is needed.")
            % {"field": unknown[0], "fields": ", ".join(sorted(CHANGEABLE))}
        )
    for name, value in fields.items():
        setattr(row, name, value)
    try:
        row.clean_fields(exclude={f.name for f in row._meta.fields} - set(fields))
    except ValidationError as error:
        name, problems = next(iter(error.message_dict.items()))
        raise InputError(f"{name} = {fields.get(name)!r}: {' '.join(problems)}") from error


def _plain(value: Any) -> Any:
    return value.pk if isinstance(value, models.Model) else value


def make_login_link(user: User, minutes: int = 60) -> str:
    """A single-use address that signs ``user`` in, valid for ``minutes``.

    Handed out only where the database is at hand anyway: the demo, the first administrator, ``rondo link``.
    """
    token = ids.new_token("in")
    LoginLink.objects.create(
        user=user, token_hash=digest(token), expires_at=timezone.now() + timedelta(minutes=minutes)
    )
    return f"{settings.RONDO_URL}/in/{token}"


def use_login_link(token: str) -> User | None:
    """The user of an unused, unexpired link, which is used up by this call; None otherwise."""
    now = timezone.now()
    with transaction.atomic():
        taken = LoginLink.objects.filter(
            token_hash=digest(token), used_at=None, expires_at__gt=now, user__is_active=True
        )
        if not taken.update(used_at=now):
            return None
        return LoginLink.objects.select_related("user").get(token_hash=digest(token)).user


def make_api_token(actor: Actor, user: User, name: str, days: int = 90) -> str:
    """A bearer token for the REST API, acting as ``user``. The text is returned once and never kept."""
    if actor.user is not None and actor.user.pk != user.pk:
        actor.require("administer")
    token = ids.new_token("rondo")
    with transaction.atomic():
        row = ApiToken.objects.create(
            user=user, name=name[:80], token_hash=digest(token), expires_at=timezone.now() + timedelta(days=days)
        )
        audit.record(actor, "token.made", "user", user.pk, {"token": [None, f"{row.pk} {row.name}"]})
    return token


def revoke_api_token(actor: Actor, token_id: int) -> None:
    """End a token at once; a second time changes nothing.

    Raises:
        NotFound: no such token, or somebody else's and the actor may not administer.
    """
    row = ApiToken.objects.filter(pk=token_id).first()
    own = row is not None and actor.user is not None and actor.user.pk == row.user_id
    if row is None or not (own or actor.may("administer")):
        raise NotFound(_("This token is not there; load the page again."))
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token_id, revoked_at=None).update(revoked_at=timezone.now()):
            audit.record(actor, "token.revoked", "user", row.user_id, {"token": [f"{row.pk} {row.name}", None]})
