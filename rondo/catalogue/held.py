"""What the catalogue holds about customers: nothing."""

from rondo.catalogue.models import Category, Product
from rondo.foundation.holdings import Impersonal
from rondo.foundation.registry import registries

registries.impersonal.add(Category._meta.db_table, Impersonal(Category, "names of categories of products"))
registries.impersonal.add(Product._meta.db_table, Impersonal(Product, "products and their prices"))
