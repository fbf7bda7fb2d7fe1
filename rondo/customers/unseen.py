"""What of customers somebody does not see at all: attributes by role, and facts that tell of others by reach."""

import re
from collections.abc import Collection

from rondo.customers.definitions import hidden_from
from rondo.customers.queries import sees_all
from rondo.customers.ruled import ATTRIBUTE_PREFIX
from rondo.foundation.models import User
from rondo.foundation.registry import registries


def unseen_fields(viewer: User | None) -> frozenset[str]:
    """Keys of the fields, as lists and rules name them, that ``viewer`` does not see: attributes hidden from their
    role, and facts that tell of other customers where they do not see all."""
    attributes = {ATTRIBUTE_PREFIX + key for key in hidden_from(viewer)}
    if viewer is None or sees_all(viewer):
        return frozenset(attributes)
    return frozenset(attributes | {fact.key for fact in registries.facts if fact.of_others})


def names_any(text: str, fields: Collection[str]) -> bool:
    """Whether a rule or a list in its text form names one of ``fields``, in full or by an attribute's short key."""
    keys = "|".join(re.escape(key.removeprefix(ATTRIBUTE_PREFIX)) for key in sorted(fields))
    return bool(fields) and re.search(rf"(?<!\w)({keys})(?!\w)", text) is not None
