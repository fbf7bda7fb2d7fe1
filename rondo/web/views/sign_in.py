"""Signing in by a one-time link."""

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from rondo.foundation.accounts import use_login_link


@never_cache
@require_GET
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Sign the link's user in and open the home page; a link that is used up or too old says so.

    Whoever is signed in already and opens a spent link simply goes home: browsers like to load an address twice.
    """
    user = use_login_link(token)
    if user is not None:
        login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return redirect("home")
    if request.user.is_authenticated:
        return redirect("home")
    return render(request, "shell/link_spent.html", status=410)
