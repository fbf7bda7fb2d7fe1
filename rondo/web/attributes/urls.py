"""Addresses of the pages about attributes, below ``settings/attributes/``."""

from django.urls import path

from rondo.web.attributes import changing, views

urlpatterns = [
    path("", views.attributes, name="attributes"),
    path("new", views.define, name="attribute-new"),
    path("back/<int:entry_id>", views.take_back, name="attribute-back"),
    path("<slug:key>/", views.attribute, name="attribute"),
    path("<slug:key>/archive", views.archive, name="attribute-archive"),
    path("<slug:key>/restore", views.restore, name="attribute-restore"),
    path("<slug:key>/move", views.move, name="attribute-move"),
    path("<slug:key>/type", changing.change_type, name="attribute-type"),
    path("<slug:key>/merge", changing.merge_choices, name="attribute-merge"),
    path("<slug:key>/progress", changing.progress, name="attribute-progress"),
    path("<slug:key>/give-up", changing.stop, name="attribute-give-up"),
    path("<slug:key>/type/back", changing.take_back_type, name="attribute-type-back"),
]
