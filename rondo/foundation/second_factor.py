"""Second factors: authenticator app, passkeys, recovery codes; who must have one, and what the audit log is told.

The protocols are allauth's. Here are its hooks: secrets are kept encrypted, wrong codes are counted across processes, a
code opens once, and each change is told.
"""

import base64
from collections.abc import Iterable

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AuthenticateWebAuthnForm
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rondo.errors import StateError
from rondo.foundation import account_mails, audit, throttling
from rondo.foundation.actors import Actor
from rondo.foundation.installation import installation
from rondo.foundation.models import Installation, User
from rondo.foundation.roles import roles
from rondo.foundation.sessions import end_sessions

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""What counts as a second factor; recovery codes stand in for one."""
_TOLD = {
    "totp_activated": "second_factor.app_added",
    "totp_deactivated": "second_factor.app_removed",
    "webauthn_added": "second_factor.passkey_added",
    "webauthn_removed": "second_factor.passkey_removed",
    "recovery_codes_generated": "second_factor.codes_made",
}


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """What allauth asks of the house it stands in."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy("This code is not right, or has been used. Take the one that is shown now."),
        "cannot_delete_authenticator": gettext_lazy(
            "Your company asks for two factors, and this is the last one. Add another one first."
        ),
    }

    def get_totp_issuer(self) -> str:
        """What an authenticator app calls the account."""
        company = installation().company
        return f"Rondo · {company}" if company else "Rondo"

    def encrypt(self, text: str) -> str:
        """With a key that is made from the installation's secret key: the database alone tells no secret."""
        return _vault().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _vault().decrypt(encrypted_text.encode()).decode()
        except InvalidToken as error:
            raise StateError(
                _(
                    "This second factor cannot be read: the secret key of the installation has changed since it was "
                    "added. An administrator resets it (rondo user change EMAIL --reset-second-factor)."
                )
            ) from error

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Whoever must have two factors keeps one."""
        user = authenticator.user
        if authenticator.type not in FACTORS or not is_required(user):
            return True
        return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exclude(pk=authenticator.pk).exists())

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        """The name that a new passkey is offered."""
        count = Authenticator.objects.filter(user=user, type=type).count()
        return _("Passkey") if not count else _("Passkey %(number)d") % {"number": count + 1}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return entity | {"name": self.get_totp_issuer()}


class _Counted:
    """Wrong codes are counted with those of other processes, and a code that opened does not open again."""

    user: User

    def clean_code(self) -> str:
        whom = str(self.user.pk)
        if (wait := throttling.try_once_more(throttling.CODE, whom)) > 0:
            raise ValidationError(throttling.in_words(wait))
        code = str(super().clean_code())  # type: ignore[misc]
        if throttling.try_once_more(throttling.ONCE, f"{whom} {code.replace(' ', '')}") > 0:
            raise MFAAdapter().validation_error("incorrect_code")
        throttling.forget(throttling.CODE, whom)
        return code


class CountedActivateForm(_Counted, ActivateTOTPForm):  # type: ignore[misc]
    """The code that adds an authenticator app; whoever saw it typed does not come in with it."""


class CountedAuthenticateForm(_Counted, AuthenticateForm):  # type: ignore[misc]
    """The code at sign-in."""


class CountedReauthenticateForm(_Counted, ReauthenticateForm):  # type: ignore[misc]
    """The code of somebody who confirms who they are."""


class CountedPasskeyForm(AuthenticateWebAuthnForm):  # type: ignore[misc]
    """The passkey as second factor at sign-in."""

    def clean_credential(self) -> Authenticator:
        whom = str(self.user.pk)
        if (wait := throttling.try_once_more(throttling.CODE, whom)) > 0:
            raise ValidationError(throttling.in_words(wait))
        found = super().clean_credential()
        throttling.forget(throttling.CODE, whom)
        return found


def _vault() -> Fernet:
    key = salted_hmac("rondo.second_factor", "key", secret=settings.SECRET_KEY, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))


def tell_of_change(user: User, what: str) -> None:
    """Tell the audit log, and the user by mail, what has changed about the second factor, in allauth's word for it."""
    if verb := _TOLD.get(what):
        with transaction.atomic():
            audit.record(Actor(user, "web"), verb, "user", user.pk, {})
            account_mails.tell(user, what)


def has_factor(user: User) -> bool:
    """Whether a user signs in with two factors: by an app beside the password, or by a passkey."""
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def is_required(user: User) -> bool:
    """Whether the installation asks a user for two factors."""
    row = installation()
    if row.two_factor == Installation.TwoFactor.ROLES:
        return role_of(user) in row.two_factor_roles
    return row.two_factor == Installation.TwoFactor.EVERYBODY


def role_of(user: User) -> str:
    """The key of a user's role."""
    return str(user.role_id)


def role_label(key: str) -> str:
    """What a role is called. A list asks :func:`role_choices` once."""
    return dict(role_choices()).get(key, key)


def role_choices() -> list[tuple[str, str]]:
    """The roles there are: key and name."""
    return [(role.key, str(role)) for role in roles()]


def factors_in_words(user: User) -> list[str]:
    """What a user signs in with beside the password, each as a word."""
    return factors_of([user])[user.pk]


def factors_of(users: Iterable[User]) -> dict[int, list[str]]:
    """The same of several users, by their keys."""
    kinds: dict[int, list[str]] = {user.pk: [] for user in users}
    for key, kind in Authenticator.objects.filter(user_id__in=kinds).values_list("user_id", "type"):
        kinds[key].append(kind)
    return {key: _in_words(found) for key, found in kinds.items()}


def _in_words(kinds: list[str]) -> list[str]:
    words = [_("authenticator app")] if Authenticator.Type.TOTP in kinds else []
    if keys := kinds.count(Authenticator.Type.WEBAUTHN):
        words.append(ngettext("a passkey", "%(count)d passkeys", keys) % {"count": keys})
    return words


def reset_second_factor(actor: Actor, user: User) -> int:
    """Take all second factors and passkeys of a user away, and end the user's sessions: for who has lost them.

    Returns how many there were.

    Raises:
        PermissionRefused: the actor may not administer.
    """
    actor.require("administer")
    with transaction.atomic():
        rows = Authenticator.objects.filter(user=user)
        kinds = sorted(rows.values_list("type", flat=True))
        rows.delete()
        if kinds:
            audit.record(actor, "second_factor.reset", "user", user.pk, {"factors": [kinds, []]})
            account_mails.tell(user, "second_factor_reset")
        end_sessions(actor, user)
    return len(kinds)
