"""The room `analysis` as a Django app."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig


class AnalysisConfig(AppConfig):
    name = "rondo.analysis"
    label = "analysis"

    def ready(self) -> None:
        if find_spec("rondo.analysis.registrations"):
            import_module("rondo.analysis.registrations")
