"""Users, roles, teams, invitations, service accounts, sessions and tokens by program."""
