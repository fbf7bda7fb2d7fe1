"""Addresses of the pages of the analysis itself."""

from django.urls import path

from rondo.web.analysis import views

urlpatterns = [
    path("models/", views.models, name="models"),
    path("models/choose", views.choose, name="choose-model"),
]
