"""What the room `analysis` registers with the floors below: the facts of a customer."""

from rondo.analysis.facts import definitions

__all__ = ["definitions"]
