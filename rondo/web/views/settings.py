"""Settings: the company and its assumptions (administrators), and everybody's own profile."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from rondo.errors import InputError
from rondo.foundation.accounts import change_preferences
from rondo.foundation.installation import change_installation, installation
from rondo.foundation.rights import has_right
from rondo.web.access import actor, page, viewer
from rondo.web.forms import InstallationForm, ProfileForm


@require_http_methods(["GET", "HEAD", "POST"])
@page()
def installation_settings(request: HttpRequest) -> HttpResponse:
    """Company, currency, zone, and the assumptions under which values are computed; who may only read the audit log, or
    set up webhooks, is led there."""
    user = viewer(request)
    if request.method != "POST" and not has_right(user, "administer"):
        if has_right(user, "audit"):
            return redirect("audit-log")
        if has_right(user, "integrate"):
            return redirect("webhooks")
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
    context = {"form": form, "away": row.first_steps_away and not row.has_demo, "has_demo": row.has_demo}
    return render(request, "shell/settings.html", context, status=200 if not form.errors else 422)


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
    return render(request, "shell/profile.html", {"form": form}, status=422 if form.errors else 200)
