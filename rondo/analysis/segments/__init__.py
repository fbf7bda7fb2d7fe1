"""Segments: sets of customers by a rule or by name, with a ledger of who entered and left, and when."""
