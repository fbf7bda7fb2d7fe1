"""Django's name for this room."""

from importlib import import_module

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "rondo.webhooks"
    label = "webhooks"

    def ready(self) -> None:
        import_module("rondo.webhooks.registrations")
