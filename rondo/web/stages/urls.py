"""Addresses of the pages of buying stages."""

from django.urls import path

from rondo.web.stages import rules, views

urlpatterns = [
    path("", views.stages, name="buying-stages"),
    path("table.csv", views.table, name="buying-stages-table"),
    path("category", views.category, name="buying-stages-category"),
    path("category/drawing.csv", views.drawing, name="buying-stages-drawing"),
    path("of/<str:public_id>/<str:stage>", views.of_customer, name="buying-stages-of"),
    path("rules", rules.rules, name="buying-stages-rules"),
    path("rules/progress", rules.progress, name="buying-stages-rules-progress"),
    path("rules/apply", rules.apply, name="buying-stages-rules-apply"),
    path("rules/again", rules.again, name="buying-stages-rules-again"),
]
