"""The room `erasure` as a Django app."""

from importlib import import_module

from django.apps import AppConfig


class ErasureConfig(AppConfig):
    name = "rondo.erasure"
    label = "erasure"

    def ready(self) -> None:
        import_module("rondo.erasure.registrations")
