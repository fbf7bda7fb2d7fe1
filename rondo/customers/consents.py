"""What customers consented to: the state of each channel and purpose is the last entry of the ledger, over all records
that a customer stands for. Where there is no entry nothing is known, which is never a yes."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from rondo.customers.models import Consent
from rondo.foundation.loads import shown

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
    rows = Consent.objects.filter(shown(), customer_id__in=records).select_related("actor")
    return list(rows.order_by("-at", "-pk"))


def standing(records: Sequence[int]) -> list[Standing]:
    """What holds now, by channel and purpose in the order of the lists; what was taken back to nothing is left out."""
    found: dict[Key, list[Consent]] = {}
    for row in ledger(records):
        found.setdefault((row.channel, row.purpose), []).append(row)
    order = [(channel, purpose) for purpose in Consent.Purpose.values for channel in Consent.Channel.values]
    rows = [Standing(found[key][0], len(found[key])) for key in order if key in found]
    return [row for row in rows if row.last.state != Consent.State.UNKNOWN]


def state(records: Sequence[int], channel: str, purpose: str = Consent.Purpose.MARKETING) -> str:
    """``given``, ``withdrawn`` or ``unknown``."""
    rows = Consent.objects.filter(shown(), customer_id__in=records, channel=channel, purpose=purpose)
    return rows.order_by("-at", "-pk").values_list("state", flat=True).first() or str(Consent.State.UNKNOWN)


def last_entries(channel: str, purpose: str) -> QuerySet[Consent]:
    """The last entry of every customer about a channel and purpose, with the surviving customer as ``owner``; none of
    who it is not known of."""
    owner = Coalesce("customer__survivor_row__survivor_id", "customer_id")
    rows = Consent.objects.filter(shown(), channel=channel, purpose=purpose).alias(owner=owner)
    later = rows.filter(owner=OuterRef("owner")).filter(
        Q(at__gt=OuterRef("at")) | Q(at=OuterRef("at"), pk__gt=OuterRef("pk"))
    )
    found = rows.filter(~Exists(later)).exclude(state=Consent.State.UNKNOWN)
    return found.annotate(customer_meant=F("owner"))
