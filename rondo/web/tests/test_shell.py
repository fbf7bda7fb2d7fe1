"""The shell by HTTP: who gets in, what they see, what they may change, and that every page keeps the policy.

Cast: alice administers and sees all, bob sells and sees his team's customers, charlie reads his own (none).
"""

import html
import re
import shlex
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from rondo.analysis.models import Run
from rondo.customers.actions import merge
from rondo.customers.models import Customer
from rondo.foundation.accounts import make_login_link
from rondo.foundation.actors import Actor, system
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.installation import change_installation
from rondo.foundation.installation import installation as the_installation
from rondo.foundation.models import ApiToken, AuditEntry, Installation, Load, LoginLink, User
from rondo.interactions.models import Order
from rondo.web.templatetags.rondo import undo_url
from rondo.web.tests.customers_data import make_customer
from rondo.web.tests.sample import store_run

SignIn = Callable[[User], Client]
NB = "\u00a0"


def text_of(response: object) -> str:
    body: str = response.content.decode()  # type: ignore[attr-defined]
    return body


@pytest.fixture(autouse=True)
def _company(installation: Installation) -> None:
    pass


# Getting in


def test_a_stranger_is_sent_to_sign_in(client: Client) -> None:
    for address in ("/", "/portfolio/", "/settings/", "/profile/", "/palette", "/charts/revenue.csv"):
        response = client.get(address)
        assert (response.status_code, response["Location"].split("?")[0]) == (302, "/accounts/login/"), address


def test_a_password_opens_the_door(client: Client, alice: User) -> None:
    alice.set_password("correct horse battery")
    alice.save(update_fields=["password"])
    wrong = client.post("/accounts/login/", {"login": alice.email, "password": "wrong"})
    assert wrong.status_code == 200 and 'role="alert"' in text_of(wrong)
    right = client.post("/accounts/login/", {"login": alice.email, "password": "correct horse battery"})
    assert (right.status_code, right["Location"]) == (302, "/")


def test_a_sign_in_link_opens_the_home_page_once(client: Client, alice: User) -> None:
    alice.set_password("correct horse battery")
    alice.save(update_fields=["password"])
    path = make_login_link(system(), alice).partition("/in/")[2]
    first = client.get(f"/in/{path}", follow=True)
    assert first.status_code == 200 and first.request["PATH_INFO"] == "/"
    assert client.get(f"/in/{path}", follow=True).request["PATH_INFO"] == "/"  # signed in already
    assert Client().get(f"/in/{path}").status_code == 410


def test_an_old_link_is_refused(client: Client, alice: User) -> None:
    alice.set_password("correct horse battery")
    alice.save(update_fields=["password"])
    path = make_login_link(system(), alice).partition("/in/")[2]
    LoginLink.objects.update(expires_at=timezone.now())
    assert client.get(f"/in/{path}").status_code == 410
    assert "_auth_user_id" not in client.session


def test_nobody_signs_up(client: Client) -> None:
    response = client.get("/accounts/signup/")
    assert "Nobody signs up" in text_of(response)


# Rights


def test_the_navigation_shows_what_one_may_open(signed_in: SignIn, alice: User, charlie: User) -> None:
    assert 'href="/settings/"' in text_of(signed_in(alice).get("/"))
    assert 'href="/settings/"' not in text_of(signed_in(charlie).get("/"))


def test_a_refused_right_is_a_page_that_says_so(signed_in: SignIn, charlie: User) -> None:
    response = signed_in(charlie).get("/settings/")
    assert response.status_code == 403
    assert "may not administer the installation" in text_of(response)


def test_for_htmx_a_refusal_is_a_toast(signed_in: SignIn, charlie: User) -> None:
    response = signed_in(charlie).get("/settings/", headers={"HX-Request": "true"})
    assert response.status_code == 403 and "may not administer" in response["HX-Trigger"]


def test_only_who_may_analyse_starts_it(signed_in: SignIn, alice: User, charlie: User) -> None:
    Customer.objects.create(name="Anna")
    assert 'action="/analyse"' in text_of(signed_in(alice).get("/"))
    assert 'action="/analyse"' not in text_of(signed_in(charlie).get("/"))
    assert signed_in(charlie).post("/analyse").status_code == 403


def test_the_button_queues_one_analysis_however_often_it_is_pressed(signed_in: SignIn, alice: User) -> None:
    from django_tasks_db.models import DBTaskResult

    client = signed_in(alice)
    for _press in range(2):
        assert client.post("/analyse").status_code == 302
    assert DBTaskResult.objects.filter(task_path__contains="analyse_for").count() == 1
    assert "queued" in text_of(client.get("/analyse/progress"))
    DBTaskResult.objects.all().delete()
    assert client.get("/analyse/progress")["HX-Refresh"] == "true"


# Home and portfolio


def test_without_data_the_home_page_teaches(signed_in: SignIn, alice: User) -> None:
    change_installation(system(), company="")
    client = signed_in(alice)
    page = text_of(client.get("/"))
    assert "rondo import orders" in page and "rondo analyse" in page and "rondo demo --no-serve" in page
    assert page.count("data-copies") == 3  # each command can be taken along
    change_installation(system(), company="Corner Stores")
    assert "rondo demo" not in text_of(client.get("/"))  # it would change the company's currency and time zone


def test_the_import_that_the_home_page_teaches_goes_in(signed_in: SignIn, alice: User, tmp_path: Path) -> None:
    page = html.unescape(text_of(signed_in(alice).get("/")))
    command = re.search(r"rondo (import orders purchases\.csv [^<]+)<", page)
    assert command, page
    verb, kind, file, *options = shlex.split(command[1])
    columns = [pair.partition("=")[2] for pair in options if "=" in pair]
    day = {"date": "2025-03-01"}
    row = ",".join(day.get(name, "7") for name in columns)
    (tmp_path / file).write_text(",".join(columns) + f"\n{row}\n")
    call_command(verb, kind, str(tmp_path / file), *options)
    order = Order.objects.get()
    assert (order.interaction.business_date.isoformat(), order.total) == ("2025-03-01", 700)


def test_home_begins_with_the_worth_and_its_interval(signed_in: SignIn, alice: User) -> None:
    store_run()
    page = re.sub(r"<[^>]+>", "", text_of(signed_in(alice).get("/")))
    assert f"Your customer base is worth $1.21{NB}m over the next 12 months ($1.10{NB}m to $1.32{NB}m)" in page
    assert "margin 25%" in page and "discounted at 10% a year" in page
    assert "+2.1% since 1 Dec" in page


def test_the_same_data_analysed_again_changed_nothing(signed_in: SignIn, alice: User) -> None:
    store_run()
    assert "Changed since" in text_of(signed_in(alice).get("/"))
    Run.objects.all().delete()
    before = {"run": 1, "as_of": "2017-12-31", "value_before": 1, "value_change": 0, "customers_before": 200}
    store_run(since_previous=before | {"became": {}})
    page = text_of(signed_in(alice).get("/"))
    assert "Changed since" not in page and "since 31 Dec" not in page


def test_who_sees_no_customer_is_told_why(signed_in: SignIn, alice: User, charlie: User) -> None:
    store_run()
    assert "No customer is yours to see yet" not in text_of(signed_in(alice).get("/"))
    page = text_of(signed_in(charlie).get("/"))
    assert "No customer is yours to see yet" in page and "Who administers Rondo can make you the owner" in page
    assert "0 customers bought" not in page and "Every customer buys within" not in page


def test_home_speaks_the_users_language_in_figures(signed_in: SignIn, alice: User) -> None:
    store_run()
    User.objects.filter(pk=alice.pk).update(language="de")
    response = signed_in(alice).get("/")
    assert response["Content-Language"] == "de"
    assert f"1,21{NB}Mio.{NB}$" in text_of(response)


def test_each_state_opens_its_customers(signed_in: SignIn, alice: User) -> None:
    store_run()
    page = text_of(signed_in(alice).get("/"))
    for state in ("active", "late", "asleep", "never"):
        assert f'href="/customers/?f=activity%3Ais%3A{state}"' in page


def test_figures_say_when_they_are_stale(signed_in: SignIn, alice: User) -> None:
    store_run()
    client = signed_in(alice)
    assert "Data came in" not in text_of(client.get("/"))
    Load.objects.create(kind="orders", file_name="x.csv", status=Load.Status.VISIBLE, finished_at=timezone.now())
    assert "Data came in" in text_of(client.get("/"))
    assert "Analyse again" in text_of(client.get("/portfolio/"))


def test_a_merge_makes_figures_stale_too(signed_in: SignIn, alice: User) -> None:
    store_run()
    client = signed_in(alice)
    assert "Data came in" not in text_of(client.get("/"))
    loser, winner = (Customer.objects.create(kind="person", name=name) for name in ("Ada One", "Ada Two"))
    merge(Actor(alice, "web"), loser, winner)
    assert "Data came in" in text_of(client.get("/"))


def test_who_sees_only_own_customers_sees_no_figure_of_the_base(signed_in: SignIn, alice: User, bob: User) -> None:
    store_run()
    own = signed_in(bob).get("/")
    assert own.status_code == 200
    assert "$1.21" in text_of(signed_in(alice).get("/"))
    assert "$1.21" not in text_of(own) and "$1.10" not in text_of(own)
    assert signed_in(bob).get("/portfolio/").status_code == 200
    assert signed_in(bob).get("/charts/deciles.csv").status_code == 404


def test_portfolio_says_what_was_forecast_and_what_happened(signed_in: SignIn, alice: User) -> None:
    store_run()
    page = re.sub(r"<[^>]+>", "", text_of(signed_in(alice).get("/portfolio/")))
    assert "bring 55% of the revenue" in page
    assert "the model forecast 3,204 purchase days (3,157 to 3,252) for the next 91 days; 3,177 happened" in page
    assert "hardly tell how customers leave" in page


def test_portfolio_without_model_or_hold_out(signed_in: SignIn, alice: User) -> None:
    store_run(value=None, holdout=None, forecast=[], concentration=None, since_previous=None, grid=[], value_bins=[])
    client = signed_in(alice)
    assert client.get("/portfolio/").status_code == 200
    assert client.get("/").status_code == 200


def test_a_chart_can_be_taken_along_as_csv(signed_in: SignIn, alice: User) -> None:
    store_run()
    client = signed_in(alice)
    response = client.get("/charts/revenue.csv")
    lines = text_of(response).splitlines()
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert lines[1] == "2017-12-04,9040.00,90,70,,"
    assert client.get("/charts/nothing.csv").status_code == 404


# Preferences, settings, tokens


def test_language_and_theme_are_kept_with_the_user(signed_in: SignIn, alice: User) -> None:
    client = signed_in(alice)
    assert client.post("/preferences/language", {"language": "de", "next": "/portfolio/"})["Location"] == "/portfolio/"
    client.post("/preferences/theme", {"theme": "dark"})
    alice.refresh_from_db()
    assert (alice.language, alice.theme) == ("de", "dark")
    page = text_of(client.get("/"))
    assert '<html lang="de" data-theme="dark"' in page


def test_a_switch_never_leads_off_the_site(client: Client) -> None:
    for target in ("//evil.example", "https://evil.example/", "javascript:alert(1)"):
        assert client.post("/preferences/language", {"language": "en", "next": target})["Location"] == "/"


def test_an_unknown_language_is_a_clear_error(client: Client) -> None:
    response = client.post("/preferences/language", {"language": "tlh"})
    assert response.status_code == 400 and "one of en, de" in text_of(response)


def test_settings_are_typed_as_people_write_them(signed_in: SignIn, alice: User) -> None:
    form = {
        "company": "Ecke & Co",
        "currency": "EUR",
        "time_zone": "Europe/Berlin",
        "margin_percent": "27,5",
        "discount_percent": "8",
        "horizon_months": "24",
    }
    User.objects.filter(pk=alice.pk).update(language="de")
    response = signed_in(alice).post("/settings/", form)
    assert response.status_code == 302
    row = the_installation()
    assert (row.company, row.currency, row.margin_rate, row.horizon_months) == (
        "Ecke & Co",
        "EUR",
        Decimal("0.2750"),
        24,
    )
    assert AuditEntry.objects.filter(verb="installation.changed", actor=alice).exists()


def test_settings_refuse_what_cannot_be(signed_in: SignIn, alice: User) -> None:
    response = signed_in(alice).post("/settings/", {"currency": "EUR", "time_zone": "UTC", "margin_percent": "140"})
    assert response.status_code == 422
    assert 'aria-invalid="true"' in text_of(response) and the_installation().currency == "USD"


def test_a_token_is_shown_once_and_revoked_by_its_owner_alone(signed_in: SignIn, alice: User, bob: User) -> None:
    client = signed_in(bob)
    made = text_of(client.post("/profile/tokens", {"name": "shop", "days": "90", "scopes": "see"}))
    found = re.search(r'id="new-token">(rondo_[\w-]+)<', made)
    assert found and found.group(1) not in text_of(client.get("/profile/tokens"))
    token = ApiToken.objects.get(user=bob)
    assert signed_in(alice).post(f"/profile/tokens/{token.pk}/revoke").status_code == 404
    assert client.post(f"/profile/tokens/{token.pk}/revoke").status_code == 302
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_the_profile_changes_named_fields_with_an_audit_entry(signed_in: SignIn, bob: User) -> None:
    signed_in(bob).post("/profile/", {"name": "Bob B.", "language": "de", "theme": "light"})
    bob.refresh_from_db()
    assert (bob.name, bob.language, bob.theme, bob.role_id) == ("Bob B.", "de", "light", "sales")
    entry = AuditEntry.objects.get(verb="user.changed")
    assert entry.changes == {"name": ["Bob", "Bob B."], "language": ["", "de"], "theme": ["system", "light"]}


# Palette


def test_the_palette_finds_pages_and_customers_one_may_see(signed_in: SignIn, alice: User, bob: User) -> None:
    anna = make_customer("Anna Müller")
    client = signed_in(alice)
    assert 'href="/portfolio/"' in text_of(client.get("/palette", {"q": "port"}))
    assert f'href="/customers/{anna.public_id}/"' in text_of(client.get("/palette", {"q": "Anna Mue"}))
    assert anna.public_id not in text_of(signed_in(bob).get("/palette", {"q": "anna"}))
    assert "Nothing begins with" in text_of(client.get("/palette", {"q": "<zzz>"}))
    assert "<zzz>" not in text_of(client.get("/palette", {"q": "<zzz>"}))


def test_a_name_is_found_by_a_beginning_that_ends_in_z(signed_in: SignIn, alice: User) -> None:
    """On PostgreSQL with a linguistic collation the character after "z" sorts before all letters."""
    zorro = make_customer("Mendoza Zorro")
    for text in ("Mendoz", "mendoza z"):
        assert zorro.public_id in text_of(signed_in(alice).get("/palette", {"q": text})), text


# The policy, errors, undo


def test_no_page_carries_inline_script_or_style(signed_in: SignIn, client: Client, alice: User) -> None:
    store_run()
    Customer.objects.create(name="Anna")
    make_api_token(Actor(alice, "web"), alice, "shop")
    inside = signed_in(alice)
    pages = [(client, "/accounts/login/"), (client, "/accounts/password/reset/"), (client, "/nowhere")]
    pages += [
        (inside, address) for address in ("/", "/portfolio/", "/settings/", "/profile/", "/palette?q=", "/nowhere")
    ]
    pages += [(inside, "/accounts/password/change/"), (inside, "/accounts/logout/"), (inside, "/customers/")]
    for who, address in pages:
        response = who.get(address)
        page = text_of(response)
        assert "script-src 'self'" in response["Content-Security-Policy"]
        for forbidden in (
            r"<style",
            r"\sstyle\s*=",
            r"<[^>]+\son[a-z]+\s*=",
            r"<script(?![^>]*\ssrc=)(?![^>]*application/json)[^>]*>",
            "javascript:",
        ):
            assert not re.search(forbidden, page, re.IGNORECASE), (address, forbidden)


def test_an_unknown_address_is_a_page(signed_in: SignIn, client: Client, alice: User) -> None:
    assert "There is nothing here" in text_of(client.get("/nowhere"))
    assert signed_in(alice).get("/nowhere").status_code == 404


def test_a_failure_of_ours_is_a_page_that_asks_nothing_of_the_database() -> None:
    from django.test import RequestFactory

    from rondo.web.views.errors import failed

    response = failed(RequestFactory().get("/"))
    assert response.status_code == 500 and "Something failed" in text_of(response)


def test_undo_goes_only_to_addresses_of_ours() -> None:
    class Said:
        extra_tags = ""

    for tags, expected in [
        ("undo:/customers/x/undo", "/customers/x/undo"),
        ("undo://evil.example", ""),
        ("undo:https://evil.example", ""),
        ("", ""),
    ]:
        said = Said()
        said.extra_tags = tags
        assert undo_url(said) == expected


@pytest.mark.parametrize(("sqlstate", "status"), [("40P01", 409), ("55P03", 409), ("53300", 500)])
def test_who_waited_for_another_writer_in_vain_is_told_to_try_again(
    signed_in: Callable[[User], Client], alice: User, monkeypatch: pytest.MonkeyPatch, sqlstate: str, status: int
) -> None:
    def beaten(*_given: object, **_named: object) -> None:
        error = OperationalError("deadlock detected, for password=hunter2")
        error.__cause__ = type("Cause", (Exception,), {"sqlstate": sqlstate})()
        raise error

    monkeypatch.setattr("rondo.web.views.preferences.change_preferences", beaten)
    client = signed_in(alice)
    client.raise_request_exception = False
    answer = client.post("/preferences/theme", {"theme": "dark"})
    assert answer.status_code == status
    assert ("try it again" in answer.content.decode()) == (status == 409) and b"hunter2" not in answer.content
