"""Two customers are made one by hand, from the page of either; and a merge is taken back."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from rondo.customers.actions import merge, unmerge
from rondo.customers.actions.merging import check_one_kind
from rondo.customers.models import Customer, Merge
from rondo.customers.picking import Which
from rondo.customers.queries import visible
from rondo.duplicates.actions.automatic import longer_known
from rondo.errors import InputError, NotFound, StateError
from rondo.web.access import actor, page, viewer
from rondo.web.customers.found import found_customer
from rondo.web.customers.registrations import find_customers
from rondo.web.duplicates.sides import lines_of
from rondo.web.merging.choices import chosen, told_left

_MOST = 20


@require_http_methods(["GET", "HEAD", "POST"])
@page("merge")
def merge_two(request: HttpRequest, public_id: str) -> HttpResponse:
    """Whom to merge the customer with, by a search; then the two side by side; posted, they are one."""
    here = found_customer(request, public_id)
    if here.public_id != public_id:
        return redirect("customer-merge", here.public_id)
    asked = request.POST.get("with", "") if request.method == "POST" else request.GET.get("with", "")
    if not asked:
        return render(request, "merging/merge.html", {"customer": here} | _searched(request, here))
    other = found_customer(request, asked)
    try:
        check_one_kind(here, other)
        if request.method == "POST":
            return _merged(request, here, other)
    except StateError as error:
        messages.error(request, str(error))
        return redirect("customer-merge", here.public_id)
    except InputError as error:
        messages.error(request, str(error))
    if other.pk == here.pk:
        messages.error(request, _("That is the same customer; choose another one."))
        return redirect("customer-merge", here.public_id)
    stays: Which = longer_known(here, other)
    context = {"customer": here, "other": other, "stays": stays, "lines": lines_of(viewer(request), here, other, stays)}
    return render(request, "merging/merge.html", context)


def _searched(request: HttpRequest, here: Customer) -> dict[str, Any]:
    text = request.GET.get("q", "").strip()[:200]
    hits = find_customers(viewer(request), text, _MOST + 1) if text else []
    own = reverse("customer", args=[here.public_id])
    rows = [(hit, hit.url.rstrip("/").rpartition("/")[2]) for hit in hits if hit.url != own]
    return {"q": text, "hits": rows[:_MOST], "more": len(rows) > _MOST}


def _merged(request: HttpRequest, here: Customer, other: Customer) -> HttpResponse:
    sides = {"left": here, "right": other}
    stays = "right" if request.POST.get("survivor") == "right" else "left"
    kept, lost = (here, other) if stays == "left" else (other, here)
    fields = {name: sides[side] for name, side in chosen(request.POST).items() if side in sides}
    edge = merge(actor(request), lost, kept, fields=fields)
    back = reverse("customer-unmerge", args=[edge.pk])
    messages.success(request, _("Merged."), extra_tags=f"undo:{back}")
    return redirect("customer", edge.winner.public_id)


@require_POST
@page("merge")
def unmerge_two(request: HttpRequest, merge_id: int) -> HttpResponse:
    """Take a merge back; says what was changed since and is left."""
    try:
        done = unmerge(actor(request), merge_id)
    except NotFound as error:
        raise Http404(str(merge_id)) from error
    except StateError as error:
        messages.error(request, str(error))
        return redirect("customers")
    said = _("Taken back; %(customer)s stands for itself again.") % {"customer": done.customer}
    messages.success(request, " ".join(filter(None, (said, told_left(viewer(request), done.left)))))
    seen = visible(viewer(request)).filter(pk=done.customer.pk).exists()  # it may be a colleague's again
    return redirect("customer", (done.customer if seen else Merge.objects.get(pk=merge_id).winner).public_id)
