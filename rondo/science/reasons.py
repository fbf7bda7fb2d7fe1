"""What reasons of leads and interests are called: what pages need of them without the libraries that fit models."""

from enum import IntEnum

RECENT_DAYS = 14
"""Contacts of so many days are told of as those of late."""


class Why(IntEnum):
    """What speaks for a category: customers like this one buy it, they buy in its department, they looked at it, we
    told them of it, many try it now."""

    TASTE = 0
    DEPARTMENT = 1
    LOOKED = 2
    TOLD = 3
    POPULAR = 4
