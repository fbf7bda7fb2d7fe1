"""Actions on customers: the right, the read gate, named fields, versions, and the audit entry of each."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from rondo.customers import actions, queries
from rondo.customers.models import AttributeDefinition, Customer, Identifier
from rondo.errors import InputError, NotFound, PermissionRefused, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor, system
from rondo.foundation.installation import change_installation
from rondo.foundation.models import AuditEntry, Load, Team, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(seller: Actor) -> Customer:
    """The seller's customer."""
    return actions.create_customer(
        seller, given_name="Anna", family_name="Müller", identifiers=[("email", "Anna@x.de")]
    )


class TestCreate:
    def test_a_person_is_named_from_the_parts_and_found_folded(self, anna: Customer) -> None:
        anna.refresh_from_db()
        assert (anna.name, anna.folded_name, anna.version) == ("Anna Müller", "anna muller", 1)
        assert [i.value for i in queries.identifiers_of(None, [anna.pk])] == ["anna@x.de"]

    def test_who_sees_only_own_customers_owns_what_they_make(
        self, anna: Customer, seller: Actor, stranger: Actor
    ) -> None:
        assert anna.owner == seller.user
        assert queries.visible(seller.user).filter(pk=anna.pk).exists()
        assert not queries.visible(stranger.user).filter(pk=anna.pk).exists()

    def test_the_right_is_needed_and_nothing_is_left_behind(self, reader: Actor) -> None:
        with pytest.raises(PermissionRefused, match="may not change customers"):
            actions.create_customer(reader, name="X")
        assert not Customer.objects.exists()

    def test_neither_name_nor_identifier_is_refused(self) -> None:
        with pytest.raises(InputError):
            actions.create_customer(system())

    @pytest.mark.parametrize(
        "fields",
        [
            {"name": "x" * 201},
            {"name": "X", "kind": "alien"},
            {"name": "X", "language": "english"},
            {"name": "X", "birth_date": "soon"},
            {"name": "X", "birth_date": date.today() + timedelta(days=3)},
            {"name": "X", "is_merged": True},
            {"family_name": "X\0"},
        ],
    )
    def test_bad_fields_are_refused_by_name(self, fields: dict[str, object]) -> None:
        with pytest.raises(InputError, match=list(fields)[-1]):
            actions.create_customer(system(), **fields)  # type: ignore[arg-type]

    def test_a_taken_identifier_leaves_no_customer_behind(
        self, anna: Customer, manager: Actor, stranger: Actor
    ) -> None:
        with pytest.raises(StateError, match=anna.public_id):
            actions.create_customer(manager, name="Other", identifiers=[("email", "ANNA@x.de")])
        with pytest.raises(StateError) as caught:
            actions.create_customer(stranger, name="Other", identifiers=[("email", "ANNA@x.de")])
        assert anna.public_id not in str(caught.value)
        assert Customer.objects.count() == 1


class TestChange:
    def test_named_fields_only_with_audit(self, anna: Customer, manager: Actor) -> None:
        Customer.objects.filter(pk=anna.pk).update(language="de")
        changed = actions.change_customer(manager, anna.public_id, expected_version=1, family_name="Meier")
        changed.refresh_from_db()
        assert (changed.name, changed.folded_name, changed.language, changed.version) == (
            "Anna Meier",
            "anna meier",
            "de",
            2,
        )
        entry = audit.entries_of("customer", anna.pk)[0]
        assert (entry.verb, entry.actor, entry.door) == ("customer.changed", manager.user, "web")
        assert entry.changes == {"family_name": ["Müller", "Meier"], "name": ["Anna Müller", "Anna Meier"]}

    def test_a_lost_update_is_refused_and_names_both_versions(
        self, anna: Customer, seller: Actor, manager: Actor
    ) -> None:
        actions.change_customer(seller, anna, expected_version=1, language="de")
        with pytest.raises(StateError, match=r"version 1.*version 2"):
            actions.change_customer(manager, anna, expected_version=1, language="en")
        anna.refresh_from_db()
        assert anna.language == "de"

    def test_no_difference_writes_nothing(self, anna: Customer, seller: Actor) -> None:
        entries = AuditEntry.objects.count()
        assert actions.change_customer(seller, anna, expected_version=1, name="Anna  Müller").version == 1
        assert AuditEntry.objects.count() == entries

    def test_a_date_is_cleared_by_none_and_read_from_text(self, anna: Customer, seller: Actor) -> None:
        actions.change_customer(seller, anna, expected_version=1, birth_date="1980-02-29")
        anna.refresh_from_db()
        assert anna.birth_date == date(1980, 2, 29)
        actions.change_customer(seller, anna, expected_version=2, birth_date=None)
        anna.refresh_from_db()
        assert anna.birth_date is None

    def test_charlie_gets_the_same_answer_as_for_a_customer_that_is_not_there(
        self, anna: Customer, stranger: Actor
    ) -> None:
        with pytest.raises(NotFound) as hidden:
            actions.change_customer(stranger, anna, expected_version=1, name="Mine")
        with pytest.raises(NotFound) as absent:
            actions.change_customer(stranger, anna.pk + 999, expected_version=1, name="Mine")
        assert str(hidden.value).replace(anna.public_id, "") == str(absent.value).replace(
            Customer(pk=anna.pk + 999).public_id, ""
        )

    def test_a_rubbish_address_is_not_found(self, manager: Actor) -> None:
        with pytest.raises(NotFound):
            actions.change_customer(manager, "c_nonsense", expected_version=1, name="X")

    def test_handing_over(self, anna: Customer, seller: Actor, manager: Actor, stranger: Actor) -> None:
        team = Team.objects.create(name="North")
        assert stranger.user is not None
        actions.assign_owner(manager, anna, stranger.user, expected_version=1)
        actions.assign_team(manager, anna, team)
        anna.refresh_from_db()
        assert (anna.owner, anna.team, anna.version) == (stranger.user, team, 3)
        assert not queries.visible(seller.user).filter(pk=anna.pk).exists()
        with pytest.raises(StateError):
            actions.assign_owner(manager, anna, None, expected_version=1)
        User.objects.filter(pk=stranger.user.pk).update(is_active=False)
        stranger.user.refresh_from_db()
        with pytest.raises(InputError):
            actions.assign_owner(manager, anna, stranger.user)


class TestIdentifiers:
    def test_add_twice_is_once(self, anna: Customer, seller: Actor) -> None:
        first = actions.add_identifier(seller, anna, "card", "77-81")
        assert actions.add_identifier(seller, anna, "card", "77 81").pk == first.pk
        assert Identifier.objects.filter(kind="card").count() == 1

    def test_external_numbers_are_unique_within_their_source(
        self, anna: Customer, seller: Actor, manager: Actor
    ) -> None:
        other = actions.create_customer(manager, name="Other")
        actions.add_identifier(seller, anna, "external", "17", source="till")
        actions.add_identifier(manager, other, "external", "17", source="shop")
        with pytest.raises(StateError):
            actions.add_identifier(manager, other, "external", "17", source="till")
        with pytest.raises(InputError, match="name of the system"):
            actions.add_identifier(manager, other, "external", "18")
        with pytest.raises(InputError, match="at most 1"):
            actions.add_identifier(seller, anna, "external", "18", source="till")

    def test_a_phone_takes_the_country_of_the_address(self, anna: Customer, seller: Actor) -> None:
        with pytest.raises(InputError):
            actions.add_identifier(seller, anna, "phone", "030 901820")
        actions.add_address(seller, anna, city="Berlin", country="de")
        assert actions.add_identifier(seller, anna, "phone", "030 901820").value == "+4930901820"

    def test_limit(self, anna: Customer, seller: Actor) -> None:
        for number in range(4):
            actions.add_identifier(seller, anna, "email", f"anna{number}@x.de")
        with pytest.raises(InputError, match="at most 5"):
            actions.add_identifier(seller, anna, "email", "anna9@x.de")

    def test_remove(self, anna: Customer, seller: Actor, stranger: Actor) -> None:
        held = queries.identifiers_of(None, [anna.pk])[0]
        with pytest.raises(NotFound):
            actions.remove_identifier(stranger, held.pk)
        actions.remove_identifier(seller, held.pk)
        assert queries.identifiers_of(None, [anna.pk]) == []
        assert audit.entries_of("customer", anna.pk)[0].changes == {"email": ["Anna@x.de", None]}
        with pytest.raises(NotFound):
            actions.remove_identifier(seller, held.pk)

    def test_an_identifier_of_a_run_taken_back_is_free_again(
        self, anna: Customer, seller: Actor, manager: Actor
    ) -> None:
        run = Load.objects.create(kind="customers", file_name="a.csv", fingerprint="f", status=Load.Status.LOADING)
        imported = Customer.objects.create(name="Imported", load=run)
        Identifier.objects.create(customer=imported, kind="card", value="99", shown="99", load=run)
        with pytest.raises(StateError, match=f"run {run.pk}"):
            actions.add_identifier(seller, anna, "card", "99")
        Load.objects.update(status=Load.Status.UNDONE)
        assert actions.add_identifier(seller, anna, "card", "99").customer_id == anna.pk


class TestAddresses:
    def test_add_and_remove(self, anna: Customer, seller: Actor, stranger: Actor) -> None:
        address = actions.add_address(seller, anna, street=" Hauptstraße  1 ", city="Bonn", country="de")
        assert [(a.street, a.country) for a in queries.addresses_of([anna.pk])] == [("Hauptstraße 1", "DE")]
        with pytest.raises(NotFound):
            actions.remove_address(stranger, address.pk)
        actions.remove_address(seller, address.pk)
        assert queries.addresses_of([anna.pk]) == []

    @pytest.mark.parametrize("fields", [{}, {"city": " "}, {"country": "XX"}, {"town": "Bonn"}, {"city": "x" * 121}])
    def test_refused(self, anna: Customer, seller: Actor, fields: dict[str, str]) -> None:
        with pytest.raises(InputError):
            actions.add_address(seller, anna, **fields)  # type: ignore[arg-type]


@pytest.fixture
def definitions(db: None) -> None:
    """One attribute of each type."""
    choices = [{"value": "low", "en": "Low", "de": "Niedrig"}, {"value": "high", "en": "High", "de": "Hoch"}]
    for kind in AttributeDefinition.Type.values:
        actions.define_attribute(
            system(),
            kind,
            label_en=kind.title(),
            type=kind,
            form="demographic",
            choices=choices if kind in ("choice", "multi") else (),
        )


@pytest.mark.usefixtures("definitions")
class TestAttributes:
    @pytest.mark.parametrize(
        ("key", "given", "column", "stored"),
        [
            ("text", "  two  words ", "text", "two words"),
            ("choice", "high", "text", "high"),
            ("number", "12.5", "number", 12.5),
            ("number", 3, "number", 3.0),
            ("date", "2020-02-29", "day", date(2020, 2, 29)),
            ("boolean", "ja", "number", 1.0),
            ("boolean", False, "number", 0.0),
            ("money", "12.34", "number", 1234.0),
            ("money", Decimal("12.345"), "number", 1234.0),
        ],
    )
    def test_each_type_lands_in_its_column(
        self, anna: Customer, seller: Actor, key: str, given: object, column: str, stored: object
    ) -> None:
        actions.set_attribute(seller, anna, key, given)
        (row,) = queries.all_attributes_of([anna.pk])
        assert getattr(row, column) == stored
        assert [c for c in ("text", "number", "day") if getattr(row, c) is not None] == [column]

    @pytest.mark.parametrize(
        ("key", "given"),
        [
            ("choice", "middle"),
            ("number", "many"),
            ("number", "nan"),
            ("number", True),
            ("date", "2021-02-29"),
            ("boolean", "perhaps"),
            ("money", "1e30"),
            ("text", "x" * 256),
        ],
    )
    def test_what_does_not_fit_is_refused_by_name(self, anna: Customer, seller: Actor, key: str, given: object) -> None:
        with pytest.raises(InputError, match=key):
            actions.set_attribute(seller, anna, key, given)
        assert queries.all_attributes_of([anna.pk]) == []

    def test_change_and_clear_are_in_the_audit(self, anna: Customer, seller: Actor) -> None:
        for value in ("1", "2", "2", ""):
            actions.set_attribute(seller, anna, "number", value)
        told = [e.changes for e in audit.entries_of("customer", anna.pk) if e.verb == "attribute.set"]
        assert told == [
            {"attribute.number": [2.0, None]},
            {"attribute.number": [1.0, 2.0]},
            {"attribute.number": [None, 1.0]},
        ]
        assert queries.all_attributes_of([anna.pk]) == []

    def test_an_unknown_attribute(self, anna: Customer, seller: Actor) -> None:
        with pytest.raises(NotFound, match="shoe_size"):
            actions.set_attribute(seller, anna, "shoe_size", 42)

    def test_definitions_in_use_keep_type_and_choices(self, anna: Customer, seller: Actor) -> None:
        actions.set_attribute(seller, anna, "choice", "high")
        with pytest.raises(StateError, match="define a new"):
            actions.define_attribute(system(), "choice", label_en="C", type="text", form="benefit")
        low = [{"value": "low", "en": "Low"}]
        with pytest.raises(StateError, match="high"):
            actions.define_attribute(system(), "choice", label_en="C", type="choice", form="benefit", choices=low)
        more = [{"value": v, "en": v} for v in ("low", "high", "top")]
        row = actions.define_attribute(system(), "choice", label_en="C", type="choice", form="benefit", choices=more)
        assert len(row.choices) == 3

    def test_only_administrators_define(self, manager: Actor) -> None:
        with pytest.raises(PermissionRefused):
            actions.define_attribute(manager, "x", label_en="X", type="text", form="benefit")

    @pytest.mark.parametrize(
        "fields",
        [
            {"key": "Shoe Size"},
            {"type": "choice"},
            {"choices": [{"value": "a", "en": "A"}]},
            {"form": "astrological"},
            {"label_en": ""},
            {"type": "choice", "choices": [{"value": "a", "en": "A"}, {"value": "a", "en": "B"}]},
            {"type": "choice", "choices": [{"value": "a"}]},
        ],
    )
    def test_unusable_definitions(self, fields: dict[str, object]) -> None:
        good: dict[str, object] = {"key": "size", "label_en": "Size", "type": "text", "form": "benefit"}
        with pytest.raises(InputError):
            actions.define_attribute(system(), **(good | fields))  # type: ignore[arg-type]

    def test_money_follows_the_currency(self, anna: Customer, seller: Actor) -> None:
        change_installation(system(), currency="JPY")
        actions.set_attribute(seller, anna, "money", "1234")
        assert queries.all_attributes_of([anna.pk])[0].number == 1234.0


class TestLinks:
    def test_link_is_seen_from_both_ends_by_those_who_may(self, anna: Customer, seller: Actor, manager: Actor) -> None:
        house = actions.create_customer(manager, kind="household", name="Müller household")
        made = actions.link(manager, anna, house, "member")
        assert actions.link(manager, anna, house, "member").pk == made.pk
        (out,) = queries.links_of(manager.user, [anna.pk])
        (back,) = queries.links_of(manager.user, [house.pk])
        assert (out.other, out.outward, back.other, back.outward) == (house, True, anna, False)
        assert queries.links_of(seller.user, [anna.pk]) == []
        with pytest.raises(NotFound):
            actions.unlink(seller, made.pk)
        actions.unlink(manager, made.pk)
        assert queries.links_of(manager.user, [anna.pk]) == []

    def test_roles_fit_kinds_and_nobody_is_linked_to_himself(self, anna: Customer, manager: Actor) -> None:
        other = actions.create_customer(manager, name="Other")
        with pytest.raises(InputError, match="Household"):
            actions.link(manager, anna, other, "member")
        with pytest.raises(InputError, match="itself"):
            actions.link(manager, anna, anna, "partner")
        with pytest.raises(InputError, match="enemy"):
            actions.link(manager, anna, other, "enemy")

    def test_charlie_cannot_link_what_he_cannot_see(self, anna: Customer, stranger: Actor) -> None:
        mine = actions.create_customer(stranger, name="Mine")
        with pytest.raises(NotFound):
            actions.link(stranger, mine, anna, "partner")

    def test_reading_links_takes_the_same_number_of_queries_for_many(
        self, anna: Customer, manager: Actor, django_assert_max_num_queries: object
    ) -> None:
        for number in range(6):
            actions.link(manager, anna, actions.create_customer(manager, name=f"N{number}"), "partner")
        with django_assert_max_num_queries(4):  # type: ignore[operator]
            assert len(queries.links_of(manager.user, [anna.pk])) == 6
