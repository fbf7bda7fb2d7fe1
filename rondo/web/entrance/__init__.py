"""The pages around signing in: links and invitations, one's own means and sessions, and their administration."""
