"""What the room `campaigns` registers with the floors below."""

from rondo.campaigns import copied

__all__ = ["copied"]
