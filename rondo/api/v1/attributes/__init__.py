"""Attributes by program: defined, changed, put in order, archived; their types changed and their choices merged."""
