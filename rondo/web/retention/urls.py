"""Addresses of retention."""

from django.urls import path

from rondo.web.retention import views

urlpatterns = [path("", views.retention, name="retention")]
