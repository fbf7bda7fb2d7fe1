"""Relationships: what kind each is, how a customer of that kind is treated, and what binds customers."""
