"""Addresses of reports."""

from django.urls import path

from rondo.web.reports import views

urlpatterns = [
    path("", views.reports, name="reports"),
    path("page.pdf", views.page_pdf, name="page-pdf"),
    path("new", views.new, name="report-new"),
    path("<int:report_id>/", views.report, name="report"),
    path("<int:report_id>/preview.pdf", views.preview, name="report-preview"),
    path("<int:report_id>/add", views.add, name="report-add"),
    path("<int:report_id>/pause", views.pause, name="report-pause"),
    path("<int:report_id>/delete", views.delete, name="report-delete"),
    path("<int:report_id>/restore", views.restore, name="report-restore"),
    path("<int:report_id>/leave", views.leave, name="report-leave"),
    path("<int:report_id>/send", views.send, name="report-send"),
    path("sendings/<int:sending_id>/again", views.again, name="report-send-again"),
]
