"""What the tables of customers hold about a person, for data bundles and erasure."""

from collections.abc import Callable, Sequence

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rondo.customers.models import (
    Address,
    AttributeDefinition,
    AttributeValue,
    Bin,
    Consent,
    Customer,
    Identifier,
    Link,
    Merge,
    MergePick,
    NameWord,
    Source,
    Survivor,
)
from rondo.foundation.holdings import Holding, Impersonal, Swept
from rondo.foundation.registry import registries


def _by(*columns: str) -> Callable[[Sequence[int]], Q]:
    def of(records: Sequence[int]) -> Q:
        found = Q()
        for column in columns:
            found |= Q(**{f"{column}__in": records})
        return found

    return of


for _one in (
    Holding("name_words", _("Words that find the name"), NameWord, 200, _by("customer_id")),
    Holding("merge_picks", _("Values shown because of a merge"), MergePick, 201, _by("holder_id", "origin_id")),
    Holding(
        "merges",
        _("Merges"),
        Merge,
        205,
        _by("loser_id", "winner_id"),
        told=("loser_id", "winner_id", "at", "reason", "undone_at"),
    ),
    Holding("survivors", _("Records that stand for others"), Survivor, 206, _by("customer_id", "survivor_id")),
    Holding(
        "links",
        _("Links to others"),
        Link,
        210,
        _by("subject_id", "object_id"),
        told=("subject_id", "object_id", "role", "position", "since", "until", "created_at"),
    ),
    Holding(
        "consents",
        _("Consents"),
        Consent,
        220,
        _by("customer_id"),
        told=("customer_id", "channel", "purpose", "state", "at", "source", "evidence", "noted_at"),
    ),
    Holding(
        "attributes",
        _("Attributes"),
        AttributeValue,
        230,
        _by("customer_id"),
        told=("customer_id", "definition__key", "definition__type", "text", "number", "day"),
    ),
    Holding(
        "addresses",
        _("Addresses"),
        Address,
        240,
        _by("customer_id"),
        told=("customer_id", "street", "postal_code", "city", "region", "country"),
    ),
    Holding(
        "identifiers",
        _("Identifiers"),
        Identifier,
        250,
        _by("customer_id"),
        told=("customer_id", "kind", "source__name", "value", "shown"),
    ),
    Holding(
        "customers",
        _("Customer records"),
        Customer,
        1000,
        _by("pk"),
        told=(
            "id",
            "kind",
            "name",
            "given_name",
            "family_name",
            "language",
            "birth_date",
            "known_since",
            "known_since_at_least",
            "created_at",
        ),
        fate="blank",
        blank={
            "kind": Customer.Kind.PERSON,
            "name": "",
            "given_name": "",
            "family_name": "",
            "folded_name": "",
            "language": "",
            "birth_date": None,
            "known_since": None,
            "known_since_at_least": False,
            "preferred_address": None,
            "is_merged": True,  # it stands for nobody, and nobody stands for it: every read leaves it out
            "bin": None,
        },
        why=_(
            "an empty number stays, so that it is not given to somebody else and other systems learn that it is gone"
        ),
        audited=("customer",),
    ),
):
    registries.holdings.add(_one.key, _one)

for _told in (
    # A choice names nobody, and what may occur but once is the customer's own.
    Swept(
        "attributes",
        AttributeValue,
        ("text",),
        where=lambda: (
            Q(definition__type__in=[AttributeDefinition.Type.TEXT, AttributeDefinition.Type.LINK]) & Q(unique_key=None)
        ),
    ),
    Swept("consents", Consent, ("source", "evidence"), where=lambda: ~Q(source="") | ~Q(evidence="")),
    Swept("links", Link, ("position",), where=lambda: ~Q(position="")),
    Swept("merges", Merge, ("reason",), where=lambda: ~Q(reason="")),
):
    registries.swept.add(_told.key, _told)

registries.impersonal.add(Bin._meta.db_table, Impersonal(Bin, "who put how many customers into the bin, and when"))
registries.impersonal.add(Source._meta.db_table, Impersonal(Source, "names of the systems that data come from"))
registries.impersonal.add(
    AttributeDefinition._meta.db_table, Impersonal(AttributeDefinition, "what attributes there are and their choices")
)
