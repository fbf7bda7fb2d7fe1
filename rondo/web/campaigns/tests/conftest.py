"""The hand-made ledger of the room below, for its pages."""

from rondo.campaigns.tests.conftest import ledger

__all__ = ["ledger"]
