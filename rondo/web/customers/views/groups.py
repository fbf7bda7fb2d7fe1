"""A list as a board or as a chart: its lanes, its figures, and a card moved from one lane to another."""

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from rondo.customers.actions import Stale, change_cell
from rondo.errors import InputError, RondoError
from rondo.foundation.rights import has_right
from rondo.web.access import actor, page
from rondo.web.charts.chart import chart_file
from rondo.web.customers.cells import editable, from_control, toast
from rondo.web.customers.fields import Field
from rondo.web.customers.groups import charts, figures, groupable, grouped_by, groups_of, lanes
from rondo.web.customers.query import ListQuery
from rondo.web.customers.views.reading import read_query


def group_context(query: ListQuery) -> dict[str, Any]:
    """What the switch between table, board and chart needs, and the lanes of a board."""
    by = grouped_by(query)
    offered = groupable(query.fields.values())
    context: dict[str, Any] = {
        "layouts": [
            (key, label, picture, query.address(layout=key, by="" if key == "table" else by.key))
            for key, label, picture in (
                ("table", _("Table"), "table"),
                ("board", _("Board"), "square-kanban"),
                ("chart", _("Chart"), "chart-bar-big"),
            )
        ],
        "by": by,
        "groupings": [(one, query.address(by=one.key)) for one in offered],
        "figures_url": reverse("customers-groups") + query.address(by=by.key),
    }
    if query.layout == "board" and not query.errors:
        context["lanes"] = lanes(query, by)
        context["movable"] = has_right(query.viewer, "edit") and editable(by)
    return context


def _checked(request: HttpRequest) -> tuple[ListQuery, Field]:
    query = read_query(request)
    if query.errors:
        raise InputError(" ".join(query.errors))
    return query, grouped_by(query)


@require_GET
@page()
def groups(request: HttpRequest) -> HttpResponse:
    """The figures of the groups: into the heads of the lanes, or as charts."""
    query, by = _checked(request)
    found = figures(query, groups_of(query, by))
    if query.layout == "board":
        return render(request, "customers/lane_figures.html", {"figures": found})
    return render(request, "customers/group_charts.html", {"charts": charts(query, by, found, _files(query, by))})


def _files(query: ListQuery, by: Field) -> dict[str, str]:
    address = query.address(by=by.key, layout="chart")
    return {which: reverse("customers-groups-file", args=[which]) + address for which in ("count", "value")}


@require_GET
@page()
def groups_file(request: HttpRequest, which: str) -> HttpResponse:
    """The table of one of the charts as CSV, or its drawing as PNG."""
    query, by = _checked(request)
    found = figures(query, groups_of(query, by))
    drawn = {one.key: one for one in charts(query, by, found, _files(query, by))}.get(f"groups-{which}")
    if drawn is None:
        raise Http404(_("There is no such chart; it shows the count or the value of groups."))
    return chart_file(request, drawn, f"rondo-{which}-by-{by.key.replace('.', '-')}")


@require_POST
@page("edit")
def move(request: HttpRequest, public_id: str) -> HttpResponse:
    """Gives a customer the value of another lane; the answer is the board as it is now, and a toast with the undo. What
    somebody else changed meanwhile stays, and is told."""
    from rondo.web.customers.views.lists import customers_part  # the page itself, which holds the board

    query, by = _checked(request)
    if not editable(by):
        raise Http404(_("This is not changed in the list; open the customer."))
    value = from_control(by, [request.POST.get("value", "")], "")
    seen = from_control(by, [request.POST.get("seen", "")], "")
    told: dict[str, str] | None = None
    try:
        done = change_cell(actor(request), public_id, by.key, value, seen=seen)
        told = toast(request, done, by, query.address()) if done is not None else None
    except Stale as stale:
        labels = {group.value: str(group.label) for group in groups_of(query, by)}
        now = {"yes": "1", "no": "0"}.get(stale.now, stale.now) if by.type == "boolean" else stale.now
        text = _(
            "Somebody else changed this meanwhile: now %(theirs)s, yours would be %(yours)s. Move the card again to "
            "keep yours."
        )
        told = {
            "text": text % {"theirs": labels.get(now, now), "yours": labels.get(request.POST.get("value", ""), "–")},
            "level": "error",
        }
    except RondoError as error:
        told = {"text": str(error), "level": "error"}
    answer = customers_part(request, query)
    if told is not None:
        answer["HX-Trigger"] = json.dumps({"toast": told})
    return answer
