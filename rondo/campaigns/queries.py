"""Reads of campaigns and their ledger: who was contacted, who answered. Every one starts from :func:`visible`.

*Contacted* are the lines of the ledger (one per campaign and original customer) that were eligible, not held back, not
in a control arm, whose contact was not retracted, and whose customer the viewer may see. A line is *answered* when at
least one standing inbound interaction answers its contact; that a mail was opened or clicked is no answer. The
*response rate* is answered lines over contacted lines; of a type or of all campaigns it is the same share over all
their lines, so that a customer contacted by three campaigns counts three times. (By this definition the Complete
Journey answers with 12.02 % over all: 792 of 6,589 lines; by distinct households it would be 410 of 1,559.)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, F, IntegerField, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from rondo.analysis.models import Run
from rondo.campaigns.models import Campaign, Exposure
from rondo.customers.models import Customer
from rondo.customers.queries import alive, reach, sees_all
from rondo.foundation import ids
from rondo.foundation.loads import shown
from rondo.foundation.models import User
from rondo.foundation.prepared import prepared
from rondo.interactions.models import Interaction, Retraction
from rondo.interactions.queries import answering
from rondo.science.proportions import Share, clustered, wilson

LEVEL = 0.9
"""Coverage of the intervals on pages, the same as of the value of customers."""

CONTROL_ARM = "control"


@dataclass(frozen=True)
class Response:
    """How a set of contacts was answered. ``share`` is None where nobody was contacted."""

    contacted: int
    answered: int
    reactions: int
    share: Share | None


@dataclass(frozen=True)
class TypeResponse:
    """The response to all campaigns of one type; ``people`` are distinct contacted customers."""

    type: str
    campaigns: int
    people: int
    response: Response


@dataclass(frozen=True)
class Report:
    """Responses per campaign (newest first), per type (by name) and over all."""

    campaigns: list[tuple[Campaign, Response]]
    types: list[TypeResponse]
    total: TypeResponse


@dataclass(frozen=True)
class Contact:
    """One line of the ledger as a page shows it. ``customer`` is the surviving record."""

    key: int
    campaign: Campaign
    customer: Customer
    sent_on: date | None
    reactions: int
    first_answer: date | None


@dataclass(frozen=True)
class Reached:
    """A customer whom campaigns contacted, how often, and how many of these contacts were answered."""

    customer: Customer
    contacts: int
    answered: int


@dataclass(frozen=True)
class Received:
    """A campaign one customer received, and how often they answered it."""

    campaign: Campaign
    sent_on: date | None
    reactions: int
    first_answer: date | None


@dataclass(frozen=True)
class ReactionDay:
    """Reactions on one business day."""

    day: date
    reactions: int


def visible(viewer: User | None) -> QuerySet[Campaign]:
    """Campaigns that were not taken back. They belong to the company and are seen by all; figures in them by reach."""
    return Campaign.objects.filter(shown())


def get_visible(viewer: User | None, public_id: str) -> Campaign:
    """One campaign by public id.

    Raises:
        Campaign.DoesNotExist: unknown, or its import was taken back.
    """
    key = ids.decode(Campaign.PREFIX, public_id)
    if key is None:
        raise Campaign.DoesNotExist(public_id)
    return visible(viewer).get(pk=key)


def _customer_seen(viewer: User | None) -> Q:
    """The condition on a ledger line that its customer, or the record that survives it, is the viewer's to see."""
    own = alive("customer__") & reach(viewer, "customer__")
    survivor = "customer__survivor_row__survivor__"
    merged = Q(customer__is_merged=True) & alive(survivor) & reach(viewer, survivor)
    seen = own | merged
    # The line of an erased person names nobody; it stays in totals of those who see all.
    return seen | Q(customer__isnull=True) if sees_all(viewer) else seen


def contacted(viewer: User | None) -> QuerySet[Exposure]:
    """Ledger lines of customers that were really contacted (see the module's first lines)."""
    return (
        Exposure.objects.filter(
            shown(),
            shown("campaign__"),
            shown("interaction__"),
            _customer_seen(viewer),
            ~Exists(Retraction.objects.filter(interaction_id=OuterRef("interaction_id"))),
            eligible=True,
            suppressed="",
        )
        .exclude(arm=CONTROL_ARM)
        .order_by()
    )


def _reactions() -> QuerySet[Interaction]:
    """Standing inbound interactions that answer the contact of a ledger line (as a subquery)."""
    return (
        answering()
        .filter(in_response_to_id=OuterRef("interaction_id"), direction=Interaction.Direction.INBOUND)
        .order_by()
    )


def reaction_count(on: date | None = None) -> Coalesce:
    """How often a ledger line was answered (on a day); of an erased person as it was noted then."""
    found = _reactions() if on is None else _reactions().filter(business_date=on)
    counted = found.values("in_response_to_id").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), F("answers"), Value(0), output_field=IntegerField())


def responses(viewer: User | None, campaign_ids: Iterable[int] | None = None) -> dict[int, Response]:
    """Per campaign how its contacts were answered; campaigns without a visible contact are missing from the answer.

    One set query, whatever the number of campaigns.
    """
    wanted = None if campaign_ids is None else list(campaign_ids)
    if wanted == []:
        return {}
    lines = contacted(viewer)
    if wanted is not None:
        lines = lines.filter(campaign_id__in=wanted)
    return {key: Response(n, a, r, wilson(a, n, LEVEL)) for key, n, a, r in _by_campaign(lines)}


def report(viewer: User | None) -> Report:
    """Responses of every campaign, type and over all; three set queries."""
    by_campaign = responses(viewer)
    campaigns = [
        (campaign, by_campaign.get(campaign.pk, Response(0, 0, 0, None)))
        for campaign in visible(viewer).order_by("-starts_on", "-id")
    ]
    lines = contacted(viewer)
    cells: dict[str, list[tuple[int, int, int]]] = {}
    for kind, n, a, people in _by_type(lines):
        cells.setdefault(kind, []).append((n, a, people))
    kinds = sorted({campaign.type for campaign, _ in campaigns})
    types = [
        _type_response(kind, [r for campaign, r in campaigns if campaign.type == kind], cells.get(kind, []))
        for kind in kinds
    ]
    return Report(campaigns, types, _type_response("", [r for _, r in campaigns], _over_all(lines)))


def of_type(kind: str | None) -> Q:
    """The condition on ledger lines that their campaigns are of a type; None: of any."""
    return Q() if kind is None else Q(campaign__type=kind)


def contacts(
    viewer: User | None,
    which: Q,
    *,
    answered: bool | None = None,
    on: date | None = None,
    after: int = 0,
    limit: int = 50,
) -> list[Contact]:
    """Whom campaigns contacted (``which``: those of the lines that are meant), in the ledger's order: at most ``limit``
    lines beyond the key ``after``.

    ``answered`` keeps those who did (True) or did not (False) answer; None keeps all. ``on`` keeps those who answered
    on that day, with their reactions of that day alone. Erased persons are left out.
    """
    lines = contacted(viewer).filter(which, customer__isnull=False, pk__gt=after)
    if answered is not None:
        lines = lines.filter(Exists(_reactions()) if answered else ~Exists(_reactions()))
    counted = reaction_count()
    if on is not None:
        lines = lines.filter(Exists(_reactions().filter(business_date=on)))
        counted = reaction_count(on)
    first = _reactions().values("in_response_to_id").annotate(day=Min("business_date")).values("day")
    rows = (
        lines.select_related("campaign", "customer__survivor_row__survivor")
        .annotate(reactions=counted, first_answer=Subquery(first))
        .order_by("pk")[:limit]
    )
    found = []
    for row in rows:
        customer = row.customer
        if customer is not None and customer.is_merged:
            customer = customer.survivor_row.survivor
        if customer is not None:
            found.append(Contact(row.pk, row.campaign, customer, row.sent_on, row.reactions, row.first_answer))
    return found


def reached(viewer: User | None, which: Q, *, after: int = 0, limit: int = 50) -> list[Reached]:
    """The distinct customers of such lines, by their keys beyond ``after``; erased persons are left out."""
    person = Coalesce("customer__survivor_row__survivor_id", "customer_id")
    lines = contacted(viewer).filter(which, customer__isnull=False).annotate(person=person)
    keys = list(lines.filter(person__gt=after).order_by("person").values_list("person", flat=True).distinct()[:limit])
    told: dict[int, list[int]] = {}
    for key, reactions in (
        lines.filter(person__in=keys).annotate(reactions=reaction_count()).values_list("person", "reactions")
    ):
        told.setdefault(key, []).append(reactions)
    rows = Customer.objects.in_bulk(keys)
    return [Reached(rows[key], len(told[key]), sum(number > 0 for number in told[key])) for key in keys]


@prepared
def _exposures(customer_ids: Sequence[int]) -> QuerySet[Exposure, int]:
    return Exposure.objects.filter(customer_id__in=customer_ids).values_list("pk", flat=True)[:1]


def received(customer_ids: list[int]) -> list[Received]:
    """The campaigns one customer (the survivor's records, already checked as visible) received, newest first."""
    if not _exposures(customer_ids):
        return []  # most customers of most companies; the question below takes longer to put than to answer
    first = _reactions().values("in_response_to_id").annotate(day=Min("business_date")).values("day")
    rows = (
        contacted(None)
        .filter(customer_id__in=customer_ids)
        .select_related("campaign")
        .annotate(reactions=reaction_count(), first_answer=Subquery(first))
        .order_by("-campaign__starts_on", "-campaign_id", "-pk")
    )
    return [Received(row.campaign, row.sent_on, row.reactions, row.first_answer) for row in rows]


def reaction_days(viewer: User | None, campaign: Campaign) -> list[ReactionDay]:
    """Reactions to a campaign per business day, days without any left out, oldest first."""
    answered = contacted(viewer).filter(campaign=campaign).values("interaction_id")
    rows = (
        answering()
        .filter(in_response_to_id__in=answered, direction=Interaction.Direction.INBOUND)
        .values("business_date")
        .annotate(n=Count("pk"))
        .order_by("business_date")
    )
    return [ReactionDay(row["business_date"], row["n"]) for row in rows]


def _type_response(kind: str, parts: list[Response], cells: list[tuple[int, int, int]]) -> TypeResponse:
    share = clustered(cells, LEVEL)
    return TypeResponse(
        kind,
        len(parts),
        sum(people for *_, people in cells),
        Response(
            sum(r.contacted for r in parts), sum(r.answered for r in parts), sum(r.reactions for r in parts), share
        ),
    )


def last_day() -> date | None:
    """The last day of the data as the current analysis saw it: later answers cannot be known. None before the first."""
    return Run.objects.filter(is_current=True).values_list("as_of", flat=True).first()


def _per_line(lines: QuerySet[Exposure]) -> tuple[str, tuple[Any, ...]]:
    """The ledger lines as SQL with columns campaign, type, person and reactions.

    Erased persons have no customer any more: each of their lines counts as a person of its own.
    """
    counted = lines.annotate(
        campaign_key=F("campaign_id"),
        campaign_type=F("campaign__type"),
        person=Coalesce(F("customer__survivor_row__survivor_id"), F("customer_id"), -F("id")),
        reactions=reaction_count(),
    ).values("campaign_key", "campaign_type", "person", "reactions")
    return counted.query.sql_with_params()


def _by_campaign(lines: QuerySet[Exposure]) -> list[tuple[int, int, int, int]]:
    """(campaign, lines, answered lines, reactions) of every campaign."""
    inner, params = _per_line(lines)
    return _run(
        "SELECT campaign_key, count(*), sum(CASE WHEN reactions > 0 THEN 1 ELSE 0 END), sum(reactions)"
        f" FROM ({inner}) AS line GROUP BY campaign_key",
        params,
    )


def _by_type(lines: QuerySet[Exposure]) -> list[tuple[str, int, int, int]]:
    """(type, lines per person, answered lines per person, persons) of every type."""
    inner, params = _per_line(lines)
    return _run(
        "SELECT campaign_type, n, a, count(*) FROM ("
        "SELECT campaign_type, person, count(*) AS n, sum(CASE WHEN reactions > 0 THEN 1 ELSE 0 END) AS a"
        f" FROM ({inner}) AS line GROUP BY campaign_type, person) AS persons GROUP BY campaign_type, n, a",
        params,
    )


def _over_all(lines: QuerySet[Exposure]) -> list[tuple[int, int, int]]:
    """(lines per person, answered lines per person, persons) over all campaigns."""
    inner, params = _per_line(lines)
    return _run(
        "SELECT n, a, count(*) FROM ("
        "SELECT person, count(*) AS n, sum(CASE WHEN reactions > 0 THEN 1 ELSE 0 END) AS a"
        f" FROM ({inner}) AS line GROUP BY person) AS persons GROUP BY n, a",
        params,
    )


def _run(sql: str, params: tuple[Any, ...]) -> list[Any]:
    """Execute a grouping around a query set's own SQL, which the ORM cannot group a second time."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [tuple(row[:1]) + tuple(int(cell) for cell in row[1:]) for row in cursor.fetchall()]
