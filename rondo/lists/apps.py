"""Django's name for this room."""

from django.apps import AppConfig


class ListsConfig(AppConfig):
    name = "rondo.lists"
    label = "lists"
