"""The room `duplicates` as a Django app."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig


class DuplicatesConfig(AppConfig):
    name = "rondo.duplicates"
    label = "duplicates"

    def ready(self) -> None:
        if find_spec("rondo.duplicates.registrations"):
            import_module("rondo.duplicates.registrations")
