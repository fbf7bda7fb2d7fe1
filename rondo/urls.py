"""All addresses, assembled from the rooms."""

from django.urls import include, path

urlpatterns = [
    path("", include("rondo.web.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("api/", include("rondo.api.urls")),
]

handler403 = "rondo.web.views.errors.forbidden"
handler404 = "rondo.web.views.errors.not_found"
handler500 = "rondo.web.views.errors.failed"
