"""What the room `erasure` registers: what the tables of the rooms below hold about a person, its own ones, and the
nightly overwriting of freed pages. Rooms above register their tables themselves."""

from datetime import time, timedelta

from rondo.catalogue import held as catalogue_held
from rondo.customers import held as customers_held
from rondo.duplicates import held as duplicates_held
from rondo.erasure import held
from rondo.foundation import held as foundation_held
from rondo.foundation.registry import Periodic, registries
from rondo.interactions import held as interactions_held
from rondo.lists import held as lists_held
from rondo.warehouse import held as warehouse_held

__all__ = [
    "catalogue_held",
    "customers_held",
    "duplicates_held",
    "foundation_held",
    "held",
    "interactions_held",
    "lists_held",
    "warehouse_held",
]

registries.periodic.add(
    "erasure", Periodic("erasure", "rondo.erasure.actions.nightly.every_night", timedelta(days=1), time(3, 50))
)
