"""Small values that everything stands on: money, folded names, public ids, blocks of keys, the company's day."""

import threading
from decimal import Decimal

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from rondo.errors import InputError, PermissionRefused, StateError
from rondo.foundation import ids
from rondo.foundation.actors import Actor, system
from rondo.foundation.installation import change_installation, forget, installation
from rondo.foundation.keys import allocate
from rondo.foundation.models import Installation, Load, Team, User
from rondo.foundation.money import MAX_MINOR, Money, to_minor
from rondo.foundation.search import fold


class TestMoney:
    @pytest.mark.parametrize(
        ("text", "currency", "minor"),
        [
            ("12.34", "EUR", 1234),
            ("-0.01", "USD", -1),
            ("12.345", "EUR", 1234),
            ("12.355", "EUR", 1236),
            ("1234", "JPY", 1234),
            ("1.2345", "KWD", 1234),
            (Decimal("0.1"), "EUR", 10),
            (0.1 + 0.2, "EUR", 30),
            (7, "EUR", 700),
        ],
    )
    def test_minor_units_round_half_to_even(self, text: str | Decimal | float, currency: str, minor: int) -> None:
        assert to_minor(text, currency) == minor

    @pytest.mark.parametrize("text", ["", "abc", "nan", "inf", "1e20", "12,34", "1 2"])
    def test_what_is_no_amount_is_refused_with_its_value(self, text: str) -> None:
        with pytest.raises(InputError, match=text or "''"):
            to_minor(text, "EUR")

    @given(st.integers(-MAX_MINOR, MAX_MINOR), st.sampled_from(["EUR", "JPY", "KWD"]))
    def test_major_and_back_is_exact(self, minor: int, currency: str) -> None:
        assert to_minor(Money(minor, currency).major, currency) == minor

    def test_currencies_are_not_added(self) -> None:
        assert Money(1, "EUR") + Money(2, "EUR") == Money(3, "EUR")
        with pytest.raises(InputError, match="USD and EUR"):
            Money(1, "USD") + Money(2, "EUR")


class TestFold:
    @pytest.mark.parametrize(
        ("names", "folded"),
        [
            (("Müller", "MUELLER", "Muller", "  müller "), "muller"),
            (("Straße", "STRASSE", "strasse"), "strasse"),
            (("Łukasz Đorđević", "lukasz dordevic"), "lukasz dordevic"),
            (("O'Neill-Smith", "o neill smith"), "o neill smith"),
            (("José", "Jose\u0301"), "jose"),
            (("!?", ""), ""),
        ],
    )
    def test_spellings_meet(self, names: tuple[str, ...], folded: str) -> None:
        assert {fold(name) for name in names} == {folded}

    @given(st.text(max_size=40))
    def test_folded_is_clean(self, text: str) -> None:
        folded = fold(text)
        assert folded == " ".join(folded.split())
        assert all(c.isalnum() or c == " " for c in folded)


@pytest.mark.django_db
class TestIds:
    def test_there_and_back(self) -> None:
        for key in (1, 2, 10**6, 2**63 - 1):
            public = ids.encode("c", key)
            assert public.startswith("c_")
            assert ids.decode("c", public) == key

    @pytest.mark.parametrize("rubbish", ["", "c", "c_", "c_!!!!", "c_" + "a" * 21, "5", "c_00000000"])
    def test_rubbish_is_none(self, rubbish: str) -> None:
        assert ids.decode("c", rubbish) is None

    def test_an_id_of_another_type_is_none(self) -> None:
        assert ids.decode("o", ids.encode("c", 5)) is None

    def test_installations_differ(self) -> None:
        before = ids.encode("c", 5)
        Installation.objects.update(id_alphabet=ids.new_alphabet())
        forget()
        assert ids.encode("c", 5) != before

    def test_one_key_has_one_public_id(self) -> None:
        head, tail = ids.encode("c", 5).split("_")
        assert ids.decode("c", f"{head}_{tail.upper()}") is None
        assert ids.decode("c", f"{head}_{tail}{tail}") is None


def _load(key: int) -> Load:
    return Load(id=key, kind="orders", file_name="f", fingerprint="f")


@pytest.mark.django_db
class TestKeys:
    def test_blocks_do_not_overlap_with_each_other_or_with_ordinary_inserts(self) -> None:
        with transaction.atomic():
            first = allocate(Load, 3)
            Load.objects.bulk_create(_load(first + n) for n in range(3))
            ordinary = Load.objects.create(kind="x", file_name="f", fingerprint="f")
            second = allocate(Load, 2)
            Load.objects.bulk_create(_load(second + n) for n in range(2))
            last = Load.objects.create(kind="x", file_name="f", fingerprint="f")
        assert ordinary.pk >= first + 3
        assert second > ordinary.pk
        assert last.pk > second + 1

    def test_a_key_is_not_given_out_again_after_its_row_was_deleted(self) -> None:
        with transaction.atomic():
            first = allocate(Load, 1)
            Load.objects.bulk_create([_load(first)])
            Load.objects.all().delete()
            assert allocate(Load, 1) > first


@pytest.mark.django_db(transaction=True)
def test_keys_are_given_out_inside_a_transaction_only() -> None:
    with pytest.raises(StateError, match="inside a transaction"):
        allocate(Load, 1)


@pytest.mark.django_db(transaction=True)
def test_blocks_of_several_writers_do_not_overlap() -> None:
    taken: list[int] = []
    lock = threading.Lock()

    def work() -> None:
        try:
            for _n in range(5):
                with transaction.atomic():
                    first = allocate(Load, 10)
                    Load.objects.bulk_create(_load(first + n) for n in range(10))
                with lock:
                    taken.extend(range(first, first + 10))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(taken) == len(set(taken)) == Load.objects.count() == 150


@pytest.mark.django_db
class TestInstallation:
    def test_changes_are_checked_named_and_only_for_administrators(self, alice: User, charlie: User) -> None:
        changed = change_installation(Actor(alice, "web"), company="Corner", margin_rate="0.3", time_zone="Asia/Tokyo")
        assert (changed.company, installation().time_zone) == ("Corner", "Asia/Tokyo")
        with pytest.raises(PermissionRefused):
            change_installation(Actor(charlie, "web"), company="Mine")
        for field, value in (
            ("time_zone", "Mars/Base"),
            ("time_zone", "Europe"),
            ("margin_rate", "1.5"),
            ("horizon_months", 0),
        ):
            with pytest.raises(InputError, match=field):
                change_installation(system(), **{field: value})
        assert installation().company == "Corner"


@pytest.mark.django_db
def test_a_team_branch_reaches_down_and_not_up() -> None:
    from rondo.foundation.rights import team_branch

    top = Team.objects.create(name="All")
    north = Team.objects.create(name="N", parent=top)
    city = Team.objects.create(name="City", parent=north)
    south = Team.objects.create(name="S", parent=top)
    assert set(team_branch(north.pk)) == {north.pk, city.pk}
    assert set(team_branch(top.pk)) == {top.pk, north.pk, city.pk, south.pk}
