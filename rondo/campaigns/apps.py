"""The room `campaigns` as a Django app."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "rondo.campaigns"
    label = "campaigns"

    def ready(self) -> None:
        if find_spec("rondo.campaigns.registrations"):
            import_module("rondo.campaigns.registrations")
