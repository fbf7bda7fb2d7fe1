"""A new customer by hand: before it is made, who may be meant already."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from rondo.customers.actions import create_customer
from rondo.customers.models import Customer
from rondo.customers.queries import marks
from rondo.duplicates.checking import Likely, likely_same
from rondo.errors import InputError, StateError
from rondo.foundation.models import User
from rondo.web import formats
from rondo.web.access import actor, page, viewer
from rondo.web.customers.fields import ATTRIBUTE_PREFIX, catalogue
from rondo.web.customers.filters import number_as_written
from rondo.web.customers.forms import form_field


class CustomerForm(forms.Form):
    """What a person knows of a new customer; a name or a way to reach them is enough."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=Customer.Kind.choices, initial=Customer.Kind.PERSON)
    given_name = forms.CharField(label=gettext_lazy("Given name"), max_length=100, required=False)
    family_name = forms.CharField(
        label=gettext_lazy("Family name, or the name of the company"), max_length=100, required=False
    )
    birth_date = forms.DateField(
        label=gettext_lazy("Birth date"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    email = forms.CharField(label=gettext_lazy("E-mail"), max_length=255, required=False)
    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("With the country, such as +49 30 123456."),
    )

    def __init__(self, viewer: User, data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.asked = {key: one for key, one in catalogue(viewer).items() if one.place == "attribute" and one.required}
        for key, one in self.asked.items():
            self.fields[key] = form_field(one)
            self.fields[key].required = True

    @property
    def attributes(self) -> dict[str, Any]:
        """Those that are required of every new customer."""
        said = self.cleaned_data
        return {
            key.removeprefix(ATTRIBUTE_PREFIX): number_as_written(said[key], one) if one.numeric else said[key]
            for key, one in self.asked.items()
        }

    @property
    def identifiers(self) -> list[tuple[str, str]]:
        """E-mail address and phone number, those that were given."""
        return [(kind, value) for kind in ("email", "phone") if (value := self.cleaned_data[kind])]

    @property
    def named(self) -> dict[str, Any]:
        """The fields of the customer; an organisation has one name."""
        given, family = self.cleaned_data["given_name"], self.cleaned_data["family_name"]
        kind = self.cleaned_data["kind"]
        names = {"given_name": given, "family_name": family}
        if kind != Customer.Kind.PERSON:
            names = {"name": " ".join(filter(None, (given, family)))}
        return {"kind": kind, **names, "birth_date": self.cleaned_data["birth_date"]}


@require_http_methods(["GET", "HEAD", "POST"])
@page("edit")
def new_customer(request: HttpRequest) -> HttpResponse:
    """The form; posted, whoever may be meant already; sent once more, the customer is made."""
    form = CustomerForm(viewer(request), request.POST if request.method == "POST" else None)
    likely: list[Likely] = []
    if request.method == "POST" and form.is_valid():
        user = viewer(request)
        name = " ".join(filter(None, (form.cleaned_data["given_name"], form.cleaned_data["family_name"])))
        try:
            likely = likely_same(
                user, name=name, birth_date=form.cleaned_data["birth_date"], identifiers=form.identifiers
            )
            if not likely or ("anyway" in request.POST and all(one.why != "identifier" for one in likely)):
                made = create_customer(
                    actor(request), identifiers=form.identifiers, attributes=form.attributes, **form.named
                )
                return redirect("customer", made.public_id)
        except (InputError, StateError) as error:
            form.add_error(None, str(error))
    told = marks(viewer(request), [one.customer.pk for one in likely if one.customer is not None])
    context = {
        "form": form,
        "likely": [(one, _why(one), told.get(one.customer.pk, "") if one.customer else "") for one in likely],
        "blocked": any(one.why == "identifier" for one in likely),
    }
    return render(request, "duplicates/new.html", context, status=422 if form.errors else 409 if likely else 200)


def _why(one: Likely) -> str:
    """Why a customer may be meant, in words."""
    if one.why == "identifier":
        return _("has %(value)s") % {"value": one.value}
    born = one.customer.birth_date if one.customer is not None else None
    if one.why == "name_birth":
        return _("same name and birth date, %(day)s") % {"day": formats.day(born)}
    return _("same name, born %(day)s") % {"day": formats.day(born)} if born else _("same name, birth date not known")
