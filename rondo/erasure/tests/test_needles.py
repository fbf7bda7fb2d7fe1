"""What names a person is found in digits of any script, and the audit log is looked through once for all of it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rondo.customers.actions import create_customer, define_attribute, set_attribute
from rondo.customers.models import AttributeValue, Customer
from rondo.erasure.actions import erase
from rondo.erasure.actions.files import names_one
from rondo.erasure.needles import needles_of
from rondo.erasure.tests.test_erasure import home  # noqa: F401 - a fixture
from rondo.erasure.tests.test_neighbours import moved
from rondo.foundation.actors import Actor
from rondo.foundation.holdings import MARK
from rondo.foundation.models import ApiAnswer, ApiToken, AuditEntry, User
from rondo.interactions.actions import log_interaction

pytestmark = pytest.mark.django_db(transaction=True)
PHONE, CARD = "+49 170 81524637", "471147114711"


def written(number: str, zero: str) -> str:
    """A number in the digits of a script, given by its zero."""
    return "".join(chr(ord(zero) + int(sign)) if sign.isdigit() else sign for sign in number)


@pytest.mark.parametrize(
    "zero",
    ["\N{ARABIC-INDIC DIGIT ZERO}", "\N{FULLWIDTH DIGIT ZERO}", "\N{DEVANAGARI DIGIT ZERO}", "\U0001d7ce"],
)
def test_numbers_are_found_in_the_digits_of_any_script(
    home: Path,  # noqa: F811
    installation: Any,
    alice: User,
    zero: str,
) -> None:
    who = Actor(alice, "web")
    person = create_customer(who, name="Zqada", identifiers=[("phone", PHONE), ("card", CARD)])
    other = create_customer(who, name="Berta Else")
    define_attribute(who, "said", label_en="Said", label_de="Gesagt", type="text", form="demographic")
    set_attribute(who, other, "said", f"ring {written('0170/8152-4637', zero)}!")
    note = log_interaction(
        who, other, "note", body=f"Card {written('4711 4711 4711', zero)}, not {written(CARD[1:], zero)}."
    )
    token = ApiToken.objects.create(user=alice, name="t", token_hash="x", expires_at=datetime.now(UTC))
    for key, said in (("1", PHONE), ("2", "+49 30 1234567")):
        ApiAnswer.objects.create(token=token, key=key, status=200, body=json.dumps({"said": written(said, zero)}))
    needles = needles_of([person.pk])
    assert needles is not None
    file = home / "rows.csv"
    for said, named in ((CARD, True), (CARD[1:], False)):
        file.write_text(f"No;Said\n1;{written(said, zero)}\n")
        assert names_one(file, needles) is named
    file.unlink()
    erase(who, [person])
    note.refresh_from_db()
    assert note.body == f"Card {MARK}, not {written(CARD[1:], zero)}."
    assert AttributeValue.objects.get(customer=other).text == f"ring {MARK}!"
    assert [bool(row.body) for row in ApiAnswer.objects.order_by("key")] == [False, True]
    told = json.dumps(list(AuditEntry.objects.values_list("changes", flat=True)), ensure_ascii=False)
    assert written("8152-4637", zero) not in told


def test_former_streets_cost_one_look_through_the_audit_log(
    home: Path,  # noqa: F811
    installation: Any,
    alice: User,
) -> None:
    who = Actor(alice, "web")

    def looks() -> int:
        record = Customer.objects.get(name="Ada Zq")
        with CaptureQueriesContext(connection) as asked:
            needles_of([record.pk])
        return sum("foundation_auditentry" in one["sql"] for one in asked)

    moved(who, home, "1 Firstroad")
    moved(who, home, "2 Secondroad")
    before = looks()
    for number in range(3, 8):
        moved(who, home, f"{number} Otherroad{number}")
    assert looks() == before
