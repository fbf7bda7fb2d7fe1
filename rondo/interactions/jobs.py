"""Periodic work of the chain."""

from rondo.foundation.actors import Actor
from rondo.interactions.importing.sweeping import sweep_dead_loads


def sweep(actor: Actor) -> int:
    """Delete the rows of imports that died; how many imports."""
    return len(sweep_dead_loads())
