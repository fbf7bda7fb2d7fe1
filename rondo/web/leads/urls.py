"""Addresses of the pages of leads and interests."""

from django.urls import path

from rondo.web.leads import views

urlpatterns = [
    path("", views.leads, name="leads"),
    path("<slug:which>.csv", views.table, name="leads-table"),
]
