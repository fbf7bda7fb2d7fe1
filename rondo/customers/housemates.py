"""Who may live with a person: people of the same family name at the same address, and the households they are in.

Both are compared as they are for duplicates: folded, without the ways to write "street"; but with the house number.
"""

import re
from dataclasses import dataclass

from rondo.customers.belonging import records_among, standing_links, survivors_among
from rondo.customers.models import Address, Customer, Link, NameWord
from rondo.customers.queries import addresses_of, visible
from rondo.foundation.loads import shown
from rondo.foundation.models import User
from rondo.foundation.search import fold

_MOST = 5
_LOOKED_AT = 200
_STREET = re.compile(r"(strasse|straße|str\.|street|\bst\.)", re.IGNORECASE)


@dataclass(frozen=True)
class Housemate:
    """A person who may live with another one, and the household that they are a member of, if there is one."""

    customer: Customer
    household: Customer | None


def family_of(customer: Customer) -> str:
    """The family name of a person, or the last word of the name where the parts are not known."""
    return customer.family_name or (customer.name.split() or [""])[-1]


def place_of(address: Address) -> tuple[str, str] | None:
    """The comparable form of an address: street with number, and postal code (the town where there is none); None
    where it does not tell a house."""
    street = fold(_STREET.sub("str ", address.street)).replace(" ", "")
    town = fold(address.postal_code or address.city).replace(" ", "")
    return (street, town) if street and town and any(sign.isdigit() for sign in street) else None


def housemates_of(viewer: User | None, customer: Customer, records: list[int]) -> list[Housemate]:
    """People of the same family name and address as ``customer``, a person of ``records`` whom the viewer may see, who
    are not in one household with them already; who is in a household first. Who has a household is not offered people
    without one: there is none to make, and the page of the other one offers to join.

    They are found by the words of names, so that a large base costs no more than its people of that name.
    """
    words = fold(family_of(customer)).split()
    own = [(address, place) for address in addresses_of(records) if (place := place_of(address)) is not None]
    if customer.kind != Customer.Kind.PERSON or not words or not own:
        return []
    named = NameWord.objects.filter(later__in=[False, True], word=words[-1]).values("customer_id")
    rows = Address.objects.filter(shown(), customer__in=named).exclude(customer_id__in=records)
    first = own[0][0]
    rows = rows.filter(postal_code=first.postal_code) if first.postal_code else rows.filter(city=first.city)
    places = {place for _address, place in own}
    there = {row.customer_id for row in rows.order_by("pk")[:_LOOKED_AT] if place_of(row) in places}
    people = [
        row
        for row in visible(viewer).filter(pk__in=there, kind=Customer.Kind.PERSON).order_by("pk")
        if fold(family_of(row)).split()[-1:] == words[-1:]
    ]
    if not people:
        return []
    homes = _households(viewer, [customer.pk, *(row.pk for row in people)])
    mine = {home.pk for home in homes.get(customer.pk, ())}
    found = [
        Housemate(row, next(iter(homes.get(row.pk, ())), None))
        for row in people
        if not mine & {home.pk for home in homes.get(row.pk, ())} and (row.pk in homes or not mine)
    ]
    return sorted(found, key=lambda one: (one.household is None, one.customer.pk))[:_MOST]


def _households(viewer: User | None, keys: list[int]) -> dict[int, list[Customer]]:
    """The households that customers are members of, those that the viewer may see."""
    records = records_among(keys)
    rows = standing_links().filter(subject_id__in=records, role=Link.Role.MEMBER).order_by("pk")
    pairs = list(rows.values_list("subject_id", "object_id"))
    survivors = survivors_among(home for _member, home in pairs)
    homes = visible(viewer).in_bulk({survivors.get(home, home) for _member, home in pairs})
    found: dict[int, list[Customer]] = {}
    for member, home in pairs:
        if (household := homes.get(survivors.get(home, home))) is not None:
            found.setdefault(records[member], []).append(household)
    return found
