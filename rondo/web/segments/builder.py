"""The builder: the text of a rule, checked and counted while it is written, with what can be put into it."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from rondo.analysis.buying_stages.queries import largest_categories
from rondo.analysis.buying_stages.ruled import BUYING_STAGE, rule_of
from rondo.analysis.segments import actions, queries
from rondo.analysis.segments.models import Segment
from rondo.analysis.segments.queries import ROOM as SEGMENTS
from rondo.customers.models import Customer
from rondo.customers.queries import sees_all, sees_few, visible
from rondo.errors import InputError, NotFound, RondoError, StateError
from rondo.foundation.models import User
from rondo.rules import (
    Context,
    Node,
    Problem,
    RuleError,
    Schema,
    SegmentError,
    compile_q,
    parse,
    placed,
    preview,
    schema,
)
from rondo.rules.tree import AllOf
from rondo.web.access import actor, page, viewer
from rondo.web.rules import words
from rondo.web.segments.views import found

SAMPLE = 20
_MANY = 40
"""So many values of a field are offered."""
_STAGED = 12
"""Of so many categories the buying stages are offered; a rule may name any."""


@dataclass(frozen=True)
class Offer:
    """A field or kind of event with what a click writes."""

    label: str
    text: str
    values: list[tuple[str, str]]


@dataclass(frozen=True)
class Marked:
    """A problem and the line it is in, cut at its place."""

    message: str
    before: str
    wrong: str
    after: str


@require_http_methods(["GET", "POST"])
@page("segment", room=SEGMENTS)
def new(request: HttpRequest) -> HttpResponse:
    """A new segment: the empty builder, or what was sent with it."""
    kind = request.POST.get("kind") or request.GET.get("kind", "rule")
    picked = [text for text in request.GET.getlist("id") if text][:500]
    values = {
        "name": request.POST.get("name", ""),
        "description": request.POST.get("description", ""),
        "form": request.POST.get("form", ""),
        "text": request.POST.get("text", request.GET.get("text", "")),
        "ids": request.POST.get("ids", "\n".join(picked)),
        "kind": "static" if kind == "static" or picked else "rule",
    }
    if request.method == "POST":
        try:
            row = _make(request, values)
            messages.success(request, _("“%(segment)s” made.") % {"segment": row})
            return redirect("segment", row.key)
        except (InputError, NotFound) as error:
            return _show(request, values, error=str(error))
    return _show(request, values)


def _make(request: HttpRequest, values: dict[str, str]) -> Segment:
    return actions.create_with_members(
        actor(request),
        values["ids"].replace(",", " ").split() if values["kind"] == "static" else (),
        name=values["name"],
        kind=values["kind"],
        text=values["text"] if values["kind"] == "rule" else "",
        description=values["description"],
        form=values["form"],
    )


@require_http_methods(["GET", "POST"])
@page("segment", room=SEGMENTS)
def edit(request: HttpRequest, key: str) -> HttpResponse:
    """The builder for a segment that is there; a colleague's change in between is shown, not overwritten."""
    row = found(request, key)
    actions.check_readable(actor(request), row)
    values: dict[str, str] = {name: str(getattr(row, name)) for name in actions.FIELDS} | {"kind": row.kind}
    values["version"] = str(row.version)
    if request.method == "POST":
        sent = {name: request.POST.get(name, "") for name in actions.FIELDS}
        if row.kind == Segment.Kind.STATIC:
            sent.pop("text")
        version = request.POST.get("version", "")
        try:
            seen = int(version) if version.isdecimal() else 0
            actions.change_segment(actor(request), key, expected_version=seen, **sent)
            messages.success(request, _("Saved."))
            return redirect("segment", key)
        except (InputError, StateError) as error:
            return _show(request, values | sent | {"version": version}, row, str(error))
    return _show(request, values, row)


def _show(request: HttpRequest, values: dict[str, str], row: Segment | None = None, error: str = "") -> HttpResponse:
    known, guide = schema(viewer(request)), words.forms()
    context = {
        "values": values,
        "segment": row,
        "error": error,
        "forms": [(value, label, guide[value]) for value, label in Segment.Form.choices],
        "groups": _offers(known, viewer(request)) if values["kind"] == "rule" else [],
    }
    return render(request, "segments/builder.html", context, status=400 if error else 200)


def _offers(known: Schema, user: User) -> list[tuple[str, list[Offer]]]:
    groups: dict[str, list[Offer]] = {"attributes": [], "facts": [], "customer": []}
    for term in known.fields.values():
        key = known.short(term.key)
        offered = [(str(label), f"{key} = {_quoted(value)}") for value, label in term.choices[:_MANY]]
        example = {
            "money": f"{key} >= 100",
            "share": f"{key} >= 25%",
            "date": f"{key} within last 30 days",
            "text": f'{key} = ""',
            "id": f"{key} in ()",
        }.get(term.type, f"{key} >= 1")
        groups.setdefault(term.group, []).append(Offer(str(term.label), example, offered))
    events = [
        Offer(str(kind.label), f"did {key} within 90 days", [(_("not"), f"did not {key} within 90 days")])
        for key, kind in known.kinds.items()
    ]
    others = [Offer(row.name, f"in segment {row.key}", []) for row in queries.standing(user)[:_MANY]]
    stages = [
        Offer(path.rpartition(" > ")[2], rule_of(path, "need_recognised"),
              [(str(label), rule_of(path, stage)) for stage, label in BUYING_STAGE])
        for path in largest_categories(_STAGED)
    ]  # fmt: skip
    return [
        (label, offers)
        for label, offers in (
            (_("Attributes"), groups["attributes"]),
            (_("Facts"), groups["facts"]),
            (_("Events"), events),
            (_("Buying stages"), stages),
            (_("Segments"), others),
            (_("Customer"), groups["customer"]),
        )
        if offers
    ]


def _quoted(value: str) -> str:
    return value if value.replace("_", "").isalpha() else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@require_POST
@page("segment", room=SEGMENTS)
def check(request: HttpRequest) -> HttpResponse:
    """What is wrong with the rule as written so far, or how many customers it finds and some of them."""
    text = request.POST.get("text", "") or request.POST.get("rule", "")
    context: dict[str, Any] = {"empty": not text.strip(), "sees_all": sees_all(viewer(request))}
    if not context["empty"]:
        try:
            known = schema(viewer(request))
            node = parse(text, known)
            row = queries.standing(viewer(request)).filter(key=request.POST.get("key", "")).first()
            actions.check_references(row.key if row else "", node, viewer(request))
            number, everybody, sample = _preview(viewer(request), row, node)
            share = number / everybody if everybody else None
            context |= {"number": number, "everybody": everybody, "share": share, "sample": sample}
        except SegmentError as error:
            keys = queries.standing(viewer(request)).values_list("key", flat=True)
            context["problems"] = [_marked(text, problem) for problem in placed(error, text, keys).problems]
        except RuleError as error:
            context["problems"] = [_marked(text, problem) for problem in error.problems]
        except RondoError as error:
            context["failure"] = str(error)
    return render(request, "segments/check.html", context)


def _preview(user: User, row: Segment | None, node: Node) -> tuple[int, int, list[Customer]]:
    """How many customers of the viewer's the rule finds, of how many, and some of them. The rule was read with what
    the viewer sees; the segments behind it may ask for more."""
    known = schema()
    owner = row.owner_id if row else user.pk
    day = queries.day_of_rules()
    if not sees_all(user):
        context = Context(day, owner, partial(queries.recorded, viewer=user))
        condition = compile_q(node, known, context, as_set=not sees_few(user))
        rows = visible(user).filter(condition)
        return rows.count(), visible(user).count(), list(rows.order_by("pk")[:SAMPLE])
    from rondo.warehouse.tables import open_tables  # the engine is slow to import and only needed here

    with open_tables() as tables:
        context = Context(day, owner, queries.Computed(known))
        number, keys = preview(node, known, context, tables, SAMPLE)
        everybody, _some = preview(AllOf(()), known, context, tables, 0)
    return number, everybody, list(visible(user).filter(pk__in=keys).order_by("pk"))


def _marked(text: str, problem: Problem) -> Marked:
    lines = text.splitlines() or [""]
    line = lines[min(max(problem.line - 1, 0), len(lines) - 1)]
    start = max(problem.column - 1, 0)
    end = min(start + max(problem.length, 1), max(len(line), start))
    return Marked(str(problem), line[:start], line[start:end] or " ", line[end:])
