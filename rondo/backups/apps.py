"""The room `backups` as a Django app."""

from django.apps import AppConfig


class BackupsConfig(AppConfig):
    name = "rondo.backups"
    label = "backups"
