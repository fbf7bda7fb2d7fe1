"""Addresses of the pages about users, teams, roles and changes."""

from django.urls import path

from rondo.web.people import log, roles, teams, users

urlpatterns = [
    path("settings/users/", users.users, name="users"),
    path("settings/users/<int:user_id>/", users.user, name="user"),
    path("settings/teams/", teams.teams, name="teams"),
    path("settings/teams/<int:team_id>/", teams.team, name="team"),
    path("settings/teams/<int:team_id>/delete", teams.delete, name="team-delete"),
    path("settings/roles/", roles.roles, name="roles"),
    path("settings/roles/<slug:key>/", roles.role, name="role"),
    path("settings/roles/<slug:key>/reset", roles.reset, name="role-reset"),
    path("settings/roles/<slug:key>/delete", roles.delete, name="role-delete"),
    path("settings/undo/<int:entry_id>", log.undo, name="undo-change"),
    path("settings/audit/", log.log, name="audit-log"),
    path("settings/audit/log.csv", log.download, name="audit-log-csv"),
    path("changes/<slug:kind>/<str:key>", log.changes, name="record-changes"),
]
