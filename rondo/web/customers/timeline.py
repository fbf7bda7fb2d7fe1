"""The chain of one customer as a timeline: entries grouped by day, newest first, paged by key."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta, tzinfo
from itertools import groupby
from typing import TYPE_CHECKING, TypedDict

from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.catalogue.models import Product
from rondo.customers.models import Customer
from rondo.errors import InputError
from rondo.foundation import ids
from rondo.foundation.installation import business_now, zone
from rondo.foundation.models import User
from rondo.foundation.prepared import prepared
from rondo.foundation.registry import registries
from rondo.interactions.models import About, Departure, Interaction, OrderLine
from rondo.interactions.queries import LEAVING, USUAL, chain, hush, standing, traces
from rondo.interactions.reasons import reasons, words
from rondo.web import formats
from rondo.web.templatetags.rondo import icon

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

PAGE_SIZE = USUAL - 1
_ANSWERS_SHOWN = 3


@dataclass(frozen=True)
class KindChip:
    """A kind of interaction that this customer has, and how many of it."""

    key: str
    label: str
    icon: str
    count: int


@dataclass(frozen=True)
class Reference:
    """Another entry of the chain that this one answers, or is answered by."""

    id: str
    title: str
    day: date


class Entry(TypedDict):
    """One interaction as the timeline writes it: all at hand in a flat dictionary, which a template reads quickest.

    ``basket``: where the lines of a purchase are, else empty. ``clock``: the time of day, empty where only the day is
    known. ``more``: how many answers there are in all, where not all are shown. ``take_back``: of what was logged by
    hand, the words that take it back. ``whose``: in a chain of several customers, whose it is, and where their page is.
    """

    id: str
    mark: SafeString
    label: str
    title: str
    amount: str
    basket: str
    items: str
    store: str
    body: str
    answers: Reference | None
    trace: bool
    answered: list[Reference]
    about: str
    more: str
    actor: str
    clock: str
    take_back: str
    whose: str
    whose_url: str


@dataclass(frozen=True)
class Day:
    """The entries of one business day; ``near`` names today and yesterday."""

    iso: str
    name: str
    near: str
    entries: list[Entry]


@dataclass(frozen=True)
class Timeline:
    """One page of the chain. ``earlier`` is the id that the next page comes before, if there is one. ``whole``: where
    the page is the whole chain, its kinds and how often each comes. ``joined``: it is of several customers together."""

    days: list[Day]
    kinds: tuple[str, ...] = ()
    earlier: str = ""
    begins_at: str = ""
    whole: tuple[tuple[str, int], ...] | None = None
    joined: bool = False


def kind_label(key: str) -> "_StrOrPromise":
    """What a kind is called; a kind that no room registers is called by its key."""
    kind = registries.interaction_kinds.get(key)
    return kind.label if kind is not None else key.replace("_", " ")


def kind_icon(key: str) -> str:
    """The icon of a kind."""
    kind = registries.interaction_kinds.get(key)
    return kind.icon if kind is not None else "circle-dot"


def read_timeline(
    viewer: User | None,
    records: Sequence[int],
    *,
    public_id: str,
    kinds: Iterable[str] = (),
    before: str = "",
    beginning: str = "",
    whose: Mapping[int, Customer] | None = None,
) -> Timeline:
    """The page of the chain before the interaction ``before`` (a public id), or from ``beginning`` on, or the newest.

    ``public_id`` is the customer's, for the addresses of baskets. ``whose``: of several customers together, by record
    the customer it stands for; each entry then says whose it is.

    Raises:
        InputError: no such interaction in this customer's chain.
    """
    wanted = tuple(kinds)
    key = None
    if anchor := before or beginning:
        row = one(records, anchor)
        key = (row.occurred_at, row.pk if before else row.pk + 1)
    rows = chain(records, kinds=wanted, before=key, limit=PAGE_SIZE + 1)
    shown = rows[:PAGE_SIZE]
    earlier = shown[-1].public_id if len(rows) > PAGE_SIZE else ""
    whole = None if earlier or wanted or key else tuple(Counter(row.kind for row in rows).items())
    entries = entries_of(viewer, shown, records, public_id, whose)
    days = _days(zip(shown, entries, strict=True))
    return Timeline(days, wanted, earlier, beginning, whole, whose is not None)


def kinds_of(records: Sequence[int], timeline: Timeline | None = None) -> list[KindChip]:
    """The kinds in a customer's chain, most frequent first; asked of the database unless ``timeline`` shows it all."""
    counted: Iterable[tuple[str, int]]
    if timeline is not None and timeline.whole is not None:
        counted = sorted(timeline.whole, key=lambda pair: (-pair[1], pair[0]))
    else:
        rows = standing().filter(customer_id__in=records).values("kind").annotate(count=Count("pk"))
        counted = rows.order_by("-count", "kind").values_list("kind", "count")
    return [KindChip(kind, str(kind_label(kind)), kind_icon(kind), count) for kind, count in counted]


def one(records: Sequence[int], public_id: str) -> Interaction:
    """One standing interaction of a customer's chain; raises InputError when there is none."""
    key = ids.decode(Interaction.PREFIX, public_id)
    rows = standing().filter(pk=key or 0, customer_id__in=records).select_related("order", "actor")
    row = rows.first()
    if row is None:
        raise InputError(
            _("“%(id)s” is not in this customer's chain (any more); load the page again.") % {"id": public_id[:30]}
        )
    return row


def entries_of(
    viewer: User | None,
    rows: Sequence[Interaction],
    records: Sequence[int],
    public_id: str,
    whose: Mapping[int, Customer] | None = None,
) -> list[Entry]:
    """Entries with what they are about, what they answer and what answers them within the chain of ``records``; three
    queries however many rows. An answer may lead out of the chain once a merge is undone: it is then another customer's
    to show."""
    within = standing().filter(customer_id__in=records)
    asked = {row.in_response_to_id for row in rows if row.in_response_to_id}
    targets = within.in_bulk(asked) if asked else {}
    hush(viewer, [*rows, *targets.values()])
    answers: dict[int, list[Reference]] = {}
    outbound = [row.pk for row in rows if row.direction == Interaction.Direction.OUTBOUND]
    if outbound:
        for row in hush(viewer, _replies(records, outbound, traces())):
            answers.setdefault(row.in_response_to_id or 0, []).append(_reference(row))
    contacts = [row.pk for row in rows if row.kind != "purchase"]
    named = _abouts(contacts) if contacts else ()
    about = {one.pk: _("about %(what)s") % {"what": one.product or one.category} for one in named if _names(one)}
    left = [row.pk for row in rows if row.kind in LEAVING]
    if left and (departures := list(Departure.objects.filter(pk__in=left))):
        known = reasons()
        about |= {one.pk: words(one.reason, one.sub_reason, known) for one in departures}
    # Asked once: a page names forty addresses, and asking searches all that there are.
    basket_at = reverse("customer-basket", args=["c_mark", "i_mark"])
    page_at = reverse("customer", args=["c_mark"])
    here = zone()
    owners = {row.pk: whose[row.customer_id] for row in rows} if whose is not None else {}
    return [
        _entry(
            row,
            targets.get(row.in_response_to_id) if row.in_response_to_id else None,
            answers.get(row.pk, []),
            about.get(row.pk, ""),
            basket_at.replace("c_mark", owners[row.pk].public_id if row.pk in owners else public_id),
            here,
            (str(owners[row.pk]), page_at.replace("c_mark", owners[row.pk].public_id))
            if row.pk in owners
            else ("", ""),
        )
        for row in rows
    ]


@prepared
def _replies(records: Sequence[int], to: Sequence[int], traces: Sequence[str]) -> QuerySet[Interaction]:
    rows = standing().exclude(kind__in=traces).filter(customer_id__in=records, in_response_to_id__in=to)
    return rows.order_by("occurred_at", "id")


@prepared
def _abouts(keys: Sequence[int]) -> QuerySet[About]:
    return About.objects.filter(pk__in=keys).select_related("category", "product")


def _names(about: About) -> bool:
    return about.product is not None or about.category is not None


def _entry(
    row: Interaction,
    target: Interaction | None,
    answered: list[Reference],
    about: str,
    basket_at: str,
    here: tzinfo,
    whose: tuple[str, str],
) -> Entry:
    order = getattr(row, "order", None)
    lines = 0 if order is None else order.line_count
    label = str(kind_label(row.kind))
    at = row.occurred_at.astimezone(here)
    key = row.public_id
    return Entry(
        id=key,
        mark=icon(kind_icon(row.kind), 14),
        label=label,
        title=row.title,
        amount="" if row.amount is None and not lines else formats.money(row.amount, row.currency),
        basket=basket_at.replace("i_mark", key) if lines else "",
        items=ngettext("%(figure)s item", "%(figure)s items", lines) % {"figure": formats.number(lines)}
        if lines
        else "",
        store=_("store %(store)s") % {"store": order.store} if order is not None and order.store else "",
        body=row.body,
        answers=None if target is None else _reference(target),
        trace=row.kind in traces(),
        answered=answered[:_ANSWERS_SHOWN],
        about=about,
        more=_("%(count)s answers in all") % {"count": formats.number(len(answered))}
        if len(answered) > _ANSWERS_SHOWN
        else "",
        actor="" if row.actor is None else str(row.actor),
        # Where only the day is known it stands at the day's first moment.
        clock="" if at.time() == time.min else f"{at:%H:%M}",
        take_back=_("Take back: %(kind)s, %(day)s") % {"kind": label, "day": formats.day(row.business_date)}
        if row.load_id is None and row.actor_id is not None
        else "",
        whose=whose[0],
        whose_url=whose[1],
    )


def _reference(row: Interaction) -> Reference:
    return Reference(row.public_id, row.title or str(kind_label(row.kind)), row.business_date)


def _days(entries: Iterable[tuple[Interaction, Entry]]) -> list[Day]:
    today = business_now().date()
    near = {today: _("Today"), today - timedelta(days=1): _("Yesterday")}
    grouped = groupby(entries, key=lambda pair: pair[0].business_date)
    return [
        Day(day.isoformat(), formats.day(day), near.get(day, ""), [entry for _row, entry in group])
        for day, group in grouped
    ]


@dataclass(frozen=True)
class BasketLine:
    """One line of a basket. ``quantity`` is written out; amounts are minor units."""

    product: Product
    quantity: str
    total: int
    discount: int
    coupon: int


def basket(interaction: Interaction) -> list[BasketLine]:
    """The lines of a purchase, dearest first; ``coupon`` adds the house's coupon discount to the maker's."""
    lines = (
        OrderLine.objects.filter(order_id=interaction.pk).select_related("product__category").order_by("-total", "id")
    )
    return [
        BasketLine(
            line.product,
            formats.number(line.quantity_milli / 1000, 0 if line.quantity_milli % 1000 == 0 else 2),
            line.total,
            line.discount,
            line.coupon_discount + line.match_discount,
        )
        for line in lines
    ]
