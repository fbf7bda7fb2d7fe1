"""Addresses of the pages around signing in."""

from django.urls import path

from rondo.web.entrance import administration, arriving, own

urlpatterns = [
    path("in/<str:token>", arriving.by_link, name="sign-in-by-link"),
    path("invitation/<str:token>", arriving.invitation, name="invitation"),
    path("welcome", arriving.welcome, name="welcome"),
    path("profile/sign-in", own.security, name="security"),
    path("profile/sessions/<int:session_id>/end", own.end_session, name="end-session"),
    path("profile/sessions/end-others", own.end_other_sessions, name="end-other-sessions"),
    path("profile/tokens", own.tokens, name="tokens"),
    path("profile/tokens/<int:token_id>/revoke", own.revoke_token, name="revoke-token"),
    path("settings/invitations", administration.invite, name="invitations"),
    path("settings/invitations/<int:invitation_id>/again", administration.send_again, name="invitation-again"),
    path("settings/invitations/<int:invitation_id>/withdraw", administration.withdraw, name="invitation-withdraw"),
    path("settings/sign-in", administration.signing_in, name="signing-in-settings"),
    path("settings/service-accounts", administration.services, name="service-accounts"),
    path("settings/service-accounts/<int:user_id>", administration.service, name="service-account"),
    path("settings/service-accounts/<int:user_id>/switch", administration.switch_service, name="service-switch"),
    path("settings/users/<int:user_id>/sign-in", administration.access, name="user-access"),
    path("settings/users/<int:user_id>/end-sessions", administration.end_sessions, name="user-end-sessions"),
    path("settings/users/<int:user_id>/reset-second-factor", administration.reset_second_factor, name="user-reset"),
    path("settings/users/<int:user_id>/tokens/<int:token_id>/revoke", administration.revoke_token, name="user-revoke"),
]
