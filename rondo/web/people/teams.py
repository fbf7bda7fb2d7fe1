"""Teams as a tree: made, named, moved, deleted."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from rondo.errors import InputError
from rondo.foundation import audit
from rondo.foundation import teams as actions
from rondo.foundation.models import Team, User
from rondo.web.access import actor, page, viewer
from rondo.web.people.entries import shown
from rondo.web.people.users import team_choices


class TeamForm(forms.Form):
    """Name and place of a team."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    parent = forms.ChoiceField(label=gettext_lazy("Below"), required=False)

    def __init__(self, data: object = None, *, team: Team | None = None) -> None:
        initial = {} if team is None else {"name": team.name, "parent": str(team.parent_id or "")}
        super().__init__(data, initial=initial)  # type: ignore[arg-type]
        own = "" if team is None else str(team.pk)
        choices = [("", _("at the top")), *(one for one in team_choices()[1:] if one[0] != own)]
        self.fields["parent"].choices = choices  # type: ignore[attr-defined]

    def parent_team(self) -> Team | None:
        """The team chosen."""
        return actions.find_team(int(self.cleaned_data["parent"])) if self.cleaned_data["parent"] else None


@require_http_methods(["GET", "HEAD", "POST"])
@page("administer")
def teams(request: HttpRequest) -> HttpResponse:
    """The tree, and a form for one more."""
    form = TeamForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made, _entry = actions.add_team(actor(request), form.cleaned_data["name"], form.parent_team())
        except InputError as error:
            form.add_error("name", str(error))
        else:
            messages.success(
                request,
                _("The team %(team)s is there.") % {"team": made},
                extra_tags=f"undo:{reverse('team-delete', args=[made.pk])}",
            )
            return redirect("teams")
    branches = actions.tree()
    context = {"branches": branches, "form": form, "without": User.objects.filter(is_active=True, team=None).count()}
    return render(request, "people/teams.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page("administer")
def team(request: HttpRequest, team_id: int) -> HttpResponse:
    """One team: its people, its name and place, and what was changed about it."""
    row = actions.find_team(team_id)
    form = TeamForm(request.POST if request.method == "POST" else None, team=row)
    if request.method == "POST" and form.is_valid():
        try:
            name, parent = form.cleaned_data["name"], form.parent_team()
            _row, entry = actions.change_team(actor(request), team_id, name=name, parent=parent)
        except InputError as error:
            form.add_error(None, str(error))
        else:
            undo = f"undo:{reverse('undo-change', args=[entry.pk])}" if entry else ""
            messages.success(request, _("Saved."), extra_tags=undo)
            return redirect("team", team_id)
    context = {
        "team": row,
        "form": form,
        "people": User.objects.filter(team=row).order_by("name", "email"),
        "entries": shown(viewer(request), audit.entries_of("team", row.pk, 30)),
    }
    return render(request, "people/team.html", context, status=422 if form.errors else 200)


@require_POST
@page("administer")
def delete(request: HttpRequest, team_id: int) -> HttpResponse:
    """Delete a team that nothing belongs to, with an undo."""
    entry = actions.delete_team(actor(request), team_id)
    messages.success(
        request,
        _("The team %(team)s is deleted.") % {"team": entry.changes["name"][0]},
        extra_tags=f"undo:{reverse('undo-change', args=[entry.pk])}",
    )
    return redirect("teams")
