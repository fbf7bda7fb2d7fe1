"""Addresses of webhooks."""

from django.urls import path

from rondo.web.webhooks import views

urlpatterns = [
    path("", views.webhooks, name="webhooks"),
    path("new", views.new, name="webhook-new"),
    path("messages/<str:message_id>/", views.message, name="webhook-message"),
    path("messages/<str:message_id>/again", views.again, name="webhook-message-again"),
    path("<str:webhook_id>/", views.webhook, name="webhook"),
    path("<str:webhook_id>/pause", views.pause, name="webhook-pause"),
    path("<str:webhook_id>/test", views.test, name="webhook-test"),
    path("<str:webhook_id>/secret", views.secret, name="webhook-secret"),
    path("<str:webhook_id>/secret/end", views.end_secret, name="webhook-secret-end"),
    path("<str:webhook_id>/again", views.again_span, name="webhook-again"),
    path("<str:webhook_id>/delete", views.delete, name="webhook-delete"),
    path("<str:webhook_id>/restore", views.restore, name="webhook-restore"),
]
