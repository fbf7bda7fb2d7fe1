"""Identifiers: every spelling of a value comes to one normal form, and guard rails hold."""

import pytest

from rondo.customers.identifiers import LIMITS, check_limit, normalise
from rondo.errors import InputError


@pytest.mark.parametrize(
    ("kind", "given", "region", "value", "shown"),
    [
        ("email", "  Anna.Meier@Example.ORG ", None, "anna.meier@example.org", "Anna.Meier@example.org"),
        ("email", "jürgen@müller.de", None, "jürgen@müller.de", "jürgen@müller.de"),
        ("phone", "030 / 901 820", "DE", "+4930901820", "+49 30 901820"),
        ("phone", "+1 (212) 555-0100", None, "+12125550100", "+1 212-555-0100"),
        ("phone", "0049 30 901820", None, "+4930901820", "+49 30 901820"),
        ("phone", "212-555-0100", "us", "+12125550100", "+1 212-555-0100"),
        ("card", "7781-0042 x1", None, "77810042X1", "7781-0042 x1"),
        ("external", " A-17 ", None, "A-17", "A-17"),
        ("anonymous", "9f1c", None, "9f1c", "9f1c"),
        ("device", "IDFA-1", None, "IDFA-1", "IDFA-1"),
    ],
)
def test_normal_forms(kind: str, given: str, region: str | None, value: str, shown: str) -> None:
    assert normalise(kind, given, region) == (value, shown)


@pytest.mark.parametrize("blocked", ["", "  ", "0", "000", "-", "-1", "NULL", "anonymous", "Undefined", "00-00"])
@pytest.mark.parametrize("kind", sorted(LIMITS))
def test_values_that_mean_nothing_are_blocked_for_every_kind(kind: str, blocked: str) -> None:
    with pytest.raises(InputError):
        normalise(kind, blocked, "DE")


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("email", "anna"),
        ("email", "anna@@example.org"),
        ("email", "test@test.com"),
        ("email", "Test@Example.com"),
        ("email", "a" * 260 + "@example.org"),
        ("phone", "030 901820"),
        ("phone", "+49 1"),
        ("phone", "call me"),
        ("card", "77*81"),
        ("card", "---000"),
        ("external", "a\x00b"),
        ("external", "x" * 256),
        ("fax", "1"),
    ],
)
def test_what_is_not_of_its_kind_is_refused_with_a_sentence(kind: str, given: str) -> None:
    with pytest.raises(InputError) as caught:
        normalise(kind, given)
    assert str(caught.value).endswith(".")


def test_a_phone_number_without_country_says_how_to_write_it() -> None:
    with pytest.raises(InputError, match=r"\+49 30 123456"):
        normalise("phone", "030 901820")


def test_limits() -> None:
    assert LIMITS["external"] == 1
    assert {n for kind, n in LIMITS.items() if kind != "external"} == {5}
    check_limit("email", 4, "Anna")
    with pytest.raises(InputError, match="Anna holds 5 of at most 5"):
        check_limit("email", 5, "Anna")
    with pytest.raises(InputError):
        check_limit("external", 1, "Anna")
