"""The two writings of a contact that a split took: the one that stands, and the retracted one, which says the same of
the same person, but lies with the record that it was written with.

What is held about a person is therefore more than what lies with their records; and some of that is about another.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q

from rondo.interactions.models import Moved

_STANDS = Q(split__undone_at__isnull=True)


def about(records: Sequence[int], customer: str, contact: str) -> Q:
    """Rows of contacts of these records (``customer``: the path to their key), and of what splits left with others when
    they wrote them anew for these (``contact``: the path to the key of the contact)."""
    found = Q(**{f"{customer}__in": records})
    for keys in left_with_others(records):
        found |= Q(**{f"{contact}__in": keys})
    return found


def left_with_others(records: Sequence[int]) -> list[Any]:
    """Keys of retracted contacts that stand anew with these records, or that were written anew as one of such, and so
    on; as query sets. There may be contacts of the records themselves among them."""
    standing, undone = Moved.objects.filter(_STANDS), Moved.objects.filter(~_STANDS)
    originals: Any = standing.filter(copy__customer_id__in=records).values_list("original_id", flat=True)
    copies: Any = undone.filter(original__customer_id__in=records).values_list("copy_id", flat=True)
    found = []
    while originals.exists() or copies.exists():
        found += [originals, copies]
        originals, copies = (
            standing.filter(Q(copy_id__in=originals) | Q(copy_id__in=copies)).values_list("original_id", flat=True),
            undone.filter(Q(original_id__in=originals) | Q(original_id__in=copies)).values_list("copy_id", flat=True),
        )
    return found


def of_another(contact: str) -> Q:
    """Rows of contacts (``contact``: the column of their key) that stand in another writing, of whomever they are."""
    there = OuterRef(contact)
    return Exists(Moved.objects.filter(_STANDS, original_id=there)) | Exists(
        Moved.objects.filter(~_STANDS, copy_id=there)
    )
