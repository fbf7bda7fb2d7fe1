"""What the catalogue adds to the product: an import kind, and the tables a load writes to."""

from django.utils.translation import gettext_lazy as _

from rondo.catalogue import copied
from rondo.catalogue.loading import ProductLoader, remove_categories, remove_products
from rondo.catalogue.models import Category, Product
from rondo.foundation.registry import ImportKind, LoadedTable, registries

registries.import_kinds.add(
    "products",
    ImportKind(
        "products",
        _("Products"),
        {name: field.meaning for name, field in ProductLoader.fields.items() if field.required},
        {name: field.meaning for name, field in ProductLoader.fields.items() if not field.required},
        ProductLoader,
    ),
)
registries.loaded_tables.add("categories", LoadedTable("categories", Category, 19, remove_categories))
registries.loaded_tables.add("products", LoadedTable("products", Product, 20, remove_products))

__all__ = ["copied"]
