"""How one signs in oneself: password, passkeys, second factor, sessions; and one's tokens of the API."""

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rondo.errors import InputError
from rondo.foundation import api_tokens, second_factor, sessions
from rondo.foundation.models import ApiToken
from rondo.foundation.rights import RIGHTS
from rondo.web.access import actor, page, viewer
from rondo.web.entrance.forms import TokenForm


@require_safe
@page()
def security(request: HttpRequest) -> HttpResponse:
    """Password, passkeys, authenticator app, recovery codes, and where one is signed in."""
    user = viewer(request)
    kept = list(Authenticator.objects.filter(user=user).order_by("pk"))
    codes = next((one for one in kept if one.type == Authenticator.Type.RECOVERY_CODES), None)
    factors = [one for one in kept if one.type in second_factor.FACTORS]
    context = {
        "passkeys": [one for one in kept if one.type == Authenticator.Type.WEBAUTHN],
        "app": next((one for one in kept if one.type == Authenticator.Type.TOTP), None),
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else 0,
        "has_codes": codes is not None,
        "factors": factors,
        "required": second_factor.is_required(user),
        "sessions": sessions.sessions_of(user, request.session.session_key),
    }
    return render(request, "entrance/security.html", context)


@require_POST
@page()
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """End one of the viewer's sessions."""
    if all(one.id != session_id for one in sessions.sessions_of(viewer(request))):
        raise Http404
    sessions.end_session(actor(request), session_id)
    messages.success(request, _("That session has ended."))
    return redirect("security")


@require_POST
@page()
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """End all of the viewer's sessions but this one."""
    count = sessions.end_sessions(actor(request), viewer(request), apart_from=request.session.session_key)
    messages.success(
        request, ngettext("One other session has ended.", "%(count)d other sessions have ended.", count)
        % {"count": count},
    )  # fmt: skip
    return redirect("security")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@page()
def tokens(request: HttpRequest) -> HttpResponse:
    """The viewer's tokens; a new one is shown this once."""
    user = viewer(request)
    form, made = TokenForm(user, request.POST if request.method == "POST" else None), ""
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            made = api_tokens.make_api_token(actor(request), user, values["name"], values["days"], values["scopes"])
        except InputError as error:
            form.add_error(None, str(error))
        else:
            form = TokenForm(user)
    context = {"form": form, "tokens": shown_tokens(api_tokens.tokens_of(user)), "new_token": made}
    return render(request, "entrance/tokens.html", context, status=422 if form.errors else 200)


@require_POST
@page()
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """End one of the viewer's tokens at once."""
    if not ApiToken.objects.filter(pk=token_id, user=viewer(request)).exists():
        raise Http404
    api_tokens.revoke_api_token(actor(request), token_id)
    messages.success(request, _("The token is revoked; programs that use it are refused from now on."))
    return redirect("tokens")


def shown_tokens(rows: list[ApiToken]) -> list[dict[str, object]]:
    """Tokens with their scopes in words."""
    return [{"row": row, "scopes": ", ".join(str(RIGHTS.get(scope, scope)) for scope in row.scopes)} for row in rows]
