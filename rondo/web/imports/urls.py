"""Addresses of the pages of imports."""

from django.urls import path

from rondo.web.imports import runs, views

urlpatterns = [
    path("", views.imports, name="imports"),
    path("files/<str:public_id>/", views.file, name="import-file"),
    path("files/<str:public_id>/kind", views.change_kind, name="import-file-kind"),
    path("files/<str:public_id>/progress", views.progress, name="import-file-progress"),
    path("files/<str:public_id>/rows.csv", views.rows_csv, name="import-file-rows"),
    path("files/<str:public_id>/start", views.start, name="import-file-start"),
    path("files/<str:public_id>/discard", views.discard, name="import-file-discard"),
    path("runs/<int:run>/", runs.run, name="import-run"),
    path("runs/<int:run>/rejects.csv", runs.rejects, name="import-run-rejects"),
    path("runs/<int:run>/again", runs.again, name="import-run-again"),
    path("runs/<int:run>/undo", runs.take_back, name="import-run-undo"),
]
