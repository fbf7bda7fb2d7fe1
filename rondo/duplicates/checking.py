"""The check when a customer is made: who holds the same identifier, and who has the same name. Two cheap queries."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from rondo.customers.identifiers import normalise
from rondo.customers.models import Customer, Identifier
from rondo.customers.queries import survivor_id, visible
from rondo.foundation.loads import shown
from rondo.foundation.models import User
from rondo.foundation.search import fold

_MOST = 5


@dataclass(frozen=True)
class Likely:
    """A customer who may be meant. ``customer`` is None where the viewer may not see who holds the identifier.

    ``why`` is ``identifier`` (``value`` as it is shown), ``name_birth`` or ``name``. Only the first is certain: an
    identifier belongs to one customer.
    """

    customer: Customer | None
    why: str
    value: str = ""


def likely_same(
    viewer: User | None,
    *,
    name: str = "",
    birth_date: date | None = None,
    identifiers: Iterable[tuple[str, str]] = (),
    region: str | None = None,
) -> list[Likely]:
    """Customers who may be the one about to be made: holders of the same identifier, then those of the same name whose
    birth date is equal, or not known of one of the two.

    Raises:
        InputError: an identifier is not of its kind.
    """
    found: list[Likely] = []
    seen: set[int] = set()
    for kind, given in identifiers:
        normal = normalise(kind, given, region)
        held = Identifier.objects.filter(shown(), kind=kind, source=None, value=normal.value).first()
        if held is None:
            continue
        holder = visible(viewer).filter(pk=survivor_id(held.customer_id)).first()
        found.append(Likely(holder, "identifier", normal.shown))
        if holder is not None:
            seen.add(holder.pk)
    if folded := fold(name):
        rows = visible(viewer).filter(folded_name=folded).exclude(pk__in=seen).order_by("pk")
        if birth_date is not None:
            rows = rows.filter(birth_date=birth_date) | rows.filter(birth_date=None)
        found += [
            Likely(row, "name_birth" if birth_date is not None and row.birth_date == birth_date else "name")
            for row in rows[:_MOST]
        ]
    return found
