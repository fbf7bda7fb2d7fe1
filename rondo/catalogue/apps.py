"""The room `catalogue` as a Django app."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "rondo.catalogue"
    label = "catalogue"

    def ready(self) -> None:
        if find_spec("rondo.catalogue.registrations"):
            import_module("rondo.catalogue.registrations")
