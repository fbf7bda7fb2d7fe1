"""Addresses of the REST API and of its documents."""

from typing import Any

from django.urls import URLPattern, URLResolver, path, re_path

from rondo.api import views
from rondo.api.problems import as_problems
from rondo.api.v1.service import api


def _problem_answers(patterns: list[Any]) -> list[URLPattern | URLResolver]:
    for pattern in patterns:
        pattern.callback = as_problems(pattern.callback)
    return patterns


_patterns, _app, _namespace = api.urls

urlpatterns = [
    path("openapi.json", views.openapi, name="api-openapi"),
    path("docs", views.docs, name="api-docs"),
    path("v1/", (_problem_answers(_patterns), _app, _namespace)),
    re_path(r"^(?P<path>.*)$", views.nothing),
]
