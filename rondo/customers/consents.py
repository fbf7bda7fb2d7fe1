"""What customers consented to: the state of each channel and purpose is the last entry of the ledger, over all records
that a customer stands for. Where there is no entry nothing is known, which is never a yes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import F, QuerySet, Window
from django.db.models.functions import Coalesce, RowNumber

from rondo.customers.models import Consent
from rondo.foundation.loads import shown
from rondo.foundation.prepared import prepared

CLOCK_SKEW = timedelta(minutes=5)
"""A moment up to so far ahead counts as now: clocks differ."""

Key = tuple[str, str]
"""A channel and a purpose."""


@dataclass(frozen=True)
class Standing:
    """What holds of one channel and purpose: the last entry, and how many there are."""

    last: Consent
    entries: int

    @property
    def key(self) -> Key:
        return self.last.channel, self.last.purpose


def ledger(records: Sequence[int]) -> list[Consent]:
    """All entries about the customer of ``records`` (already checked as visible), the last first."""
    return _ledger(records)


@prepared
def _ledger(records: Sequence[int]) -> QuerySet[Consent]:
    return Consent.objects.filter(shown(), customer_id__in=records).select_related("actor").order_by("-at", "-pk")


def standing(records: Sequence[int]) -> list[Standing]:
    """As :func:`holding`, of the customer of ``records`` (already checked as visible)."""
    return holding(ledger(records))


def holding(entries: Sequence[Consent]) -> list[Standing]:
    """What holds now by a ledger (the last entry first), by channel and purpose in the order of the lists; what was
    taken back to nothing is left out."""
    found: dict[Key, list[Consent]] = {}
    for row in entries:
        found.setdefault((row.channel, row.purpose), []).append(row)
    order = [(channel, purpose) for purpose in Consent.Purpose.values for channel in Consent.Channel.values]
    rows = [Standing(found[key][0], len(found[key])) for key in order if key in found]
    return [row for row in rows if row.last.state != Consent.State.UNKNOWN]


def state(records: Sequence[int], channel: str, purpose: str = Consent.Purpose.MARKETING) -> str:
    """``given``, ``withdrawn`` or ``unknown``."""
    found = _state(records, channel, purpose)
    return found[0] if found else str(Consent.State.UNKNOWN)


@prepared
def _state(records: Sequence[int], channel: str, purpose: str) -> QuerySet[Consent, str]:
    rows = Consent.objects.filter(shown(), customer_id__in=records, channel=channel, purpose=purpose)
    return rows.order_by("-at", "-pk").values_list("state", flat=True)[:1]


def last_entries(channel: str, purpose: str) -> QuerySet[Any]:
    """The last entry of every customer about a channel and purpose, with the surviving customer as ``customer_meant``;
    none of who it is not known of."""
    owner = Coalesce("customer__survivor_row__survivor_id", "customer_id")
    rows = Consent.objects.filter(shown(), channel=channel, purpose=purpose)
    # one pass by a window; a search for a later entry per row would look through all of them each time
    place = Window(RowNumber(), partition_by=[owner], order_by=[F("at").desc(), F("pk").desc()])
    last = rows.annotate(place=place).filter(place=1).values("pk")
    found = Consent.objects.filter(pk__in=last).exclude(state=Consent.State.UNKNOWN)
    return found.annotate(customer_meant=owner)
