"""The page on which the demo is cleared: what goes, what stays, the button, and how far it is."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from rondo.demo.actions.asking import request_clearing, there_is_demo
from rondo.demo.models import Clearing
from rondo.demo.queries import latest_clearing, preview
from rondo.demo.words import GOES, STAYS, STEPS
from rondo.foundation.rights import has_right
from rondo.web.access import actor, page, viewer


@require_http_methods(["GET", "HEAD", "POST"])
@page("administer")
def demo_data(request: HttpRequest) -> HttpResponse:
    """What goes with the demo and what stays; posted, the demo is cleared."""
    if request.method == "POST":
        request_clearing(actor(request))
        return redirect("demo-data")
    row = latest_clearing()
    context: dict[str, Any] = {"going": _going(row), "error": row.error if row and row.status == "failed" else ""}
    if context["going"] is None and there_is_demo():
        found = preview()
        context |= {
            "households": found.goes["customers"],
            "goes": [(GOES[name], count, name == "own_contacts") for name, count in found.goes.items() if count],
            "stays": [(STAYS[name], count) for name, count in found.stays.items() if count],
        }
    return render(request, "demo/demo_data.html", context)


@require_GET
@page("administer")
def progress(request: HttpRequest) -> HttpResponse:
    """How far the removal is; when it has ended, home with its first steps, or the page that says why not."""
    row = latest_clearing()
    going = _going(row)
    if going is None:
        answer = HttpResponse()
        ended = row is None or row.status == Clearing.Status.DONE
        answer["HX-Redirect"] = reverse("home" if ended else "demo-data")
        return answer
    return render(request, "demo/progress.html", {"going": going})


def _going(row: Clearing | None) -> dict[str, Any] | None:
    if row is None or not row.under_way:
        return None
    return {
        "waiting": row.status == Clearing.Status.QUEUED,
        "step": STEPS.get(row.step, STEPS["hide"]),
        "done": row.done,
        "total": row.total,
    }


def on_home(request: HttpRequest) -> dict[str, Any] | None:
    """The card of the home page, for who may clear the demo while there is one."""
    if not has_right(viewer(request), "administer"):
        return None
    going = _going(latest_clearing())
    return {"going": going} if going or there_is_demo() else None
