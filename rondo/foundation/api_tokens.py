"""Tokens of the REST API, and the service accounts that programs use them as.

A token is made for scopes, which are rights: a request has those that both the token and its user have at that moment.
Every token ends; its text is returned once and only its digest kept.
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.errors import InputError, NotFound, ScopeMissing, StateError
from rondo.foundation import accounts, audit, ids
from rondo.foundation.accounts import digest
from rondo.foundation.actors import Actor
from rondo.foundation.models import ApiToken, Team, User
from rondo.foundation.rights import RIGHTS, has_right
from rondo.foundation.search import fold

USED_EVERY = timedelta(minutes=1)
"""A token's last use is written at most this often, so that reads stay reads."""
MOST_DAYS = 3650
READING = frozenset({"see"})


def make_api_token(actor: Actor, user: User, name: str, days: int = 90, scopes: Iterable[str] = READING) -> str:
    """A bearer token for the REST API, acting as ``user`` within ``scopes``. The text is returned once and never kept.
    One that a token makes for its own user ends with it at the latest: else whoever finds a token that soon ends would
    make one that lasts.

    Raises:
        InputError: a scope that is none or that the user's role does not include, or a time that is not usable;
        ScopeMissing: by a token that does not have the scope itself;
        PermissionRefused: for somebody else, and the actor may not administer.
    """
    if actor.user is not None and actor.user.pk != user.pk:
        actor.require("administer")
    wanted = sorted(set(scopes))
    if not wanted:
        raise InputError(_("scopes: at least one of %(scopes)s is needed.") % {"scopes": ", ".join(RIGHTS)})
    for scope in wanted:
        if scope not in RIGHTS:
            raise InputError(
                _("scope %(scope)r: one of %(scopes)s is needed.") % {"scope": scope, "scopes": ", ".join(RIGHTS)}
            )
        if actor.user is not None and actor.user.limited_to is not None and scope not in actor.user.limited_to:
            raise ScopeMissing(
                scope,
                _("This token lacks the scope “%(scope)s”, so none that it makes can have it.") % {"scope": scope},
            )
        if not has_right(user, scope):
            raise InputError(
                _("scope %(scope)r: %(user)s does not have this right, so no token of theirs can.")
                % {"scope": scope, "user": user}
            )
    if not 1 <= days <= MOST_DAYS:
        raise InputError(_("%(days)d days: 1 to %(most)d are needed.") % {"days": days, "most": MOST_DAYS})
    token = ids.new_token("rondo")
    until = timezone.now() + timedelta(days=days)
    if actor.user is not None and actor.user.token is not None and actor.user.pk == user.pk:
        until = min(until, actor.user.token.expires_at)
    with transaction.atomic():
        # Whoever switches the user off meanwhile revokes this one, too.
        if not User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk).is_active:
            raise InputError(_("%(user)s is switched off; there are no tokens for them.") % {"user": user})
        by = None if actor.user is None else actor.user.token
        held = ApiToken.objects.select_for_update(no_key=True)  # kept answers refer to it
        if by is not None and not held.filter(pk=by.pk, revoked_at=None).exists():
            raise StateError(_("The token that was to make this one is revoked."))
        row = ApiToken.objects.create(
            user=user,
            name=name[:80],
            scopes=wanted,
            token_hash=digest(token),
            expires_at=until,
            made_by=None if actor.user is None else actor.user.token,
        )
        told: dict[str, list[Any]] = {
            "token": [None, f"{row.pk} {row.name}"],
            "scopes": [None, wanted],
            "expires_at": [None, until.isoformat()],
        }
        audit.record(actor, "token.made", "user", user.pk, told)
    return token


def use_api_token(token: str) -> User | None:
    """The active user of a valid token, limited to its scopes; None if it is unknown, expired or revoked, which all
    look the same.

    The use is kept to the minute on the token; it changes nothing, so the audit log does not tell of it.
    """
    now = timezone.now()
    row = (
        ApiToken.objects.select_related("user__role")
        .filter(token_hash=digest(token), revoked_at=None, expires_at__gt=now, user__is_active=True)
        .first()
    )
    if row is None:
        return None
    if row.last_used_at is None or row.last_used_at <= now - USED_EVERY:
        unused = models.Q(last_used_at=None) | models.Q(last_used_at__lte=now - USED_EVERY)
        ApiToken.objects.filter(unused, pk=row.pk).update(last_used_at=now)
    row.user.limited_to = frozenset(row.scopes)
    row.user.token = row
    return row.user


def revoke_api_token(actor: Actor, token_id: int) -> None:
    """End a token at once, and those that were made with it, and with those: whoever had it made them. A second time
    changes nothing.

    Raises:
        NotFound: no such token, or somebody else's and the actor may not administer.
    """
    row = ApiToken.objects.filter(pk=token_id).first()
    own = row is not None and actor.user is not None and actor.user.pk == row.user_id
    if row is None or not (own or actor.may("administer")):
        raise NotFound(_("This token is not there; load the page again."))
    with transaction.atomic():
        _revoke(actor, [row])


def revoke_api_tokens(actor: Actor, user: User) -> None:
    """End all tokens of a user that work, as :func:`revoke_api_token` does one.

    Raises:
        PermissionRefused: the actor may not administer.
    """
    actor.require("administer")
    with transaction.atomic():
        _revoke(actor, list(_working().filter(user=user).order_by("pk")))


def _revoke(actor: Actor, rows: list[ApiToken]) -> None:
    while rows:
        for one in rows:
            if ApiToken.objects.filter(pk=one.pk, revoked_at=None).update(revoked_at=timezone.now()):
                audit.record(actor, "token.revoked", "user", one.user_id, {"token": [f"{one.pk} {one.name}", None]})
        rows = list(ApiToken.objects.filter(made_by__in=rows).order_by("pk"))


def tokens_of(user: User) -> list[ApiToken]:
    """The tokens of a user that work, the newest first."""
    return list(_working().filter(user=user).order_by("-pk"))


def _working() -> models.QuerySet[ApiToken]:
    return ApiToken.objects.filter(revoked_at=None, expires_at__gt=timezone.now())


def numbers_of_tokens(users: Iterable[User]) -> dict[int, int]:
    """How many tokens that work each of these users has, by their keys."""
    found = {user.pk: 0 for user in users}
    counted = _working().filter(user_id__in=found).values("user_id").order_by().annotate(number=models.Count("pk"))
    return found | dict(counted.values_list("user_id", "number"))


def add_service_account(actor: Actor, name: str, *, role: str, reach: str = "all", team: Team | None = None) -> User:
    """Make an account for a program: it has a role and a reach like a person, signs in by tokens alone, and has neither
    password nor mail.

    Raises:
        InputError: the name is empty or a field is not usable; StateError: there is one of this name.
    """
    actor.require("administer")
    wanted = " ".join(name.split())
    slug = re.sub(r"[^a-z0-9]+", "-", fold(wanted)).strip("-")[:40]
    if not slug or len(wanted) > 120:
        raise InputError(
            _("name = %(name)r: 1 to 120 characters with a letter or a digit are needed.") % {"name": name}
        )
    email = f"{slug}@service.invalid"  # a domain that never receives mail (RFC 2606)
    if User.objects.filter(email=email).exists():
        raise StateError(_("There is a service account %(name)s already; choose another name.") % {"name": wanted})
    fields = {"name": wanted, "role": role, "reach": reach, "team": team}
    return accounts.insert_user(actor, User(email=email, is_service=True), fields)


def service_accounts() -> list[User]:
    """All service accounts, by name."""
    return list(User.objects.filter(is_service=True).select_related("team").order_by("name", "pk"))
