"""The line on a customer's page that leads to what is held about the customer."""

from typing import Any

from rondo.foundation.models import User
from rondo.foundation.reading import Reading
from rondo.foundation.rights import has_right


def of_customer(viewer: User, reading: Reading) -> dict[str, Any] | None:
    """What the viewer may do with all data of a customer; None: neither take them along nor erase them."""
    export, erase = has_right(viewer, "export"), has_right(viewer, "erase")
    return {"may_export": export, "may_erase": erase} if export or erase else None
