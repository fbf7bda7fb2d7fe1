"""After how many days what goes: stated per kind, tried in numbers, then saved; a job does it at night."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from rondo.errors import InputError, RondoError
from rondo.foundation.models import AuditEntry
from rondo.foundation.rights import has_right
from rondo.retention.actions import change_rules
from rondo.retention.kinds import KINDS, Kind
from rondo.retention.queries import rules, would_go
from rondo.web.access import actor, page, viewer

_SHOWN = 10


@dataclass(frozen=True)
class Line:
    """One kind on the page: what the field holds, how many rows would go, and what is wrong with it."""

    kind: Kind
    days: str
    goes: int | None
    error: str = ""
    fixed: bool = False


@require_http_methods(["GET", "HEAD", "POST"])
@page("administer")
def retention(request: HttpRequest) -> HttpResponse:
    """The rules with how many rows each would take tonight; posted, tried or saved."""
    given = _given(request)
    if request.method == "POST" and "save" in request.POST and not any(line.error for line in given):
        try:
            change_rules(actor(request), {line.kind.key: int(line.days) if line.days else None for line in given})
        except RondoError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("Saved. It holds from the coming night on; until then nothing goes."))
            return redirect("retention")
    entries = AuditEntry.objects.filter(verb="retention.applied").order_by("-pk")[:_SHOWN]
    context = {
        "lines": given,
        "tried": request.method == "POST",
        "applied": [
            (entry.at, KINDS[kind].label, counts[0])
            for entry in entries
            for kind, counts in entry.changes.items()
            if kind in KINDS
        ],
    }
    return render(request, "retention/retention.html", context, status=422 if any(one.error for one in given) else 200)


def _given(request: HttpRequest) -> list[Line]:
    """The lines as posted, else as they hold."""
    holds = rules()
    found = []
    for key, kind in KINDS.items():
        kept = str(holds[key].days) if key in holds else ""
        fixed = key == "bin" and not has_right(viewer(request), "erase")
        text = kept if fixed or request.method != "POST" else request.POST.get(key, "").strip()
        try:
            days = _days(kind, text)
        except InputError as error:
            found.append(Line(kind, text[:10], None, str(error), fixed))
        else:
            found.append(Line(kind, text, None if days is None else would_go(key, days), "", fixed))
    return found


def _days(kind: Kind, text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 5 or not kind.least <= int(text) <= 36_500:
        raise InputError(_("From %(least)d to 36,500 days, or nothing: it stays.") % {"least": kind.least})
    return int(text)
