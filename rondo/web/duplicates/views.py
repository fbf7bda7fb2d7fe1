"""The work list of duplicates: pairs to decide, those put off, and what was decided."""

import json
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from rondo.customers.queries import sees_all
from rondo.duplicates import queries
from rondo.duplicates.actions import decide, request_search, take_back
from rondo.duplicates.models import Pair, Search
from rondo.duplicates.texts import COMPARISONS, LEVELS, STEPS
from rondo.errors import NotFound
from rondo.foundation.rights import has_right
from rondo.web import formats
from rondo.web.access import actor, page, viewer
from rondo.web.duplicates.sides import bits, likely, side_by_side, threshold
from rondo.web.merging.choices import chosen, told_left

PAGE_SIZE = 10
LEASTS = (0.99, 0.9, 0.5, 0.05)
"""Probabilities that the list can begin at."""
_USUAL = 0.5
_SHOWN = ("open", "later", "decided")


@require_GET
@page("merge")
def duplicates(request: HttpRequest) -> HttpResponse:
    """The pairs to decide, the most probable first; or those put off; or what was decided."""
    user, shown, least = viewer(request), _shown(request), _least(request)
    search = queries.latest_search()
    context = _heading(request) | {
        "search": search,
        "have": _have(search),
        "comparisons": _comparisons(search),
        "going": going(),
        "failure": failure(),
        "may_search": sees_all(user),
        "may_administer": has_right(user, "administer"),
        "automatic": threshold(least_of_all) if (least_of_all := queries.automatic_from()) else "",
        "tabs": [(key, words, key == shown) for key, words in _tabs()],
        "leasts": [
            (formats.share(one, 0), f"?{urlencode({'least': one, 'show': shown})}", one == least) for one in LEASTS
        ],
    }
    if shown == "decided":
        return render(request, "duplicates/list.html", context | _decided(request))
    rows = queries.open_pairs(user, least, shown).order_by("-weight", "pk")
    if (place := _place(request)) is not None:
        weight, key = place
        rows = rows.filter(Q(weight__lt=weight) | Q(weight=weight, pk__gt=key))
    found = list(rows[: PAGE_SIZE + 1])
    last = found[PAGE_SIZE - 1] if len(found) > PAGE_SIZE else None
    context |= {
        "pairs": side_by_side(user, found[:PAGE_SIZE]),
        "next": f"?{urlencode({'least': least, 'show': shown, 'after': f'{last.weight!r}_{last.pk}'})}" if last else "",
        "further": place is not None,
    }
    return render(request, "duplicates/list.html", context)


def _heading(request: HttpRequest) -> dict[str, Any]:
    """The sentence of the page: how many pairs, and how often such pairs were one so far."""
    user, shown, least = viewer(request), _shown(request), _least(request)
    rows = queries.decisions(user) if shown == "decided" else queries.open_pairs(user, least, shown)
    return {
        "show": shown,
        "count": rows.count(),
        "query": f"?{urlencode({'show': shown, 'least': least})}",
        "share": formats.share(least, 0),
        "precision": queries.precision(least) if sees_all(user) else None,
        "level": formats.share(queries.LEVEL, 0),
        "sees_all": sees_all(user),
    }


def _tabs() -> list[tuple[str, str]]:
    return [("open", _("To decide")), ("later", _("Later")), ("decided", _("Decided"))]


def _shown(request: HttpRequest) -> str:
    given = request.GET.get("show", "")
    return given if given in _SHOWN else "open"


def _least(request: HttpRequest) -> float:
    try:
        given = float(request.GET.get("least", ""))
    except ValueError:
        return _USUAL
    return given if given in LEASTS else _USUAL


def _place(request: HttpRequest) -> tuple[float, int] | None:
    weight, _line, key = request.GET.get("after", "").partition("_")
    try:
        return float(weight), int(key)
    except ValueError:
        return None


def _have(search: Search | None) -> list[tuple[str, int, bool]]:
    """Per comparison how many customers have what it needs, and whether that is enough."""
    if search is None:
        return []
    used = {one["key"] for one in search.results.get("comparisons", ())}
    have = search.results.get("have", {})
    return [(str(label), int(have.get(key, 0)), key in used) for key, label in COMPARISONS.items()]


def _comparisons(search: Search | None) -> list[dict[str, Any]]:
    """What agreement is worth, as the last search learnt it."""
    if search is None:
        return []
    return [
        {
            "label": COMPARISONS[one["key"]],
            "records": one["records"],
            "learnt": round(one["learnt"]),
            "levels": [
                {
                    "words": words,
                    "m": formats.share(level["m"], 1),
                    "u": formats.share(level["u"], 4),
                    "bits": bits(level["bits"]),
                }
                for words, level in zip(LEVELS[one["key"]], one["levels"], strict=True)
            ],
        }
        for one in search.results.get("comparisons", ())
    ]


def _decided(request: HttpRequest) -> dict[str, Any]:
    before = request.GET.get("after", "")
    rows = queries.decisions(viewer(request))
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: 5 * PAGE_SIZE + 1])
    last = found[5 * PAGE_SIZE - 1] if len(found) > 5 * PAGE_SIZE else None
    shown = [(row, likely(row.probability)) for row in found[: 5 * PAGE_SIZE]]
    return {"decisions": shown, "next": f"?show=decided&after={last.pk}" if last else ""}


def going() -> dict[str, Any] | None:
    """How far the search under way is; None where none is."""
    row = queries.newer_search()
    if row is None or not row.under_way:
        return None
    elapsed = (timezone.now() - row.started_at).total_seconds() if row.started_at else 0.0
    return {
        "waiting": row.status == Search.Status.QUEUED,
        "step": str(STEPS.get(row.step, "")),
        "done": row.done,
        "total": row.total,
        "elapsed": round(elapsed),
    }


def failure() -> str:
    """Why the newest search failed; empty where it did not."""
    row = queries.newer_search()
    return row.error if row is not None and row.status == Search.Status.FAILED else ""


@require_POST
@page("merge")
def search(request: HttpRequest) -> HttpResponse:
    """Look for duplicates among all customers, as a job."""
    request_search(actor(request))
    return redirect("duplicates")


@require_GET
@page("merge")
def progress(request: HttpRequest) -> HttpResponse:
    """The progress line; when the search has ended, the page is loaded again."""
    now = going()
    if now is None:
        response = HttpResponse()
        response["HX-Refresh"] = "true"
        return response
    return render(request, "duplicates/progress.html", {"going": now})


@require_POST
@page("merge")
def decide_pair(request: HttpRequest, pair_id: int) -> HttpResponse:
    """Decide about a pair; over htmx its card goes and a toast tells of it, with the way back."""
    decided = request.POST.get("decided", "")
    pair = decide(
        actor(request),
        pair_id,
        decided,
        survivor=request.POST.get("survivor", "left"),
        fields=chosen(request.POST) if decided == Pair.Status.MERGED else None,
    )
    text = {
        Pair.Status.MERGED: _("Merged."),
        Pair.Status.DIFFERENT: _("Told apart; the pair is not shown again unless its data change."),
        Pair.Status.LATER: _("Put off; it waits under “Later”."),
    }[Pair.Status(pair.status)]
    back = reverse("duplicates-undo", args=[pair.pk])
    if not request.headers.get("HX-Request"):
        messages.success(request, text, extra_tags=f"undo:{back}")
        return redirect("duplicates")
    answer = render(request, "duplicates/sentence.html", _heading(request) | {"swapped": True})
    answer["HX-Trigger"] = json.dumps({"toast": {"text": text, "undo": back, "level": "success"}})
    return answer


@require_POST
@page("merge")
def undo(request: HttpRequest, pair_id: int) -> HttpResponse:
    """Take the decision about a pair back."""
    try:
        done = take_back(actor(request), pair_id)
    except NotFound as error:
        messages.error(request, str(error))
    else:
        said = _("Taken back; the pair is open again.")
        messages.success(request, " ".join(filter(None, (said, told_left(viewer(request), done.left)))))
    return redirect("duplicates")
