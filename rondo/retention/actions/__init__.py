"""The verbs of retention: rules are made, and carried out."""

from rondo.retention.actions.ruling import change_rules

__all__ = ["change_rules"]
