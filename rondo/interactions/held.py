"""What the chain holds about a person, for data bundles and erasure, and which figures of orders the law keeps."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from rondo.foundation.holdings import Holding, Impersonal, KeptFigures, Swept
from rondo.foundation.loads import shown
from rondo.foundation.registry import registries
from rondo.interactions.models import (
    About,
    ChainChange,
    Departure,
    ImportFile,
    ImportMapping,
    Interaction,
    LeavingReason,
    Moved,
    Order,
    OrderLine,
    Retraction,
    Split,
)
from rondo.interactions.splitting.twins import about, of_another


def _kept_orders(records: Sequence[int], since: date) -> Iterator[tuple[date, dict[str, Any]]]:
    """Number, place and total of each standing order, without who bought it and what."""
    gone = Exists(Retraction.objects.filter(interaction_id=OuterRef("pk")))
    rows = Order.objects.filter(shown(), interaction__customer_id__in=records, interaction__business_date__gte=since)
    told = rows.filter(~gone).values_list(
        "interaction__business_date", "source__name", "number", "store", "total", "currency", "line_count"
    )
    for day, source, number, store, total, currency, lines in told.order_by("pk").iterator(chunk_size=2000):
        yield (
            day,
            {
                "source": source,
                "number": number,
                "store": store,
                "total": total,
                "currency": currency,
                "lines": lines,
            },
        )


registries.kept_figures.add("orders", KeptFigures("orders", _("Orders"), _kept_orders, years=10))

for _one in (
    Holding(
        "order_lines",
        _("Lines of orders"),
        OrderLine,
        100,
        lambda records: about(records, "order__interaction__customer_id", "order_id"),
        told=(
            "order_id",
            "product__number",
            "product__name",
            "quantity_milli",
            "total",
            "discount",
            "coupon_discount",
            "match_discount",
        ),
        but=lambda: of_another("order_id"),
    ),
    Holding(
        "orders",
        _("Orders"),
        Order,
        101,
        lambda records: about(records, "interaction__customer_id", "interaction_id"),
        told=("interaction_id", "source__name", "number", "store", "total", "currency", "line_count"),
        but=lambda: of_another("interaction_id"),
    ),
    Holding(
        "abouts",
        _("What contacts were about"),
        About,
        102,
        lambda records: about(records, "interaction__customer_id", "interaction_id"),
        told=("interaction_id", "category__path", "product__number"),
        but=lambda: of_another("interaction_id"),
    ),
    Holding(
        "departures",
        _("Reasons for leaving"),
        Departure,
        103,
        lambda records: about(records, "interaction__customer_id", "interaction_id"),
        told=("interaction_id", "reason", "sub_reason"),
        but=lambda: of_another("interaction_id"),
    ),
    Holding(
        "retractions",
        _("Contacts taken back"),
        Retraction,
        104,
        lambda records: about(records, "interaction__customer_id", "interaction_id"),
        told=("interaction_id", "at", "reason"),
        but=lambda: of_another("interaction_id"),
    ),
    Holding(
        "chain_changes",
        _("Numbers of changes"),
        ChainChange,
        107,
        lambda records: about(records, "interaction__customer_id", "interaction_id"),
    ),
    Holding(
        "interactions",
        _("Contacts"),
        Interaction,
        110,
        lambda records: about(records, "customer_id", "pk"),
        told=(
            "id",
            "customer_id",
            "kind",
            "channel",
            "direction",
            "initiative",
            "medium",
            "occurred_at",
            "business_date",
            "amount",
            "currency",
            "title",
            "body",
            "details",
            "in_response_to_id",
            "source__name",
            "message_id",
        ),
        audited=("interaction",),
        but=lambda: of_another("pk"),
    ),
    # What tells which contacts a split wrote anew goes after them.
    Holding(
        "moved",
        _("Contacts that a split moved"),
        Moved,
        111,
        lambda records: Q(original__customer_id__in=records) | Q(copy__customer_id__in=records),
    ),
    Holding(
        "splits",
        _("Splits"),
        Split,
        112,
        lambda records: Q(customer_id__in=records) | Q(made_id__in=records),
        told=("customer_id", "made_id", "at", "undone_at"),
        audited=("split",),
    ),
):
    registries.holdings.add(_one.key, _one)

registries.swept.add(
    "interactions",
    Swept(
        "interactions",
        Interaction,
        ("title", "body", "details"),
        where=lambda: ~Q(title="") | ~Q(body="") | Q(details__isnull=False),
    ),
)
registries.swept.add("retractions", Swept("retractions", Retraction, ("reason",)))
registries.swept.add(
    "import_files", Swept("import_files", ImportFile, ("file_name", "source", "choice", "error", "trial"))
)
registries.swept.add("import_mappings", Swept("import_mappings", ImportMapping, ("source", "choice")))
registries.impersonal.add(
    LeavingReason._meta.db_table, Impersonal(LeavingReason, "the reasons for leaving that there are")
)
