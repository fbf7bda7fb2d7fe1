"""What version 1 of the API says, field by field: public ids, times in UTC (ISO 8601), money in minor units.

Descriptions are marked for translation: the OpenAPI document is in English, its page speaks the reader's language.
"""

from datetime import date, datetime

from django.utils.translation import gettext_noop
from ninja import Field, Schema


class Money(Schema):
    __doc__ = gettext_noop("An amount in minor units (cents) of a currency.")

    minor: int = Field(..., examples=[123])
    currency: str = Field(..., description=gettext_noop("ISO 4217"), examples=["USD"])


class Written(Schema):
    __doc__ = gettext_noop(
        "What a token without the scope see is told of a record that it wrote: which it is, and in which version."
    )

    id: str = Field(..., examples=["c_8fk2m9xq"])
    version: int | None = Field(None, description=gettext_noop("Counts changes; null where none are counted."))


class WrittenMany(Schema):
    __doc__ = gettext_noop("What a token without the scope see is told of several records that it wrote.")

    data: list[Written]


class FieldError(Schema):
    __doc__ = gettext_noop("One place of the request that is not usable.")

    pointer: str = Field(..., examples=["query/limit"])
    detail: str


class Named(Schema):
    __doc__ = gettext_noop("A customer by id and name.")

    id: str = Field(..., examples=["c_8fk2m9xq"])
    name: str


class Problem(Schema):
    __doc__ = gettext_noop("What went wrong (RFC 9457).")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldError] | None = None
    scope: str | None = Field(
        None, description=gettext_noop("the scope that the token lacks, where that is the reason")
    )
    etag: str | None = Field(
        None, description=gettext_noop("the version that the record is in, where it is not the one named")
    )
    done: int | None = Field(
        None, description=gettext_noop("items of a call with an Idempotency-Key that stand already, from the first on")
    )
    customer: Named | None = Field(
        None, description=gettext_noop("who has the identifier already, where the token's user may see them")
    )


class Owner(Schema):
    __doc__ = gettext_noop("The user who looks after a customer.")

    email: str
    name: str


class Customer(Schema):
    __doc__ = gettext_noop(
        "A customer as lists show it. With `known_since_at_least` the relationship is older than the data."
    )

    id: str = Field(..., examples=["c_8fk2m9xq"])
    kind: str = Field(..., description=gettext_noop("person, household or organisation"))
    name: str
    given_name: str
    family_name: str
    language: str
    owner: Owner | None
    team: str | None
    known_since: date | None
    known_since_at_least: bool
    is_demo: bool = Field(..., description=gettext_noop("Names and addresses are invented."))
    created_at: datetime = Field(
        ..., description=gettext_noop("When the record came in; of an imported one, when the import was finished.")
    )
    changed_at: datetime = Field(
        ..., description=gettext_noop("When anything that belongs to the record changed last, by the server's clock.")
    )
    version: int = Field(..., description=gettext_noop("Counts changes of the record's own fields."))


class CustomerPage(Schema):
    __doc__ = gettext_noop("A page of customers in the order they came in; `next` is null on the last page.")

    data: list[Customer]
    next: str | None


class CustomerChange(Schema):
    __doc__ = gettext_noop(
        "A record that changed. `current`: `customer` holds what stands now. `merged`: `survivor` stands for it. "
        "`gone`: it was taken back, or is no longer the user's to see."
    )

    id: str = Field(..., examples=["c_8fk2m9xq"])
    state: str = Field(..., description=gettext_noop("current, merged or gone"))
    changed_at: datetime
    survivor: str | None = Field(..., description=gettext_noop("The record that stands for a merged one."))
    customer: Customer | None


class CustomerChanges(Schema):
    __doc__ = gettext_noop(
        "A page of changes, oldest first; `next` is null on the last page. `cursor` is the place behind this page: "
        "keep it, and the next walk begins there."
    )

    data: list[CustomerChange]
    next: str | None
    cursor: str


class Identifier(Schema):
    __doc__ = gettext_noop("What recognises the customer; `source` names the system where the kind needs one.")

    id: str = Field(..., examples=["id_4m2kq8xw"])
    kind: str
    value: str = Field(..., description=gettext_noop("In normal form, as it is compared."))
    shown: str
    source: str | None


class Address(Schema):
    __doc__ = gettext_noop("A postal address; country as ISO 3166 alpha-2.")

    id: str = Field(..., examples=["ad_4m2kq8xw"])
    street: str
    postal_code: str
    city: str
    region: str
    country: str


class Attribute(Schema):
    __doc__ = gettext_noop("A typed attribute and the form of segmentation it serves.")

    key: str
    label: str
    type: str = Field(
        ..., description=gettext_noop("text, number, date, choice, multi (several choices), boolean, money or link")
    )
    form: str = Field(..., description=gettext_noop("geographic, demographic, behavioural, benefit or psychographic"))
    value: str | bool | float | date | list[str] | Money | None


class Link(Schema):
    __doc__ = gettext_noop("A link to another customer whom the token's user may see.")

    id: str = Field(..., examples=["ln_4m2kq8xw"])
    role: str = Field(..., description=gettext_noop("member, employee, partner, referred or subsidiary"))
    direction: str = Field(
        ..., description=gettext_noop("out: this customer is ROLE of the other; in: the other is of this one")
    )
    customer: str
    name: str
    position: str = Field(..., description=gettext_noop("as what, such as a buyer; empty where it is not known"))
    since: date | None = Field(..., description=gettext_noop("the first day; null where it is not known"))


class Consent(Schema):
    __doc__ = gettext_noop(
        "What holds of one channel and purpose: the last entry of the ledger. Where there is none nothing is known, "
        "which is no consent."
    )

    id: str = Field(..., description=gettext_noop("Of the entry that holds."), examples=["cn_4m2kq8xw"])
    channel: str = Field(..., examples=["email"])
    purpose: str = Field(..., examples=["marketing"])
    state: str = Field(..., description=gettext_noop("given or withdrawn"), examples=["given"])
    at: datetime
    source: str


class CustomerDetail(Customer):
    __doc__ = gettext_noop(
        "One customer with everything that is known of who they are. `merged` are records this one stands for."
    )

    birth_date: date | None
    identifiers: list[Identifier]
    addresses: list[Address]
    attributes: list[Attribute]
    links: list[Link]
    consents: list[Consent]
    merged: list[str]


class Interaction(Schema):
    __doc__ = gettext_noop(
        "One contact. `record` is the record it was written with: the customer itself, or one merged into it."
    )

    id: str = Field(..., examples=["i_4m2kq8xw"])
    customer: str = Field(..., examples=["c_8fk2m9xq"])
    record: str = Field(..., examples=["c_8fk2m9xq"])
    kind: str = Field(..., examples=["purchase"])
    channel: str = Field(..., examples=["store"])
    direction: str = Field(..., description=gettext_noop("inbound or outbound"), examples=["inbound"])
    initiative: str = Field(..., description=gettext_noop("push or pull"))
    medium: str = Field(..., description=gettext_noop("owned, paid or earned"))
    occurred_at: datetime
    business_date: date = Field(..., description=gettext_noop("The day in the company's time zone."))
    amount: Money | None
    title: str
    body: str
    source: str | None = Field(
        ..., description=gettext_noop("The system that brought it; null of what was logged here.")
    )
    in_response_to: str | None
    order: str | None
    reason: str | None = Field(
        ..., description=gettext_noop("Of a cancellation or notice: the group of reasons for leaving.")
    )
    sub_reason: str | None = Field(..., description=gettext_noop("Of a cancellation or notice: the reason itself."))


class InteractionPage(Schema):
    __doc__ = gettext_noop(
        "A page of the chain, newest first; `next` is null on the last page. Over all customers a page may be short, "
        "or empty, with a next one."
    )

    data: list[Interaction]
    next: str | None


class Product(Schema):
    __doc__ = gettext_noop(
        "A product of an order line. A placeholder was seen in an order before anybody described it."
    )

    id: str
    number: str
    name: str
    brand: str
    category: str | None
    is_placeholder: bool


class OrderLine(Schema):
    __doc__ = gettext_noop("One line. `total` is what was paid, after the discounts beside it (as positive amounts).")

    product: Product
    quantity: float
    total: Money
    discount: Money
    coupon_discount: Money
    match_discount: Money


class Order(Schema):
    __doc__ = gettext_noop("A purchase with its lines; `interaction` is its place in the chain.")

    id: str = Field(..., examples=["o_4m2kq8xw"])
    interaction: str = Field(..., examples=["i_4m2kq8xw"])
    customer: str = Field(..., examples=["c_8fk2m9xq"])
    record: str = Field(..., examples=["c_8fk2m9xq"])
    source: str = Field(..., examples=["till"])
    number: str = Field(..., examples=["31198570044"])
    store: str = Field(..., examples=["367"])
    ordered_at: datetime
    business_date: date
    total: Money
    lines: list[OrderLine]


class OrderPage(Schema):
    __doc__ = gettext_noop(
        "A page of orders, newest first; `next` is null on the last page. Over all customers a page may be short, or "
        "empty, with a next one."
    )

    data: list[Order]
    next: str | None


class InteractionChange(Schema):
    __doc__ = gettext_noop(
        "An interaction that came or went. `current`: `interaction` holds it. `gone`: it was retracted, its import was "
        "taken back, or its customer is no longer the user's to see."
    )

    id: str = Field(..., examples=["i_4m2kq8xw"])
    state: str = Field(..., description=gettext_noop("current or gone"), examples=["current"])
    changed_at: datetime
    interaction: Interaction | None


class InteractionChanges(Schema):
    __doc__ = gettext_noop(
        "A page of changes of the chain, oldest first; it may be short, or empty, with a next one. `next` is null on "
        "the last page. `cursor` is the place behind this page: keep it, and the next walk begins there."
    )

    data: list[InteractionChange]
    next: str | None
    cursor: str


class OrderChange(Schema):
    __doc__ = gettext_noop(
        "An order that came or went. `current`: `order` holds it with its lines. `gone`: it was retracted, its import "
        "was taken back, or its customer is no longer the user's to see."
    )

    id: str = Field(..., examples=["o_4m2kq8xw"])
    state: str = Field(..., description=gettext_noop("current or gone"), examples=["current"])
    changed_at: datetime
    order: Order | None


class OrderChanges(Schema):
    __doc__ = gettext_noop(
        "A page of changes of orders, oldest first; it may be short, or empty, with a next one. `next` is null on the "
        "last page. `cursor` is the place behind this page: keep it, and the next walk begins there."
    )

    data: list[OrderChange]
    next: str | None
    cursor: str


class FactDefinition(Schema):
    __doc__ = gettext_noop(
        "What a fact means, and its unit. An estimate names the facts that hold the bounds of its 90 % interval."
    )

    key: str
    label: str
    definition: str
    type: str = Field(..., description=gettext_noop("money, count, days, share, number, date or text"))
    unit: str
    group: str
    estimate: bool
    low: str | None
    high: str | None


class FactDefinitions(Schema):
    __doc__ = gettext_noop("All facts that the analysis computes per customer.")

    data: list[FactDefinition]


class AnalysisRun(Schema):
    __doc__ = gettext_noop("The analysis a figure comes from, and the day it looks from.")

    id: str
    as_of: date


class FactValue(Schema):
    __doc__ = gettext_noop(
        "One fact of one customer; null where it does not exist for them. `low` and `high` bound an estimate (90 %). "
        "`run` stands with what is worked out after a run: until that is done, it is still of the run before."
    )

    key: str
    type: str
    unit: str
    value: int | float | date | str | Money | None
    low: int | float | Money | None = None
    high: int | float | Money | None = None
    run: AnalysisRun | None = None


class CustomerFacts(Schema):
    __doc__ = gettext_noop(
        "The facts of one customer as of a run; without any analysis `run` is null and `facts` is empty."
    )

    customer: str
    run: AnalysisRun | None
    facts: list[FactValue]
