"""What the columnar copy takes of customers: keys, kinds, dates and typed values; no names, addresses or free text."""

from rondo.foundation.registry import WarehouseTable, registries

registries.warehouse_tables.add(
    "customers",
    WarehouseTable(
        key="customers",
        mode="snapshot",
        source="customers_customer c",
        key_sql="c.id",
        load_sql="c.load_id",
        columns={
            "id": ("c.id", "int64"),
            "kind": ("c.kind", "string"),
            "is_demo": ("c.is_demo", "bool"),
            "is_merged": ("c.is_merged", "bool"),
            "known_since": ("c.known_since", "date32"),
            "known_since_at_least": ("c.known_since_at_least", "bool"),
            "owner_id": ("c.owner_id", "int64"),
            "team_id": ("c.team_id", "int64"),
            "load_id": ("c.load_id", "int64"),
        },
        keep="NOT is_merged",
        people=("id",),
        order=10,
        meaning="One row per surviving customer: kind, first known day, owner and team.",
    ),
)
registries.warehouse_tables.add(
    "survivors",
    WarehouseTable(
        key="survivors",
        mode="snapshot",
        source="customers_survivor s",
        key_sql="s.customer_id",
        columns={"customer_id": ("s.customer_id", "int64"), "survivor_id": ("s.survivor_id", "int64")},
        order=20,
        meaning="Every merged record and the customer that survives it.",
    ),
)
registries.warehouse_tables.add(
    "binned",
    WarehouseTable(
        key="binned",
        mode="snapshot",
        source="(SELECT id FROM customers_customer WHERE bin_id IS NOT NULL) b",
        key_sql="b.id",
        columns={"customer_id": ("b.id", "int64")},
        order=25,
        meaning="Records of customers in the bin, whose rows all other tables leave out.",
    ),
)
registries.warehouse_tables.add(
    "attributes",
    WarehouseTable(
        key="attributes",
        mode="snapshot",
        source="customers_attributevalue v JOIN customers_attributedefinition d "
        "ON d.id = v.definition_id AND d.state = 'standing'",
        key_sql="v.id",
        load_sql="v.load_id",
        columns={
            "id": ("v.id", "int64"),
            "customer_id": ("v.customer_id", "int64"),
            "key": ("d.key", "string"),
            "type": ("d.type", "string"),
            # Text of any other type than a choice is free text and stays out of the copy.
            "choice": ("CASE WHEN d.type IN ('choice', 'multi') THEN v.text END", "string"),
            "number": ("v.number", "float64"),
            "day": ("v.day", "date32"),
            "load_id": ("v.load_id", "int64"),
        },
        customer="customer_id",
        order=30,
        meaning="Typed attribute values; choices as text (several as |one|other|), numbers, money and yes/no as "
        "number, dates as day.",
    ),
)
registries.warehouse_tables.add(
    "consents",
    WarehouseTable(
        key="consents",
        mode="snapshot",
        source="customers_consent n",
        key_sql="n.id",
        load_sql="n.load_id",
        columns={
            "id": ("n.id", "int64"),
            "customer_id": ("n.customer_id", "int64"),
            "channel": ("n.channel", "string"),
            "purpose": ("n.purpose", "string"),
            "state": ("n.state", "string"),
            "at": ("n.at", "timestamp"),
            "load_id": ("n.load_id", "int64"),
        },
        customer="customer_id",
        order=32,
        meaning="The ledger of consents: channel, purpose, given or withdrawn, when. The last entry holds.",
    ),
)
registries.warehouse_tables.add(
    "links",
    WarehouseTable(
        key="links",
        mode="snapshot",
        source="customers_link l",
        key_sql="l.id",
        load_sql="l.load_id",
        columns={
            "id": ("l.id", "int64"),
            "subject_id": ("l.subject_id", "int64"),
            "object_id": ("l.object_id", "int64"),
            "role": ("l.role", "string"),
            "created_at": ("l.created_at", "timestamp"),
            "since": ("l.since", "date32"),
            "until": ("l.until", "date32"),
            "load_id": ("l.load_id", "int64"),
        },
        keep="until IS NULL",
        people=("subject_id", "object_id"),
        order=35,
        meaning="Links between customers that have not ended, by the records they were written with: role says what "
        "subject is to object.",
    ),
)
