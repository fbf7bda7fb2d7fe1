"""``rondo up``: web, worker and scheduler in one supervised tree of processes."""

from rondo.foundation.serving.up import serve

__all__ = ["serve"]
