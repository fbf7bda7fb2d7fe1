"""The token's own user: where they are signed in, and their tokens."""

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Router

from rondo.api.auth import viewer
from rondo.api.parameters import key_of
from rondo.api.references import SESSION, TOKEN
from rondo.api.repeating import keep_no_answer
from rondo.api.v1.people.shapes import (
    NewToken,
    Revoked,
    SessionsEnded,
    SessionsTold,
    SessionTold,
    TokenMade,
    TokensTold,
    TokenTold,
    UserTold,
    find_token,
    sessions_told,
    token_rows,
    token_told,
    tokens_told,
    user_told,
)
from rondo.api.versions import alone
from rondo.api.writing import actor
from rondo.errors import NotFound
from rondo.foundation import api_tokens, ids, sessions
from rondo.foundation.models import ApiToken, UserSession

router = Router(tags=["people"])


@router.get(
    "/profile",
    response=UserTold,
    summary=gettext_noop("Who the token is of"),
    operation_id="getProfile",
    description=gettext_noop("The user whom requests with this token act as."),
)
def get_profile(request: HttpRequest) -> UserTold:
    return user_told(viewer(request))


@router.get(
    "/profile/sessions",
    response=SessionsTold,
    summary=gettext_noop("Own sessions"),
    operation_id="listOwnSessions",
    description=gettext_noop("Where the token's user is signed in."),
)
def list_sessions(request: HttpRequest) -> SessionsTold:
    return sessions_told(sessions.sessions_of(viewer(request)))


@router.get(
    "/profile/sessions/{session_id}",
    response=SessionTold,
    summary=gettext_noop("One own session"),
    operation_id="getOwnSession",
    openapi_extra=alone(
        lambda session_id: UserSession.objects.filter(pk=ids.decode(SESSION, session_id) or 0), "seen_at"
    ),
    description=gettext_noop("Where the token's user is signed in."),
)
def get_session(request: HttpRequest, session_id: str) -> SessionTold:
    key = key_of(SESSION, session_id)
    found = [one for one in sessions.sessions_of(viewer(request)) if one.id == key]
    if not found:
        raise NotFound(session_id)
    return sessions_told(found).data[0]


@router.delete(
    "/profile/sessions/{session_id}",
    response=SessionsEnded,
    summary=gettext_noop("End an own session"),
    operation_id="endOwnSession",
    description=gettext_noop("It ends with the next request of that browser."),
)
def end_session(request: HttpRequest, session_id: str) -> SessionsEnded:
    key = key_of(SESSION, session_id)
    if all(one.id != key for one in sessions.sessions_of(viewer(request))):
        raise NotFound(session_id)
    sessions.end_session(actor(request), key)
    return SessionsEnded(ended=1)


@router.get(
    "/profile/tokens",
    response=TokensTold,
    summary=gettext_noop("Own tokens"),
    operation_id="listOwnTokens",
    description=gettext_noop("The tokens of the token's user that work; never their text."),
)
def list_tokens(request: HttpRequest) -> TokensTold:
    return tokens_told(api_tokens.tokens_of(viewer(request)))


@router.post(
    "/profile/tokens",
    response=TokenMade,
    summary=gettext_noop("Make an own token"),
    operation_id="createOwnToken",
    description=gettext_noop("For no more than this token is for. Its text is in this answer, and nowhere else."),
)
def make_token(request: HttpRequest, body: NewToken) -> TokenMade:
    user = viewer(request)
    keep_no_answer(request)
    return TokenMade(token=api_tokens.make_api_token(actor(request), user, body.name, body.days, body.scopes))


@router.get(
    "/profile/tokens/{token_id}",
    response=TokenTold,
    summary=gettext_noop("One own token"),
    operation_id="getOwnToken",
    openapi_extra=alone(token_rows, "last_used_at"),
    description=gettext_noop("A token of the token's user that works; never its text."),
)
def get_token(request: HttpRequest, token_id: str) -> TokenTold:
    return token_told(find_token(viewer(request), token_id))


@router.delete(
    "/profile/tokens/{token_id}",
    response=Revoked,
    summary=gettext_noop("Revoke an own token"),
    operation_id="revokeOwnToken",
    description=gettext_noop("It is refused from now on; this token can be, too."),
)
def revoke(request: HttpRequest, token_id: str) -> Revoked:
    key = key_of(TOKEN, token_id)
    if not ApiToken.objects.filter(pk=key, user=viewer(request)).exists():
        raise NotFound(token_id)
    api_tokens.revoke_api_token(actor(request), key)
    return Revoked(id=token_id)
