"""Rondo, a closed-loop CRM: one record per customer, the chain of interactions, its analysis, and what each action
changed."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rondo.analysis.notebook import Models
    from rondo.warehouse.tables import Tables

__version__ = "0.1.0"


def tables() -> "Tables":
    """The columnar copy as Ibis tables, for notebooks and scripts.

    Sets Django up when that has not been done, so that ``import rondo; rondo.tables()`` is all an analyst needs.
    The object has one attribute per table (``customers``, ``orders``, ``order_lines``, ...) and ``sql(text)``.
    """
    _set_up()
    from rondo.warehouse.tables import open_tables

    return open_tables()


def models(run: int | None = None) -> "Models":
    """The fitted models of the analysis being served, or of the ``run`` with that number, for notebooks and scripts.

    ``models.purchases.expected_purchases(...)``, ``models.spend.expected_mean_spend(...)``, and the histories they were
    fitted to as an Arrow table by ``models.histories(tables)``.
    """
    _set_up()
    from rondo.analysis.notebook import open_models

    return open_models(run)


def _set_up() -> None:
    import os

    import django
    from django.apps import apps

    if not apps.ready:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rondo.settings")
        django.setup()


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'rondo' has no attribute {name!r}")
