"""The room `customers` as a Django app."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "rondo.customers"
    label = "customers"

    def ready(self) -> None:
        if find_spec("rondo.customers.registrations"):
            import_module("rondo.customers.registrations")
