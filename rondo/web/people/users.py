"""Users: the list with search, and the page of one, where role, reach, team and access are changed."""

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from rondo.errors import InputError, NotFound, StateError
from rondo.foundation import audit
from rondo.foundation.accounts import change_user
from rondo.foundation.models import Team, User
from rondo.foundation.roles import roles
from rondo.foundation.teams import tree
from rondo.web.access import actor, page, viewer
from rondo.web.people.entries import shown
from rondo.web.people.words import user_sentence

PAGE_SIZE = 100


class UserForm(forms.Form):
    """What an administrator sets of a user."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120, required=False)
    role = forms.ChoiceField(label=gettext_lazy("Role"))
    reach = forms.ChoiceField(
        label=gettext_lazy("Sees at most"),
        choices=User.Reach.choices,
        help_text=gettext_lazy("Narrows what the role shows; it never shows more than the role does."),
    )
    team = forms.ChoiceField(label=gettext_lazy("Team"), required=False)
    is_active = forms.BooleanField(label=gettext_lazy("May sign in"), required=False)

    def __init__(self, user: User, data: object = None) -> None:
        initial = {
            "name": user.name,
            "role": user.role.key,
            "reach": user.reach,
            "team": str(user.team_id or ""),
            "is_active": user.is_active,
        }
        super().__init__(data, initial=initial)  # type: ignore[arg-type]
        self.fields["role"].choices = [(role.key, str(role)) for role in roles()]  # type: ignore[attr-defined]
        self.fields["team"].choices = team_choices()  # type: ignore[attr-defined]

    def values(self) -> dict[str, object]:
        """The cleaned values as :func:`rondo.foundation.accounts.change_user` takes them."""
        team = self.cleaned_data["team"]
        return {**self.cleaned_data, "team": Team.objects.get(pk=team) if team else None}


def team_choices() -> list[tuple[str, str]]:
    """No team, and all teams, indented as the tree has them."""
    return [("", _("no team")), *((str(one.team.pk), f"{'– ' * one.depth}{one.team.name}") for one in tree())]


@require_GET
@page("administer")
def users(request: HttpRequest) -> HttpResponse:
    """All users by address, a page at a time; ``q``, ``role``, ``team`` and ``state`` narrow the list."""
    query = {name: request.GET.get(name, "").strip()[:100] for name in ("q", "role", "team", "state", "after")}
    rows = User.objects.select_related("role", "team").order_by("email")
    if query["q"]:
        rows = rows.filter(Q(name__icontains=query["q"]) | Q(email__icontains=query["q"]))
    if query["role"]:
        rows = rows.filter(role__key=query["role"])
    if query["team"].isdecimal() and len(query["team"]) < 16:
        rows = rows.filter(team_id=int(query["team"]))
    if query["state"] in {"on", "off"}:
        rows = rows.filter(is_active=query["state"] == "on")
    total = rows.count()
    found = list(rows.filter(email__gt=query["after"])[: PAGE_SIZE + 1])
    context = {
        "rows": found[:PAGE_SIZE],
        "total": total,
        "query": query,
        "more": found[PAGE_SIZE - 1].email if len(found) > PAGE_SIZE else "",
        "roles": roles(),
        "teams": tree(),
        "filtered": any(query[name] for name in ("q", "role", "team", "state")),
        "people": User.objects.filter(is_active=True, is_service=False).count(),
    }
    return render(request, "people/users.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page("administer")
def user(request: HttpRequest, user_id: int) -> HttpResponse:
    """One user: what they may do and see in words, the form, and what was changed about them."""
    row = User.objects.select_related("team").filter(pk=user_id).first()
    if row is None:
        raise NotFound(_("This user is not there; load the list of users again."))
    form = UserForm(row, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        last = _last(row)
        try:
            change_user(actor(request), row, **form.values())
        except (InputError, StateError) as error:
            form.add_error(None, str(error))
        else:
            now = _last(row)
            undo = f"undo:{reverse('undo-change', args=[now])}" if now != last else ""
            messages.success(request, _("Saved."), extra_tags=undo)
            return redirect("user", row.pk)
        row.refresh_from_db()
    context = {
        "person": row,
        "form": form,
        "sentence": user_sentence(row),
        "entries": shown(viewer(request), audit.entries_of("user", row.pk, 30)),
    }
    return render(request, "people/user.html", context, status=422 if form.errors else 200)


def _last(row: User) -> int:
    return next((entry.pk for entry in audit.entries_of("user", row.pk, 1)), 0)
