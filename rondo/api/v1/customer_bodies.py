"""What is said of customers in bodies of requests, and how the actions take it."""

from datetime import date
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Field
from pydantic import AwareDatetime, StringConstraints

from rondo.api.v1.said import Amount, Source
from rondo.api.writing import Body, Fields
from rondo.customers.actions import Given, GivenConsent, GivenIdentifier
from rondo.customers.actions.records import FIELDS
from rondo.errors import InputError
from rondo.foundation import money

Kind = Literal["email", "phone", "card", "external", "anonymous", "device"]
Channel = Literal["email", "phone", "sms", "mail", "messenger"]
Purpose = Literal["marketing", "surveys", "profiling"]
Key = Annotated[str, StringConstraints(max_length=60)]
MOST_KEYS = 200


class IdentifierIn(Body):
    __doc__ = gettext_noop(
        "What recognises the customer, as a person writes it; a number in another system names the system as `source`."
    )

    kind: Kind = Field(..., examples=["email"])
    value: str = Field(..., min_length=1, max_length=255, examples=["ada@rondo.example.org"])
    source: Source | None = Field(None, min_length=1, max_length=60, examples=["shop"])

    def given(self) -> GivenIdentifier:
        """As actions take it.

        Raises:
            InputError: a source of a kind that has none, or none of one that needs it.
        """
        if (self.kind == "external") != (self.source is not None):
            raise InputError(
                _("identifiers: a number in another system (external) names its source, and no other kind does.")
            )
        return GivenIdentifier(self.kind, self.value, self.source or "")


class AddressIn(Body):
    __doc__ = gettext_noop("A postal address; country as ISO 3166 alpha-2.")

    street: str = Field("", max_length=200, examples=["12 St James Square"])
    postal_code: str = Field("", max_length=20, examples=["SW1Y 4JH"])
    city: str = Field("", max_length=120, examples=["London"])
    region: str = Field("", max_length=120)
    country: str = Field("", max_length=2, examples=["GB"])

    def given(self) -> dict[str, Any]:
        """As actions take it."""
        return {name: text for name, text in self.model_dump().items() if text}


class ConsentIn(Body):
    __doc__ = gettext_noop("What the customer said of being reached over a channel for a purpose; `at`: when, now.")

    channel: Channel = Field(..., examples=["email"])
    state: Literal["given", "withdrawn"] = Field(..., examples=["given"])
    purpose: Purpose = Field("marketing", examples=["marketing"])
    at: AwareDatetime | None = Field(None, examples=["2026-11-22T10:00:00Z"])
    source: str = Field("", max_length=60, examples=["newsletter form"])
    evidence: str = Field("", max_length=400)

    def given(self) -> GivenConsent:
        """As actions take it."""
        said = self.model_dump(exclude={"channel", "state"})
        return GivenConsent(self.channel, self.state, said)


AttributeIn = str | bool | int | float | list[str] | Amount | None


class CustomerFields(Fields):
    __doc__ = gettext_noop("What is said of a customer; what is not named is left as it is.")

    kind: Literal["person", "household", "organisation"] = "person"
    name: str = Field(
        "", max_length=200, description=gettext_noop("Follows given and family name unless it is named itself.")
    )
    given_name: str = Field("", max_length=100, examples=["Ada"])
    family_name: str = Field("", max_length=100, examples=["King"])
    language: str = Field("", max_length=8, examples=["en"])
    birth_date: date | None = Field(None, examples=["1815-12-10"])
    known_since: date | None = None
    known_since_at_least: bool = False
    owner: str | None = Field(
        None, max_length=254, description=gettext_noop("E-mail address of an active user; null: nobody.")
    )
    team: str | None = Field(None, max_length=120, description=gettext_noop("Name of a team; null: none."))
    attributes: dict[Key, AttributeIn] = Field(
        {},
        max_length=MOST_KEYS,
        description=gettext_noop(
            "Values by key of the attribute; null takes one away. Money in major units, or as it is read."
        ),
    )
    add: dict[Key, list[str]] = Field(
        {},
        max_length=MOST_KEYS,
        description=gettext_noop("Choices to add to attributes of several choices, such as tags."),
    )
    remove: dict[Key, list[str]] = Field(
        {}, max_length=MOST_KEYS, description=gettext_noop("Choices to take away from them.")
    )

    def _given(self, **more: Any) -> Given:
        named = self.model_fields_set
        return Given(
            fields={name: getattr(self, name) for name in sorted(FIELDS & named)},
            handed={name: getattr(self, name) for name in ("owner", "team") if name in named},
            attributes={key: _plain(value) for key, value in self.attributes.items()},
            add=self.add,
            remove=self.remove,
            **more,
        )


class CustomerPatch(CustomerFields):
    __doc__ = gettext_noop("Fields of a customer to set; those that are not named are left as they are.")

    def given(self) -> Given:
        """As actions take it."""
        return self._given()


class CustomerIn(CustomerFields):
    __doc__ = gettext_noop(
        "A customer as a program brings them. Identifiers, addresses and consents are added; of one who has them "
        "already nothing is told twice."
    )

    identifiers: list[IdentifierIn] = Field([], max_length=20)
    addresses: list[AddressIn] = Field([], max_length=20)
    consents: list[ConsentIn] = Field([], max_length=20)
    region: str | None = Field(
        None,
        max_length=2,
        description=gettext_noop("Country of phone numbers without one, ISO 3166 alpha-2; else that of the address."),
    )

    def given(self) -> Given:
        """As actions take it."""
        return self._given(
            identifiers=[one.given() for one in self.identifiers],
            addresses=[one.given() for one in self.addresses],
            consents=[one.given() for one in self.consents],
            region=self.region,
        )


class CustomerItem(CustomerIn):
    __doc__ = gettext_noop(
        "A customer among many: found by `id`, else by the identifiers. `if_match`: the ETag of the version it is for."
    )

    id: str | None = Field(None, max_length=30, examples=["c_8fk2m9xq"])
    if_match: str | None = Field(None, max_length=200)


def _plain(value: AttributeIn) -> Any:
    """A value as attributes take it: money in major units of the company's currency."""
    if not isinstance(value, Amount):
        return value
    return money.Money(value.minor, value.currency).major
