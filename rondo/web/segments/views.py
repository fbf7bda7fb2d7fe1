"""The list of segments and the page of one: parse, ask the room, render."""

import re
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from rondo.analysis.queries import current_run
from rondo.analysis.segments import actions, queries
from rondo.analysis.segments.jobs import request_refresh
from rondo.analysis.segments.models import Segment
from rondo.analysis.segments.queries import ROOM as SEGMENTS
from rondo.analysis.segments.queries import may_read
from rondo.customers.queries import sees_all
from rondo.errors import InputError, NotFound, StateError
from rondo.foundation.installation import installation
from rondo.foundation.models import User
from rondo.foundation.money import Money
from rondo.foundation.registry import RuleField
from rondo.foundation.rights import has_right
from rondo.rules import RuleError, Schema, format_rule, from_json, schema
from rondo.web import formats
from rondo.web.access import actor, page, viewer
from rondo.web.charts.chart import chart_file
from rondo.web.rules.saying import Sayer
from rondo.web.segments import charts

_SMALL = 0.05
"""Shares below are written with two digits, so that a median of .3 % is not told as none."""


@dataclass(frozen=True)
class Difference:
    """One line of the profile in words: what, how many inside and outside, and the interval of the difference."""

    words: str
    inside: float
    outside: float
    low: float
    high: float
    over: bool


def found(request: HttpRequest, key: str) -> Segment:
    """The standing segment of that key that the viewer may see, or the page that says there is none."""
    try:
        return queries.find(key, viewer(request))
    except NotFound as error:
        raise Http404(key) from error


@require_GET
@page(room=SEGMENTS)
def segments(request: HttpRequest) -> HttpResponse:
    """All segments, failed ones first."""
    user = viewer(request)
    rows = queries.overview(user)
    context = {
        "rows": rows,
        "overlaps": sum(row.segment.size > 0 for row in rows) > 1,
        "failed": sum(row.segment.status == Segment.Status.FAILED for row in rows),
        "run": current_run(),
        "sees_all": sees_all(user),
        "may_change": has_right(user, "segment"),
    }
    return render(request, "segments/list.html", context)


@require_GET
@page(room=SEGMENTS)
def segment(request: HttpRequest, key: str) -> HttpResponse:
    """One segment: how many, since when, what sets them apart, who came and went, and the rule."""
    user, row = viewer(request), found(request, key)
    known = schema()
    entered, left = queries.movements(user, row)
    points = queries.history(user, row)
    last = queries.last_refresh(row) if sees_all(user) else None
    run = current_run()
    differences = _differences(last.profile, schema(user)) if last else []
    text, said = _rule(row, known, user)
    context = {
        "segment": row,
        "sized": queries.sized(user, row),
        "chart": charts.sizes(points, row.key, reverse("segment-sizes", args=[row.key])),
        "over": [one for one in differences if one.over],
        "under": [one for one in differences if not one.over],
        "level": formats.share(0.9, 0),
        "entered": entered,
        "left": left,
        "rule": text,
        "said": said,
        "stale": bool(run and row.as_of and run.as_of != row.as_of),
        "run": run,
        "sees_all": sees_all(user),
        "may_change": has_right(user, "segment"),
        "customers": reverse("customers") + f"?f=segment:is:{row.key}",
    }
    return render(request, "segments/detail.html", context)


@require_GET
@page(room=SEGMENTS)
def sizes(request: HttpRequest, key: str) -> HttpResponse:
    """Size over time as CSV, or its drawing as PNG."""
    row = found(request, key)
    points = queries.history(viewer(request), row)
    chart = charts.sizes(points, row.key, reverse("segment-sizes", args=[row.key]))
    if chart is None:
        raise Http404(key)
    return chart_file(request, chart, f"rondo-segment-{row.key}")


def _rule(row: Segment, known: Schema, user: User) -> tuple[str, str]:
    """The rule of a segment as text and in words; a rule that names what is gone has no words."""
    if row.kind == Segment.Kind.STATIC:
        return "", ""
    try:
        node = from_json(row.rule, known)
    except RuleError:
        return row.text if may_read(row, user) else "", ""
    if not may_read(row, user):
        return "", _("It asks for attributes that your role does not see.")
    names = dict(queries.standing(user).values_list("key", "name"))
    return format_rule(node, known), Sayer(known, names).say(node)


def _differences(profile: list[dict[str, Any]], known: Schema) -> list[Difference]:
    lines = []
    for one in profile:
        term = known.fields.get(one["field"])
        if term is None:
            continue
        lines.append(
            Difference(_words(term, one), one["inside"], one["outside"], one["low"], one["high"], one["low"] > 0)
        )
    return lines


def _words(term: RuleField, one: dict[str, Any]) -> str:
    if one["above"] is None:
        label = next((str(label) for value, label in term.choices if value == one["value"]), one["value"])
        return f"{term.label}: {label}"
    middle = one["above"]
    if term.type == "money":
        shown = formats.money(middle, digits=0)
        if abs(Money(int(middle), installation().currency).major) < 10:
            shown = formats.money(middle)
    elif term.type == "share":
        shown = formats.share(middle, 0 if middle >= _SMALL or not middle else 2)
    else:
        shown = formats.number(middle, 0 if float(middle).is_integer() else 1)
    return _("%(field)s above %(middle)s") % {"field": term.label, "middle": shown}


@require_POST
@page("segment", room=SEGMENTS)
def members(request: HttpRequest, key: str) -> HttpResponse:
    """Adds pasted public ids to a static segment, or removes them."""
    found(request, key)
    ids = re.findall(r"c_[0-9A-Za-z]+", request.POST.get("ids", ""))
    try:
        if "remove" in request.POST:
            number = actions.remove_members(actor(request), key, ids)
            text = ngettext("%(n)d customer removed.", "%(n)d customers removed.", number) % {"n": number}
        else:
            number = actions.add_members(actor(request), key, ids)
            text = ngettext("%(n)d customer added.", "%(n)d customers added.", number) % {"n": number}
        messages.success(request, text)
    except (InputError, NotFound, StateError) as error:
        messages.error(request, str(error))
    return redirect("segment", key)


@require_POST
@page("segment", room=SEGMENTS)
def refresh(request: HttpRequest, key: str) -> HttpResponse:
    """Queues the computation of a segment."""
    request_refresh(found(request, key))
    messages.success(request, _("The segment is being computed; load the page again in a moment."))
    return redirect("segment", key)


@require_POST
@page("segment", room=SEGMENTS)
def snapshot(request: HttpRequest, key: str) -> HttpResponse:
    """Keeps a segment as it stands, as one by name."""
    found(request, key)
    try:
        row = actions.keep_snapshot(actor(request), key, request.POST.get("name", ""))
    except (InputError, StateError) as error:
        messages.error(request, str(error))
        return redirect("segment", key)
    messages.success(request, _("“%(segment)s” made.") % {"segment": row})
    return redirect("segment", row.key)


@require_POST
@page("segment", room=SEGMENTS)
def delete(request: HttpRequest, key: str) -> HttpResponse:
    """Deletes a segment, with an undo."""
    found(request, key)
    try:
        row = actions.delete_segment(actor(request), key)
    except StateError as error:
        messages.error(request, str(error))
        return redirect("segment", key)
    undo = reverse("segment-restore", args=[key])
    messages.success(request, _("“%(segment)s” deleted.") % {"segment": row}, extra_tags=f"undo:{undo}")
    return redirect("segments")


@require_POST
@page("segment", room=SEGMENTS)
def restore(request: HttpRequest, key: str) -> HttpResponse:
    """Undoes a deletion."""
    try:
        row = actions.restore_segment(actor(request), key)
    except (InputError, NotFound) as error:
        messages.error(request, str(error))
        return redirect("segments")
    messages.success(request, _("“%(segment)s” is back.") % {"segment": row})
    return redirect("segment", key)
