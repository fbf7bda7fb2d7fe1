"""Webhooks: the list, one of them with its log, one message with its attempts, and what one does with them."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from rondo.errors import InputError, StateError
from rondo.foundation import ids
from rondo.foundation.rights import has_right
from rondo.web import formats
from rondo.web.access import actor, page, viewer
from rondo.web.webhooks.forms import SpanForm, WebhookForm
from rondo.webhooks import actions, queries
from rondo.webhooks.kinds import KINDS, PING
from rondo.webhooks.models import Delivery, Endpoint

RIGHT = "integrate"
PAGE_SIZE = 50
STATES = ("waiting", "ok", "failed")


@require_GET
@page(RIGHT)
def webhooks(request: HttpRequest) -> HttpResponse:
    """One's own webhooks (an administrator sees all), and how each one does."""
    rows = list(queries.visible(viewer(request)))
    counts = queries.counts(rows)
    context = {
        "rows": [{"row": row, "counts": counts.get(row.pk, {}), "kinds": _kinds(row)} for row in rows],
        "stopped": [row for row in rows if row.state == Endpoint.State.FAILED],
        "failing": [row for row in rows if row.state == Endpoint.State.ACTIVE and row.failures],
        "sees_all": has_right(viewer(request), "administer"),
    }
    return render(request, "webhooks/list.html", context)


def _kinds(row: Endpoint) -> list[str]:
    return [str(KINDS[key].label) for key in row.kinds if key in KINDS]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@page(RIGHT)
def new(request: HttpRequest) -> HttpResponse:
    """A new webhook; its secret is shown this once."""
    form = WebhookForm(viewer(request), None, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            row, made = actions.create_webhook(actor(request), **form.values())
        except (InputError, StateError) as error:
            form.add_error(None, str(error))
        else:
            return render(request, "webhooks/secret.html", {"row": row, "secret": made, "is_new": True})
    return render(request, "webhooks/new.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page(RIGHT)
def webhook(request: HttpRequest, webhook_id: str) -> HttpResponse:
    """One webhook: whether it works, its log, its settings."""
    user = viewer(request)
    row = queries.get_visible(user, webhook_id)
    form = WebhookForm(user, row, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_webhook(actor(request), row.pk, **form.values())
        except InputError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("webhook", webhook_id)
    return _page(request, row, form, SpanForm(row.failing_since or row.state_at))


def _page(request: HttpRequest, row: Endpoint, form: WebhookForm, span: SpanForm) -> HttpResponse:
    status = request.GET.get("status", "")
    status = status if status in STATES else ""
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS or kind == PING else ""
    rows = queries.log_of(row, status, kind)
    before = ids.decode(Delivery.PREFIX, request.GET.get("before", ""))
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: PAGE_SIZE + 1])
    context = {
        "row": row,
        "why": _(row.why) if row.why else "",
        "kinds": _kinds(row),
        "counts": queries.counts([row]).get(row.pk, {}),
        "log": [_line(one) for one in found[:PAGE_SIZE]],
        "more": found[PAGE_SIZE - 1].public_id if len(found) > PAGE_SIZE else "",
        "status": status,
        "kind": kind,
        "options": [(one.key, one.label) for one in KINDS.values()],
        "overlaps": row.former_until is not None and row.former_until > timezone.now(),
        "form": form,
        "span": span,
    }
    wrong = form.errors or span.errors
    return render(request, "webhooks/webhook.html", context, status=422 if wrong else 200)


def _line(row: Delivery) -> dict[str, Any]:
    kind = KINDS.get(row.event.kind)
    return {"row": row, "label": str(kind.label) if kind else _("Test"), "came": row.get_status_display()}


@require_GET
@page(RIGHT)
def message(request: HttpRequest, message_id: str) -> HttpResponse:
    """One message: what it says, and what came of each attempt."""
    row = queries.delivery_of(viewer(request), message_id)
    context = {
        **_line(row),
        "endpoint": row.endpoint,
        "tries": list(row.tries.order_by("-pk")),
        "body": json.dumps(json.loads(row.body), indent=2, ensure_ascii=False),
        "going": row.status in queries.WAITS and row.attempts == 0 and row.endpoint.state == Endpoint.State.ACTIVE,
    }
    return render(request, "webhooks/message.html", context)


@require_POST
@page(RIGHT)
def again(request: HttpRequest, message_id: str) -> HttpResponse:
    """Send one message again."""
    actions.replay(actor(request), message_id)
    messages.success(request, _("It is sent again now, under the same id."))
    return redirect("webhook-message", message_id)


@require_POST
@page(RIGHT)
def again_span(request: HttpRequest, webhook_id: str) -> HttpResponse:
    """Send again what happened within a span."""
    row = queries.get_visible(viewer(request), webhook_id)
    span = SpanForm(None, request.POST)
    if span.is_valid():
        since, until = span.span()
        only_failed = not span.cleaned_data["delivered"]
        try:
            count = actions.replay_span(actor(request), row.pk, since, until, only_failed=only_failed)
        except InputError as error:
            span.add_error(None, str(error))
        else:
            said = ngettext("%(count)s message is sent again.", "%(count)s messages are sent again.", count)
            empty = _("There is nothing of that span to send.")
            messages.success(request, said % {"count": formats.number(count)} if count else empty)
            return redirect("webhook", webhook_id)
    return _page(request, row, WebhookForm(viewer(request), row), span)


@require_POST
@page(RIGHT)
def pause(request: HttpRequest, webhook_id: str) -> HttpResponse:
    """Send nothing for a while; or send again."""
    if request.POST.get("resume"):
        actions.resume_webhook(actor(request), webhook_id)
        messages.success(request, _("It goes on; what waited is sent now."))
    else:
        actions.pause_webhook(actor(request), webhook_id)
        messages.success(request, _("The webhook is paused."))
    return redirect("webhook", webhook_id)


@require_POST
@page(RIGHT)
def test(request: HttpRequest, webhook_id: str) -> HttpResponse:
    """Send a test; its page says what came of it."""
    return redirect("webhook-message", actions.ping(actor(request), webhook_id).public_id)


@never_cache
@require_POST
@page(RIGHT)
def secret(request: HttpRequest, webhook_id: str) -> HttpResponse:
    """A new secret, shown this once."""
    row, made = actions.rotate_secret(actor(request), webhook_id)
    return render(request, "webhooks/secret.html", {"row": row, "secret": made, "is_new": False})


@require_POST
@page(RIGHT)
def end_secret(request: HttpRequest, webhook_id: str) -> HttpResponse:
    """Let the secret before be good no more."""
    actions.end_former_secret(actor(request), webhook_id)
    messages.success(request, _("Messages are signed with the new secret alone."))
    return redirect("webhook", webhook_id)


@require_POST
@page(RIGHT)
def delete(request: HttpRequest, webhook_id: str) -> HttpResponse:
    """Take the webhook away, with an undo."""
    gone = actions.delete_webhook(actor(request), webhook_id)
    undo = reverse("webhook-restore", args=[webhook_id])
    messages.success(request, _("The webhook “%(name)s” is deleted.") % {"name": gone.name}, extra_tags=f"undo:{undo}")
    return redirect("webhooks")


@require_POST
@page(RIGHT)
def restore(request: HttpRequest, webhook_id: str) -> HttpResponse:
    """Undo the deletion."""
    actions.restore_webhook(actor(request), webhook_id)
    return redirect("webhook", webhook_id)
