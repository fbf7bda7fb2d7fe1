"""Proofs of backups."""
