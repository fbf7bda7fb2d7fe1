"""All addresses, assembled from the rooms."""

from django.urls import include, path

from rondo.foundation.health import health

urlpatterns = [
    path("health", health, name="health"),
    path("", include("rondo.web.urls")),
    path("customers/", include("rondo.web.customers.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("api/", include("rondo.api.urls")),
    path("campaigns/", include("rondo.web.campaigns.urls")),
]

handler403 = "rondo.web.views.errors.forbidden"
handler404 = "rondo.web.views.errors.not_found"
handler500 = "rondo.web.views.errors.failed"
