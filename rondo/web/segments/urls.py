"""Addresses of the pages of segments."""

from django.urls import path

from rondo.web.segments import builder, twins, views

urlpatterns = [
    path("", views.segments, name="segments"),
    path("new", builder.new, name="segment-new"),
    path("check", builder.check, name="segment-check"),
    path("<slug:key>/", views.segment, name="segment"),
    path("<slug:key>/edit", builder.edit, name="segment-edit"),
    path("<slug:key>/members", views.members, name="segment-members"),
    path("<slug:key>/refresh", views.refresh, name="segment-refresh"),
    path("<slug:key>/delete", views.delete, name="segment-delete"),
    path("<slug:key>/restore", views.restore, name="segment-restore"),
    path("<slug:key>/twins", twins.twins, name="segment-twins"),
    path("<slug:key>/twins/ask", twins.ask, name="segment-twins-ask"),
    path("<slug:key>/twins/progress", twins.progress, name="segment-twins-progress"),
    path("<slug:key>/twins/list", twins.listed, name="segment-twins-list"),
    path("<slug:key>/twins/keep", twins.keep, name="segment-twins-keep"),
    path("<slug:key>/twins/reach.csv", twins.download, name="segment-twins-csv"),
]
