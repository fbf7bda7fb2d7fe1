"""The room `retention` as a Django app."""

from importlib import import_module

from django.apps import AppConfig


class RetentionConfig(AppConfig):
    name = "rondo.retention"
    label = "retention"

    def ready(self) -> None:
        import_module("rondo.retention.registrations")
