"""What the columnar copy takes of the chain: who, when, how and how much; no titles, texts, details or message ids."""

from rondo.foundation.registry import WarehouseTable, registries

registries.warehouse_tables.add(
    "interactions",
    WarehouseTable(
        key="interactions",
        mode="append",
        source="interactions_interaction i",
        key_sql="i.id",
        load_sql="i.load_id",
        written_sql="i.written_in",
        span="interactions_interaction",
        columns={
            "id": ("i.id", "int64"),
            "customer_id": ("i.customer_id", "int64"),
            "kind": ("i.kind", "string"),
            "channel": ("i.channel", "string"),
            "direction": ("i.direction", "string"),
            "initiative": ("i.initiative", "string"),
            "medium": ("i.medium", "string"),
            "occurred_at": ("i.occurred_at", "timestamp"),
            "business_date": ("i.business_date", "date32"),
            "amount": ("i.amount", "int64"),
            "currency": ("i.currency", "string"),
            "in_response_to": ("i.in_response_to_id", "int64"),
            "source_id": ("i.source_id", "int64"),
            "load_id": ("i.load_id", "int64"),
        },
        customer="customer_id",
        retracted_by="id",
        order=60,
        meaning="Every contact: who, when, kind, channel, direction, initiative, medium, amount, and what it answers.",
    ),
)
registries.warehouse_tables.add(
    "orders",
    WarehouseTable(
        key="orders",
        mode="append",
        source="interactions_order o JOIN interactions_interaction i ON i.id = o.interaction_id",
        key_sql="o.interaction_id",
        load_sql="o.load_id",
        written_sql="i.written_in",
        span="interactions_interaction",
        columns={
            "id": ("o.interaction_id", "int64"),
            "customer_id": ("i.customer_id", "int64"),
            "occurred_at": ("i.occurred_at", "timestamp"),
            "business_date": ("i.business_date", "date32"),
            "store": ("o.store", "string"),
            "total": ("o.total", "int64"),
            "currency": ("o.currency", "string"),
            "line_count": ("o.line_count", "int64"),
            "source_id": ("o.source_id", "int64"),
            "load_id": ("o.load_id", "int64"),
        },
        customer="customer_id",
        retracted_by="id",
        order=70,
        meaning="Orders: customer, time, business date, store, total in minor units.",
    ),
)
registries.warehouse_tables.add(
    "order_lines",
    WarehouseTable(
        key="order_lines",
        mode="append",
        source="interactions_orderline l JOIN interactions_order o ON o.interaction_id = l.order_id",
        key_sql="l.id",
        load_sql="o.load_id",
        written_sql="i.written_in",
        written_join="JOIN interactions_interaction i ON i.id = o.interaction_id",
        span="interactions_orderline",
        columns={
            "id": ("l.id", "int64"),
            "order_id": ("l.order_id", "int64"),
            "product_id": ("l.product_id", "int64"),
            "quantity_milli": ("l.quantity_milli", "int64"),
            "total": ("l.total", "int64"),
            "discount": ("l.discount", "int64"),
            "coupon_discount": ("l.coupon_discount", "int64"),
            "match_discount": ("l.match_discount", "int64"),
            "load_id": ("o.load_id", "int64"),
        },
        retracted_by="order_id",
        order=80,
        meaning="Lines of orders: product, quantity in thousandths, total paid and discounts in minor units.",
    ),
)
# A retraction has no ascending key of its own (it is keyed by what it retracts), and there are few: a snapshot.
registries.warehouse_tables.add(
    "retractions",
    WarehouseTable(
        key="retractions",
        mode="snapshot",
        source="interactions_retraction r",
        key_sql="r.interaction_id",
        columns={"interaction_id": ("r.interaction_id", "int64"), "retracted_at": ("r.at", "timestamp")},
        order=90,
        meaning="Interactions that were taken back, and when.",
    ),
)
