"""The currencies that a company chooses from."""

import pytest

from rondo.foundation.actors import system
from rondo.foundation.installation import change_installation
from rondo.foundation.models import Installation
from rondo.web.forms import currencies

pytestmark = pytest.mark.django_db


def test_currencies_that_no_longer_exist_are_not_offered(installation: Installation) -> None:
    offered = dict(currencies())
    assert {"EUR", "USD", "CHF", "GBP", "JPY", "AFN"} <= set(offered) and offered["EUR"] == "EUR · Euro"
    assert not {"ADP", "AFA", "DEM", "FRF", "XXX", "XTS", "XAU"} & set(offered)
    assert 140 < len(offered) < 200


def test_a_company_keeps_the_currency_that_it_counts_in(installation: Installation) -> None:
    assert "DEM" not in dict(currencies())
    change_installation(system(), currency="DEM")
    assert "DEM" in dict(currencies())
