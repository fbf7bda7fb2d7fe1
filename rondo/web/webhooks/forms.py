"""The forms of a webhook, and of the span that is sent again."""

from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy

from rondo import outside
from rondo.errors import InputError
from rondo.foundation.installation import zone
from rondo.foundation.models import User
from rondo.foundation.rights import has_right
from rondo.webhooks.kinds import KINDS
from rondo.webhooks.models import Endpoint

_INPUT = "%Y-%m-%dT%H:%M"


class WebhookForm(forms.Form):
    """``viewer`` is who fills it in; an administrator may let it go by somebody else's rights."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        help_text=gettext_lazy("Which system it is, such as shop or newsletter."),
    )
    url = forms.CharField(
        label="URL",
        max_length=1000,
        widget=forms.URLInput(attrs={"placeholder": "https://", "spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy("Begins with https://; it is given by the other system."),
    )
    owner = forms.TypedChoiceField(
        label=gettext_lazy("Is told what this user sees"), coerce=int, help_text=gettext_lazy("Best a service account.")
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Is told of"),
        choices=[(kind.key, kind.label) for kind in KINDS.values()],
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, viewer: User, row: Endpoint | None, data: QueryDict | None = None) -> None:
        initial: dict[str, Any] = {"owner": viewer.pk, "kinds": []}
        if row is not None:
            initial = {"name": row.name, "url": row.url, "owner": row.owner_id, "kinds": row.kinds}
        super().__init__(data, initial=initial)
        if has_right(viewer, "administer"):
            people = User.objects.filter(is_active=True).order_by("-is_service", "name", "email")
            able = [one for one in people if has_right(one, "integrate")]
            known = {one.pk for one in able}
            kept = [row.owner] if row is not None and row.owner_id not in known else []
            self.fields["owner"].choices = [(one.pk, str(one)) for one in [*able, *kept]]  # type: ignore[attr-defined]
        else:
            del self.fields["owner"]

    def clean_url(self) -> str:
        """The address, refused beside its field where it could not be called."""
        url: str = self.cleaned_data["url"].strip()
        try:
            outside.target(url, settings.RONDO_WEBHOOK_NETWORKS)
        except InputError as error:
            raise forms.ValidationError(str(error)) from error
        return url

    def groups(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """The boxes of kinds with what each means, by group."""
        boxes = [(KINDS[box.data["value"]], box) for box in self["kinds"] if box.data["value"] in KINDS]
        return [
            (str(group), [{"kind": kind, "box": box} for kind, box in some])
            for group, some in groupby(boxes, key=lambda one: one[0].group)
        ]

    def values(self) -> dict[str, Any]:
        """The cleaned values as the actions take them."""
        found = dict(self.cleaned_data)
        if "owner" in found:
            found["owner"] = User.objects.get(pk=found["owner"])
        return found


class SpanForm(forms.Form):
    """From when to when what happened is sent again; in the company's zone."""

    since = forms.DateTimeField(
        label=gettext_lazy("What happened from"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    until = forms.DateTimeField(label=gettext_lazy("to"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    delivered = forms.BooleanField(label=gettext_lazy("Also what was delivered"), required=False)

    def __init__(self, since: datetime | None, data: QueryDict | None = None) -> None:
        now = timezone.now()
        begin = since or now - timedelta(days=1)
        initial = {
            "since": begin.astimezone(zone()).strftime(_INPUT),
            "until": (now + timedelta(minutes=1)).astimezone(zone()).strftime(_INPUT),
        }
        super().__init__(data, initial=initial)

    def span(self) -> tuple[datetime, datetime]:
        """Both moments; what the browser sends has no zone, and is the company's."""
        since, until = (self.cleaned_data[name].replace(tzinfo=zone()) for name in ("since", "until"))
        return since, until
