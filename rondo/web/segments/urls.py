"""Addresses of the pages of segments."""

from django.urls import path

from rondo.web.segments import builder, controls, groups, overlap, twins, views, why

urlpatterns = [
    path("", views.segments, name="segments"),
    path("new", builder.new, name="segment-new"),
    path("check", builder.check, name="segment-check"),
    path("overlap", overlap.overlap, name="segments-overlap"),
    path("overlap/sets.csv", overlap.download, name="segments-overlap-csv"),
    path("groups", groups.groups, name="groups"),
    path("groups/ask", groups.ask, name="groups-ask"),
    path("groups/progress", groups.progress, name="groups-progress"),
    path("groups/keep", groups.keep, name="groups-keep"),
    path("groups/stability.csv", groups.download, name="groups-csv"),
    path("<slug:key>/", views.segment, name="segment"),
    path("<slug:key>/sizes.csv", views.sizes, name="segment-sizes"),
    path("<slug:key>/edit", builder.edit, name="segment-edit"),
    path("<slug:key>/members", views.members, name="segment-members"),
    path("<slug:key>/refresh", views.refresh, name="segment-refresh"),
    path("<slug:key>/delete", views.delete, name="segment-delete"),
    path("<slug:key>/restore", views.restore, name="segment-restore"),
    path("<slug:key>/snapshot", views.snapshot, name="segment-snapshot"),
    path("<slug:key>/why/<str:public_id>/", why.why, name="segment-why"),
    path("<slug:key>/controls", controls.controls, name="segment-controls"),
    path("<slug:key>/controls/ask", controls.ask, name="segment-controls-ask"),
    path("<slug:key>/controls/progress", controls.progress, name="segment-controls-progress"),
    path("<slug:key>/controls/pairs", controls.pairs, name="segment-controls-pairs"),
    path("<slug:key>/controls/keep", controls.keep, name="segment-controls-keep"),
    path("<slug:key>/twins", twins.twins, name="segment-twins"),
    path("<slug:key>/twins/ask", twins.ask, name="segment-twins-ask"),
    path("<slug:key>/twins/progress", twins.progress, name="segment-twins-progress"),
    path("<slug:key>/twins/list", twins.listed, name="segment-twins-list"),
    path("<slug:key>/twins/keep", twins.keep, name="segment-twins-keep"),
    path("<slug:key>/twins/reach.csv", twins.download, name="segment-twins-csv"),
]
