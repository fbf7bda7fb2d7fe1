"""A small base with planted duplicates: who is in it twice is known."""

from datetime import date

from rondo.customers.actions import add_address, create_customer
from rondo.customers.models import Customer
from rondo.duplicates.engine.tests.made_up import made_up
from rondo.foundation.actors import system

Planted = set[tuple[int, int]]


def plant(count: int = 240, seed: int = 11) -> tuple[list[Customer], Planted]:
    """Made-up customers through the ordinary actions, and the pairs of them that are one (by key, lower first)."""
    table, true = made_up(count, seed, twice=0.1, together=0.1)
    made = []
    for row in table.to_pylist():
        mails = [("email", mail) for mail in row["mails"]]
        phones = [("phone", phone) for phone in row["phones"]]
        fields = {"given_name": row["given"], "family_name": row["family"] or "Noname"}
        if row["birth"] and _is_day(row["birth"]):
            fields["birth_date"] = date.fromisoformat(row["birth"])
        customer = create_customer(system(), **fields)
        for kind, value in (*mails, *phones):
            _identify(customer, kind, value)
        if row["street"] or row["city"]:
            add_address(
                system(), customer, street=row["street"] or "", postal_code=row["postal"] or "", city=row["city"] or ""
            )
        made.append(customer)
    keys = [customer.pk for customer in made]
    return made, {(min(keys[a - 1], keys[b - 1]), max(keys[a - 1], keys[b - 1])) for a, b in true}


def _identify(customer: Customer, kind: str, value: str) -> None:
    """What another record holds already stays there: an identifier belongs to one customer."""
    from rondo.customers.actions import add_identifier
    from rondo.errors import InputError, StateError

    try:
        add_identifier(system(), customer, kind, value)
    except (InputError, StateError):
        return


def _is_day(text: str) -> bool:
    try:
        return len(text) == 10 and 1900 < date.fromisoformat(text).year < 2020
    except ValueError:
        return False
