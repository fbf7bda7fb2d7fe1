"""Backups: everything that cannot be worked out anew, in one archive that either kind of database takes."""
