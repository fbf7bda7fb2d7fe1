"""What the API says of users, roles, teams and tokens."""

from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Field, Schema
from ninja.errors import ValidationError

from rondo.api.auth import TokenAuth
from rondo.api.parameters import key_of
from rondo.api.references import SESSION, TEAM, TOKEN, USER
from rondo.api.writing import Body, Fields
from rondo.errors import NotFound
from rondo.foundation import api_tokens, ids
from rondo.foundation.models import ApiToken, Team, User
from rondo.foundation.sessions import SignedIn

ADMINISTERING = TokenAuth("administer")
Reach = Literal["own", "team", "all"]


class UserTold(Schema):
    __doc__ = gettext_noop(
        "A user. `service`: an account of a program. `change`: what this call changed, by which it is taken back; null "
        "where it changed nothing."
    )

    id: str = Field(..., examples=["u_4m2kq8xw"])
    email: str
    name: str
    role: str = Field(..., description=gettext_noop("Key of the role."), examples=["sales"])
    reach: str = Field(..., description=gettext_noop("Whose customers they see at most: own, team or all."))
    team: str | None = Field(..., examples=["tm_4m2kq8xw"])
    active: bool = Field(..., description=gettext_noop("Whether they may sign in, or their tokens work."))
    service: bool
    change: str | None = None


class UsersTold(Schema):
    __doc__ = gettext_noop("A page of users, as they came; `next` is null on the last page.")

    data: list[UserTold]
    next: str | None


class UserFields(Fields):
    __doc__ = gettext_noop("What is to change of a user; what is left out stays.")

    name: str = Field("", max_length=120)
    role: str = Field("", max_length=40)
    reach: Reach = "all"
    team: str | None = Field(None, max_length=30)
    active: bool = True


class TeamTold(Schema):
    __doc__ = gettext_noop("A team; `parent` is the one that it is below, null at the top.")

    id: str = Field(..., examples=["tm_4m2kq8xw"])
    name: str
    parent: str | None
    people: int = Field(..., description=gettext_noop("Its users who are active."))
    change: str | None = None


class TeamsTold(Schema):
    __doc__ = gettext_noop("All teams, each behind the one that it is below.")

    data: list[TeamTold]


class NewTeam(Body):
    __doc__ = gettext_noop("A new team, at the top or below another.")

    name: str = Field(..., min_length=1, max_length=120, examples=["North"])
    parent: str | None = Field(None, max_length=30)


class TeamFields(Fields):
    __doc__ = gettext_noop("What is to change of a team; what is left out stays.")

    name: str = Field("", min_length=1, max_length=120)
    parent: str | None = Field(None, max_length=30)


class SessionTold(Schema):
    __doc__ = gettext_noop("Where somebody is signed in.")

    id: str = Field(..., examples=["us_4m2kq8xw"])
    device: str
    address: str
    means: str = Field(..., description=gettext_noop("How the session began."))
    began_at: datetime
    seen_at: datetime


class SessionsTold(Schema):
    __doc__ = gettext_noop("Sessions that stand, the one seen last first.")

    data: list[SessionTold]


class SessionsEnded(Schema):
    __doc__ = gettext_noop("How many sessions ended.")

    ended: int


class FactorsReset(Schema):
    __doc__ = gettext_noop("How many second factors were taken away; the sessions have ended.")

    removed: int


class TokenTold(Schema):
    __doc__ = gettext_noop("A token of the API that works. Its text is not kept.")

    id: str = Field(..., examples=["tk_4m2kq8xw"])
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class TokensTold(Schema):
    __doc__ = gettext_noop("Tokens that work, the newest first.")

    data: list[TokenTold]


class NewToken(Body):
    __doc__ = gettext_noop("A token to make, for scopes that the token of this request has, too.")

    name: str = Field(..., min_length=1, max_length=80, examples=["warehouse-sync"])
    days: int = Field(90, ge=1, le=3650)
    scopes: list[str] = Field(["see"], min_length=1, max_length=50)


class TokenMade(Schema):
    __doc__ = gettext_noop("A new token. `token` is said this once, and never again.")

    token: str = Field(..., examples=["rondo_…"])


class Revoked(Schema):
    __doc__ = gettext_noop("A token that is refused from now on.")

    id: str


class Undone(Schema):
    __doc__ = gettext_noop(
        "What was taken back: a change of a user, a role or a team; `change` is that of taking it back."
    )

    record: str = Field(..., description=gettext_noop("user, role or team"))
    change: str | None


def user_told(row: User, change: str | None = None) -> UserTold:
    """A user as the API tells of them."""
    return UserTold(
        id=ids.encode(USER, row.pk),
        email=row.email,
        name=row.name,
        role=row.role.key,
        reach=row.reach,
        team=None if row.team_id is None else ids.encode(TEAM, row.team_id),
        active=row.is_active,
        service=row.is_service,
        change=change,
    )


def find_user(user_id: str, **of: Any) -> User:
    """The user of a public id; raises NotFound."""
    row = User.objects.select_related("role", "team").filter(pk=key_of(USER, user_id), **of).first()
    if row is None:
        raise NotFound(user_id)
    return row


def team_given(public_id: str | None, place: str) -> Team | None:
    """The team that a body names; one that is not there is told with its place."""
    if public_id is None:
        return None
    key = ids.decode(TEAM, public_id)
    row = None if key is None else Team.objects.filter(pk=key).first()
    if row is None:
        told = _("There is no such team; ask for the list of teams.")
        raise ValidationError([{"type": "value_error", "loc": ("body", "body", place), "msg": told}])
    return row


def sessions_told(rows: list[SignedIn]) -> SessionsTold:
    """Sessions as the API tells of them."""
    return SessionsTold(
        data=[
            SessionTold(
                id=ids.encode(SESSION, row.id),
                device=row.device,
                address=row.address,
                means=row.means,
                began_at=row.began_at,
                seen_at=row.seen_at,
            )
            for row in rows
        ]
    )


def tokens_told(rows: list[ApiToken]) -> TokensTold:
    """Tokens as the API tells of them: never their text."""
    return TokensTold(data=[token_told(row) for row in rows])


def token_told(row: ApiToken) -> TokenTold:
    """A token as the API tells of it: never its text."""
    return TokenTold(
        id=ids.encode(TOKEN, row.pk),
        name=row.name,
        scopes=row.scopes,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )


def token_rows(token_id: str) -> QuerySet[ApiToken]:
    """The token of a public id."""
    return ApiToken.objects.filter(pk=ids.decode(TOKEN, token_id) or 0)


def find_token(user: User, token_id: str) -> ApiToken:
    """A token of a user that works; raises NotFound."""
    key = ids.decode(TOKEN, token_id)
    row = next((row for row in api_tokens.tokens_of(user) if row.pk == key), None)
    if row is None:
        raise NotFound(token_id)
    return row
