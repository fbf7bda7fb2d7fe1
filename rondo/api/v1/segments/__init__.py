"""Segments by program: made by a rule as text or JSON, or by names; changed, computed, kept, deleted; their members."""
