"""Import of customers: rows that describe them, and customers that other files name before anybody described them."""

from rondo.customers.loading.attributes import remove_definitions
from rondo.customers.loading.keys import CustomerKeys
from rondo.customers.loading.rows import CustomerLoader

__all__ = ["CustomerKeys", "CustomerLoader", "remove_definitions"]
