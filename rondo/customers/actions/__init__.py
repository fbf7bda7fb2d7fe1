"""The verbs that change customers: each checks the right, reads through the gate, writes named fields and the audit.

Every function runs in one transaction of its own (or joins the caller's) and takes an
:class:`~rondo.foundation.actors.Actor` first. A customer is given as :class:`Customer`, key or public id.
"""

from rondo.customers.actions.attributes import set_attribute
from rondo.customers.actions.cells import Edited, Stale, change_cell, take_back_cell
from rondo.customers.actions.consents import note_consent, take_back_consent
from rondo.customers.actions.contact_points import add_address, add_identifier, remove_address, remove_identifier
from rondo.customers.actions.definitions import (
    archive_attribute,
    change_attribute,
    define_attribute,
    move_attribute,
    restore_attribute,
    take_back_attribute,
)
from rondo.customers.actions.links import Removed, change_link, link, link_as_household, link_new, put_back_link, unlink
from rondo.customers.actions.merging import Unmerged, merge, unmerge
from rondo.customers.actions.records import assign_owner, assign_team, change_customer, create_customer
from rondo.customers.actions.together import MOST_AT_ONCE, Together, change_together, take_back_together

__all__ = [
    "MOST_AT_ONCE",
    "Edited",
    "Removed",
    "Stale",
    "Together",
    "Unmerged",
    "add_address",
    "add_identifier",
    "archive_attribute",
    "assign_owner",
    "assign_team",
    "change_attribute",
    "change_cell",
    "change_customer",
    "change_link",
    "change_together",
    "create_customer",
    "define_attribute",
    "link",
    "link_as_household",
    "link_new",
    "merge",
    "move_attribute",
    "note_consent",
    "put_back_link",
    "remove_address",
    "remove_identifier",
    "restore_attribute",
    "set_attribute",
    "take_back_attribute",
    "take_back_cell",
    "take_back_consent",
    "take_back_together",
    "unlink",
    "unmerge",
]
