"""The verbs that change customers: each checks the right, reads through the gate, writes named fields and the audit.

Every function runs in one transaction of its own (or joins the caller's) and takes an
:class:`~rondo.foundation.actors.Actor` first. A customer is given as :class:`Customer`, key or public id.
"""

from rondo.customers.actions.attributes import set_attribute
from rondo.customers.actions.binning import (
    put_back,
    put_back_some,
    put_into_bin,
    request_binning,
    take_back_made,
)
from rondo.customers.actions.cells import Edited, Stale, change_cell, take_back_cell
from rondo.customers.actions.consents import note_consent, take_back_consent
from rondo.customers.actions.contact_points import (
    IdentifierTaken,
    add_address,
    add_identifier,
    remove_address,
    remove_identifier,
)
from rondo.customers.actions.definitions import (
    archive_attribute,
    change_attribute,
    define_attribute,
    move_attribute,
    new_attribute,
    restore_attribute,
    take_back_attribute,
)
from rondo.customers.actions.links import Removed, change_link, link, link_as_household, link_new, put_back_link, unlink
from rondo.customers.actions.merging import Unmerged, merge, unmerge
from rondo.customers.actions.records import assign_owner, assign_team, change_customer, create_customer
from rondo.customers.actions.together import MOST_AT_ONCE, Together, change_together, take_back_together
from rondo.customers.actions.whole import (
    Given,
    GivenConsent,
    GivenIdentifier,
    Taken,
    holder_of,
    take_customer,
    update_customer,
)

__all__ = [
    "MOST_AT_ONCE",
    "Edited",
    "Given",
    "GivenConsent",
    "GivenIdentifier",
    "IdentifierTaken",
    "Removed",
    "Stale",
    "Taken",
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
    "holder_of",
    "link",
    "link_as_household",
    "link_new",
    "merge",
    "move_attribute",
    "new_attribute",
    "note_consent",
    "put_back",
    "put_back_link",
    "put_back_some",
    "put_into_bin",
    "remove_address",
    "remove_identifier",
    "request_binning",
    "restore_attribute",
    "set_attribute",
    "take_back_attribute",
    "take_back_cell",
    "take_back_consent",
    "take_back_made",
    "take_back_together",
    "take_customer",
    "unlink",
    "unmerge",
    "update_customer",
]
