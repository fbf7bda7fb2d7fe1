"""The bin: customers put into it from a list or their page, looked at, and put back."""

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from rondo.customers.actions import MOST_AT_ONCE, put_back, put_back_some, put_into_bin, request_binning
from rondo.customers.jobs import request_putting_back
from rondo.customers.models import Bin
from rondo.customers.queries import binned
from rondo.errors import RondoError
from rondo.foundation.models import User
from rondo.foundation.rights import has_right
from rondo.foundation.search import fold
from rondo.web import formats
from rondo.web.access import actor, page, viewer
from rondo.web.customers.views.reading import read_query

PAGE_SIZE = 50


@require_GET
@page("delete")
def bin_page(request: HttpRequest) -> HttpResponse:
    """Who is in the bin, the latest first; searched by the beginning of the name."""
    user = viewer(request)
    text = request.GET.get("q", "").strip()[:100]
    rows = binned(user)
    count = rows.count()
    if text:
        rows = rows.filter(folded_name__startswith=fold(text))
    if (place := _place(request)) is not None:
        put, key = place
        rows = rows.filter(Q(bin_id__lt=put) | Q(bin_id=put, pk__gt=key))
    found = list(rows.select_related("bin", "bin__actor").order_by("-bin_id", "pk")[: PAGE_SIZE + 1])
    last = found[PAGE_SIZE - 1] if len(found) > PAGE_SIZE else None
    context = {
        "count": count,
        "text": text,
        "rows": found[:PAGE_SIZE],
        "next": f"?q={text}&after={last.bin_id}_{last.pk}" if last else "",
        "going": _going(user),
        "failed": _failed(user),
        "may_erase": has_right(user, "erase"),
    }
    return render(request, "customers/bin.html", context)


def _place(request: HttpRequest) -> tuple[int, int] | None:
    put, _line, key = request.GET.get("after", "").partition("_")
    return (int(put), int(key)) if put.isdecimal() and key.isdecimal() and len(put + key) < 36 else None


def _going(user: User) -> dict[str, Any] | None:
    """The user's own work under way, the newest."""
    row = Bin.objects.filter(actor=user, status__in=[Bin.Status.QUEUED, Bin.Status.RUNNING]).order_by("-pk").first()
    if row is None:
        return None
    return {"waiting": row.status == Bin.Status.QUEUED, "done": row.done, "total": row.total}


def _failed(user: User) -> str:
    row = Bin.objects.filter(actor=user).order_by("-pk").first()
    return row.error if row is not None and row.status == Bin.Status.FAILED else ""


@require_GET
@page("delete")
def progress(request: HttpRequest) -> HttpResponse:
    """How far it is; at its end the page is loaded again."""
    going = _going(viewer(request))
    if going is None:
        answer = HttpResponse()
        answer["HX-Refresh"] = "true"
        return answer
    return render(request, "customers/bin_progress.html", {"going": going})


@require_POST
@page("delete")
def put(request: HttpRequest) -> HttpResponse:
    """Puts the selected customers into the bin, all or none; the answer offers the undo."""
    back = request.POST.get("back", "")
    answer = redirect(reverse("customers") + (back if back.startswith("?") else ""))
    try:
        row = put_into_bin(actor(request), list(dict.fromkeys(request.POST.getlist("id"))))
    except RondoError as error:
        messages.error(request, str(error))
        return answer
    text = ngettext("%(n)s customer is in the bin.", "%(n)s customers are in the bin.", row.count)
    undo = f"undo:{reverse('customers-bin-back', args=[row.pk])}"
    messages.success(request, text % {"n": formats.number(row.count)}, extra_tags=undo)
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@page("delete")
def put_list(request: HttpRequest) -> HttpResponse:
    """All customers of a list: how many there are; posted, a job puts them into the bin."""
    user = viewer(request)
    query = read_query(request)
    if query.errors:
        raise Http404(" ".join(map(str, query.errors)))
    rows = query.selection.customers().order_by()
    if request.method == "POST":
        keys = list(rows.values_list("pk", flat=True))
        if len(keys) != int(request.POST.get("count", "0") or 0):
            messages.error(request, _("The list has changed meanwhile; look at the number again."))
            return redirect(request.get_full_path())
        try:
            request_binning(actor(request), keys)
        except RondoError as error:
            messages.error(request, str(error))
        return redirect("customers-bin")
    context = {"count": rows.count(), "query": query, "narrowed": query.narrowed, "may": has_right(user, "delete")}
    return render(request, "customers/bin_list.html", context)


@require_POST
@page("delete")
def back(request: HttpRequest, bin_id: int) -> HttpResponse:
    """Puts back what went into the bin together; as a job where it is much."""
    user = viewer(request)
    if binned(user).filter(bin_id=bin_id)[: MOST_AT_ONCE + 1].count() > MOST_AT_ONCE:
        request_putting_back(user, bin_id)
        messages.success(request, _("They are being put back; the list shows more of them with every moment."))
        return redirect("customers")
    _told_back(request, put_back(actor(request), bin_id))
    return redirect("customers")


@require_POST
@page("delete")
def back_one(request: HttpRequest, public_id: str) -> HttpResponse:
    """Puts one customer back."""
    put_back_some(actor(request), [public_id])
    _told_back(request, 1)
    return redirect("customer", public_id) if "open" in request.POST else redirect("customers-bin")


def _told_back(request: HttpRequest, count: int) -> None:
    if not count:
        messages.info(request, _("None of them is in the bin any more."))
        return
    text = ngettext("%(n)s customer put back.", "%(n)s customers put back.", count) % {"n": formats.number(count)}
    messages.success(request, text)
