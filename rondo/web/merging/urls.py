"""Addresses of merging by hand."""

from django.urls import path

from rondo.web.merging import views

urlpatterns = [
    path("<str:public_id>/merge", views.merge_two, name="customer-merge"),
    path("merges/<int:merge_id>/undo", views.unmerge_two, name="customer-unmerge"),
]
