"""The ground floor as a Django app."""

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class FoundationConfig(AppConfig):
    name = "rondo.foundation"
    label = "foundation"

    def ready(self) -> None:
        """Compiles translations that were edited since (an installed package brings them compiled), and registers."""
        from rondo.foundation.catalogues import compile_stale

        compile_stale()
        import_module("rondo.foundation.registrations")
        post_migrate.connect(put_back_roles, sender=self)


def put_back_roles(using: str, **_more: Any) -> None:
    """After each `migrate` and each `flush`: built-in roles that are not there. Without them nobody could be added."""
    from rondo.foundation.models import Role
    from rondo.foundation.rights import BUILT_IN, built_in

    if using == "default" and (missing := set(BUILT_IN) - set(Role.objects.values_list("key", flat=True))):
        Role.objects.bulk_create([built_in(key) for key in BUILT_IN if key in missing], ignore_conflicts=True)
