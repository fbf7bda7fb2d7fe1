"""The filter grammar of lists: text to typed conditions to database conditions.

A filter is ``key:operator`` or ``key:operator:value``, repeated as ``?f=`` in the address; all of them must hold.

=========  ==========================  ==================================================
operator   for                         value
=========  ==========================  ==================================================
is, not    choices, text, yes or no,   one value or several as ``a|b`` (``\\|`` is a bar);
           people, counts, days        ``owner:is:me`` is the viewer; of an attribute of several
                                       choices: one of these is among them, none of these is
all        attributes of several       several values, all of which are among the customer's
           choices
min, max   numbers, money, dates       at least, at most
above,     numbers, money, dates       more than, less than
below
between    numbers, money, dates       ``low..high``, both included
known      all                         none
unknown    all                         none
=========  ==========================  ==================================================

Values are the same in every language: numbers with a point, money in major units (``value:min:500``), shares as 0 to 1
or with a percent sign, dates as 2017-12-31. ``not`` includes customers whose value is not known.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from rondo.customers.definitions import may_see
from rondo.customers.models import AttributeDefinition
from rondo.errors import InputError
from rondo.foundation.installation import installation
from rondo.foundation.models import User
from rondo.foundation.money import Money, to_minor_as_written
from rondo.foundation.search import fold
from rondo.lists.states import HIDDEN
from rondo.web import formats
from rondo.web.customers.fields import NUMERIC, Field

Operator = Literal["is", "all", "not", "min", "max", "above", "below", "between", "known", "unknown"]
Value = str | int | float | date

MAX_FILTERS = 20
"""More filters than anybody sets by hand; a longer list is refused instead of being tried."""

_ONE_OF: tuple[Operator, ...] = ("is", "not")
_RANGE: tuple[Operator, ...] = ("min", "max", "between", "above", "below")
_PRESENCE: tuple[Operator, ...] = ("known", "unknown")


class FilterError(InputError):
    """A filter that cannot be understood; the message says which, what of it, and what would be right."""


@dataclass(frozen=True)
class Condition:
    """One filter understood: a field, an operator, and typed values (money in minor units, shares 0 to 1)."""

    field: Field
    operator: Operator
    values: tuple[Value, ...] = ()

    @property
    def negated(self) -> bool:
        """Whether it holds for customers that do *not* match; those without a value among them."""
        return self.operator in ("not", "unknown")

    def match(self, name: str = "") -> Q:
        """What a row of the field's table must match (before negation); ``name`` stands for the column, if given."""
        name = name or self.field.column
        first = self.values[0] if self.values else None
        by_name = self.field.column == "folded_name"  # a name is compared folded, and is empty where not known
        if self.operator in ("known", "unknown"):
            return Q(**{f"{name}__gt": ""}) if by_name else Q(**{f"{name}__isnull": False})
        if self.field.several:
            held = Q()
            for value in self.values:
                one = Q(**{f"{name}__contains": f"|{value}|"})
                held = held & one if self.operator == "all" else held | one
            return held
        if self.operator in ("is", "not"):
            values = [fold(str(value)) for value in self.values] if by_name else list(self.values)
            return Q(**{f"{name}__in": values}) if len(values) > 1 else Q(**{name: values[0]})
        if self.operator == "between":
            return Q(**{f"{name}__gte": first, f"{name}__lte": self.values[1]})
        lookup = {"min": "gte", "max": "lte", "above": "gt", "below": "lt"}[self.operator]
        return Q(**{f"{name}__{lookup}": first})

    def text(self) -> str:
        """The filter in its text form; parsing it gives this condition again."""
        if self.operator in _PRESENCE:
            return f"{self.field.key}:{self.operator}"
        parts = [plain_value(self.field, v).replace("\\", "\\\\").replace("|", "\\|") for v in self.values]
        return f"{self.field.key}:{self.operator}:{('..' if self.operator == 'between' else '|').join(parts)}"

    def words(self) -> str:
        """The filter in the viewer's language, as a chip shows it."""
        label = str(self.field.label)
        shown = [shown_value(self.field, v) for v in self.values]
        if self.operator == "between":
            return _("%(field)s %(low)s to %(high)s") % {"field": label, "low": shown[0], "high": shown[1]}
        pattern = {
            "is": _("%(field)s: %(value)s"),
            "all": _("%(field)s: %(value)s"),
            "not": _("%(field)s: not %(value)s"),
            "min": _("%(field)s at least %(value)s"),
            "max": _("%(field)s at most %(value)s"),
            "above": _("%(field)s more than %(value)s"),
            "below": _("%(field)s less than %(value)s"),
            "known": _("%(field)s known"),
            "unknown": _("%(field)s not known"),
        }[self.operator]
        if self.field.type == "date":
            pattern = {
                "min": _("%(field)s on or after %(value)s"),
                "max": _("%(field)s on or before %(value)s"),
                "above": _("%(field)s after %(value)s"),
                "below": _("%(field)s before %(value)s"),
            }.get(self.operator, pattern)
        between = _("and") if self.operator == "all" else _("or")
        return pattern % {"field": label, "value": f" {between} ".join(shown)}


def operators(field: Field) -> tuple[Operator, ...]:
    """The operators that make sense for a field."""
    if field.several:
        return ("is", "all", "not", *_PRESENCE)
    if field.type in ("choice", "text", "boolean", "user"):
        return _ONE_OF + _PRESENCE
    if field.type in ("count", "days", "date"):
        return _RANGE + _ONE_OF + _PRESENCE
    return _RANGE + _PRESENCE


def operator_label(operator: Operator, field: Field | None = None) -> str:
    """An operator in the viewer's language, as it is said of a field."""
    if field is not None and field.several and operator in ("is", "not"):
        return pgettext("filter", "has one of") if operator == "is" else pgettext("filter", "has none of")
    return {
        "is": pgettext("filter", "is"),
        "all": pgettext("filter", "has all of"),
        "not": pgettext("filter", "is not"),
        "min": pgettext("filter", "at least"),
        "max": pgettext("filter", "at most"),
        "above": pgettext("filter", "more than"),
        "below": pgettext("filter", "less than"),
        "between": pgettext("filter", "between"),
        "known": pgettext("filter", "is known"),
        "unknown": pgettext("filter", "is not known"),
    }[operator]


def parse(texts: Sequence[str], fields: dict[str, Field], viewer: User) -> tuple[list[Condition], list[FilterError]]:
    """Conditions of the filters that are understood, and an error for each that is not."""
    found: list[Condition] = []
    errors: list[FilterError] = []
    if len(texts) > MAX_FILTERS:
        errors.append(
            FilterError(
                _("%(count)d filters are too many; keep at most %(limit)d.")
                % {"count": len(texts), "limit": MAX_FILTERS}
            )
        )
        return found, errors
    for number, text in enumerate(texts, start=1):
        try:
            found.append(parse_one(text, fields, viewer))
        except FilterError as error:
            errors.append(
                FilterError(
                    _("Filter %(number)d (%(text)s): %(problem)s")
                    % {"number": number, "text": shown_as(text)[:80], "problem": error}
                )
            )
    return found, errors


def shown_as(text: str) -> str:
    """A filter or rule that is not understood, as people are shown it."""
    return _("hidden from you") if text == HIDDEN else text


def parse_one(text: str, fields: dict[str, Field], viewer: User) -> Condition:
    """One filter from its text form.

    Raises:
        FilterError: unknown field, an operator the field does not have, or a value that is not of its type.
    """
    key, _colon, rest = text.partition(":")
    name, _colon, raw = rest.partition(":")
    field = fields.get(key)
    if field is None and text == HIDDEN:
        raise FilterError(_("it asks for something that you do not see."))
    if field is None and (archived := _archived(key, viewer)):
        raise FilterError(
            _("“%(field)s” is in the archive; take the filter away, or have it put back.") % {"field": archived}
        )
    if field is None:
        raise FilterError(_("there is no field “%(key)s”; choose one from the filter menu.") % {"key": key[:60]})
    offered = operators(field)
    operator = next((o for o in offered if o == name), None)
    if operator is None:
        raise FilterError(
            _("“%(operator)s” does not go with %(field)s; use one of %(offered)s.")
            % {"operator": name[:20], "field": field.label, "offered": ", ".join(offered)}
        )
    if operator in _PRESENCE:
        if raw:
            raise FilterError(
                _("“%(operator)s” takes no value; leave out “%(value)s”.") % {"operator": operator, "value": raw[:40]}
            )
        return Condition(field, operator)
    parts = _split_range(raw) if operator == "between" else _split_choices(raw)
    values = tuple(_typed(field, part, viewer) for part in parts)
    if operator == "between" and values[0] > values[1]:  # type: ignore[operator]  # both are of the field's type
        raise FilterError(
            _("“%(low)s” is greater than “%(high)s”; write the smaller value first.")
            % {"low": parts[0], "high": parts[1]}
        )
    if len(values) > 1 and operator not in ("is", "all", "not", "between"):
        raise FilterError(_("“%(value)s” is more than one value; give one.") % {"value": raw[:40]})
    return Condition(field, operator, values)


def _archived(key: str, viewer: User) -> str:
    """The label of an archived attribute that the viewer would see; empty where it is none."""
    row = AttributeDefinition.everything.filter(key=key.removeprefix("attr."), state="archived").first()
    return row.label if key.startswith("attr.") and row is not None and may_see(viewer, row) else ""


def archived_among(viewer: User, keys: Sequence[str]) -> dict[str, str]:
    """Of the keys of fields those of archived attributes that the viewer would see, with their labels."""
    named = {key.removeprefix("attr."): key for key in keys if key.startswith("attr.")}
    if not named:
        return {}
    rows = AttributeDefinition.everything.filter(key__in=named, state="archived")
    return {named[row.key]: row.label for row in rows if may_see(viewer, row)}


def _split_range(raw: str) -> list[str]:
    parts = [part.strip() for part in raw.split("..")]
    if len(parts) != 2 or not all(parts):
        raise FilterError(_("“%(value)s” is no range; write it as low..high.") % {"value": raw[:40]})
    return parts


def _split_choices(raw: str) -> list[str]:
    # A bar separates values unless an odd backslash stands before it, so the text is read in pairs from the left.
    parts = [""]
    for token in re.findall(r"\\.|\||[^\\|]+|\\$", raw, re.DOTALL):
        if token == "|":
            parts.append("")
        else:
            parts[-1] += token[1:] if token.startswith("\\") and len(token) > 1 else token
    if not all(parts):
        raise FilterError(_("the value is missing; write it behind the second colon."))
    return parts


def _joined_choices(values: Iterable[str]) -> str:
    return "|".join(value.replace("\\", "\\\\").replace("|", "\\|") for value in values)


def with_choices(text: str, key: str, become: Mapping[str, str]) -> str:
    """A filter in its text form with the choices of the field ``key`` that ``become`` others; the same where it names
    none."""
    field, _colon, rest = text.partition(":")
    name, _colon, raw = rest.partition(":")
    if field != key or not raw:
        return text
    parts = _split_choices(raw)
    values = list(dict.fromkeys(become.get(part, part) for part in parts))
    return text if values == parts else f"{key}:{name}:{_joined_choices(values)}"


def _typed(field: Field, text: str, viewer: User) -> Value:
    if field.type in ("choice", "boolean"):
        return _choice(field, text)
    if field.type == "user":
        return _user(text, viewer)
    if field.type == "text":
        return text[:255]
    if field.type == "date":
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise FilterError(_("“%(value)s” is no date; write it as 2017-12-31.") % {"value": text[:40]}) from error
    return _numeric(field, text)


def _choice(field: Field, text: str) -> Value:
    aliases = {"yes": "1", "true": "1", "no": "0", "false": "0"} if field.type == "boolean" else {}
    value = aliases.get(text, text)
    if value not in {known for known, _label in field.choices}:
        raise FilterError(
            _("%(field)s has no “%(value)s”; use one of %(offered)s.")
            % {"field": field.label, "value": text[:40], "offered": ", ".join(v for v, _label in field.choices)}
        )
    return int(value) if field.type == "boolean" else value


def _user(text: str, viewer: User) -> int:
    if text == "me":
        return viewer.pk
    key = User.objects.filter(email=text.lower()).values_list("pk", flat=True).first()
    if key is None:
        raise FilterError(
            _("nobody here has the address “%(value)s”; write “me” or a colleague's e-mail address.")
            % {"value": text[:60]}
        )
    return key


def _numeric(field: Field, text: str) -> Value:
    percent = text.endswith("%") and field.type == "share"
    plain = text.removesuffix("%").strip() if percent else text
    if not re.fullmatch(r"[+-]?\d{1,15}(\.\d{1,9})?", plain):
        example = {"money": "1204.50", "share": "0.25", "count": "12", "days": "30"}.get(field.type, "12.5")
        raise FilterError(
            _("“%(value)s” is no number; write it as %(example)s.") % {"value": text[:40], "example": example}
        )
    if field.type == "money":
        try:
            return to_minor_as_written(plain, installation().currency)
        except InputError as error:
            raise FilterError(str(error)) from error
    value = float(plain) / (100 if percent else 1)
    if field.type == "share" and not 0 <= value <= 1:
        raise FilterError(_("“%(value)s” is no share: write 0%% to 100%%, or 0 to 1.") % {"value": text[:40]})
    return int(value) if value.is_integer() and field.type in ("count", "days") else value


def _email(key: Value) -> str:
    return User.objects.filter(pk=str(key)).values_list("email", flat=True).first() or str(key)


def plain_value(field: Field, value: Value) -> str:
    """A typed value as the grammar writes it: the same in every language."""
    if field.type == "user":
        return _email(value)
    if isinstance(value, date):
        return value.isoformat()
    if field.type == "money" and isinstance(value, int | float):
        return str(Money(int(value), installation().currency).major)
    if isinstance(value, float):
        return format(value, ".9f").rstrip("0").rstrip(".")
    return str(value)


def shown_value(field: Field, value: Value) -> str:
    """A typed value as the viewer's language writes it."""
    if field.type == "user":
        return field.label_of(_email(value))
    if field.type in ("choice", "boolean"):
        return field.label_of(str(value))
    if isinstance(value, date):
        return formats.day(value)
    if isinstance(value, str):
        return value if field.words is None else field.words(value)
    if field.type == "money":
        return formats.money(value, digits=0 if value % 100 == 0 else None)
    if field.type == "share":
        return formats.share(value, 0 if round(value * 100, 6).is_integer() else 1)
    return formats.number(value, 0 if float(value).is_integer() else 1)


def from_form(field: Field, operator: str, values: Iterable[str]) -> str:
    """The text form of a filter as a person typed it: numbers and dates may be written in the viewer's language."""
    given = [v.strip() for v in values if v.strip()]
    if field.type in NUMERIC:
        given = [number_as_written(v, field) for v in given]
    if operator in _PRESENCE:
        return f"{field.key}:{operator}"
    if operator == "between":
        return f"{field.key}:between:{'..'.join(given)}"
    return f"{field.key}:{operator}:{_joined_choices(given)}"


def number_as_written(text: str, field: Field) -> str:
    """``1.204,50 €`` in German and ``$1,204.50`` in English are 1204.50; what is no number stays as it is."""
    percent = field.type == "share"
    body = re.sub(r"\s", "", text)
    body = re.sub(r"^([^\w.,+-]+|[A-Z]{3})|([^\w.,+-]+|[A-Z]{3})$", "", body)  # a currency's sign or code, or per cent
    group, point = (".", ",") if formats.language() == "de" else (",", ".")
    if re.fullmatch(rf"[+-]?\d{{1,3}}(\{group}\d{{3}})+(\{point}\d+)?", body):
        body = body.replace(group, "")
    plain = body.replace(",", ".")
    if not re.fullmatch(r"[+-]?\d+(\.\d+)?", plain):
        return text
    return plain + "%" if percent else plain
