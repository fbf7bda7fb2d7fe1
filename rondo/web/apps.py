"""The room `web` as a Django app."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "rondo.web"
    label = "web"

    def ready(self) -> None:
        if find_spec("rondo.web.registrations"):
            import_module("rondo.web.registrations")
