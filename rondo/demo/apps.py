"""The room `demo` as a Django app."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "rondo.demo"
    label = "demo"

    def ready(self) -> None:
        if find_spec("rondo.demo.registrations"):
            import_module("rondo.demo.registrations")
