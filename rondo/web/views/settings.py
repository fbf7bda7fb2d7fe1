"""Settings: the company and its assumptions (administrators), and everybody's own profile with API tokens."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from rondo.errors import InputError
from rondo.foundation.accounts import change_preferences, make_api_token, revoke_api_token
from rondo.foundation.installation import change_installation, installation
from rondo.foundation.models import ApiToken
from rondo.foundation.rights import has_right
from rondo.web.access import actor, page, viewer
from rondo.web.forms import InstallationForm, ProfileForm, TokenForm


@require_http_methods(["GET", "HEAD", "POST"])
@page()
def installation_settings(request: HttpRequest) -> HttpResponse:
    """Company, currency, zone, and the assumptions under which values are computed; who may only read the audit log is
    led there."""
    user = viewer(request)
    if request.method != "POST" and has_right(user, "audit") and not has_right(user, "administer"):
        return redirect("audit-log")
    actor(request).require("administer")
    row = installation()
    form = InstallationForm.of(row, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            change_installation(actor(request), **form.fields_to_save())
        except InputError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved. Figures follow the new assumptions after the next analysis."))
            return redirect("settings")
    return render(request, "shell/settings.html", {"form": form}, status=200 if not form.errors else 422)


@require_http_methods(["GET", "HEAD", "POST"])
@page()
def profile(request: HttpRequest) -> HttpResponse:
    """The viewer's own name, language and theme."""
    user = viewer(request)
    form = ProfileForm(request.POST if request.method == "POST" else None, initial=ProfileForm.of(user))
    if request.method == "POST" and form.is_valid():
        change_preferences(actor(request), **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("profile")
    return _profile_page(request, form)


def _profile_page(request: HttpRequest, form: ProfileForm, token: str = "", status: int = 200) -> HttpResponse:
    tokens = ApiToken.objects.filter(user=viewer(request), revoked_at=None, expires_at__gt=timezone.now()).order_by(
        "-id"
    )
    context = {"form": form, "tokens": tokens, "new_token": token, "token_form": TokenForm()}
    return render(request, "shell/profile.html", context, status=422 if form.errors else status)


@never_cache
@require_POST
@page()
def make_token(request: HttpRequest) -> HttpResponse:
    """Make an API token and show its text, this once."""
    user = viewer(request)
    form = TokenForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("The token needs a name, such as the program that will use it."))
        return redirect("profile")
    token = make_api_token(actor(request), user, form.cleaned_data["name"], form.cleaned_data["days"])
    return _profile_page(request, ProfileForm(initial=ProfileForm.of(user)), token)


@require_POST
@page()
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """End one of the viewer's tokens at once."""
    if not ApiToken.objects.filter(pk=token_id, user=viewer(request)).exists():
        raise Http404
    revoke_api_token(actor(request), token_id)
    messages.success(request, _("The token is revoked; programs that use it are refused from now on."))
    return redirect("profile")
