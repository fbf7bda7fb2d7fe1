"""The ground floor as a Django app."""

from importlib import import_module

from django.apps import AppConfig


class FoundationConfig(AppConfig):
    name = "rondo.foundation"
    label = "foundation"

    def ready(self) -> None:
        """Compiles translations that were edited since (an installed package brings them compiled), and registers."""
        from rondo.foundation.catalogues import compile_stale

        compile_stale()
        import_module("rondo.foundation.registrations")
