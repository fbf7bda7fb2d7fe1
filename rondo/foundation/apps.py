"""The ground floor as a Django app."""

from django.apps import AppConfig


class FoundationConfig(AppConfig):
    name = "rondo.foundation"
    label = "foundation"
