"""What the form of a file says for all rows at once: tags, values of other fields, and which identifiers may match."""

from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rondo.customers.attribute_values import BAR, unpack
from rondo.customers.definitions import definitions_for
from rondo.customers.models import AttributeDefinition
from rondo.errors import InputError
from rondo.foundation.models import User
from rondo.interactions.importing.choices import Choice
from rondo.interactions.importing.choosing import ATTRIBUTE, fields_for
from rondo.web.customers.fields import attribute_fields

_SPARE = 2
"""So many empty lines for values of other fields."""
IDENTIFIERS = (
    ("external", gettext_lazy("their number in the source")),
    ("email", gettext_lazy("e-mail address")),
    ("phone", gettext_lazy("phone number")),
    ("card", gettext_lazy("number of the customer card")),
)


@dataclass(frozen=True)
class Tags:
    """An attribute of several choices: (value, label, whether every row gets it) of each."""

    key: str
    label: str
    choices: list[tuple[str, str, bool]]


def _several(viewer: User) -> list[AttributeDefinition]:
    return [one for one in definitions_for(viewer) if one.type == AttributeDefinition.Type.MULTI]


def tags(viewer: User, choice: Choice) -> list[Tags]:
    """The tags that every row can get."""
    found = []
    for field, definition in zip(attribute_fields(several := _several(viewer)), several, strict=True):
        given = set(unpack(choice.constants.get(ATTRIBUTE + definition.key)))
        offered = [(value, str(label), value in given) for value, label in field.choices if value not in field.retired]
        if offered:
            found.append(Tags(definition.key, str(field.label), offered))
    return found


def pairs(choice: Choice) -> list[tuple[int, str, str]]:
    """(number, field, value) of what every row gets beside tags, and of lines to fill in."""
    several = set(AttributeDefinition.objects.filter(type=AttributeDefinition.Type.MULTI).values_list("key", flat=True))
    tags_ = {ATTRIBUTE + key for key in several}
    given = [(name, value) for name, value in choice.constants.items() if name not in tags_]
    return [(number, *pair) for number, pair in enumerate([*given, *[("", "")] * _SPARE])]


def matching(choice: Choice) -> list[tuple[str, str, bool]]:
    """(key, label, whether it may match) of the identifiers."""
    return [(key, str(label), not choice.match_by or key in choice.match_by) for key, label in IDENTIFIERS]


def match_by(data: QueryDict) -> list[str]:
    """The identifiers ticked; none where all are, or where the form did not ask.

    Raises:
        InputError: none is ticked.
    """
    if "matching" not in data:
        return []
    ticked = [key for key, _label in IDENTIFIERS if key in data.getlist("match_by")]
    if not ticked:
        raise InputError(_("Tick at least one identifier that may match."))
    return [] if len(ticked) == len(IDENTIFIERS) else ticked


def read(data: QueryDict, viewer: User, kind: str, mapping: dict[str, str]) -> dict[str, str]:
    """Field → value for every row of a posted form.

    Raises:
        InputError: a field that there is not, that a column gives too, or that has no value.
    """
    found: dict[str, str] = {}
    if kind == "customers":
        for definition in _several(viewer):
            if ticked := data.getlist(f"tags_{definition.key}"):
                found[ATTRIBUTE + definition.key] = BAR.join(ticked)
    fields = fields_for(viewer, kind)
    number = 0
    while f"fixed_field_{number}" in data:
        name, value = data[f"fixed_field_{number}"], data.get(f"fixed_value_{number}", "").strip()
        number += 1
        if not name and not value:
            continue
        if name not in fields or not value:
            raise InputError(_("The same for all rows: choose a field, and give its value."))
        if name in found:
            raise InputError(_("%(field)s: given twice for all rows; leave one out.") % {"field": fields[name].meaning})
        found[name] = value
    if both := [str(fields[name].meaning) for name in found if name in mapping]:
        raise InputError(
            _("%(fields)s: given by a column and by one value for all rows; leave one out.")
            % {"fields": ", ".join(both)}
        )
    return found
