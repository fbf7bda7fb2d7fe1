"""Addresses of the pages of campaigns."""

from django.urls import path

from rondo.web.campaigns import views

urlpatterns = [
    path("", views.campaigns, name="campaigns"),
    path("<str:public_id>/", views.campaign, name="campaign"),
    path("<str:public_id>/reactions.csv", views.reactions, name="campaign-reactions"),
]
