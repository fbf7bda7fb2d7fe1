"""A page as PDF, and the reports that are sent by mail: the list, one of them, and what one does with it."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from rondo.errors import InputError
from rondo.foundation.installation import zone
from rondo.foundation.jobs import enqueue_after_commit
from rondo.foundation.rights import reach_of
from rondo.reports import actions, queries
from rondo.reports.models import Report
from rondo.web import formats
from rondo.web.access import actor, page, viewer
from rondo.web.reports.composing import Made, make_report
from rondo.web.reports.forms import WEEKDAYS, ReportForm
from rondo.web.reports.mailing import send_waiting
from rondo.web.reports.opening import local, open_page


def _file(made: Made) -> HttpResponse:
    response = HttpResponse(made.pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{made.file_name}"'
    return response


@require_GET
@page()
def page_pdf(request: HttpRequest) -> HttpResponse:
    """The page named by ``page=`` (its address), as it stands for the viewer now."""
    return _file(make_report(viewer(request), [local(request.GET.get("page", ""))], session=dict(request.session)))


@require_GET
@page(room=queries.ROOM)
def reports(request: HttpRequest) -> HttpResponse:
    """One's own reports (an administrator sees all), and those one gets from others."""
    user = viewer(request)
    rows = _rows(list(queries.visible(user)))
    coming = sorted(row["next"] for row in rows if row["next"])
    context = {
        "rows": rows,
        "next": coming[0] if coming else None,
        "received": _rows(list(queries.received(user))),
        "may_administer": reach_of(user, queries.ROOM) in {"team", "all"},
        "mail_is_set": queries.mail_is_set(),
    }
    return render(request, "reports/list.html", context)


def _rows(reports: Sequence[Report]) -> list[dict[str, Any]]:
    """What is told of each report."""
    recipients, last = queries.recipients_of_each(reports), queries.last_sendings(reports)
    return [
        {
            "report": report,
            "when": _when(report),
            "next": None
            if report.paused_at is not None
            else queries.schedule_of(report).next_after(timezone.now(), zone()),
            "last": last.get(report.pk),
            "recipients": recipients[report.pk],
        }
        for report in reports
    ]


def _when(report: Report) -> str:
    """The rhythm in words: Monday and Friday, 07:00."""
    hour = f"{report.hour:02}:00"
    if report.rhythm == Report.Rhythm.WEEKLY:
        names = [str(label) for number, label in WEEKDAYS if number in report.weekdays]
        return f"{', '.join(names)}, {hour}"
    if report.rhythm == Report.Rhythm.MONTHLY:
        return _("on day %(day)s of the month, %(hour)s") % {"day": report.day, "hour": hour}
    if report.rhythm == Report.Rhythm.DAILY:
        return f"{report.get_rhythm_display()}, {hour}"
    return report.get_rhythm_display()


@require_http_methods(["GET", "HEAD", "POST"])
@page(room=queries.ROOM)
def new(request: HttpRequest) -> HttpResponse:
    """A new report; ``page=`` is a page that it begins with, which can also go into a report that is there."""
    user = viewer(request)
    address = request.GET.get("page", "")
    form = ReportForm(user, None, request.POST if request.method == "POST" else None, pages=_whole(address))
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.create_report(actor(request), **form.values())
        except InputError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The report “%(name)s” is set up.") % {"name": made.name})
            return redirect("report", made.pk)
    context = {"form": form, "others": queries.visible(user) if address else [], "address": address, **_teaching()}
    return render(request, "reports/form.html", context, status=422 if form.errors else 200)


def _whole(address: str) -> str:
    """A page's address as one would paste it; empty where it is none."""
    try:
        return f"{settings.RONDO_URL}{local(address)}" if address else ""
    except InputError:
        return ""


def _teaching() -> dict[str, Any]:
    return {"mail_is_set": queries.mail_is_set()}


@require_http_methods(["GET", "HEAD", "POST"])
@page(room=queries.ROOM)
def report(request: HttpRequest, report_id: int) -> HttpResponse:
    """One report: what became of its sendings, and its settings."""
    user = viewer(request)
    found = queries.get_visible(user, report_id)
    form = ReportForm(user, found, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_report(actor(request), report_id, **form.values())
        except InputError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("report", report_id)
    context = {**_rows([found])[0], "form": form, "sendings": queries.sendings_of(found), **_teaching()}
    return render(request, "reports/report.html", context, status=422 if form.errors else 200)


@require_GET
@page(room=queries.ROOM)
def preview(request: HttpRequest, report_id: int) -> HttpResponse:
    """The report as it would be sent to the viewer now."""
    found = queries.get_visible(viewer(request), report_id)
    addresses = [address for address, _title in found.addresses]
    return _file(make_report(viewer(request), addresses, title=found.name, language=found.language))


@require_POST
@page(room=queries.ROOM)
def add(request: HttpRequest, report_id: int) -> HttpResponse:
    """Add a page to a report."""
    found = queries.get_visible(viewer(request), report_id)
    address = local(request.POST.get("page", ""))
    title = open_page(viewer(request), address).title
    if address not in dict(found.addresses):
        actions.change_report(actor(request), report_id, addresses=[*found.addresses, [address, title]])
    messages.success(request, _("“%(page)s” is in the report “%(name)s”.") % {"page": title, "name": found.name})
    return redirect("report", report_id)


@require_POST
@page(room=queries.ROOM)
def pause(request: HttpRequest, report_id: int) -> HttpResponse:
    """Send nothing for a while; or send again."""
    if request.POST.get("resume"):
        actions.resume_report(actor(request), report_id)
        messages.success(request, _("The report is sent again, from its next time on."))
    else:
        actions.pause_report(actor(request), report_id)
        messages.success(request, _("The report is paused."))
    return redirect("report", report_id)


@require_POST
@page(room=queries.ROOM)
def delete(request: HttpRequest, report_id: int) -> HttpResponse:
    """Take the report away, with an undo."""
    gone = actions.delete_report(actor(request), report_id)
    undo = reverse("report-restore", args=[report_id])
    messages.success(request, _("The report “%(name)s” is deleted.") % {"name": gone.name}, extra_tags=f"undo:{undo}")
    return redirect("reports")


@require_POST
@page(room=queries.ROOM)
def restore(request: HttpRequest, report_id: int) -> HttpResponse:
    """Undo the deletion."""
    actions.restore_report(actor(request), report_id)
    return redirect("report", report_id)


@require_POST
@page(room=queries.ROOM)
def leave(request: HttpRequest, report_id: int) -> HttpResponse:
    """Get somebody else's report no longer."""
    actions.leave_report(actor(request), report_id)
    messages.success(request, _("You get this report no longer."))
    return redirect("reports")


@require_POST
@page(room=queries.ROOM)
def send(request: HttpRequest, report_id: int) -> HttpResponse:
    """Send it to all its recipients now."""
    count = actions.send_now(actor(request), report_id)
    enqueue_after_commit(send_waiting)
    said = ngettext("It goes to %(count)s recipient now.", "It goes to %(count)s recipients now.", count)
    messages.success(request, said % {"count": formats.number(count)} if count else _("It is on its way already."))
    return redirect("report", report_id)


@require_POST
@page(room=queries.ROOM)
def again(request: HttpRequest, sending_id: int) -> HttpResponse:
    """Try one sending again."""
    row = actions.send_again(actor(request), sending_id)
    enqueue_after_commit(send_waiting)
    messages.success(request, _("It is tried again now."))
    return redirect("report", row.report_id)
