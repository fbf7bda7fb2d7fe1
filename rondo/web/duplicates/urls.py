"""Addresses of the pages of duplicates."""

from django.urls import path

from rondo.web.duplicates import automatic, views

urlpatterns = [
    path("", views.duplicates, name="duplicates"),
    path("search", views.search, name="duplicates-search"),
    path("progress", views.progress, name="duplicates-progress"),
    path("automatic", automatic.automatic, name="duplicates-automatic"),
    path("<int:pair_id>/decide", views.decide_pair, name="duplicates-decide"),
    path("<int:pair_id>/undo", views.undo, name="duplicates-undo"),
]
