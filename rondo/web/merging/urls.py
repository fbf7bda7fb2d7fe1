"""Addresses of merging and splitting by hand."""

from django.urls import path

from rondo.web.merging import splits, views

urlpatterns = [
    path("<str:public_id>/merge", views.merge_two, name="customer-merge"),
    path("merges/<int:merge_id>/undo", views.unmerge_two, name="customer-unmerge"),
    path("<str:public_id>/split", splits.split_one, name="customer-split"),
    path("splits/<int:split_id>/undo", splits.split_back, name="customer-split-back"),
]
