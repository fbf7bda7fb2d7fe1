"""The room `interactions` as a Django app."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig


class InteractionsConfig(AppConfig):
    name = "rondo.interactions"
    label = "interactions"

    def ready(self) -> None:
        if find_spec("rondo.interactions.registrations"):
            import_module("rondo.interactions.registrations")
