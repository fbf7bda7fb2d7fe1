"""All addresses, assembled from the rooms."""

from django.urls import include, path, re_path
from django.views.generic import RedirectView

from rondo.foundation.health import health
from rondo.web.views.errors import closed

urlpatterns = [
    path("health", health, name="health"),
    path("", include("rondo.web.urls")),
    path("settings/demo/", include("rondo.demo.urls")),
    # Only administrators change who signs in by which address (rondo.foundation.accounts).
    re_path(r"^accounts/(confirm-)?email/", closed),
    # Second factors and passkeys are listed on one page of ours.
    re_path(r"^accounts/2fa/(?:webauthn/)?$", RedirectView.as_view(pattern_name="security")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("api/", include("rondo.api.urls")),
]

handler400 = "rondo.web.views.errors.unusable"
handler403 = "rondo.web.views.errors.forbidden"
handler404 = "rondo.web.views.errors.not_found"
handler500 = "rondo.web.views.errors.failed"
