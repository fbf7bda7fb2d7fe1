"""Proves that ``rondo setup`` sets what it is given, leaves the rest, and refuses what makes no sense."""

from io import StringIO

import pytest
from django.core.management import call_command

from rondo.errors import InputError
from rondo.foundation.installation import installation
from rondo.foundation.models import AuditEntry


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("setup", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_it_sets_what_is_given_and_leaves_the_rest() -> None:
    run("--company", "Corner Stores", "--currency", "USD", "--time-zone", "America/New_York")
    assert "company: Corner Stores" in run("--margin-rate", "0.3")
    row = installation()
    assert (row.company, row.currency, row.time_zone) == ("Corner Stores", "USD", "America/New_York")
    assert str(row.margin_rate) == "0.3000"
    assert AuditEntry.objects.filter(verb="installation.changed").count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--time-zone", "Europe/Nowhere"),
        ("--margin-rate", "1.5"),
        ("--margin-rate", "a quarter"),
        ("--horizon-months", "0"),
        ("--currency", "EURO"),
    ],
)
def test_it_refuses_what_makes_no_sense_and_says_which(option: str, value: str) -> None:
    before = installation()
    with pytest.raises(InputError, match=value):
        run(option, value)
    assert installation().time_zone == before.time_zone
    assert installation().currency == before.currency
