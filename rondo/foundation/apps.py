"""The ground floor as a Django app."""

from django.apps import AppConfig


class FoundationConfig(AppConfig):
    name = "rondo.foundation"
    label = "foundation"

    def ready(self) -> None:
        """Compiles translations that were edited since; an installed package brings them compiled."""
        from rondo.foundation.catalogues import compile_stale

        compile_stale()
