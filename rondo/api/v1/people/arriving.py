"""How people and programs get in: invitations, service accounts and their tokens, who needs two factors."""

from datetime import datetime
from typing import Any, Literal

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Field, Router, Schema

from rondo.api.parameters import key_of
from rondo.api.references import INVITATION, TEAM
from rondo.api.repeating import keep_no_answer
from rondo.api.v1.people.shapes import (
    ADMINISTERING,
    NewToken,
    Reach,
    TokenMade,
    UserTold,
    find_user,
    team_given,
    user_told,
)
from rondo.api.versions import alone
from rondo.api.writing import Body, actor
from rondo.errors import InputError, NotFound
from rondo.foundation import api_tokens, ids, invitations
from rondo.foundation.installation import change_installation, installation
from rondo.foundation.models import Installation, Invitation
from rondo.foundation.second_factor import role_choices

router = Router(tags=["people"])


class InvitationTold(Schema):
    __doc__ = gettext_noop(
        "An invitation that waits for an answer. `mail`: none, waiting, sent or failed. `link`: where no mail server "
        "is set, the address to hand over; said this once."
    )

    id: str = Field(..., examples=["iv_4m2kq8xw"])
    email: str
    role: str
    reach: str
    team: str | None
    language: str
    invited_by: str | None
    expires_at: datetime
    mail: str
    mail_error: str
    link: str | None = None


class InvitationsTold(Schema):
    __doc__ = gettext_noop("Invitations, the newest first.")

    data: list[InvitationTold]


class NewInvitations(Body):
    __doc__ = gettext_noop("Whom to invite, and as what. All are invited, or none.")

    emails: list[str] = Field(..., min_length=1, max_length=100, examples=[["bea@example.org"]])
    role: str = Field(..., max_length=40, examples=["sales"])
    reach: Reach = "all"
    team: str | None = Field(None, max_length=30)
    language: Literal["", "en", "de"] = ""


class NewService(Body):
    __doc__ = gettext_noop("An account for a program: it signs in by tokens alone.")

    name: str = Field(..., min_length=1, max_length=120, examples=["Warehouse sync"])
    role: str = Field(..., max_length=40, examples=["analyst"])
    reach: Reach = "all"
    team: str | None = Field(None, max_length=30)


class TwoFactors(Body):
    __doc__ = gettext_noop("Who must sign in with two factors: nobody, whoever has one of the `roles`, or everybody.")

    two_factor: Literal["nobody", "roles", "everybody"]
    roles: list[str] = Field([], max_length=100)


@router.get(
    "/invitations",
    auth=ADMINISTERING,
    response=InvitationsTold,
    summary=gettext_noop("Invitations"),
    operation_id="listInvitations",
    description=gettext_noop("Those that wait for an answer, or have outlived it in the last 30 days."),
)
def list_invitations(request: HttpRequest) -> InvitationsTold:
    return InvitationsTold(data=[_told(row) for row in invitations.shown_invitations()])


@router.post(
    "/invitations",
    auth=ADMINISTERING,
    response=InvitationsTold,
    summary=gettext_noop("Invite people"),
    operation_id="invite",
    description=gettext_noop("By mail; without a mail server the answer has the links to hand over."),
)
def invite(request: HttpRequest, body: NewInvitations) -> InvitationsTold:
    keep_no_answer(request)
    made = invitations.invite(
        actor(request),
        body.emails,
        role=body.role,
        reach=body.reach,
        team=team_given(body.team, "team"),
        language=body.language,
    )
    return InvitationsTold(data=[_told(row, fresh=True) for row in made])


@router.get(
    "/invitations/{invitation_id}",
    auth=ADMINISTERING,
    response=InvitationTold,
    summary=gettext_noop("One invitation"),
    operation_id="getInvitation",
    openapi_extra=alone(
        lambda invitation_id: Invitation.objects.filter(pk=ids.decode(INVITATION, invitation_id) or 0),
        "mail",
        "mail_error",
    ),
    description=gettext_noop("One that waits for an answer, or has outlived it in the last 30 days."),
)
def get_invitation(request: HttpRequest, invitation_id: str) -> InvitationTold:
    key = key_of(INVITATION, invitation_id)
    row = next((row for row in invitations.shown_invitations() if row.pk == key), None)
    if row is None:
        raise NotFound(invitation_id)
    return _told(row)


@router.post(
    "/invitations/{invitation_id}/again",
    auth=ADMINISTERING,
    response=InvitationTold,
    summary=gettext_noop("Send an invitation again"),
    operation_id="inviteAgain",
    description=gettext_noop("With a new link, and all its days; the link before is void."),
)
def send_again(request: HttpRequest, invitation_id: str) -> InvitationTold:
    keep_no_answer(request)
    return _told(invitations.send_again(actor(request), key_of(INVITATION, invitation_id)), fresh=True)


@router.delete(
    "/invitations/{invitation_id}",
    auth=ADMINISTERING,
    response=InvitationTold,
    summary=gettext_noop("Withdraw an invitation"),
    operation_id="withdrawInvitation",
    description=gettext_noop("Its link opens nothing from now on."),
)
def withdraw(request: HttpRequest, invitation_id: str) -> InvitationTold:
    return _told(invitations.withdraw(actor(request), key_of(INVITATION, invitation_id)))


@router.post(
    "/service-accounts",
    auth=ADMINISTERING,
    response=UserTold,
    summary=gettext_noop("Make a service account"),
    operation_id="createServiceAccount",
    description=gettext_noop("For a program that outlives its maker. It is changed, and switched off, as a user."),
)
def add_service(request: HttpRequest, body: NewService) -> UserTold:
    team = team_given(body.team, "team")
    row = api_tokens.add_service_account(actor(request), body.name, role=body.role, reach=body.reach, team=team)
    return user_told(row)


@router.post(
    "/service-accounts/{user_id}/tokens",
    auth=ADMINISTERING,
    response=TokenMade,
    summary=gettext_noop("Make a token of a service account"),
    operation_id="createServiceToken",
    description=gettext_noop("Its text is in this answer, and nowhere else."),
)
def make_token(request: HttpRequest, user_id: str, body: NewToken) -> TokenMade:
    account = find_user(user_id, is_service=True)
    keep_no_answer(request)
    return TokenMade(token=api_tokens.make_api_token(actor(request), account, body.name, body.days, body.scopes))


@router.get(
    "/settings/sign-in",
    auth=ADMINISTERING,
    response=TwoFactors,
    summary=gettext_noop("Who needs two factors"),
    operation_id="getSignIn",
    openapi_extra=alone(lambda: Installation.objects.filter(pk=1)),
    description=gettext_noop("What the installation asks of who signs in."),
)
def get_sign_in(request: HttpRequest) -> TwoFactors:
    row = installation()
    told = "everybody" if row.two_factor == Installation.TwoFactor.EVERYBODY else row.two_factor
    return TwoFactors(two_factor=told, roles=row.two_factor_roles)  # type: ignore[arg-type]


@router.put(
    "/settings/sign-in",
    auth=ADMINISTERING,
    response=TwoFactors,
    summary=gettext_noop("Say who needs two factors"),
    operation_id="changeSignIn",
    description=gettext_noop("Whoever needs a second factor adds it with the next page they open."),
)
def change_sign_in(request: HttpRequest, body: TwoFactors) -> TwoFactors:
    known = dict(role_choices())
    wrong = next((key for key in body.roles if key not in known), None)
    if wrong is not None or (body.two_factor == "roles" and not body.roles):
        raise InputError(
            _("%(field)s = %(value)r: one of %(values)s is needed.")
            % {"field": "roles", "value": (wrong or "")[:40], "values": ", ".join(known)}
        )
    meant = Installation.TwoFactor.EVERYBODY if body.two_factor == "everybody" else body.two_factor
    fields: dict[str, Any] = {"two_factor": meant, "two_factor_roles": body.roles}
    change_installation(actor(request), **fields)
    return get_sign_in(request)


def _told(row: Invitation, *, fresh: bool = False) -> InvitationTold:
    return InvitationTold(
        id=ids.encode(INVITATION, row.pk),
        email=row.email,
        role=row.role,
        reach=row.reach,
        team=None if row.team_id is None else ids.encode(TEAM, row.team_id),
        language=row.language,
        invited_by=None if row.invited_by is None else row.invited_by.email,
        expires_at=row.expires_at,
        mail=row.mail,
        mail_error=row.mail_error,
        link=invitations.link_of(row) if fresh and not settings.RONDO_MAIL else None,
    )
