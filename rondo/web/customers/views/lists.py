"""The customers list: the page, the rows that follow, the count, the filter form, the columns, the export."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from rondo.analysis.models import Score
from rondo.customers.queries import sees_all, visible
from rondo.errors import InputError, RondoError
from rondo.foundation.rights import has_right
from rondo.lists.states import SIZES
from rondo.rules import RuleError
from rondo.web.access import actor, page, viewer
from rondo.web.customers import export, export_files
from rondo.web.customers.cells import editable
from rondo.web.customers.fields import Field, catalogue, default_columns
from rondo.web.customers.filters import FilterError, from_form, operator_label, operators, parse_one
from rondo.web.customers.lists import KeyPage
from rondo.web.customers.page import current_assumptions
from rondo.web.customers.query import MAX_COLUMNS, ListQuery
from rondo.web.customers.rows import heading, on_page, read_rows
from rondo.web.customers.rules import split
from rondo.web.customers.tabs import Tab, tabs_of
from rondo.web.customers.together import changeable
from rondo.web.customers.views.groups import group_context
from rondo.web.customers.views.reading import CHOSEN, read_query
from rondo.web.customers.views.tabs import tab_context

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


@dataclass(frozen=True)
class Heading:
    """A column's heading: its label, where a click sorts to, how the list is sorted by it now, whether its cells are
    changed in their place."""

    field: Field
    label: "_StrOrPromise"
    address: str
    sorted: str
    editable: bool = False


@require_GET
@page()
def customers(request: HttpRequest) -> HttpResponse:
    """The list; for htmx only its changing part, or the rows that follow."""
    tabs, default = tabs_of(viewer(request))
    query = read_query(request, opens_with=default)
    context = _whole(query, tabs, default)
    part = request.headers.get("HX-Target", "") if request.headers.get("HX-Request") else ""
    if part == "more":
        return render(request, "customers/rows.html", context)
    if part == "list":
        return render(request, "customers/list.html", context)
    return render(request, "customers/customers.html", context, status=400 if query.errors else 200)


def customers_part(request: HttpRequest, query: ListQuery) -> HttpResponse:
    """The changing part of the page, after something in it was changed."""
    return render(request, "customers/list.html", _whole(query, *tabs_of(query.viewer)))


def _whole(query: ListQuery, tabs: Sequence[Tab], default: str) -> dict[str, Any]:
    keys = query.page() if query.layout == "table" else KeyPage([], None, None)
    context = _context(query, keys) | tab_context(query, tabs, default) | group_context(query)
    context["shown"] = bool(context["rows"]) or query.layout != "table"
    return context


def _context(query: ListQuery, keys: KeyPage) -> dict[str, Any]:
    columns = [query.fields[key] for key in query.columns]
    rows = read_rows(query.viewer, keys.ids, columns)
    return {
        "query": query,
        "rows": rows,
        "lines": on_page(rows),
        "here": reverse("customers"),
        "exports": [(label, reverse("customers-export", args=[form])) for form, label in export.LABELS.items()],
        "chips": query.chips(),
        "name": _heading(query, query.fields["name"]),
        "headings": [_heading(query, column) for column in columns],
        "sorts": [_heading(query, field) for field in query.fields.values() if field.listed],
        "span": len(columns) + 2,
        "more": query.address(after=keys.after) if keys.after else "",
        "late": keys.late,
        "earlier": query.address(before=keys.before) if keys.before else "",
        "first": query.address(),
        "has_customers": bool(rows) or visible(query.viewer).exists(),
        "filtered": query.narrowed,
        "groups": _grouped(query.fields.values()),
        "others": _grouped(f for f in query.fields.values() if f.key not in {"name", *query.columns} and f.listed),
        "columns": columns,
        "sizes": [(size, query.address(size=size), size == query.size) for size in SIZES],
        "may_export": has_right(query.viewer, "export"),
        "may_import": has_right(query.viewer, "import"),
        "may_segment": has_right(query.viewer, "segment"),
        "changeable": changeable(query.fields) if has_right(query.viewer, "edit") else [],
        "may_edit": has_right(query.viewer, "edit"),
        "may_delete": has_right(query.viewer, "delete"),
    }


def _heading(query: ListQuery, field: Field) -> Heading:
    """A first click sorts figures from the highest and texts from the first; a second click turns it round."""
    now = ""
    if not query.by_relevance and query.sort_field.key == field.key:
        now = "descending" if query.descending else "ascending"
    downward = field.numeric or field.type == "date"
    if now:
        downward = now == "ascending"
    address = query.sorted_by(f"-{field.key}" if downward else field.key)
    return Heading(field, heading(field), address, now, editable(field))


def _grouped(fields: Iterable[Field]) -> list[tuple[str, list[Field]]]:
    labels = {"customer": _("Customer"), "facts": _("Facts"), "attributes": _("Attributes")}
    groups: dict[str, list[Field]] = {key: [] for key in labels}
    for field in fields:
        groups[field.group].append(field)
    return [(labels[key], found) for key, found in groups.items() if found]


@require_GET
@page()
def count(request: HttpRequest) -> HttpResponse:
    """The sentence over the list: how many customers exactly, and what they are worth together."""
    query = read_query(request)
    if query.errors:
        return render(request, "customers/sentence.html", {"query": query})
    number, value = query.selection.count()
    assumptions = current_assumptions()
    context = {"query": query, "number": number, "value": value if assumptions else None, "assumptions": assumptions}
    return render(request, "customers/sentence.html", context)


@require_GET
@page()
def filter_form(request: HttpRequest) -> HttpResponse:
    """Operators and value of the field chosen in the filter form."""
    field = catalogue(viewer(request)).get(request.GET.get("field", ""))
    offered = [(o, operator_label(o, field)) for o in operators(field)] if field is not None else []
    suggestions: list[str] = []
    if field is not None and field.type == "text" and field.place in ("fact", "beside") and sees_all(viewer(request)):
        known = (field.model or Score)._default_manager.filter(**{f"{field.column}__isnull": False})
        suggestions = list(known.order_by(field.column).values_list(field.column, flat=True).distinct()[:300])
    context = {"field": field, "operators": offered, "suggestions": suggestions}
    return render(request, "customers/filter_value.html", context)


@require_GET
@page()
def add_filter(request: HttpRequest) -> HttpResponse:
    """Takes the filter form and leads to the list with one more filter; a value that does not fit is shown there."""
    query = read_query(request)
    field = query.fields.get(request.GET.get("field", ""))
    if field is None:
        return redirect(reverse("customers") + query.address())
    values = request.GET.getlist("value")
    text = from_form(field, request.GET.get("operator", ""), values)
    with suppress(FilterError):  # the list shows a filter that does not fit as it was typed, and what is wrong
        text = parse_one(text, query.fields, query.viewer).text()
    kept = [f for f in query.filters if f != text]
    return redirect(reverse("customers") + query.address(filters=[*kept, text]))


@require_GET
@page()
def conditions(request: HttpRequest) -> HttpResponse:
    """The builder of rules with all that the list asks for, its filters among them; for the dialog of the list."""
    query = read_query(request)
    text, apart = query.rule_text, True
    with suppress(RondoError):  # what cannot be said as one rule stays beside it
        text, apart = query.as_rule() if query.filters or query.rule_text else "", False
    context = {"query": query, "text": text, "apart": apart, "may_segment": has_right(query.viewer, "segment")}
    return render(request, "customers/conditions.html", context)


@require_GET
@page()
def use_rule(request: HttpRequest) -> HttpResponse:
    """Leads to the list that a rule asks for: what filters can say as filters, the rest as a rule beside them."""
    query = read_query(request)
    text = query.rule_text
    found: list[str] = []
    with suppress(RuleError):  # the list shows a rule that cannot be understood as it was written, and what is wrong
        if text:
            found, text = split(text, query.fields, query.viewer)
    kept = [f for f in query.filters if f not in found]
    return redirect(reverse("customers") + query.address(filters=[*kept, *found], rule=text))


@require_GET
@page("segment")
def as_segment(request: HttpRequest) -> HttpResponse:
    """Leads to a new segment whose rule says what the filters of the list say."""
    query = read_query(request)
    return redirect(reverse("segment-new") + "?" + urlencode({"text": query.as_rule()}))


@require_POST
@page()
def choose_columns(request: HttpRequest) -> HttpResponse:
    """Keeps the viewer's choice of columns, or goes back to the default."""
    query = read_query(request, request.POST)
    chosen = [key for key in dict.fromkeys(request.POST.getlist("column")) if key in query.fields and key != "name"]
    columns = [] if "default" in request.POST else chosen[:MAX_COLUMNS]
    if columns:
        columns = [*columns, *query.away][:MAX_COLUMNS]  # they come back with their attribute
    if query.base is None:
        if columns:
            request.session[CHOSEN] = columns
        else:
            request.session.pop(CHOSEN, None)
    shown = columns or default_columns(query.fields)
    return redirect(reverse("customers") + query.address(columns=() if query.base is None else shown))


@require_GET
@page("export")
def export_list(request: HttpRequest, form: str) -> StreamingHttpResponse:
    """The list as CSV, XLSX or Parquet: all its pages, in its order and with its columns."""
    query = read_query(request)
    if query.errors:
        raise InputError(" ".join(query.errors))
    if form not in export.FORMS:
        raise Http404(_("A list comes as csv, xlsx or parquet."))
    made = export_files.list_file(actor(request), query, form)
    response = StreamingHttpResponse(made.parts, content_type=made.content_type)
    response["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return response
