"""Proofs of duplicates."""
