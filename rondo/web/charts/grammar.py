"""Altair, imported by the first drawing: pages whose drawings are kept already start and answer without it."""

from typing import Any


def __getattr__(name: str) -> Any:
    import altair

    return getattr(altair, name)
