"""Two writers who waited for each other, or one who waited too long: what the database says of it, told to a person."""

from django.db import OperationalError
from django.utils.translation import gettext as _

from rondo.errors import StateError

_STATES = ("40P01", "40001", "55P03")
"""SQLSTATE of PostgreSQL: deadlock detected, serialization failure, lock not available."""
_SQLITE = "database is locked"


def was_outwaited(error: OperationalError) -> bool:
    """Whether the transaction was given up for another one's sake: nothing of it was written, and it can be tried
    again."""
    cause: BaseException | None = error
    while cause is not None:
        if getattr(cause, "sqlstate", None) in _STATES or _SQLITE in str(cause):
            return True
        cause = cause.__cause__
    return False


def outwaited() -> StateError:
    """What a person reads then."""
    return StateError(_("Somebody else changed the same at this moment. Nothing of yours was saved; try it again."))
