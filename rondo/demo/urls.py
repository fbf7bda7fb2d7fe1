"""Addresses of the demo."""

from django.urls import path

from rondo.demo import views

urlpatterns = [
    path("", views.demo_data, name="demo-data"),
    path("progress", views.progress, name="demo-progress"),
]
