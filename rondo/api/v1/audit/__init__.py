"""The audit log by program."""
