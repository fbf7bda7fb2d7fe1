"""Settings of signing in, for administrators: invitations, service accounts, two factors, and how a user signs in."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rondo.errors import RondoError
from rondo.foundation import api_tokens, invitations, second_factor, sessions
from rondo.foundation.accounts import change_user
from rondo.foundation.installation import change_installation, installation
from rondo.foundation.models import ApiToken, Invitation, User
from rondo.web.access import actor, page
from rondo.web.entrance.forms import InvitationForm, ServiceAccountForm, TokenForm, TwoFactorForm
from rondo.web.entrance.own import shown_tokens


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@page("administer")
def invite(request: HttpRequest) -> HttpResponse:
    """Invite people, and see who has not answered yet. Without a mail server the links are shown once, to be handed
    over."""
    form, made = InvitationForm(request.POST if request.method == "POST" else None), []
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            made = invitations.invite(
                actor(request),
                values["addresses"],
                role=values["role"],
                reach=values["reach"],
                team=values["team"],
                language=values["language"],
            )
        except RondoError as error:
            form.add_error("addresses", str(error))
        else:
            form = InvitationForm()
            if settings.RONDO_MAIL:
                said = ngettext("One invitation is on its way.", "%(count)d invitations are on their way.", len(made))
                messages.success(request, said % {"count": len(made)})
                return redirect("invitations")
    return _invitations(request, form, made)


def _invitations(request: HttpRequest, form: InvitationForm, made: list[Invitation]) -> HttpResponse:
    roles = dict(second_factor.role_choices())
    context = {
        "form": form,
        "rows": [
            {"row": row, "role": roles.get(row.role, row.role), "over": row.expires_at <= timezone.now()}
            for row in invitations.shown_invitations()
        ],
        "links": [] if settings.RONDO_MAIL else [(row.email, invitations.link_of(row)) for row in made],
        "has_mail": settings.RONDO_MAIL,
        "days": invitations.DAYS,
    }
    return render(request, "entrance/invitations.html", context, status=422 if form.errors else 200)


@never_cache
@require_POST
@page("administer")
def send_again(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """A new link for an invitation, by mail or shown this once."""
    row = invitations.send_again(actor(request), invitation_id)
    if settings.RONDO_MAIL:
        messages.success(request, _("A new link is on its way to %(email)s.") % {"email": row.email})
        return redirect("invitations")
    return _invitations(request, InvitationForm(), [row])


@require_POST
@page("administer")
def withdraw(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """End an invitation."""
    row = invitations.withdraw(actor(request), invitation_id)
    messages.success(request, _("The invitation of %(email)s is withdrawn.") % {"email": row.email})
    return redirect("invitations")


@require_http_methods(["GET", "HEAD", "POST"])
@page("administer")
def signing_in(request: HttpRequest) -> HttpResponse:
    """Who must sign in with two factors, and who does not yet."""
    row = installation()
    initial = {"two_factor": row.two_factor, "two_factor_roles": row.two_factor_roles}
    form = TwoFactorForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        change_installation(actor(request), **form.cleaned_data)
        messages.success(request, _("Saved. Whoever needs a second factor adds it with the next page they open."))
        return redirect("signing-in-settings")
    people = list(User.objects.filter(is_service=False).order_by("name", "email"))
    factors = second_factor.factors_of(people)
    context = {
        "form": form,
        "people": [
            {"user": one, "factors": factors[one.pk], "required": second_factor.is_required(one)} for one in people
        ],
    }
    return render(request, "entrance/signing_in.html", context, status=422 if form.errors else 200)


@require_safe
@page("administer")
def access(request: HttpRequest, user_id: int) -> HttpResponse:
    """How a user signs in, and where they are; of a service account, its tokens."""
    if User.objects.filter(pk=user_id, is_service=True).exists():
        return redirect("service-account", user_id)
    user = _person(user_id)
    context = {
        "person": user,
        "factors": second_factor.factors_in_words(user),
        "required": second_factor.is_required(user),
        "sessions": sessions.sessions_of(user, request.session.session_key),
        "tokens": shown_tokens(api_tokens.tokens_of(user)),
    }
    return render(request, "entrance/access.html", context)


@require_POST
@page("administer")
def end_sessions(request: HttpRequest, user_id: int) -> HttpResponse:
    """End all sessions of a user."""
    user = _person(user_id)
    count = sessions.end_sessions(actor(request), user)
    said = ngettext("One session of %(user)s has ended.", "%(count)d sessions of %(user)s have ended.", count)
    messages.success(request, said % {"count": count, "user": user})
    return redirect("user-access", user_id)


@require_POST
@page("administer")
def reset_second_factor(request: HttpRequest, user_id: int) -> HttpResponse:
    """Take a user's second factors away."""
    user = _person(user_id)
    second_factor.reset_second_factor(actor(request), user)
    messages.success(request, _("%(user)s signs in by password alone and may add a second factor.") % {"user": user})
    return redirect("user-access", user_id)


@require_http_methods(["GET", "HEAD", "POST"])
@page("administer")
def services(request: HttpRequest) -> HttpResponse:
    """Accounts of programs."""
    form = ServiceAccountForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            row = api_tokens.add_service_account(actor(request), **form.cleaned_data)
        except RondoError as error:
            form.add_error("name", str(error))
        else:
            return redirect("service-account", row.pk)
    accounts = api_tokens.service_accounts()
    numbers, roles = api_tokens.numbers_of_tokens(accounts), dict(second_factor.role_choices())
    rows = [{"user": one, "role": roles[second_factor.role_of(one)], "tokens": numbers[one.pk]} for one in accounts]
    return render(request, "entrance/services.html", {"form": form, "rows": rows}, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@page("administer")
def service(request: HttpRequest, user_id: int) -> HttpResponse:
    """One service account: its tokens; a new one is shown this once."""
    account = _service(user_id)
    form, made = TokenForm(account, request.POST if request.method == "POST" else None), ""
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            made = api_tokens.make_api_token(actor(request), account, values["name"], values["days"], values["scopes"])
        except RondoError as error:
            form.add_error(None, str(error))
        else:
            form = TokenForm(account)
    context = {
        "account": account,
        "role": second_factor.role_label(second_factor.role_of(account)),
        "form": form,
        "new_token": made,
        "tokens": shown_tokens(api_tokens.tokens_of(account)),
    }
    return render(request, "entrance/service.html", context, status=422 if form.errors else 200)


@require_POST
@page("administer")
def switch_service(request: HttpRequest, user_id: int) -> HttpResponse:
    """End a service account's access, or give it back."""
    account = _service(user_id)
    change_user(actor(request), account, is_active=not account.is_active)
    messages.success(
        request,
        _("%(user)s is off, and its tokens are revoked.") % {"user": account}
        if account.is_active
        else _("%(user)s is on again; make new tokens for it.") % {"user": account},
    )
    return redirect("service-account", user_id)


@require_POST
@page("administer")
def revoke_token(request: HttpRequest, user_id: int, token_id: int) -> HttpResponse:
    """End a token of a user or of a service account."""
    row = ApiToken.objects.filter(pk=token_id, user_id=user_id).select_related("user").first()
    if row is None:
        raise Http404
    api_tokens.revoke_api_token(actor(request), token_id)
    messages.success(request, _("The token is revoked; programs that use it are refused from now on."))
    return redirect("service-account" if row.user.is_service else "user-access", user_id)


def _person(user_id: int) -> User:
    return get_object_or_404(User, pk=user_id, is_service=False)


def _service(user_id: int) -> User:
    return get_object_or_404(User, pk=user_id, is_service=True)
