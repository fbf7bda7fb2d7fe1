"""Forms of the customer page: logging a contact, and changing a customer without losing a colleague's change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from rondo.customers.actions import assign_owner, change_customer, set_attribute
from rondo.customers.actions.gate import locked
from rondo.customers.attribute_values import unpack
from rondo.customers.models import Customer
from rondo.customers.queries import attributes_of, record_ids
from rondo.errors import InputError, StateError
from rondo.foundation.actors import Actor
from rondo.foundation.models import User
from rondo.foundation.registry import InteractionKind, registries
from rondo.interactions.reasons import GROUPS, reasons
from rondo.web.customers.fields import ATTRIBUTE_PREFIX, Field, catalogue
from rondo.web.customers.filters import number_as_written, plain_value

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


class ContactForm(forms.Form):
    """A contact that a person logs. ``message_id`` makes a form sent twice count once."""

    kind = forms.CharField(label=_("Kind"), max_length=24, required=False)
    other = forms.CharField(label=_("Another kind of contact"), max_length=24, required=False)
    body = forms.CharField(label=_("What was said"), max_length=100_000, strip=True)
    category = forms.CharField(label=_("About a category"), max_length=400, required=False)
    reason = forms.CharField(label=_("Reason for leaving"), max_length=40, required=False)
    occurred_at = forms.DateTimeField(label=_("When"), required=False, input_formats=["%Y-%m-%dT%H:%M"])
    message_id = forms.RegexField(r"^form:[0-9a-f]{32}$", widget=forms.HiddenInput, required=False)

    def clean_occurred_at(self) -> Any:
        """The time as typed, without an offset: the action takes it in the company's zone."""
        at = self.cleaned_data["occurred_at"]
        return None if at is None else at.replace(tzinfo=None)


@dataclass(frozen=True)
class QuickKind:
    """A kind of contact that is one click away, and the key that opens it."""

    key: str
    label: "_StrOrPromise"
    icon: str
    letter: str = ""


def quick_kinds() -> list[QuickKind]:
    """What is logged most often, in words as short as its place."""
    offered = (("note", _("Note"), "n"), ("call", _("We called"), "c"), ("call_in", _("They called"), ""))
    kinds = registries.interaction_kinds
    return [QuickKind(key, label, kinds[key].icon, letter) for key, label, letter in offered if key in kinds]


def other_kinds() -> list[InteractionKind]:
    """The other kinds that people log."""
    quick = {kind.key for kind in quick_kinds()}
    return [kind for kind in registries.interaction_kinds if kind.by_hand and kind.key not in quick]


def reasons_for_leaving() -> list[tuple["_StrOrPromise", list[tuple[str, "_StrOrPromise"]]]]:
    """Each group of reasons with its own, as ``group.reason``; the group alone comes first in it."""
    offered = [one for one in reasons().values() if one.is_offered]
    return [
        (group, [(key, group), *((f"{key}.{one.key}", one.label) for one in offered if one.group == key)])
        for key, group in GROUPS.items()
    ]


@dataclass(frozen=True)
class Conflict:
    """A field that somebody else changed while it was being edited: their value and what was about to be saved."""

    label: str
    theirs: str
    yours: str


class EditForm(forms.Form):
    """A customer's name, owner and attributes, with what the editor saw, so that a change meanwhile is noticed."""

    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    owner = forms.ChoiceField(label=_("Owner"), required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, viewer: User, customer: Customer, data: Mapping[str, Any] | None = None) -> None:
        self.viewer = viewer
        self.customer = customer
        self.known = {key: f for key, f in catalogue(viewer).items() if f.place == "attribute"}
        self.present = _present(viewer, customer)
        super().__init__(data, initial={**self.present, "version": customer.version})
        owners = User.objects.filter(is_active=True, is_service=False).order_by("name", "email")
        own = self.fields["owner"]
        assert isinstance(own, forms.ChoiceField)
        choices = [("", _("nobody")), *((u.email, str(u)) for u in owners)]
        if customer.owner is not None and customer.owner.email not in dict(choices):
            choices.append((customer.owner.email, str(customer.owner)))
        own.choices = choices
        for key, field in self.known.items():
            self.fields[key] = form_field(field, self.present.get(key, ""))
            self.fields[f"was.{key}"] = forms.CharField(
                widget=forms.HiddenInput, required=False, initial=self.present.get(key, "")
            )
            self.initial[f"was.{key}"] = self.present.get(key, "")

    def editable(self) -> list[forms.BoundField]:
        """The fields a person sees, in order."""
        return [self[name] for name in ("name", "owner", *self.known)]

    def clean(self) -> dict[str, Any]:
        """Numbers may be typed in the viewer's language; one that was left alone is as the form wrote it."""
        values: dict[str, Any] = super().clean() or {}
        for key, field in self.known.items():
            if field.several:
                values[key] = _joined(field, values.get(key) or [])
            untouched = values.get(key) in (self.present.get(key), values.get(f"was.{key}"))
            if field.numeric and values.get(key) and not untouched:
                values[key] = number_as_written(values[key], field)
        return values

    def conflicts(self) -> list[Conflict]:
        """What somebody else changed since the editor loaded the form, where it differs from what the editor sends."""
        found = []
        if self.cleaned_data["version"] != self.customer.version:
            changed = [n for n in ("name", "owner") if self.cleaned_data[n] != self.present[n]]
            found += [self._conflict(name, str(self.fields[name].label)) for name in changed]
        for key, field in self.known.items():
            theirs, yours = self.present.get(key, ""), self.cleaned_data.get(key) or ""
            if self.cleaned_data.get(f"was.{key}", "") != theirs != yours:
                found.append(self._conflict(key, str(field.label)))
        return found

    def _conflict(self, name: str, label: str) -> Conflict:
        return Conflict(
            label, self._shown(name, self.present.get(name, "")), self._shown(name, self.cleaned_data[name])
        )

    def _shown(self, name: str, value: str) -> str:
        field = self.fields[name]
        labels: dict[Any, Any] = dict(field.choices) if isinstance(field, forms.ChoiceField) else {}  # type: ignore[arg-type]
        parts = value.split("|") if isinstance(field, forms.MultipleChoiceField) else [value]
        return ", ".join(str(labels.get(part, part)) for part in parts) or "–"

    def renew(self) -> None:
        """Take what is there now as seen: whoever saves again has looked at both versions."""
        renewed: dict[str, Any] = {key: str(self.data.get(key, "")) for key in self.fields}
        renewed |= {key: self.cleaned_data.get(key, "").split("|") for key, f in self.known.items() if f.several}
        renewed["version"] = str(self.customer.version)
        renewed |= {f"was.{key}": self.present.get(key, "") for key in self.known}
        self.data = renewed

    def save(self, actor: Actor) -> None:
        """Write what differs, all of it or nothing.

        Raises:
            StateError: somebody changed the customer in between; InputError: a value is not usable.
        """
        values = self.cleaned_data
        version = values["version"]
        with transaction.atomic():
            row = locked(actor, self.customer.pk)
            present = _present(self.viewer, row)
            if any(present.get(key, "") != self.present.get(key, "") != (values.get(key) or "") for key in self.known):
                raise StateError(
                    _("%(customer)s was changed at this moment. Look at the present values, then save again.")
                    % {"customer": row}
                )
            if values["name"] != self.present["name"]:
                version = change_customer(
                    actor, self.customer.pk, expected_version=version, name=values["name"]
                ).version
            if values["owner"] != self.present["owner"]:
                owner = User.objects.filter(email=values["owner"]).first()
                assign_owner(actor, self.customer.pk, owner, expected_version=version)
            for key in self.known:
                if (values.get(key) or "") != self.present.get(key, ""):
                    set_attribute(actor, self.customer.pk, key.removeprefix(ATTRIBUTE_PREFIX), values.get(key) or None)

    def attempt(self, actor: Actor) -> bool:
        """Save and say whether it worked; what was wrong stands on the form."""
        try:
            self.save(actor)
        except (StateError, InputError) as error:
            self.add_error(None, ValidationError(str(error)))
            return False
        return True


def _joined(field: Field, values: Sequence[str]) -> str:
    """Several choices as the form compares them: in their natural order, joined by bars."""
    order = [value for value, _label in field.choices]
    return "|".join(sorted(set(values), key=lambda one: order.index(one) if one in order else len(order)))


def _present(viewer: User, customer: Customer) -> dict[str, str]:
    """The values as the form writes them."""
    values = {"name": customer.name, "owner": "" if customer.owner is None else customer.owner.email}
    known = catalogue(viewer)
    for value in attributes_of(viewer, record_ids(customer.pk)):
        field = known[ATTRIBUTE_PREFIX + value.definition.key]
        raw = getattr(value, field.column)
        if field.several:
            values[field.key] = _joined(field, unpack(raw))
        elif raw is not None:
            values[field.key] = str(int(raw)) if field.type == "boolean" else plain_value(field, raw)
    return values


def form_field(field: Field, present: str = "") -> forms.Field:
    """The control of an attribute. Retired choices are offered to who has them (``present``) alone. One that is
    required cannot be left empty by who had a value; nobody is kept from saving something else meanwhile."""
    needed = field.required and bool(present)
    if field.choices:
        held = present.split("|") if field.several else [present]
        offered = [(value, label) for value, label in field.choices if value not in field.retired or value in held]
        if field.several:
            boxes = forms.CheckboxSelectMultiple
            return forms.MultipleChoiceField(label=field.label, choices=offered, required=needed, widget=boxes)
        return forms.ChoiceField(label=field.label, choices=[("", "–"), *offered], required=needed)
    if field.type == "date":
        return forms.CharField(label=field.label, required=needed, widget=forms.TextInput({"type": "date"}))
    extra: dict[str, Any] = {"inputmode": "decimal"} if field.numeric else {}
    if field.is_link:
        extra = {"inputmode": "url", "placeholder": "https://"}
    return forms.CharField(label=field.label, required=needed, max_length=255, widget=forms.TextInput(extra))
