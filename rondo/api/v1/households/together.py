"""What a household or an organisation and all who belong to it bring together, as of the run that is served."""

from datetime import date

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Field, Router, Schema

from rondo.analysis.belonging import FACTS, add_up
from rondo.analysis.models import Score
from rondo.analysis.queries import current_run
from rondo.api.auth import viewer
from rondo.api.v1 import schemas
from rondo.api.v1.facts import RUN_PREFIX
from rondo.api.v1.schemas import Named
from rondo.customers import queries
from rondo.customers.belonging import GROUPS, circle_of
from rondo.customers.models import Customer
from rondo.errors import InputError
from rondo.foundation import ids
from rondo.foundation.installation import installation

router = Router(tags=["households"])


class Belonging(Schema):
    __doc__ = gettext_noop(
        "Who belongs to the household or organisation: directly (`level` 1), or by way of `above`. `value` in 12 "
        "months, null where it is not known."
    )

    customer: Named
    role: str
    position: str
    since: date | None
    above: str = Field(..., examples=["c_8fk2m9xq"])
    level: int
    value: schemas.Money | None


class WorthTogether(Schema):
    __doc__ = gettext_noop(
        "The value of those who have one, together: its 90 % interval if all move as one (`low`, `high`), and the "
        "narrower one if each moves by themselves."
    )

    mean: schemas.Money
    low: schemas.Money
    high: schemas.Money
    low_apart: schemas.Money
    high_apart: schemas.Money


class TogetherTold(Schema):
    __doc__ = gettext_noop(
        "A customer and all who belong to it, of those whom the token's user sees, each once. `scored`: of how many "
        "the analysis knows; `valued`: how many have a value. Without any analysis `run` is null."
    )

    customer: Named
    members: list[Belonging]
    run: schemas.AnalysisRun | None
    scored: int
    valued: int
    worth: WorthTogether | None
    revenue: schemas.Money
    orders: int
    buyers: int
    last_purchase: date | None
    last_contact: date | None
    slipping: list[Named] = Field(..., description=gettext_noop("Who buys later than their own rhythm."))


@router.get(
    "/customers/{customer_id}/together",
    response=TogetherTold,
    summary=gettext_noop("What all bring together"),
    operation_id="getTogether",
    description=gettext_noop(
        "Of a household or an organisation: who belongs to it, over all levels, and what all of them are worth "
        "together."
    ),
)
def get_together(request: HttpRequest, customer_id: str) -> TogetherTold:
    user = viewer(request)
    customer = queries.get_visible(user, customer_id)
    if customer.kind not in GROUPS:
        raise InputError(
            _("%(customer)s is no household and no organisation: nobody belongs to it.") % {"customer": customer}
        )
    circle = circle_of(user, customer.pk)
    people = {customer.pk: customer, **{one.customer.pk: one.customer for one in circle.members}}
    scores = {score.pk: score for score in Score.objects.filter(pk__in=circle.keys).only(*FACTS)}
    done, run = add_up(people, scores), current_run()
    worth = None
    if done.worth is not None:
        worth = WorthTogether(
            **{
                name: _money(round(getattr(done.worth, name)))
                for name in ("mean", "low", "high", "low_apart", "high_apart")
            }
        )
    return TogetherTold(
        customer=_named(customer),
        members=[
            Belonging(
                customer=_named(one.customer),
                role=one.role,
                position=one.position,
                since=one.since,
                above=ids.encode(Customer.PREFIX, one.above),
                level=one.level,
                value=_value(scores.get(one.customer.pk)),
            )
            for one in circle.members
        ],
        run=None if run is None else schemas.AnalysisRun(id=ids.encode(RUN_PREFIX, run.pk), as_of=run.as_of),
        scored=done.scored,
        valued=done.valued,
        worth=worth,
        revenue=_money(done.revenue),
        orders=done.orders,
        buyers=done.buyers,
        last_purchase=done.last_purchase[0] if done.last_purchase else None,
        last_contact=done.last_contact[0] if done.last_contact else None,
        slipping=[_named(one.customer) for one in done.slipping],
    )


def _named(row: Customer) -> Named:
    return Named(id=row.public_id, name=row.name)


def _money(minor: int) -> schemas.Money:
    return schemas.Money(minor=minor, currency=installation().currency)


def _value(score: Score | None) -> schemas.Money | None:
    return None if score is None or score.value is None else _money(score.value)
