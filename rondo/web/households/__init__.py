"""Households and organisations: who is linked to whom, and what all who belong to one bring together."""
