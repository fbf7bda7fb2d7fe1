"""One box: names with a typing error, letters of two languages, orders by their number; only what rights allow."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.urls import reverse

from rondo.customers.nearby import edits, near, readings
from rondo.foundation.models import User
from rondo.web.customers.registrations import find_customers, find_orders
from rondo.web.tests.customers_data import make_customer, purchase

pytestmark = pytest.mark.django_db
NOON = datetime(2017, 12, 24, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize("typed", ["Müller", "Mueller", "muller", "MÜLLER", "Mülelr", "Müllr", "Mülller", "Muxler"])
def test_a_name_is_found_however_it_is_written(alice: User, typed: str) -> None:
    make_customer("Jörg Müller")
    make_customer("Jörg Maier")
    assert [hit.title for hit in find_customers(alice, typed, 8)] == ["Jörg Müller"]
    assert [hit.title for hit in find_customers(alice, f"jorg {typed}", 8)] == ["Jörg Müller"]


def test_every_edit_is_one_error_away_and_none_is_forgotten() -> None:
    for other in ("muler", "mullera", "nuller", "umller", "mullre", "muller"):
        assert other in edits("muller")
    assert "muer" not in edits("muller") and "иванова" in edits("иванов")


def test_common_words_come_first_and_short_ones_and_numbers_are_left_alone() -> None:
    for name in ("Anna Weber", "Bert Weber", "Cora Weger"):
        make_customer(name)
    assert near("weser") == ["weber", "weger"]
    assert near("ana") == [] and near("w3ber") == []
    assert readings(("anna", "wexer")) == ["anna weber", "anna weger"]


def test_the_list_says_what_it_took_the_text_for_and_keeps_to_rights(client: Any, alice: User) -> None:
    make_customer("Jörg Müller", owner=alice)
    make_customer("Jörg Miller")
    client.force_login(alice)
    page = client.get(reverse("customers"), {"q": "muxler"}).content.decode()
    assert "Nobody is called “muxler”. Shown are those called “muller”." in page and "Jörg Müller" in page
    assert "1 customer" in client.get(reverse("customers-count"), {"q": "muxler"}).content.decode()
    alice.reach = "own"
    alice.save()
    page = client.get(reverse("customers"), {"q": "mixler"}).content.decode()
    assert "Miller" not in page
    # Whom one may not see is as nobody: the text is read as if there were no such name.
    page = client.get(reverse("customers"), {"q": "miller"}).content.decode()
    assert "Shown are those called “muller”." in page and "Jörg Müller" in page


def test_an_order_is_found_by_its_number_by_who_sees_its_customer(alice: User) -> None:
    mine, other = make_customer("Mine", owner=alice), make_customer("Other")
    purchase(mine, NOON, 1037_20, "A-1001")
    purchase(other, NOON, 5_00, "A-1002")
    (hit,) = find_orders(alice, " A-1001 ", 8)
    assert hit.title == "Order A-1001" and mine.public_id in hit.url
    assert find_orders(alice, "A-100", 8) == []
    alice.reach = "own"
    assert find_orders(alice, "A-1002", 8) == []
