"""The room `api` as a Django app."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "rondo.api"
    label = "api"

    def ready(self) -> None:
        if find_spec("rondo.api.registrations"):
            import_module("rondo.api.registrations")
