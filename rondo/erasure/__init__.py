"""Erasure of customers, and the data that is held about one: what goes, what stays and why, and the ledger by which a
restore of an older backup erases them again (docs/erasure.md)."""
