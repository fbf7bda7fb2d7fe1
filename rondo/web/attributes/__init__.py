"""Attributes of customers: which there are, what they ask for, who sees them, and how they are changed."""
