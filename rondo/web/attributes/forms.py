"""Forms of attributes: what one is called, asks for and who sees it; and its choices, a line each."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rondo.customers.models import AttributeDefinition
from rondo.foundation.rights import ADMINISTRATOR
from rondo.foundation.roles import roles

SPARE = 3
"""Empty lines for new choices."""


class AttributeForm(forms.Form):
    """Everything about an attribute but its type and its choices."""

    label_en = forms.CharField(label=gettext_lazy("Name in English"), max_length=100)
    label_de = forms.CharField(
        label=gettext_lazy("Name in German"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("The English one where empty."),
    )
    form = forms.ChoiceField(
        label=gettext_lazy("Form of segmentation"),
        choices=AttributeDefinition.Form.choices,
        help_text=gettext_lazy("What the attribute is good for when customers are grouped."),
    )
    default = forms.CharField(
        label=gettext_lazy("Default"),
        max_length=255,
        required=False,
        help_text=gettext_lazy("What a new customer gets where nothing is said. Nobody who is here is changed."),
    )
    required = forms.BooleanField(label=gettext_lazy("Required of every new customer"), required=False)
    unique = forms.BooleanField(label=gettext_lazy("Unique: no two customers have the same value"), required=False)
    limited = forms.BooleanField(label=gettext_lazy("Only these roles see it:"), required=False)
    visible_to = forms.MultipleChoiceField(
        label=gettext_lazy("Visible to"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: Any = None, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial=dict(initial or {}))
        offered = [(role.key, str(role)) for role in roles() if role.key != ADMINISTRATOR]
        self.fields["visible_to"].choices = offered  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """The cleaned values as the actions take them."""
        found = dict(self.cleaned_data)
        seen, limited = found.pop("visible_to"), found.pop("limited")
        return {**found, "visible_to": seen if limited else None}


class NewForm(AttributeForm):
    """A new attribute."""

    key = forms.RegexField(
        r"^[a-z][a-z0-9_]{0,59}$",
        label=gettext_lazy("Key"),
        help_text=gettext_lazy(
            "What rules, files and the API call it: small letters, digits and underscores. It stays."
        ),
        error_messages={"invalid": gettext_lazy("Use small letters, digits and underscores, beginning with a letter.")},
    )
    type = forms.ChoiceField(label=gettext_lazy("Type"), choices=AttributeDefinition.Type.choices)
    values_text = forms.CharField(
        label=gettext_lazy("Choices, one a line"),
        required=False,
        widget=forms.Textarea({"rows": 5}),
        help_text=gettext_lazy("Only for choices: “value”, or “value = English = German”."),
    )

    field_order = ("label_en", "label_de", "key", "type", "values_text", "form", "default")

    def choices(self) -> list[dict[str, str]]:
        """The choices that were typed."""
        found = []
        for line in self.cleaned_data["values_text"].splitlines():
            parts = [" ".join(part.split()) for part in line.split("=")]
            if parts[0]:
                en = parts[1] if len(parts) > 1 and parts[1] else parts[0]
                found.append({"value": parts[0], "en": en, "de": parts[2] if len(parts) > 2 else ""})
        return found

    def values(self) -> dict[str, Any]:
        found = super().values()
        for name in ("key", "type", "values_text"):
            found.pop(name)
        return found


def initial_of(row: AttributeDefinition) -> dict[str, Any]:
    """An attribute as its form begins."""
    fields = ("label_en", "label_de", "form", "default", "required", "unique")
    seen = row.visible_to
    return {name: getattr(row, name) for name in fields} | {"limited": seen is not None, "visible_to": seen or []}


def lines_of(row: AttributeDefinition) -> list[dict[str, Any]]:
    """The choices as lines of the form, and a few empty ones."""
    lines = [{**choice, "place": number} for number, choice in enumerate(row.choices, start=1)]
    empty = [{"value": "", "en": "", "de": "", "new": True, "place": len(lines) + n} for n in range(1, SPARE + 1)]
    return [*lines, *empty]


def choices_in(row: AttributeDefinition, data: QueryDict) -> list[dict[str, Any]]:
    """The choices as the lines of the form say: called otherwise, in their new order, retired, and new ones."""
    known = {str(choice["value"]): choice for choice in row.choices}
    found: list[tuple[float, int, dict[str, Any]]] = []
    columns = ("value", "en", "de", "place")
    for number, said in enumerate(zip(*(data.getlist(f"choice_{name}") for name in columns), strict=False)):
        value, en, de, place = (" ".join(part.split()) for part in said)
        if not value and not en:
            continue
        choice = {**known.get(value, {}), "value": value or en, "en": en or value, "de": de}
        choice.pop("retired", None)
        if (value or en) in data.getlist("choice_retired"):
            choice["retired"] = True
        found.append((float(place) if place.isdecimal() else number + 1, number, choice))
    return [choice for _place, _number, choice in sorted(found, key=lambda one: one[:2])]


def said_of(row: AttributeDefinition) -> list[str]:
    """What an attribute asks for, in words of one chip each."""
    said = []
    if row.required:
        said.append(_("required"))
    if row.unique:
        said.append(_("unique"))
    if row.default:
        said.append(_("default: %(value)s") % {"value": row.default})
    return said
