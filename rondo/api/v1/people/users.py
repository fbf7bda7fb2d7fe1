"""Users: listed, changed; where they are signed in, their second factors and tokens; changes taken back."""

from functools import partial
from typing import Annotated, Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Query, Router

from rondo.api import paging
from rondo.api.parameters import check_texts, key_of
from rondo.api.references import CHANGE, TEAM, TOKEN, USER, changed, key_in, last_change
from rondo.api.v1.people.shapes import (
    ADMINISTERING,
    FactorsReset,
    Revoked,
    SessionsEnded,
    SessionsTold,
    TokensTold,
    TokenTold,
    Undone,
    UserFields,
    UsersTold,
    UserTold,
    find_token,
    find_user,
    sessions_told,
    team_given,
    token_rows,
    token_told,
    tokens_told,
    user_told,
)
from rondo.api.versions import alone, undoes
from rondo.api.writing import actor
from rondo.errors import NotFound
from rondo.foundation import api_tokens, ids, second_factor, sessions
from rondo.foundation.accounts import change_user
from rondo.foundation.models import ApiToken, Role, User
from rondo.foundation.roles import hold_administrators
from rondo.foundation.undoing import take_back

router = Router(tags=["people"])


@router.get(
    "/users",
    auth=ADMINISTERING,
    response=UsersTold,
    summary=gettext_noop("Users"),
    operation_id="listUsers",
    description=gettext_noop("All users and service accounts."),
)
def list_users(
    request: HttpRequest,
    q: Annotated[
        str | None, Query(max_length=100, description=gettext_noop("Only whose name or address holds this."))
    ] = None,
    role: Annotated[str | None, Query(max_length=40, description=gettext_noop("Only of this role."))] = None,
    team: Annotated[str | None, Query(max_length=30, description=gettext_noop("Only of this team."))] = None,
    active: Annotated[bool | None, Query(description=gettext_noop("Only those who may sign in, or may not."))] = None,
    limit: paging.Limit = paging.DEFAULT_LIMIT,
    cursor: paging.Cursor = None,
) -> UsersTold:
    check_texts("q", [q or "", role or ""])
    rows = User.objects.filter(pk__gt=paging.decode_key(cursor)).select_related("role", "team")
    if q:
        rows = rows.filter(Q(name__icontains=q) | Q(email__icontains=q))
    if role:
        rows = rows.filter(role__key=role)
    if team:
        rows = rows.filter(team_id=ids.decode(TEAM, team) or 0)
    if active is not None:
        rows = rows.filter(is_active=active)
    page, last = paging.split(list(rows.order_by("pk")[: limit + 1]), limit)
    return UsersTold(
        data=[user_told(row) for row in page],
        next=paging.next_link(request, paging.encode_key(last.pk)) if last else None,
    )


@router.get(
    "/users/{user_id}",
    auth=ADMINISTERING,
    response=UserTold,
    summary=gettext_noop("One user"),
    operation_id="getUser",
    openapi_extra=alone(
        lambda user_id: User.objects.filter(pk=ids.decode(USER, user_id) or 0),
        first=lambda user_id: hold_administrators(),
    ),
    description=gettext_noop("A user or a service account."),
)
def get_user(request: HttpRequest, user_id: str) -> UserTold:
    return user_told(find_user(user_id))


@router.patch(
    "/users/{user_id}",
    auth=ADMINISTERING,
    response=UserTold,
    summary=gettext_noop("Change a user"),
    operation_id="changeUser",
    description=gettext_noop(
        "Name, role, reach, team, and whether they may sign in (of a service account: whether its tokens work). The "
        "last administrator stays one."
    ),
)
def change(request: HttpRequest, user_id: str, body: UserFields) -> UserTold:
    row = find_user(user_id)
    fields: dict[str, Any] = body.dict(exclude_unset=True, exclude={"team", "active"})
    if "team" in body.model_fields_set:
        fields["team"] = team_given(body.team, "team")
    if "active" in body.model_fields_set:
        fields["is_active"] = body.active
    _row, made = changed("user", row.pk, lambda: change_user(actor(request), row, **fields))
    return user_told(find_user(user_id), made)


@router.get(
    "/users/{user_id}/sessions",
    auth=ADMINISTERING,
    response=SessionsTold,
    summary=gettext_noop("Sessions of a user"),
    operation_id="listUserSessions",
    description=gettext_noop("Where a user is signed in."),
)
def list_sessions(request: HttpRequest, user_id: str) -> SessionsTold:
    return sessions_told(sessions.sessions_of(find_user(user_id)))


@router.post(
    "/users/{user_id}/sessions/end",
    auth=ADMINISTERING,
    response=SessionsEnded,
    summary=gettext_noop("End the sessions of a user"),
    operation_id="endUserSessions",
    description=gettext_noop("All of them, at once."),
)
def end_sessions(request: HttpRequest, user_id: str) -> SessionsEnded:
    return SessionsEnded(ended=sessions.end_sessions(actor(request), find_user(user_id)))


@router.post(
    "/users/{user_id}/second-factor/reset",
    auth=ADMINISTERING,
    response=FactorsReset,
    summary=gettext_noop("Take second factors away"),
    operation_id="resetSecondFactor",
    description=gettext_noop("For a user who has lost them; the user's sessions end."),
)
def reset_factors(request: HttpRequest, user_id: str) -> FactorsReset:
    return FactorsReset(removed=second_factor.reset_second_factor(actor(request), find_user(user_id, is_service=False)))


@router.get(
    "/users/{user_id}/tokens",
    auth=ADMINISTERING,
    response=TokensTold,
    summary=gettext_noop("Tokens of a user"),
    operation_id="listUserTokens",
    description=gettext_noop("The tokens of a user or of a service account that work; never their text."),
)
def list_tokens(request: HttpRequest, user_id: str) -> TokensTold:
    return tokens_told(api_tokens.tokens_of(find_user(user_id)))


@router.get(
    "/users/{user_id}/tokens/{token_id}",
    auth=ADMINISTERING,
    response=TokenTold,
    summary=gettext_noop("One token of a user"),
    operation_id="getUserToken",
    openapi_extra=alone(lambda token_id, user_id: token_rows(token_id), "last_used_at"),
    description=gettext_noop("A token that works; never its text."),
)
def get_token(request: HttpRequest, user_id: str, token_id: str) -> TokenTold:
    return token_told(find_token(find_user(user_id), token_id))


@router.delete(
    "/users/{user_id}/tokens/{token_id}",
    auth=ADMINISTERING,
    response=Revoked,
    summary=gettext_noop("Revoke a token of a user"),
    operation_id="revokeUserToken",
    description=gettext_noop("It is refused from now on."),
)
def revoke(request: HttpRequest, user_id: str, token_id: str) -> Revoked:
    key = key_of(TOKEN, token_id)
    if not ApiToken.objects.filter(pk=key, user=find_user(user_id)).exists():
        raise NotFound(token_id)
    api_tokens.revoke_api_token(actor(request), key)
    return Revoked(id=token_id)


@router.post(
    "/people/changes/{change_id}/undo",
    auth=ADMINISTERING,
    response=Undone,
    summary=gettext_noop("Take a change of users, roles or teams back"),
    operation_id="undoPeopleChange",
    openapi_extra=undoes(
        user=("/users/{user_id}", partial(ids.encode, USER)),
        team=("/teams/{team_id}", partial(ids.encode, TEAM)),
        role=("/roles/{key}", partial(key_in, Role.objects)),
    ),
    description=gettext_noop("Undoes one change or deletion; what was changed again since is refused."),
)
def undo(request: HttpRequest, change_id: str) -> Undone:
    entry = take_back(actor(request), key_of(CHANGE, change_id))
    return Undone(record=entry.record_type, change=ids.encode(CHANGE, last_change(entry.record_type, entry.record_id)))
