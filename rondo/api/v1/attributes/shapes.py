"""What the API says of attributes, and takes to define and change them."""

from typing import Any, Literal

from django.utils.translation import gettext_noop
from ninja import Field, Schema

from rondo.api.auth import TokenAuth
from rondo.api.writing import Body, Fields
from rondo.customers.models import AttributeDefinition
from rondo.foundation.models import User
from rondo.foundation.rights import has_right

ADMINISTERING = TokenAuth("administer")
Type = Literal["text", "number", "date", "choice", "multi", "boolean", "money", "link"]
Form = Literal["geographic", "demographic", "behavioural", "benefit", "psychographic"]
KEY = r"^[a-z][a-z0-9_]{0,59}$"
_MOST_CHOICES = 200


class Choice(Body):
    __doc__ = gettext_noop(
        "One of the choices, in their natural order. A retired one stays where customers have it and is offered no "
        "more."
    )

    value: str = Field(..., max_length=100, examples=["gold"])
    en: str = Field(..., max_length=100, examples=["Gold"])
    de: str = Field("", max_length=100, examples=["Gold"])
    retired: bool = False


class AttributeDefined(Schema):
    __doc__ = gettext_noop(
        "An attribute of customers. `changing`: the type that it is being changed to meanwhile. `change`: what this "
        "call changed, by which it is taken back; null where it changed nothing."
    )

    key: str = Field(..., examples=["shoe_size"])
    label: str = Field(..., description=gettext_noop("In the language asked for."), examples=["Shoe size"])
    label_en: str
    label_de: str
    type: str = Field(..., description=gettext_noop("text, number, date, choice, multi, boolean, money or link"))
    form: str = Field(..., description=gettext_noop("The form of segmentation that it serves."))
    choices: list[Choice]
    required: bool = Field(..., description=gettext_noop("Asked of every new customer."))
    unique: bool = Field(..., description=gettext_noop("No two customers have the same value."))
    default: str = Field(..., description=gettext_noop("What a new customer gets where nothing is said."))
    visible_to: list[str] | None = Field(..., description=gettext_noop("Keys of the roles that see it; null: all."))
    state: str = Field(..., description=gettext_noop("standing or archived"), examples=["standing"])
    changing: str | None
    version: int = Field(..., description=gettext_noop("Counts changes."))
    change: str | None = Field(None, examples=["ch_4m2kq8xw"])


class AttributesDefined(Schema):
    __doc__ = gettext_noop("Attributes in their order, then those in the archive.")

    data: list[AttributeDefined]


class NewAttribute(Body):
    __doc__ = gettext_noop("A new attribute. Only `choice` and `multi` have choices.")

    key: str = Field(..., pattern=KEY, examples=["shoe_size"])
    label_en: str = Field(..., min_length=1, max_length=100, examples=["Shoe size"])
    label_de: str = Field("", max_length=100, examples=["Schuhgröße"])
    type: Type
    form: Form
    choices: list[Choice] = Field([], max_length=_MOST_CHOICES)
    required: bool = False
    unique: bool = False
    default: str = Field("", max_length=255)
    visible_to: list[str] | None = Field(None, max_length=100)


class AttributeFields(Fields):
    __doc__ = gettext_noop(
        "What is to change; what is left out stays. With `version` the change is refused where somebody else changed "
        "the attribute since."
    )

    label_en: str = Field("", min_length=1, max_length=100)
    label_de: str = Field("", max_length=100)
    form: Form = "demographic"
    choices: list[Choice] = Field([], max_length=_MOST_CHOICES)
    required: bool = False
    unique: bool = False
    default: str = Field("", max_length=255)
    visible_to: list[str] | None = Field(None, max_length=100)
    version: int | None = Field(None, ge=1, le=2_000_000_000)


class Place(Body):
    __doc__ = gettext_noop("Where the attribute goes: one place up or down.")

    to: Literal["up", "down"]


class TypeBody(Body):
    __doc__ = gettext_noop(
        "The type that an attribute is to have; its choices, where they are not to be made from the values. With "
        "`dry_run` nothing is done, and the answer says what would be."
    )

    type: Type
    choices: list[Choice] = Field([], max_length=_MOST_CHOICES)
    dry_run: bool = False


class MergeChoices(Body):
    __doc__ = gettext_noop("Choices that become another one. With `dry_run` nothing is done.")

    gone: list[str] = Field(..., min_length=1, max_length=_MOST_CHOICES, examples=[["golden"]])
    into: str = Field(..., max_length=100, examples=["gold"])
    dry_run: bool = False


class Becomes(Schema):
    __doc__ = gettext_noop("What becomes of a value.")

    before: str
    after: str


class Unconverted(Schema):
    __doc__ = gettext_noop("A value that does not convert: how many customers have it, and why not.")

    value: str
    customers: int
    why: str


class Conversion(Schema):
    __doc__ = gettext_noop(
        "A change of type, or choices merged, tried or begun. `state`: tried (nothing was done), done, or running: "
        "then ask for its progress. A change that leaves values unconverted is refused."
    )

    state: str = Field(..., examples=["tried"])
    type: str
    values: int = Field(..., description=gettext_noop("Values there are."))
    converts: int = Field(..., description=gettext_noop("Values that convert."))
    examples: list[Becomes]
    refused: list[Unconverted]
    choices: list[Choice] = Field(..., description=gettext_noop("The choices that there would be."))
    used_by: list[str] = Field(..., description=gettext_noop("What names the attribute, such as segments."))
    rewrites: list[str] = Field(
        ...,
        description=gettext_noop(
            "What names the choices that go, and names the other one instead: rules of segments and views."
        ),
    )


class ConversionProgress(Schema):
    __doc__ = gettext_noop(
        "How far a change of type is: values converted, and all. `to` is null where none is under way. `former`: the "
        "type before the last change, to which it can be taken back."
    )

    key: str
    to: str | None
    done: int
    total: int
    former: str | None


def told(row: AttributeDefinition, change: str | None = None) -> AttributeDefined:
    """An attribute as the API tells of it."""
    return AttributeDefined(
        key=row.key,
        label=row.label,
        label_en=row.label_en,
        label_de=row.label_de,
        type=row.type,
        form=row.form,
        choices=choices_told(row.choices),
        required=row.required,
        unique=row.unique,
        default=row.default,
        visible_to=row.visible_to,
        state=row.state,
        changing=row.changing or None,
        version=row.version,
        change=change,
    )


def choices_told(choices: list[dict[str, Any]]) -> list[Choice]:
    """Choices as the API tells of them."""
    return [
        Choice(
            value=str(one["value"]),
            en=one.get("en") or "",
            de=one.get("de") or "",
            retired=bool(one.get("retired")),
        )
        for one in choices
    ]


def choices_given(choices: list[Choice]) -> list[dict[str, Any]]:
    """Choices as the actions take them."""
    return [
        {"value": one.value, "en": one.en, "de": one.de} | ({"retired": True} if one.retired else {}) for one in choices
    ]


def administers(user: User) -> bool:
    """Whether the request may see what only administrators see."""
    return has_right(user, "administer")
