"""Addresses of the builder."""

from django.urls import path

from rondo.web.rules import views

urlpatterns = [
    path("turn", views.turn, name="rules-turn"),
    path("values", views.values, name="rules-values"),
]
