"""Saved views of lists, and how everybody arranges them."""
