"""Forms of the pages around signing in."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rondo.foundation.models import Installation, Team, User
from rondo.foundation.rights import RIGHTS, has_right
from rondo.foundation.second_factor import role_choices

_DAYS = [(7, _("7 days")), (30, _("30 days")), (90, _("90 days")), (365, _("one year"))]


class WelcomeForm(forms.Form):
    """How a new user is called, and the password; none is needed where ``passkey`` was chosen instead."""

    name = forms.CharField(label=_("Your name"), max_length=120, widget=forms.TextInput({"autocomplete": "name"}))
    email = forms.EmailField(
        label=_("Your e-mail address"),
        help_text=_("You sign in with it, and a forgotten password is mended through it."),
        widget=forms.EmailInput({"autocomplete": "username"}),
    )
    password1 = forms.CharField(
        label=_("Password"),
        help_text=_("At least 10 characters; a sentence is easier to remember than a word."),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        required=False,
    )
    password2 = forms.CharField(
        label=_("Password, once more"),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        required=False,
    )

    def __init__(self, user: User, *args: Any, asks_email: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        if not asks_email:
            del self.fields["email"]

    def clean(self) -> dict[str, Any]:
        """Holds the password against what the installation asks of one."""
        values = super().clean() or {}
        if "passkey" in self.data:
            return values
        password = values.get("password1") or ""
        if not password:
            self.add_error("password1", _("Choose a password, or use a passkey."))
        elif password != values.get("password2"):
            self.add_error("password2", _("The two passwords differ; type the same one twice."))
        else:
            self.user.name = values.get("name", "")
            try:
                validate_password(password, self.user)
            except ValidationError as error:
                self.add_error("password1", error)
        return values


class TokenForm(forms.Form):
    """A new token of the API: what for, how long, and within which of its user's rights."""

    name = forms.CharField(label=_("What it is for"), max_length=80)
    days = forms.TypedChoiceField(label=_("Good for"), coerce=int, choices=_DAYS, initial=90)
    scopes = forms.MultipleChoiceField(label=_("What it may do"), widget=forms.CheckboxSelectMultiple, initial=["see"])

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(right, label) for right, label in RIGHTS.items() if has_right(user, right)]
        self.fields["scopes"].choices = offered  # type: ignore[attr-defined]


class AccountForm(forms.Form):
    """Role, reach and team of somebody who is invited, or of a service account."""

    role = forms.ChoiceField(label=_("Role"), choices=role_choices, initial="reader")
    reach = forms.ChoiceField(label=_("Sees"), choices=User.Reach.choices, initial=User.Reach.ALL)
    team = forms.ModelChoiceField(
        label=_("Team"), queryset=Team.objects.order_by("name"), required=False, empty_label=_("no team")
    )


class InvitationForm(AccountForm):
    """Whom to invite, several at once, as what."""

    addresses = forms.CharField(
        label=_("E-mail addresses"),
        widget=forms.Textarea({"rows": 3, "autocomplete": "off"}),
        help_text=_("One a line, or separated by commas."),
    )
    language = forms.ChoiceField(
        label=_("Language of the mail"), choices=lambda: [("", gettext("As the installation")), *settings.LANGUAGES],
        required=False,
    )  # fmt: skip
    field_order = ("addresses", "role", "reach", "team", "language")

    def clean_addresses(self) -> list[str]:
        """The addresses as a list."""
        return str(self.cleaned_data["addresses"]).replace(",", " ").replace(";", " ").split()


class ServiceAccountForm(AccountForm):
    """A new service account."""

    name = forms.CharField(label=_("What it is called"), max_length=120)
    field_order = ("name", "role", "reach", "team")


class TwoFactorForm(forms.Form):
    """Who must sign in with two factors."""

    two_factor = forms.ChoiceField(
        label=_("Two factors"), choices=Installation.TwoFactor.choices, widget=forms.RadioSelect
    )
    two_factor_roles = forms.MultipleChoiceField(
        label=_("Roles"), choices=role_choices, widget=forms.CheckboxSelectMultiple, required=False
    )

    def clean(self) -> dict[str, Any]:
        """Roles are needed where roles are asked for."""
        values = super().clean() or {}
        if values.get("two_factor") == Installation.TwoFactor.ROLES and not values.get("two_factor_roles"):
            self.add_error("two_factor_roles", _("Choose at least one role."))
        return values
