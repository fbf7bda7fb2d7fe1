"""From which probability on pairs are merged by themselves: a dry run, then the switch."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from rondo.duplicates import queries
from rondo.duplicates.actions import set_automatic
from rondo.duplicates.models import AutomaticMerging
from rondo.errors import InputError
from rondo.web import formats
from rondo.web.access import actor, page
from rondo.web.duplicates.sides import threshold

_OFFERED = 99.9


class ThresholdForm(forms.Form):
    """The probability in per cent."""

    least = forms.FloatField(label=gettext_lazy("Probability from which on pairs are merged"), localize=True)


@require_http_methods(["GET", "HEAD", "POST"])
@page("administer")
def automatic(request: HttpRequest) -> HttpResponse:
    """The threshold, what it would do to the pairs there are, and how often people decided so at this level."""
    who = actor(request)
    who.require("merge")
    now = queries.automatic_from()
    error = ""
    if request.method == "POST":
        try:
            if "off" in request.POST:
                set_automatic(who, None)
            else:
                form = ThresholdForm(request.POST)
                if not form.is_valid():
                    raise InputError(_("Write a probability in per cent, such as 99.9."))
                set_automatic(who, round(form.cleaned_data["least"] / 100.0, 6))
        except InputError as refused:
            error = str(refused)
        else:
            messages.success(request, _("Saved. It holds from the next search on."))
            return redirect("duplicates-automatic")
    given = request.POST.get("least") or request.GET.get("least")
    tried = ThresholdForm({"least": given or formats.number((now or _OFFERED / 100.0) * 100.0, 1)})
    least = tried.cleaned_data["least"] / 100.0 if tried.is_valid() else None
    context = {
        "form": tried,
        "error": error or ("" if least is not None else _("Write a probability in per cent, such as 99.9.")),
        "now": threshold(now) if now else "",
        "since": AutomaticMerging.objects.select_related("by").order_by("-pk").first(),
        "least": threshold(least) if least is not None else "",
        "would": queries.certain_pairs(least).count() if least is not None else 0,
        "precision": queries.precision(least) if least is not None else None,
        "level": formats.share(queries.LEVEL, 0),
    }
    return render(request, "duplicates/automatic.html", context, status=422 if error else 200)
