"""Numbers, money and dates stand as readers of English and German write them."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest
from babel.dates import format_time
from babel.numbers import format_currency, format_decimal, format_percent
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rondo.foundation.installation import zone
from rondo.foundation.models import Installation
from rondo.foundation.money import Money
from rondo.web import formats
from rondo.web.templatetags import rondo as tags

NB = "\u00a0"


@pytest.fixture(autouse=True)
def _installation(installation: Installation) -> Iterator[None]:
    yield
    translation.activate("en")


CASES: list[tuple[Callable[[], str], str, str]] = [
    (lambda: formats.number(155_848), "155,848", "155.848"),
    (lambda: formats.number(3.14159, 2), "3.14", "3,14"),
    (lambda: formats.number(None), "–", "–"),
    (lambda: formats.share(0.1791), "17.9%", f"17,9{NB}%"),
    (lambda: formats.share(0.55, 0), "55%", f"55{NB}%"),
    (lambda: formats.money(120_450, "USD"), "$1,204.50", f"1.204,50{NB}$"),
    (lambda: formats.money(120_450, "USD", 0), "$1,204", f"1.204{NB}$"),
    (lambda: formats.money(1204, "JPY"), "¥1,204", f"1.204{NB}¥"),
    (lambda: formats.money(-550, "USD"), "-$5.50", f"-5,50{NB}$"),
    (lambda: formats.compact_money(121_000_000, "USD"), f"$1.21{NB}m", f"1,21{NB}Mio.{NB}$"),
    (lambda: formats.compact_money(9_640_000, "USD"), f"$96.4{NB}k", f"96,4{NB}Tsd.{NB}$"),
    (lambda: formats.compact_money(99_996_000, "USD"), f"$1.00{NB}m", f"1,00{NB}Mio.{NB}$"),
    (lambda: formats.compact_money(420_000, "USD"), "$4,200", f"4.200{NB}$"),
    (lambda: formats.compact_money(-3_000_000_000_00, "EUR"), f"-€3.00{NB}bn", f"-3,00{NB}Mrd.{NB}€"),
    (lambda: formats.compact_money(None), "–", "–"),
    (lambda: formats.compact_number(155_848), f"156{NB}k", f"156{NB}Tsd."),
    (lambda: formats.day(date(2017, 12, 1)), "1 Dec 2017", "1. Dez. 2017"),
    (lambda: formats.day("2017-12-01", year=False), "1 Dec", "1. Dez."),
    (lambda: formats.day(None), "–", "–"),
    (lambda: formats.month(date(2017, 3, 5)), "Mar 2017", "März 2017"),
    (lambda: formats.month_name(date(2017, 3, 5)), "Mar", "März"),
    (lambda: formats.days(4), "4 days", "4 Tage"),
    (lambda: formats.days_ago(4), "4 days", "4 Tagen"),
    (lambda: formats.every(4), "every 4 days", "alle 4 Tage"),
    (lambda: formats.every(1), "every day", "jeden Tag"),
    (lambda: formats.signed(-0.021, formats.share), "−2.1%", f"−2,1{NB}%"),
]


@pytest.mark.parametrize(("write", "english", "german"), CASES)
def test_both_languages(write: Callable[[], str], english: str, german: str) -> None:
    translation.activate("en")
    assert write() == english
    translation.activate("de")
    assert write() == german


def test_an_instant_is_shown_in_the_company_zone() -> None:
    late = datetime(2018, 1, 1, 4, 1, tzinfo=UTC)
    assert formats.moment(late) == "31 Dec 2017, 23:01"
    assert formats.as_day(late) == date(2017, 12, 31)


def test_a_language_that_is_not_spoken_reads_english() -> None:
    with translation.override("fr"):
        assert formats.number(1234.5, 1) == "1,234.5"


@pytest.mark.parametrize("lang", ["en", "de"])
@given(st.one_of(st.integers(-(10**15), 10**15), st.floats(-1e9, 1e9)), st.integers(0, 3))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_figures_are_written_as_babel_writes_them(lang: str, value: float, digits: int) -> None:
    locale = {"en": "en_US", "de": "de_DE"}[lang]
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    per_cent, whole = (f"{pattern}{NB}%", f"{pattern}{NB}¤") if lang == "de" else (f"{pattern}%", f"¤{pattern}")
    with translation.override(lang):
        assert formats.number(value, digits) == format_decimal(value, pattern, locale)
        assert formats.share(value, digits) == format_percent(value, per_cent, locale)
        for code in ("USD", "EUR", "CHF", "JPY", "KWD"):
            amount = Money(round(value), code).major
            assert formats.money(value, code) == format_currency(amount, code, locale=locale)
            written = format_currency(amount, code, whole, locale, currency_digits=False)
            assert formats.money(value, code, digits) == written


@pytest.mark.parametrize("lang", ["en", "de"])
@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_clock_is_written_as_babel_writes_it(lang: str, at: datetime) -> None:
    with translation.override(lang):
        written = format_time(at.astimezone(zone()), "HH:mm", locale={"en": "en_GB", "de": "de_DE"}[lang])
        assert formats.clock(at) == written


def test_addresses_break_before_the_at_and_dates_do_not_break() -> None:
    assert tags.breaking("a<b>@example.org") == "a&lt;b&gt;<wbr>@example.org"
    assert tags.breaking("nobody") == "<wbr>nobody"
    assert tags.unbroken("1 Dec 2017") == "1\u00a0Dec\u00a02017"


def test_names_between_backticks_are_code_and_nothing_else_is_markup() -> None:
    assert tags.coded("follow `next` & <b>") == "follow <code>next</code> &amp; &lt;b&gt;"
