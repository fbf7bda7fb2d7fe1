"""What the columnar copy takes of the catalogue: products and the category tree."""

from rondo.foundation.registry import WarehouseTable, registries

registries.warehouse_tables.add(
    "products",
    WarehouseTable(
        key="products",
        mode="snapshot",
        source="catalogue_product p",
        key_sql="p.id",
        load_sql="p.load_id",
        columns={
            "id": ("p.id", "int64"),
            "number": ("p.number", "string"),
            "name": ("p.name", "string"),
            "category_id": ("p.category_id", "int64"),
            "brand": ("p.brand", "string"),
            "size": ("p.size", "string"),
            "own_label": ("p.own_label", "bool"),
            "price": ("p.price", "int64"),
            "currency": ("p.currency", "string"),
            "is_placeholder": ("p.is_placeholder", "bool"),
            "load_id": ("p.load_id", "int64"),
        },
        order=40,
        meaning="Products: number, name, category, brand, package size, own-label flag, list price in minor units.",
    ),
)
registries.warehouse_tables.add(
    "categories",
    WarehouseTable(
        key="categories",
        mode="snapshot",
        source="catalogue_category k",
        key_sql="k.id",
        columns={
            "id": ("k.id", "int64"),
            "parent_id": ("k.parent_id", "int64"),
            "name": ("k.name", "string"),
            "path": ("k.path", "string"),
            "depth": ("k.depth", "int32"),
        },
        order=50,
        meaning='The category tree; path joins the names from the root by " > ".',
    ),
)
