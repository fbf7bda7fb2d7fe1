"""A record that was two customers is split by program: tried first, done, taken back."""

from datetime import date

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Field, Router, Schema

from rondo.api.auth import TokenAuth, viewer
from rondo.api.parameters import key_of
from rondo.api.v1 import schemas
from rondo.api.v1.schemas import Named
from rondo.api.writing import Body, actor
from rondo.customers import queries
from rondo.customers.identifiers import normalise
from rondo.customers.models import Identifier, Source
from rondo.errors import InputError
from rondo.foundation import ids
from rondo.foundation.loads import shown
from rondo.interactions.models import Interaction, Split
from rondo.interactions.splitting import choosing
from rondo.interactions.splitting.splitting import split, take_back_split

router = Router(tags=["merging"])
MERGING = TokenAuth("merge")
LOGGED_HERE = ""
"""What stands for the source of contacts that were logged here."""


class IdentifierBody(Body):
    __doc__ = gettext_noop("An identifier of the customer; `source` where it is a number in another system.")

    kind: str = Field(..., max_length=10, examples=["email"])
    value: str = Field(..., max_length=255, examples=["ada@example.org"])
    source: str | None = Field(None, max_length=60)


class SplitBody(Body):
    __doc__ = gettext_noop(
        "What goes to the second customer: identifiers; contacts by `sources` (an empty text: logged here), `since` "
        "and `until`, where any of the three is given; and `interactions` one by one. With `dry_run` nothing is done."
    )

    name: str = Field("", max_length=200)
    given_name: str = Field("", max_length=100)
    family_name: str = Field("", max_length=100)
    identifiers: list[IdentifierBody] = Field([], max_length=50)
    sources: list[str] = Field([], max_length=50)
    since: date | None = None
    until: date | None = None
    interactions: list[str] = Field([], max_length=1000)
    dry_run: bool = False


class Held(Schema):
    __doc__ = gettext_noop("What a customer has: contacts, orders and their sum by currency, first and last day.")

    contacts: int
    orders: int
    totals: list[schemas.Money]
    first: date | None
    last: date | None


class SplitMade(Schema):
    __doc__ = gettext_noop(
        "A split, done or tried. `along`: contacts that go since they answer one that goes or are answered by it. "
        "`kept`: chosen contacts that stay, since a campaign sent them to this customer."
    )

    id: str | None = Field(..., description=gettext_noop("null of a trial"), examples=["sp_4m2kq8xw"])
    customer: str
    made: Named | None
    stays: Held
    goes: Held
    along: int
    kept: int


class SplitUndone(Schema):
    __doc__ = gettext_noop(
        "The customer who is one again. `left`: identifiers that were left, since they are elsewhere or gone by now."
    )

    customer: str
    left: int


@router.post(
    "/customers/{customer_id}/split",
    auth=MERGING,
    response=SplitMade,
    summary=gettext_noop("Split a record"),
    operation_id="splitCustomer",
    description=gettext_noop(
        "Makes a second customer of one. Contacts and orders that go are retracted and written anew; consents stay, "
        "and what was withdrawn is withdrawn for both."
    ),
)
def split_customer(request: HttpRequest, customer_id: str, body: SplitBody) -> SplitMade:
    customer = queries.get_visible(viewer(request), customer_id)
    records = queries.record_ids(customer.pk)
    choice = _choice(body)
    going = choosing.taken(records, choice)
    stays, goes = choosing.both(records, going.keys)
    made: Split | None = None
    if not body.dry_run:
        names = {"name": body.name, "given_name": body.given_name, "family_name": body.family_name}
        held = [_identifier(records, one) for one in body.identifiers]
        made = split(actor(request), customer, choice, held, **names)
    return SplitMade(
        id=None if made is None else made.public_id,
        customer=customer.public_id,
        made=None if made is None else Named(id=made.made.public_id, name=made.made.name),
        stays=_held(stays),
        goes=_held(goes),
        along=going.along,
        kept=going.stay,
    )


@router.post(
    "/splits/{split_id}/undo",
    auth=MERGING,
    response=SplitUndone,
    summary=gettext_noop("Undo a split"),
    operation_id="undoSplit",
    description=gettext_noop("The two are one again, as before the split, with what came to either of them since."),
)
def undo_split(request: HttpRequest, split_id: str) -> SplitUndone:
    done = take_back_split(actor(request), key_of(Split.PREFIX, split_id))
    return SplitUndone(customer=done.customer.public_id, left=done.left)


def _choice(body: SplitBody) -> choosing.Choice:
    sources: set[int] = set()
    for name in body.sources:
        found = 0 if name == LOGGED_HERE else Source.objects.filter(name=name).values_list("pk", flat=True).first()
        if found is None:
            raise InputError(_("sources: there is no source “%(name)s”.") % {"name": name[:60]})
        sources.add(found)
    single = {ids.decode(Interaction.PREFIX, text) for text in body.interactions}
    if None in single:
        raise InputError(_("interactions: each is the id of a contact, such as i_4m2kq8xw."))
    return choosing.Choice(
        frozenset(sources), body.since, body.until, frozenset(key for key in single if key is not None)
    )


def _identifier(records: list[int], one: IdentifierBody) -> int:
    value = normalise(one.kind, one.value).value
    rows = Identifier.objects.filter(shown(), customer_id__in=records, kind=one.kind, value=value)
    if one.source is not None:
        rows = rows.filter(source__name=one.source)
    key = rows.values_list("pk", flat=True).first()
    if key is None:
        raise InputError(_("identifiers: %(value)s is not this customer's.") % {"value": one.value[:60]})
    return key


def _held(one: choosing.Holdings) -> Held:
    totals = [schemas.Money(minor=total, currency=currency) for currency, total in one.totals.items()]
    return Held(contacts=one.contacts, orders=one.orders, totals=totals, first=one.first, last=one.last)
