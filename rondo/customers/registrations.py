"""What customers add to the product: an import kind, and the tables a load writes to."""

from django.utils.translation import gettext_lazy as _

from rondo.customers import copied, ruled
from rondo.customers.loading import ConsentLoader, CustomerLoader, remove_definitions
from rondo.customers.models import (
    Address,
    AttributeDefinition,
    AttributeValue,
    Consent,
    Customer,
    Identifier,
    Link,
    NameWord,
)
from rondo.customers.queries import ROOM
from rondo.foundation.registry import ImportKind, LoadedTable, Room, registries

registries.rooms.add(
    ROOM, Room(ROOM, _("Customers, their chain and figures"), 10, ("own", "team", "all"), usual="all", narrowed=True)
)
_LOADERS = (("customers", _("Customers"), CustomerLoader), ("consents", _("Consents"), ConsentLoader))
for _key, _label, _loader in _LOADERS:
    registries.import_kinds.add(
        _key,
        ImportKind(
            _key,
            _label,
            {name: field.meaning for name, field in _loader.fields.items() if field.required},
            {name: field.meaning for name, field in _loader.fields.items() if not field.required},
            _loader,
        ),
    )
registries.loaded_tables.add("attributes", LoadedTable("attributes", AttributeDefinition, 9, remove_definitions))
registries.loaded_tables.add("customers", LoadedTable("customers", Customer, 10))
registries.loaded_tables.add("identifiers", LoadedTable("identifiers", Identifier, 11))
registries.loaded_tables.add("addresses", LoadedTable("addresses", Address, 12))
registries.loaded_tables.add("attribute_values", LoadedTable("attribute_values", AttributeValue, 13))
registries.loaded_tables.add("name_words", LoadedTable("name_words", NameWord, 14))
registries.loaded_tables.add("links", LoadedTable("links", Link, 16))
registries.loaded_tables.add("consents", LoadedTable("consents", Consent, 15))

__all__ = ["copied", "ruled"]
