"""What the registered finders find, for the command palette and for who asks by program."""

from collections.abc import Collection, Iterator

from rondo.foundation.models import User
from rondo.foundation.registry import Finder, Hit, registries

LIMIT = 8
"""Results per finder."""


def find_all(
    viewer: User, text: str, limit: int = LIMIT, only: Collection[str] = ()
) -> Iterator[tuple[Finder, list[Hit]]]:
    """Finders with what they find for ``text``, in their order; those that find nothing are left out."""
    for finder in sorted(registries.finders, key=lambda finder: finder.order):
        if only and finder.key not in only:
            continue
        if hits := finder.find(viewer, text, limit):
            yield finder, hits
