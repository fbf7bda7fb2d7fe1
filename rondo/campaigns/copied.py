"""What the columnar copy takes of campaigns: the campaigns and the exposure ledger."""

from rondo.foundation.registry import WarehouseTable, registries

registries.warehouse_tables.add(
    "campaigns",
    WarehouseTable(
        key="campaigns",
        mode="snapshot",
        source="campaigns_campaign m",
        key_sql="m.id",
        load_sql="m.load_id",
        columns={
            "id": ("m.id", "int64"),
            "number": ("m.number", "string"),
            "name": ("m.name", "string"),
            "type": ("m.type", "string"),
            "starts_on": ("m.starts_on", "date32"),
            "ends_on": ("m.ends_on", "date32"),
            "design": ("m.design", "string"),
            "load_id": ("m.load_id", "int64"),
        },
        order=100,
        meaning="Campaigns: type, window, and whether their design allows a statement on effect.",
    ),
)
registries.warehouse_tables.add(
    "exposures",
    WarehouseTable(
        key="exposures",
        mode="snapshot",
        source="campaigns_exposure e",
        key_sql="e.id",
        load_sql="e.load_id",
        columns={
            "id": ("e.id", "int64"),
            "campaign_id": ("e.campaign_id", "int64"),
            "customer_id": ("e.customer_id", "int64"),
            "eligible": ("e.eligible", "bool"),
            "arm": ("e.arm", "string"),
            "suppressed": ("e.suppressed", "string"),
            "sent_on": ("e.sent_on", "date32"),
            "interaction_id": ("e.interaction_id", "int64"),
            "load_id": ("e.load_id", "int64"),
        },
        customer="customer_id",
        retracted_by="interaction_id",
        ledger=True,
        order=110,
        meaning="The exposure ledger: who was eligible for which campaign, in which arm, and when it was sent.",
    ),
)
