"""Every fact of a customer: key, label, definition and unit. docs/facts.md and the score table follow this order."""

from rondo.analysis.definitions import worth, buying, standing, circles  # isort: skip - the order of the facts

__all__ = ["buying", "circles", "standing", "worth"]
