"""Accounts: nobody signs up by themselves; users, their passwords and preferences, teams, one-time sign-in links.

The audit log tells of each, and never holds a secret or its digest. Signing in is in
:mod:`rondo.foundation.signing_in`, invitations and tokens of the API are beside it.
"""

import hashlib
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, validate_email

from rondo.errors import InputError, NotFound, StateError
from rondo.foundation import account_mails, audit, ids
from rondo.foundation.actors import Actor
from rondo.foundation.models import LoginLink, Role, Team, User
from rondo.foundation.rights import ADMINISTRATOR
from rondo.foundation.roles import administrators, keeps_an_administrator
from rondo.foundation.sessions import end_sessions

CHANGEABLE = frozenset({"name", "role", "reach", "team", "is_active"})
"""What :func:`change_user` may set."""

NAMELESS = "administrator"
"""How the address of the first administrator begins, until they say theirs."""

PREFERENCES = frozenset({"name", "language", "theme"})
"""What everybody may set of themselves, by :func:`change_preferences`."""


def digest(token: str) -> str:
    """What is kept of a secret token."""
    return hashlib.sha256(token.encode()).hexdigest()


def find_user(email: str) -> User:
    """The user with an e-mail address, in any letter case; raises NotFound."""
    user = User.objects.filter(email__iexact=email.strip()).first()
    if user is None:
        raise NotFound(_("There is no user %(email)s; rondo user list shows all.") % {"email": email})
    return user


def only_administrator() -> User:
    """The administrator, where there is one alone; raises StateError naming them where there are several, NotFound
    where there is none."""
    found = list(administrators().order_by("email"))
    if not found:
        raise NotFound(_("There is no administrator yet; “rondo up” makes the first one."))
    if len(found) > 1:
        raise StateError(
            _("There are several administrators: say whose link, one of %(emails)s.")
            % {"emails": ", ".join(one.email for one in found)}
        )
    return found[0]


def add_user(actor: Actor, email: str, **fields: Any) -> User:
    """Make a user without password (see :data:`CHANGEABLE` for the fields), who signs in by a one-time link first.

    Raises:
        InputError: no e-mail address, or a field is not usable; StateError: the address is taken.
    """
    actor.require("administer")
    return insert_user(actor, User(email=usable_address(email)), fields)


def add_first_administrator(actor: Actor, host: str) -> User:
    """Make the administrator of an installation that has no user yet, who is called after its host."""
    actor.require("administer")
    fields = {"name": _("Administrator"), "role": ADMINISTRATOR, "reach": User.Reach.ALL}
    return insert_user(actor, User(email=f"{NAMELESS}@{host}"), fields)


def insert_user(actor: Actor, row: User, fields: dict[str, Any]) -> User:
    """Write a new user with the fields; as :func:`add_user`."""
    actor.require("administer")
    _put(row, fields, CHANGEABLE)
    row.set_unusable_password()
    with transaction.atomic():
        if User.objects.filter(email__iexact=row.email).exists():
            raise StateError(_("%(email)s has an account already; change that one.") % {"email": row.email})
        row.save(force_insert=True)
        audit.record(
            actor, "user.added", "user", row.pk, {n: [None, _plain(getattr(row, n))] for n in sorted(CHANGEABLE)}
        )
    return row


def change_user(actor: Actor, user: User, **fields: Any) -> User:
    """Set named fields (see :data:`CHANGEABLE`) of a user. Of one who is switched off all sessions end, and all tokens
    and one-time links are void for good.

    Raises:
        InputError: a field is not usable; StateError: nobody would be left who may administer.
    """
    actor.require("administer")
    with transaction.atomic(), keeps_an_administrator():
        row = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
        before = {name: getattr(row, name) for name in fields if name in CHANGEABLE}
        _put(row, fields, CHANGEABLE)
        changed = sorted(name for name in before if before[name] != getattr(row, name))
        if changed:
            row.save(update_fields=changed)
            told = {name: [_plain(before[name]), _plain(getattr(row, name))] for name in changed}
            audit.record(actor, "user.changed", "user", row.pk, told)
            if "is_active" in changed and not row.is_active:
                _shut_out(actor, row)
    return row


def _shut_out(actor: Actor, row: User) -> None:
    """Nothing that let a user in until now does so when they are switched on again: sessions, tokens, links."""
    from rondo.foundation.api_tokens import revoke_api_tokens

    end_sessions(actor, row)
    revoke_api_tokens(actor, row)
    LoginLink.objects.filter(user=row, used_at=None).delete()


def choose_password(actor: Actor, password: str, session_key: str | None = None) -> User:
    """Give the actor's own account a password; all sessions end but the one with ``session_key``, and a mail tells.

    The caller has held the password against ``AUTH_PASSWORD_VALIDATORS``.

    Raises:
        InputError: the actor is the system or a service account, which have none.
    """
    if actor.user is None or actor.user.is_service:
        raise InputError(_("A password belongs to a person; sign in as one."))
    actor.user.set_password(password)
    with transaction.atomic():
        actor.user.save(update_fields=["password"])
        audit.record(actor, "password.set", "user", actor.user.pk, {})
        end_sessions(actor, actor.user, apart_from=session_key)
        account_mails.tell(actor.user, "password_set")
    return actor.user


def introduce_administrator(actor: Actor, name: str, email: str) -> User:
    """What the first administrator is really called, and where mails reach them; until then the account is called after
    its host.

    Raises:
        InputError: no e-mail address; StateError: it is taken, or the account has an address already.
    """
    if actor.user is None or not is_nameless(actor.user):
        raise StateError(_("This account has an address already; an administrator changes it."))
    address = usable_address(email)
    with transaction.atomic():
        row = User.objects.select_for_update(no_key=True).get(pk=actor.user.pk)
        if User.objects.filter(email__iexact=address).exclude(pk=row.pk).exists():
            raise StateError(_("%(email)s has an account already; change that one.") % {"email": address})
        told = {"email": [row.email, address], "name": [row.name, name]}
        _put(row, {"name": name}, frozenset({"name"}))
        row.email = address
        row.save(update_fields=["name", "email"])
        audit.record(actor, "user.changed", "user", row.pk, told)
    return row


def is_nameless(user: User) -> bool:
    """Whether this is the first administrator, as made, whom no mail reaches."""
    return user.email.startswith(f"{NAMELESS}@") and not user.has_usable_password()


def check_fields(**fields: Any) -> None:
    """Raises InputError if a field of users is not usable."""
    _put(User(), fields, CHANGEABLE | {"language"})


def usable_address(email: str) -> str:
    """An e-mail address in its plain form; raises InputError."""
    try:
        return validate_email(email.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise InputError(
            _("%(email)r is no e-mail address (%(reason)s); write it as name@example.org.")
            % {"email": email, "reason": str(error).rstrip(".")}
        ) from error


def change_preferences(actor: Actor, **fields: str) -> User:
    """Set named fields (see :data:`PREFERENCES`) of the actor's own account.

    Raises:
        InputError: a field is not usable, or the actor is the system, which has no preferences.
    """
    if actor.user is None:
        raise InputError(_("The system has no preferences; sign in as a user."))
    with transaction.atomic():
        row = User.objects.select_for_update(no_key=True).get(pk=actor.user.pk)
        before = {name: getattr(row, name) for name in fields if name in PREFERENCES}
        _put(row, fields, PREFERENCES)
        changed = sorted(name for name in before if before[name] != getattr(row, name))
        if changed:
            row.save(update_fields=changed)
            told = {name: [before[name], getattr(row, name)] for name in changed}
            audit.record(actor, "user.changed", "user", row.pk, told)
    return row


def team_named(actor: Actor, name: str) -> Team:
    """The team of a name, made if there is none.

    Raises:
        InputError: the name is empty or too long.
    """
    actor.require("administer")
    wanted = " ".join(name.split())
    if not wanted or len(wanted) > 120 or "\x00" in wanted:
        raise InputError(_("team = %(name)r: a name of 1 to 120 characters is needed.") % {"name": name})
    with transaction.atomic():
        row, made = Team.objects.get_or_create(name=wanted)
        if made:
            audit.record(actor, "team.added", "team", row.pk, {"name": [None, row.name]})
    return row


def _put(row: User, fields: dict[str, Any], allowed: frozenset[str]) -> None:
    if unknown := sorted(set(fields) - allowed):
        raise InputError(
            _("%(field)s cannot be set; one of %(fields)s is needed.")
            % {"field": unknown[0], "fields": ", ".join(sorted(allowed))}
        )
    if (language := fields.get("language", "")) not in {"", *dict(settings.LANGUAGES)}:
        raise InputError(
            _("language=%(value)r: one of %(values)s is needed.")
            % {"value": language, "values": ", ".join(dict(settings.LANGUAGES))}
        )
    for name, value in fields.items():
        setattr(row, "role_id" if name == "role" and isinstance(value, str) else name, value)
    try:
        row.clean_fields(exclude={f.name for f in row._meta.fields} - set(fields))
    except ValidationError as error:
        name, problems = next(iter(error.message_dict.items()))
        raise InputError(f"{name} = {fields.get(name)!r}: {' '.join(problems)}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Role):
        return value.key
    return value.pk if isinstance(value, models.Model) else value


def make_login_link(actor: Actor, user: User, minutes: int = 60) -> str:
    """A single-use address that signs ``user`` in, valid for ``minutes``.

    Handed out only where the database is at hand anyway: the demo, the first administrator, ``rondo link``.
    """
    actor.require("administer")
    if user.is_service:
        raise StateError(_("%(user)s is a service account: it has tokens, and nobody signs in as it.") % {"user": user})
    token = ids.new_token("in")
    until = timezone.now() + timedelta(minutes=minutes)
    with transaction.atomic():
        row = LoginLink.objects.create(user=user, token_hash=digest(token), expires_at=until)
        told: dict[str, list[Any]] = {"link": [None, row.pk], "expires_at": [None, until.isoformat()]}
        audit.record(actor, "link.made", "user", user.pk, told)
    return f"{settings.RONDO_URL}/in/{token}"


def use_login_link(token: str) -> User | None:
    """The user of an unused, unexpired link, which is used up by this call; None otherwise."""
    now = timezone.now()
    with transaction.atomic():
        # A condition that joined the user would be read once, before the wait for whoever uses the link meanwhile.
        active = Exists(User.objects.filter(pk=OuterRef("user_id"), is_active=True, is_service=False))
        taken = LoginLink.objects.filter(active, token_hash=digest(token), used_at=None, expires_at__gt=now)
        if not taken.update(used_at=now):
            return None
        row = LoginLink.objects.select_related("user__role").get(token_hash=digest(token))
        audit.record(Actor(row.user, "web"), "link.used", "user", row.user_id, {"link": [row.pk, None]})
        return row.user
