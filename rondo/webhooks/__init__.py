"""Webhooks: what happened in Rondo, sent to other systems as signed messages (docs/webhooks.md)."""
