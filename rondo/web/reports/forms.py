"""The form of a report: which pages, to whom, when, in which language."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rondo.errors import RondoError
from rondo.foundation.installation import zone
from rondo.foundation.models import User
from rondo.reports.models import Report
from rondo.reports.queries import possible_recipients, recipients_of
from rondo.web.reports.opening import local, open_page

WEEKDAYS = (
    (0, gettext_lazy("Monday")),
    (1, gettext_lazy("Tuesday")),
    (2, gettext_lazy("Wednesday")),
    (3, gettext_lazy("Thursday")),
    (4, gettext_lazy("Friday")),
    (5, gettext_lazy("Saturday")),
    (6, gettext_lazy("Sunday")),
)


class ReportForm(forms.Form):
    """``viewer`` is who fills it in, and for whom each page is opened once, to see that it is there."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    pages = forms.CharField(
        label=gettext_lazy("Pages"),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=gettext_lazy("One address per line, as it stands in the browser; filters in it stay."),
    )
    rhythm = forms.ChoiceField(label=gettext_lazy("Sent"), choices=Report.Rhythm.choices)
    weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("On"), choices=WEEKDAYS, coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    day = forms.IntegerField(
        label=gettext_lazy("Day of the month"), min_value=1, max_value=31, required=False,
        help_text=gettext_lazy("Where a month is shorter, its last day."),
    )  # fmt: skip
    hour = forms.TypedChoiceField(
        label=gettext_lazy("At"), coerce=int, choices=[(hour, f"{hour:02}:00") for hour in range(24)],
    )  # fmt: skip
    language = forms.ChoiceField(
        label=gettext_lazy("Language"), required=False,
        choices=[("", gettext_lazy("Of each recipient")), *settings.LANGUAGES],
    )  # fmt: skip
    recipients = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Recipients"), coerce=int, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, viewer: User, report: Report | None, data: QueryDict | None = None, pages: str = "") -> None:
        self.viewer = viewer
        self.known = dict(report.addresses) if report is not None else {}
        super().__init__(data, initial=_initial(viewer, report, pages))
        self.fields["hour"].help_text = _("In the company's time zone, %(zone)s.") % {"zone": zone()}
        people: Iterable[User] = possible_recipients()
        if report is not None:  # who was deactivated since is still shown, and can be taken out
            people = [*people, *recipients_of(report).filter(is_active=False)]
        self.fields["recipients"].choices = [  # type: ignore[attr-defined]
            (person.pk, _label(person)) for person in people
        ]

    def clean_pages(self) -> list[tuple[str, str]]:
        """Path with query, and title, of each page; new ones are opened to see that they are there."""
        found: dict[str, str] = {}
        for line in self.cleaned_data["pages"].splitlines():
            if not line.strip():
                continue
            try:
                address = local(line)
                found[address] = self.known.get(address) or open_page(self.viewer, address).title
            except RondoError as error:
                raise forms.ValidationError(str(error)) from error
        return list(found.items())

    def clean(self) -> dict[str, Any]:
        """A weekly report needs a weekday."""
        values = self.cleaned_data
        if values.get("rhythm") == Report.Rhythm.WEEKLY and not values.get("weekdays"):
            self.add_error("weekdays", _("Choose at least one day."))
        return values

    def values(self) -> dict[str, Any]:
        """What the actions take."""
        values = {**self.cleaned_data, "addresses": self.cleaned_data["pages"], "day": self.cleaned_data["day"] or 1}
        del values["pages"]
        return values


def _label(person: User) -> str:
    said = f"{person.name} · {person.email}" if person.name else person.email
    return said if person.is_active else _("%(person)s (deactivated, gets nothing)") % {"person": said}


def _initial(viewer: User, report: Report | None, pages: str) -> dict[str, Any]:
    if report is None:
        return {
            "pages": pages,
            "rhythm": Report.Rhythm.WEEKLY,
            "weekdays": [0],
            "day": 1,
            "hour": 7,
            "recipients": [viewer.pk],
        }
    return {
        "name": report.name,
        "pages": "\n".join(f"{settings.RONDO_URL}{address}" for address, _title in report.addresses),
        "rhythm": report.rhythm,
        "weekdays": report.weekdays,
        "day": report.day,
        "hour": report.hour,
        "language": report.language,
        "recipients": [person.pk for person in recipients_of(report)],
    }
