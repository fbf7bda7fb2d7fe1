"""Webhooks by program: set up, changed, paused, tested; their log, and messages sent again."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Field, Query, Router, Schema

from rondo.api import paging
from rondo.api.auth import TokenAuth, viewer
from rondo.api.versions import alone, gone
from rondo.api.writing import Body, Fields, actor
from rondo.errors import NotFound
from rondo.foundation import ids
from rondo.foundation.models import User
from rondo.webhooks import actions, queries
from rondo.webhooks.kinds import KINDS
from rondo.webhooks.models import Delivery, Endpoint

router = Router(tags=["webhooks"])
INTEGRATING = TokenAuth("integrate")
Kinds = Annotated[list[str], Field(max_length=60, examples=[["customer.created", "customer.merged"]])]


class WebhookKind(Schema):
    __doc__ = gettext_noop("A kind of event that webhooks are told of.")

    key: str = Field(..., examples=["customer.created"])
    label: str
    meaning: str


class WebhookKinds(Schema):
    __doc__ = gettext_noop("All kinds of events.")

    data: list[WebhookKind]


class Webhook(Schema):
    __doc__ = gettext_noop(
        "An address that is told of events; what its owner may see is what it is told. `state`: active, paused, or "
        "failed (paused by itself; `why` says the reason)."
    )

    id: str = Field(..., examples=["wh_4m2kq8xw"])
    name: str
    url: str
    kinds: list[str]
    state: str
    why: str
    owner: str = Field(..., description=gettext_noop("E-mail address of the user whose rights hold."))
    failing_since: datetime | None
    delivered_at: datetime | None = Field(..., description=gettext_noop("When a message arrived last."))
    former_secret_until: datetime | None = Field(
        ..., description=gettext_noop("So long messages are signed with the secret before, too.")
    )


class WebhookWithSecret(Webhook):
    __doc__ = gettext_noop("A webhook with its secret, which is told this once.")

    secret: str = Field(..., examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class Webhooks(Schema):
    __doc__ = gettext_noop("The webhooks that the token's user sees: their own, or all of an administrator's.")

    data: list[Webhook]


class WebhookBody(Body):
    __doc__ = gettext_noop("A webhook to set up. Without an `owner` it is the token's user's.")

    name: str = Field(..., max_length=120)
    url: str = Field(..., max_length=1000, examples=["https://shop.example.org/hooks/rondo"])
    kinds: Kinds
    owner: str | None = Field(None, max_length=254, description=gettext_noop("E-mail address of another user."))


class WebhookChange(Fields):
    __doc__ = gettext_noop("What to change of a webhook; what is left out stays.")

    name: str | None = Field(None, max_length=120)
    url: str | None = Field(None, max_length=1000)
    kinds: list[str] | None = Field(None, max_length=60)
    owner: str | None = Field(None, max_length=254)
    state: Literal["active", "paused"] | None = None


class WebhookAttempt(Schema):
    __doc__ = gettext_noop("One try to deliver a message.")

    at: datetime
    milliseconds: int
    status: int | None = Field(..., description=gettext_noop("What the receiver answered; null where nothing came."))
    error: str
    answer: str = Field(..., description=gettext_noop("The first 1,000 characters of the answer."))


class WebhookMessage(Schema):
    __doc__ = gettext_noop("A message to a webhook: `waiting`, `sending`, `ok` or `failed` (given up).")

    id: str = Field(..., examples=["de_4m2kq8xw"])
    message: str = Field(..., description=gettext_noop("The webhook-id by which the receiver knows it."))
    kind: str
    status: str
    happened_at: datetime
    due_at: datetime
    attempts: int


class WebhookMessageWhole(WebhookMessage):
    __doc__ = gettext_noop("A message with its body and all attempts.")

    body: str
    tries: list[WebhookAttempt]


class WebhookMessages(Schema):
    __doc__ = gettext_noop("A page of messages, the newest first; `next` is null on the last page.")

    data: list[WebhookMessage]
    next: str | None


class ReplayBody(Body):
    __doc__ = gettext_noop("Which messages to send again: what happened from `since` to `until`.")

    since: datetime
    until: datetime
    only_failed: bool = Field(True, description=gettext_noop("Leave out what was delivered."))


class Replayed(Schema):
    __doc__ = gettext_noop("How many messages wait to be sent.")

    count: int


@router.get(
    "/webhooks/kinds",
    auth=INTEGRATING,
    response=WebhookKinds,
    summary=gettext_noop("Kinds of events"),
    operation_id="listWebhookKinds",
    description=gettext_noop("What webhooks can be told of."),
)
def list_kinds(request: HttpRequest) -> WebhookKinds:
    return WebhookKinds(
        data=[WebhookKind(key=one.key, label=str(one.label), meaning=str(one.meaning)) for one in KINDS.values()]
    )


@router.get(
    "/webhooks",
    auth=INTEGRATING,
    response=Webhooks,
    summary=gettext_noop("Webhooks"),
    operation_id="listWebhooks",
    description=gettext_noop("All webhooks that the token's user sees, by name; an installation has 100 at most."),
)
def list_webhooks(request: HttpRequest) -> Webhooks:
    return Webhooks(data=[_webhook(row) for row in queries.visible(viewer(request))])


@router.post(
    "/webhooks",
    auth=INTEGRATING,
    response=WebhookWithSecret,
    summary=gettext_noop("Set up a webhook"),
    operation_id="createWebhook",
    description=gettext_noop("The answer holds the secret, which is told this once."),
)
def create_webhook(request: HttpRequest, body: WebhookBody) -> WebhookWithSecret:
    row, secret = actions.create_webhook(
        actor(request), name=body.name, url=body.url, kinds=body.kinds, owner=_user(request, body.owner)
    )
    return _with_secret(row, secret)


@router.get(
    "/webhooks/{webhook_id}",
    auth=INTEGRATING,
    response=Webhook,
    summary=gettext_noop("A webhook"),
    operation_id="getWebhook",
    openapi_extra=alone(
        lambda webhook_id: Endpoint.objects.filter(pk=ids.decode(Endpoint.PREFIX, webhook_id) or 0),
        "failing_since",
        "delivered_at",
    ),
    description=gettext_noop("One webhook, and whether it works."),
)
def get_webhook(request: HttpRequest, webhook_id: str) -> Webhook:
    return _webhook(queries.get_visible(viewer(request), webhook_id))


@router.patch(
    "/webhooks/{webhook_id}",
    auth=INTEGRATING,
    response=Webhook,
    summary=gettext_noop("Change a webhook"),
    operation_id="changeWebhook",
    description=gettext_noop("Name, address, kinds, owner, or whether it is paused."),
)
def change_webhook(request: HttpRequest, webhook_id: str, body: WebhookChange) -> Webhook:
    given = {name: value for name in ("name", "url", "kinds") if (value := getattr(body, name)) is not None}
    owner = _user(request, body.owner)
    row = actions.change_webhook(actor(request), webhook_id, **given, owner=owner)
    if body.state is not None:
        act = actions.resume_webhook if body.state == "active" else actions.pause_webhook
        row = act(actor(request), row.pk)
    return _webhook(row)


@router.delete(
    "/webhooks/{webhook_id}",
    auth=INTEGRATING,
    response=Webhook,
    summary=gettext_noop("Delete a webhook"),
    operation_id="deleteWebhook",
    description=gettext_noop("Nothing is sent to it any more; it can be put back."),
)
def delete_webhook(request: HttpRequest, webhook_id: str) -> Webhook:
    return _webhook(actions.delete_webhook(actor(request), webhook_id))


@router.post(
    "/webhooks/{webhook_id}/secret",
    auth=INTEGRATING,
    response=WebhookWithSecret,
    summary=gettext_noop("A new secret"),
    operation_id="rotateWebhookSecret",
    description=gettext_noop("For 24 hours messages are signed with the secret before, too."),
)
def rotate_secret(request: HttpRequest, webhook_id: str) -> WebhookWithSecret:
    return _with_secret(*actions.rotate_secret(actor(request), webhook_id))


@router.delete(
    "/webhooks/{webhook_id}/secret/former",
    auth=INTEGRATING,
    response=Webhook,
    summary=gettext_noop("End the secret before"),
    operation_id="endFormerWebhookSecret",
    description=gettext_noop("Messages are signed with the new secret alone from now on."),
)
def end_former_secret(request: HttpRequest, webhook_id: str) -> Webhook:
    return _webhook(actions.end_former_secret(actor(request), webhook_id))


def _get_deleted(request: HttpRequest, webhook_id: str) -> Webhook:
    return _webhook(queries.get_visible(viewer(request), webhook_id, deleted=True))


@router.post(
    "/webhooks/{webhook_id}/restore",
    auth=INTEGRATING,
    response=Webhook,
    summary=gettext_noop("Put a deleted webhook back"),
    operation_id="restoreWebhook",
    openapi_extra=gone(_get_deleted),
    description=gettext_noop("It goes on as it was; what happened meanwhile can be sent by a replay."),
)
def restore_webhook(request: HttpRequest, webhook_id: str) -> Webhook:
    return _webhook(actions.restore_webhook(actor(request), webhook_id))


@router.post(
    "/webhooks/{webhook_id}/ping",
    auth=INTEGRATING,
    response=WebhookMessage,
    summary=gettext_noop("Test a webhook"),
    operation_id="pingWebhook",
    description=gettext_noop("Sends a message of the kind webhook.ping; its log entry says what came of it."),
)
def ping_webhook(request: HttpRequest, webhook_id: str) -> WebhookMessage:
    return _message(actions.ping(actor(request), webhook_id))


@router.post(
    "/webhooks/{webhook_id}/replay",
    auth=INTEGRATING,
    response=Replayed,
    summary=gettext_noop("Send a span again"),
    operation_id="replayWebhook",
    description=gettext_noop(
        "What happened within a span is sent (again), what was missed while the webhook was paused among it; as far "
        "back as the log is kept, at most 10,000 messages."
    ),
)
def replay_webhook(request: HttpRequest, webhook_id: str, body: ReplayBody) -> Replayed:
    since, until = _aware(body.since), _aware(body.until)
    count = actions.replay_span(actor(request), webhook_id, since, until, only_failed=body.only_failed)
    return Replayed(count=count)


@router.get(
    "/webhooks/{webhook_id}/messages",
    auth=INTEGRATING,
    response=WebhookMessages,
    summary=gettext_noop("Log of a webhook"),
    operation_id="listWebhookMessages",
    description=gettext_noop("What was sent, waits or was given up, the newest first."),
)
def list_messages(
    request: HttpRequest,
    webhook_id: str,
    status: Annotated[
        Literal["waiting", "ok", "failed"] | None, Query(description=gettext_noop("Only of this status."))
    ] = None,
    limit: paging.Limit = paging.DEFAULT_LIMIT,
    cursor: paging.Cursor = None,
) -> WebhookMessages:
    row = queries.get_visible(viewer(request), webhook_id)
    rows: QuerySet[Delivery] = queries.log_of(row, status or "")
    if after := paging.decode_key(cursor):
        rows = rows.filter(pk__lt=after)
    page, last = paging.split(list(rows[: limit + 1]), limit)
    following = paging.next_link(request, paging.encode_key(last.pk)) if last else None
    return WebhookMessages(data=[_message(one) for one in page], next=following)


@router.get(
    "/webhook-messages/{message_id}",
    auth=INTEGRATING,
    response=WebhookMessageWhole,
    summary=gettext_noop("A message"),
    operation_id="getWebhookMessage",
    description=gettext_noop("One message with its body, and what came of each attempt."),
)
def get_message(request: HttpRequest, message_id: str) -> WebhookMessageWhole:
    row = queries.delivery_of(viewer(request), message_id)
    tries = [
        WebhookAttempt(
            at=one.at, milliseconds=one.milliseconds, status=one.status_code, error=one.error, answer=one.answer
        )
        for one in row.tries.order_by("pk")
    ]
    return WebhookMessageWhole(**_message(row).dict(), body=row.body, tries=tries)


@router.post(
    "/webhook-messages/{message_id}/replay",
    auth=INTEGRATING,
    response=WebhookMessage,
    summary=gettext_noop("Send a message again"),
    operation_id="replayWebhookMessage",
    description=gettext_noop("Under the same webhook-id, by which the receiver knows it."),
)
def replay_message(request: HttpRequest, message_id: str) -> WebhookMessage:
    return _message(actions.replay(actor(request), message_id))


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _user(request: HttpRequest, email: str | None) -> User | None:
    """Another user by address; nobody finds out by it who there is that may not know."""
    if email is None or email.strip().lower() == viewer(request).email:
        return None if email is None else viewer(request)
    actor(request).require("administer")
    found = User.objects.filter(email=email.strip().lower()).first()
    if found is None:
        raise NotFound(_("There is no user %(email)s.") % {"email": email})
    return found


def _webhook(row: Endpoint) -> Webhook:
    return Webhook(
        id=row.public_id,
        name=row.name,
        url=row.url,
        kinds=row.kinds,
        state=row.state,
        why=_(row.why) if row.why else "",
        owner=row.owner.email,
        failing_since=row.failing_since,
        delivered_at=row.delivered_at,
        former_secret_until=row.former_until,
    )


def _with_secret(row: Endpoint, secret: str) -> WebhookWithSecret:
    return WebhookWithSecret(**_webhook(row).dict(), secret=secret)


def _message(row: Delivery) -> WebhookMessage:
    return WebhookMessage(
        id=ids.encode(Delivery.PREFIX, row.pk),
        message=row.event.public_id,
        kind=row.event.kind,
        status=row.status,
        happened_at=row.event.at,
        due_at=row.due_at,
        attempts=row.attempts,
    )
