"""The room `warehouse` as a Django app."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig


class WarehouseConfig(AppConfig):
    name = "rondo.warehouse"
    label = "warehouse"

    def ready(self) -> None:
        if find_spec("rondo.warehouse.registrations"):
            import_module("rondo.warehouse.registrations")
