"""Addresses of the pages of campaigns."""

from django.urls import path

from rondo.web.campaigns import likely, views, who

urlpatterns = [
    path("", views.campaigns, name="campaigns"),
    path("who/", who.who, name="campaigns-who"),
    path("types/<slug:key>/", likely.likely, name="campaign-type"),
    path("types/<slug:key>/ask", likely.ask, name="campaign-type-ask"),
    path("types/<slug:key>/progress", likely.progress, name="campaign-type-progress"),
    path("types/<slug:key>/calibration.csv", likely.download, name="campaign-type-csv"),
    path("<str:public_id>/", views.campaign, name="campaign"),
    path("<str:public_id>/reactions.csv", views.reactions, name="campaign-reactions"),
]
