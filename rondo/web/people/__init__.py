"""Pages of settings about people: users, teams, roles, and the audit log of what they changed."""
