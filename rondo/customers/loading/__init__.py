"""Import of customers: rows that describe them, customers that other files name before anybody described them, and
what they consented to."""

from rondo.customers.loading.attributes import remove_definitions
from rondo.customers.loading.consents import ConsentLoader
from rondo.customers.loading.keys import CustomerKeys
from rondo.customers.loading.rows import CustomerLoader

__all__ = ["ConsentLoader", "CustomerKeys", "CustomerLoader", "remove_definitions"]
