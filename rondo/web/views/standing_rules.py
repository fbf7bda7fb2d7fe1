"""The thresholds of where customers stand and what binds them: see them, try others on today's customers, put them into
force."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from rondo.analysis import thresholds
from rondo.analysis.models import Study
from rondo.analysis.ruled import LADDER, RELATIONSHIP, STAGE
from rondo.analysis.studies import queries
from rondo.analysis.studies.actions import request_study
from rondo.analysis.thresholds import Thresholds
from rondo.errors import InputError
from rondo.web import formats
from rondo.web.access import actor, page
from rondo.web.charts.portfolio import customers_where
from rondo.web.relations.texts import BANDS, BONDS, band_url
from rondo.web.segments.studying import going
from rondo.web.trying import (
    Change,
    failure_of,
    form_holds,
    history,
    how_far,
    peopled,
    put_into_force,
    tried_of,
    tried_on,
    try_again,
)
from rondo.web.views.standing_thresholds import ALL, LEAST, MOST, PARTS, PLACES, Threshold

if TYPE_CHECKING:
    pass

_PER_CENT = 100


class ThresholdsForm(forms.Form):
    """All thresholds; shares are typed in per cent."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, shown: Thresholds | None = None) -> None:
        super().__init__(data, initial=None if shown is None else _typed(shown))
        for one in ALL:
            self.fields[one.key] = forms.DecimalField(
                label=one.label,
                help_text=one.help,
                min_value=LEAST.get(one.name, Decimal("0.01") if one.share else 0),
                max_value=Decimal("99.99") if one.share else MOST,
                max_digits=7,
                decimal_places=PLACES.get(one.name, 2 if one.share else 0),
                localize=True,
            )

    def clean(self) -> dict[str, Any]:
        """What two thresholds say together, and what a number has to be besides being large enough."""
        given = self.cleaned_data
        window = given.get("life_cycle_trend_days")
        if window is not None and window % 2:
            self.add_error("life_cycle_trend_days", _("An even number of days is needed: two halves are compared."))
        low, high = given.get("life_cycle_endangered"), given.get("life_cycle_decline")
        if low is not None and high is not None and low >= high:
            self.add_error("life_cycle_endangered", _("This has to lie below the one of decline."))
        weak, strong = given.get("bonds_weak"), given.get("bonds_strong")
        if weak is not None and strong is not None and weak >= strong:
            self.add_error("bonds_weak", _("This has to lie below the one of strong bonds."))
        return given

    def wanted(self) -> Thresholds:
        """The thresholds typed in.

        Raises:
            InputError: a value that a threshold cannot have.
        """
        found: dict[str, dict[str, Any]] = {part: {} for part, _title in PARTS}
        for one in ALL:
            value = self.cleaned_data[one.key]
            if one.share:
                found[one.part][one.name] = float(value / _PER_CENT)
            else:
                found[one.part][one.name] = float(value) if one.name == "trend_errors" else int(value)
        return thresholds.read(found)


def _typed(shown: Thresholds) -> dict[str, Any]:
    document = shown.to_dict()
    return {one.key: _plain(document[one.part][one.name] * (_PER_CENT if one.share else 1)) for one in ALL}


def _plain(value: float) -> float | int:
    rounded = round(value, 6)
    return int(rounded) if float(rounded).is_integer() else rounded


def _changes(before: Thresholds, after: Thresholds) -> list[Change]:
    old, new = before.to_dict(), after.to_dict()
    return [
        Change(one.label, _words(one, old[one.part][one.name]), _words(one, new[one.part][one.name]))
        for one in ALL
        if old[one.part][one.name] != new[one.part][one.name]
    ]


def _words(one: Threshold, value: float) -> str:
    if one.share:
        return formats.share(value, 0 if round(value * _PER_CENT, 6).is_integer() else 1)
    text = formats.number(value, 0 if float(value).is_integer() else 3)
    return f"{text} {one.unit}" if one.unit else text


@require_http_methods(["GET", "POST"])
@page("administer")
def rules(request: HttpRequest) -> HttpResponse:
    """The form; what is posted is tried first (a dry run) and changes nothing."""
    now, served = thresholds.in_force(), thresholds.served()
    latest = queries.latest(thresholds.KIND)
    tried = tried_of(latest, now.version)
    on = tried_on(tried) if tried else None
    if request.method == "POST":
        form = ThresholdsForm(request.POST)
        if form.is_valid():
            try:
                wanted = form.wanted()
                if wanted.to_dict() == now.to_dict():
                    raise InputError(_("These thresholds are in force already."))
                request_study(actor(request), thresholds.KIND, config=wanted.to_dict())
                return redirect("standing-rules")
            except InputError as error:
                form.add_error(None, str(error))
    else:
        form = ThresholdsForm(shown=form_holds(request, thresholds, now, now.version, latest, _read))
    context = {
        "form": form,
        "parts": [(title, [(form[one.key], one.affix) for one in ALL if one.part == part]) for part, title in PARTS],
        "now": now,
        "going": going(latest.newer),
        "failure": failure_of(latest),
        "tried": tried,
        "tried_on": on,
        "changes": _changes(now, thresholds.tried_with(tried)) if tried else [],
        "scales": _scales(tried, linked=not on.is_stale) if tried and on else [],
        "versions": history(thresholds, _read, _changes),
        "pending": served is not None and served.to_dict() != now.to_dict(),
    }
    return render(request, "shell/standing_rules.html", context, status=400 if form.errors else 200)


def _read(row: Any) -> Thresholds:
    """The thresholds of a version; the defaults for None."""
    return Thresholds() if row is None else thresholds.read(row.thresholds, row.pk)


def _scales(study: Study, *, linked: bool) -> list[dict[str, Any]]:
    """Per scale how many would move, and from where to where; states that nobody is in are left out, and bonds that
    nobody's strength of would change. ``linked``: whoever is in a state now is still who was counted."""
    found = []
    for scale, told in study.results["scales"].items():
        if scale.startswith("bond_") and not told["moved"]:
            continue
        title, labels = _named(scale)
        matrix = told["matrix"]
        size = range(len(matrix))
        kept = peopled(matrix)
        found.append(
            {
                "key": scale,
                "title": title,
                "moved": told["moved"],
                "heads": [labels[told["keys"][n]] for n in kept],
                "rows": [
                    (
                        labels[told["keys"][row]],
                        [(matrix[row][n], row != n) for n in kept],
                        sum(matrix[row]),
                        _behind(scale, told["keys"][row]) if linked else "",
                    )
                    for row in kept
                ],
                "sums": [sum(matrix[row][n] for row in size) for n in kept],
            }
        )
    return found


def _named(scale: str) -> tuple[str, dict[str, Any]]:
    """What a scale is called, and its states."""
    if scale.startswith("bond_"):
        return _("Bond: %(bond)s") % {"bond": BONDS[scale.removeprefix("bond_")]}, dict(BANDS)
    titles = {"ladder": _("Loyalty ladder"), "stage": _("Life cycle"), "relationship": _("Type of relationship")}
    return titles[scale], dict({"ladder": LADDER, "stage": STAGE, "relationship": RELATIONSHIP}[scale])


def _behind(scale: str, key: str) -> str:
    """The list of who is in a state now, by the thresholds that the figures served were made by."""
    if not scale.startswith("bond_"):
        return customers_where(f"{scale}:is:{key}")
    rules = (thresholds.served() or Thresholds()).bonds
    return band_url(scale.removeprefix("bond_"), key, rules.strong, rules.weak)


@require_GET
@page("administer")
def progress(request: HttpRequest) -> HttpResponse:
    """How far the dry run is; when it has ended, the page is loaded again."""
    return how_far(request, thresholds.KIND, "standing-rules-progress")


@require_POST
@page("administer")
def apply(request: HttpRequest) -> HttpResponse:
    """Puts into force what was tried."""
    return put_into_force(request, thresholds, "standing-rules")


@require_POST
@page("administer")
def again(request: HttpRequest) -> HttpResponse:
    """Tries once more what was tried on an analysis that is no longer the last."""
    return try_again(request, thresholds, "standing-rules")
