"""Django's name for this room."""

from importlib import import_module

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "rondo.reports"
    label = "reports"

    def ready(self) -> None:
        import_module("rondo.reports.registrations")
