"""Coming in by a link or an invitation, and choosing a password or a passkey before anything else."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from rondo.errors import RondoError
from rondo.foundation import accounts, invitations
from rondo.foundation.actors import Actor
from rondo.foundation.installation import installation
from rondo.foundation.models import User
from rondo.foundation.rights import has_right
from rondo.foundation.second_factor import role_label
from rondo.foundation.signing_in import enter
from rondo.web.access import actor, page, viewer
from rondo.web.entrance.forms import WelcomeForm
from rondo.web.entrance.gates import choose_first, has_means


@never_cache
@require_GET
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Sign the link's user in and open the home page; a link that is used up or too old says so.

    Whoever is signed in already and opens a spent link simply goes home: browsers like to load an address twice.
    """
    user = accounts.use_login_link(token)
    if user is not None:
        enter(request, user, "link")
        return redirect("welcome" if choose_first(request, user) else "home")
    if request.user.is_authenticated:
        return redirect("home")
    return render(request, "shell/link_spent.html", status=410)


@sensitive_post_parameters("password1", "password2")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Accept an invitation: the name, and a password or a passkey. Opening the page uses nothing up: mail programs like
    to look at links."""
    row = invitations.of_token(token)
    if row is None:
        return render(request, "entrance/invitation_spent.html", status=410)
    form = WelcomeForm(User(email=row.email), request.POST if request.method == "POST" else None, asks_email=False)
    if request.method == "POST" and form.is_valid():
        password = "" if "passkey" in request.POST else form.cleaned_data["password1"]
        try:
            user = invitations.accept(token, form.cleaned_data["name"], password)
        except RondoError as error:
            form.add_error(None, str(error))
        else:
            enter(request, user, "invitation")
            if not password:
                choose_first(request, user)
                return redirect("mfa_add_webauthn")
            return redirect("home")
    context = {"form": form, "invitation": row, "role": role_label(row.role)}
    return render(request, "entrance/invitation.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters("password1", "password2")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@page()
def welcome(request: HttpRequest) -> HttpResponse:
    """Choose a password or a passkey, on the first sign-in by a link."""
    user = viewer(request)
    if has_means(user):
        return redirect("home")
    nameless = accounts.is_nameless(user)
    initial = {"name": "" if nameless else user.name}
    form = WelcomeForm(user, request.POST if request.method == "POST" else None, asks_email=nameless, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            return _welcomed(request, form, nameless)
        except RondoError as error:
            form.add_error("email" if nameless else None, str(error))
    return render(request, "entrance/welcome.html", {"form": form}, status=422 if form.errors else 200)


def _welcomed(request: HttpRequest, form: WelcomeForm, nameless: bool) -> HttpResponse:
    values, me = form.cleaned_data, actor(request)
    if nameless:
        accounts.introduce_administrator(me, values["name"], values["email"])
    else:
        accounts.change_preferences(me, name=values["name"])
    if "passkey" in request.POST:
        return redirect("mfa_add_webauthn")
    user = User.objects.get(pk=viewer(request).pk)
    accounts.choose_password(Actor(user, "web"), values["password1"], request.session.session_key)
    update_session_auth_hash(request, user)
    messages.success(request, _("Welcome. You sign in with %(email)s from now on.") % {"email": user.email})
    begins = has_right(user, "administer") and not installation().company
    return redirect("start" if begins else "home")
