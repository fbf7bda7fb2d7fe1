"""The front door as an attacker meets it: sessions, links, attempts, forged requests, hosts, errors, and settings."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from rondo.errors import InputError
from rondo.foundation import accounts, throttling
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import Attempt, AuditEntry, Team, User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
SignIn = Callable[[User], Client]


@pytest.fixture
def dora(alice: User) -> User:
    """Alice, who signs in by password."""
    alice.set_password(PASSWORD)
    alice.save(update_fields=["password"])
    return alice


def enter(client: Client, user: User, password: str = PASSWORD, **query: str) -> Any:
    return client.post("/accounts/login/", {"login": user.email, "password": password} | query)


def verbs(user: User) -> list[str]:
    return list(AuditEntry.objects.filter(record_id=user.pk).order_by("pk").values_list("verb", flat=True))


# Signing in and out


def test_signing_in_and_out_and_failing_are_told_without_what_was_typed(dora: User) -> None:
    client = Client()
    enter(client, dora, "wrong password")
    enter(client, dora)
    client.post("/accounts/logout/")
    assert verbs(dora) == ["user.sign_in_failed", "user.signed_in", "user.signed_out"]
    failed, entered, _left = AuditEntry.objects.order_by("pk")
    assert (failed.actor, entered.actor, entered.door) == (None, dora, "web")
    assert "wrong password" not in json.dumps([entry.changes for entry in AuditEntry.objects.all()])


def test_an_attempt_on_no_account_leaves_nothing_that_was_typed(dora: User) -> None:
    response = Client().post("/accounts/login/", {"login": PASSWORD, "password": "x"})
    assert response.status_code == 200
    assert not AuditEntry.objects.exists()


def test_an_account_takes_no_more_attempts_even_after_a_restart(dora: User, make_user: Callable[..., User]) -> None:
    """The right password is refused, too, else the answer would tell that it was right; so is an address without an
    account, else it would tell that there is none. Others are not held up, and the page says how long to wait."""
    for _attempt in range(throttling.ACCOUNT.times):
        assert enter(Client(), dora, "wrong").status_code == 200
        assert enter(Client(), User(email="nobody@example.org")).status_code == 200
    cache.clear()  # as a restart or another process has it
    refused, unknown = enter(Client(), dora), enter(Client(), User(email="nobody@example.org"))
    assert (refused.status_code, unknown.status_code) == (429, 429)
    assert 240 < int(refused["Retry-After"]) <= 300 and "Try again in 5 minutes" in refused.content.decode()
    other = make_user("other")
    other.set_password(PASSWORD)
    other.save(update_fields=["password"])
    assert enter(Client(), other).status_code == 302
    assert verbs(dora).count("user.sign_in_failed") == throttling.ACCOUNT.times
    Attempt.objects.update(at=timezone.now() - throttling.ACCOUNT.window)
    assert enter(Client(), dora).status_code == 302


def test_one_address_of_the_network_takes_no_more_attempts_on_whatever_account(dora: User) -> None:
    for number in range(throttling.FAILED.times):
        enter(Client(), User(email=f"{number}@example.org"), "wrong")
    assert enter(Client(), dora).status_code == 429
    assert enter(Client(REMOTE_ADDR="192.0.2.7"), dora).status_code == 302
    kept = str(list(Attempt.objects.values()))
    assert "127.0.0.1" not in kept and "example.org" not in kept


@pytest.mark.django_db(transaction=True)
def test_attempts_at_the_same_moment_are_counted_together() -> None:
    """As many go on as may, whichever threads or processes they come from."""
    waits: list[float] = []
    together = threading.Barrier(8)

    def attempt() -> None:
        try:
            together.wait(10)
            waits.append(throttling.try_once_more(throttling.ACCOUNT, "dora"))
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(waits) == 8 and sum(wait == 0 for wait in waits) <= throttling.ACCOUNT.times
    assert throttling.waiting(throttling.ACCOUNT, "DORA ") > 0 or Attempt.objects.count() < throttling.ACCOUNT.times


def test_attempts_count_anew_after_a_success(dora: User) -> None:
    for _round in range(2):
        for _attempt in range(throttling.ACCOUNT.times - 1):
            enter(Client(), dora, "wrong")
            cache.clear()
        assert enter(Client(), dora).status_code == 302


def test_a_new_password_is_told_without_it_and_ends_other_sessions(dora: User) -> None:
    here, elsewhere = Client(), Client()
    enter(here, dora)
    enter(elsewhere, dora)
    new = "another horse, another battery"
    response = here.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert response.status_code == 302
    assert verbs(dora)[-2:] == ["password.set", "sessions.ended"]
    assert not AuditEntry.objects.get(verb="password.set").changes
    assert here.get("/profile/").status_code == 200
    assert elsewhere.get("/profile/").status_code == 302


def test_signing_in_takes_a_new_session(dora: User) -> None:
    """Whoever planted a session id in the browser beforehand does not hold the one that is signed in."""
    client = Client()
    client.get("/accounts/login/")
    client.session["planted"] = True
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    assert planted
    client.cookies["rondo_session_8000"] = planted
    enter(client, dora)
    assert client.session.session_key != planted
    assert "_auth_user_id" in client.session
    link = Client()
    session = link.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    link.get(accounts.make_login_link(system(), dora).partition("8000")[2])
    assert link.session.session_key != planted and "_auth_user_id" in link.session


def test_who_is_off_is_out_at_once(signed_in: SignIn, dora: User) -> None:
    client = signed_in(dora)
    User.objects.filter(pk=dora.pk).update(is_active=False)
    assert client.get("/profile/").status_code == 302
    assert enter(Client(), dora).status_code in {200, 302}
    fresh = Client()
    enter(fresh, dora)
    assert "_auth_user_id" not in fresh.session


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example", "https:evil.example"],
)
def test_nobody_is_sent_elsewhere(dora: User, target: str) -> None:
    client = Client()
    assert enter(client, dora, next=target)["Location"] == "/"
    for address, choice in (("language", {"language": "de"}), ("theme", {"theme": "dark"})):
        answer = client.post(f"/preferences/{address}", choice | {"next": target})
        assert answer["Location"] == "/"
    assert client.post("/accounts/logout/", {"next": target})["Location"] in {"/", "/accounts/login/"}


def test_who_is_sent_to_sign_in_comes_back(dora: User) -> None:
    client = Client()
    wanted = client.get("/profile/")["Location"]
    assert wanted == "/accounts/login/?next=/profile/"
    assert enter(client, dora, next="/profile/")["Location"] == "/profile/"


# One-time links


def test_a_link_is_told_when_made_and_used_and_never_what_it_is(dora: User) -> None:
    link = accounts.make_login_link(system(), dora)
    token = link.rpartition("/")[2]
    assert accounts.use_login_link(token) == dora
    assert verbs(dora) == ["link.made", "link.used"]
    kept = json.dumps([entry.changes for entry in AuditEntry.objects.all()])
    assert token not in kept and accounts.digest(token) not in kept


@pytest.mark.django_db(transaction=True)
def test_a_link_opened_twice_at_the_same_moment_opens_once(alice: User) -> None:
    token = accounts.make_login_link(system(), alice).rpartition("/")[2]
    together = threading.Barrier(4)
    statuses: list[int] = []

    def open_it() -> None:
        try:
            client = Client()
            together.wait(120)
            statuses.append(client.get(f"/in/{token}").status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(statuses) == [302, 410, 410, 410]
    assert AuditEntry.objects.filter(verb="link.used").count() == 1


def test_a_link_of_somebody_who_is_off_or_too_old_opens_nothing(alice: User, charlie: User) -> None:
    off = accounts.make_login_link(system(), charlie).rpartition("/")[2]
    User.objects.filter(pk=charlie.pk).update(is_active=False)
    old = accounts.make_login_link(system(), alice, minutes=0).rpartition("/")[2]
    for token in (off, old, "in_made-up", "x" * 500):
        client = Client()
        assert client.get(f"/in/{token}").status_code == 410
        assert "_auth_user_id" not in client.session


# Preferences and teams


def test_preferences_are_told_and_only_ones_own_can_be_set(signed_in: SignIn, alice: User) -> None:
    client = signed_in(alice)
    client.post("/preferences/language", {"language": "de"})
    client.post("/preferences/theme", {"theme": "dark"})
    client.post("/preferences/theme", {"theme": "dark"})
    told = AuditEntry.objects.filter(verb="user.changed").order_by("pk").values_list("actor", "changes")
    assert list(told) == [(alice.pk, {"language": ["", "de"]}), (alice.pk, {"theme": ["system", "dark"]})]
    with pytest.raises(InputError, match="role cannot be set"):
        accounts.change_preferences(Actor(alice, "web"), role="administrator")
    with pytest.raises(InputError, match="language='fr'"):
        accounts.change_preferences(Actor(alice, "web"), language="fr")


def test_a_team_is_made_once_and_told() -> None:
    assert accounts.team_named(system(), " North  West ") == accounts.team_named(system(), "North West")
    assert Team.objects.count() == 1
    assert AuditEntry.objects.get().changes == {"name": [None, "North West"]}
    with pytest.raises(InputError, match="1 to 120"):
        accounts.team_named(system(), "  ")


# Forged requests


def patterns(resolver: URLResolver, prefix: str = "") -> list[tuple[str, URLPattern]]:
    found: list[tuple[str, URLPattern]] = []
    for part in resolver.url_patterns:
        where = prefix + str(part.pattern)
        found += patterns(part, where) if isinstance(part, URLResolver) else [(where, part)]
    return found


def test_no_view_but_those_of_the_api_takes_a_request_without_the_sites_own_token() -> None:
    free = [where for where, part in patterns(get_resolver()) if getattr(part.callback, "csrf_exempt", False)]
    assert free and all(where.startswith("api/") for where in free)


def test_a_form_from_elsewhere_is_refused_and_changes_nothing(dora: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(dora)
    for address in (
        "preferences/theme",
        "preferences/language",
        "profile/",
        "settings/",
        "accounts/logout/",
        "analyse",
    ):
        response = client.post(f"/{address}", {"theme": "dark", "language": "de"})
        assert response.status_code == 403, address
    dora.refresh_from_db()
    assert (dora.theme, dora.language) == ("system", "")
    assert client.get("/profile/").status_code == 200
    assert not AuditEntry.objects.exists()


# Errors and hosts


@pytest.mark.parametrize(("language", "word"), [("en", "home page"), ("de", "Startseite")])
def test_error_pages_speak_the_language_and_tell_nothing(
    language: str, word: str, alice: User, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("password=hunter2")

    headers = {"accept-language": language}
    client = signed_in(alice)
    client.raise_request_exception = False
    monkeypatch.setattr("rondo.web.views.settings.ProfileForm.of", broken)
    answers = {
        404: client.get("/no-such-page", headers=headers),
        500: client.get("/profile/", headers=headers),
        403: Client(enforce_csrf_checks=True).post("/preferences/theme", headers=headers),
        400: client.get("/profile/", headers=headers | {"host": "evil.example"}),
    }
    for status, answer in answers.items():
        body = answer.content.decode()
        assert answer.status_code == status
        assert word in body, (status, body[:300])
        assert f'lang="{language}"' in body, status
        assert not any(inside in body for inside in ("hunter2", "Traceback", "evil.example", "django", "rondo.web"))
        assert "Content-Security-Policy" in answer.headers


def test_an_unknown_host_is_refused(client: Client) -> None:
    assert client.get("/accounts/login/", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/api/v1/customers", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/accounts/login/", headers={"host": "localhost"}).status_code == 200


# Settings, as a fresh process reads them

PROBE = """
import json
from rondo import settings
names = ("DEBUG", "ALLOWED_HOSTS", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS",
         "CSRF_TRUSTED_ORIGINS", "SECURE_PROXY_SSL_HEADER", "ALLAUTH_TRUSTED_PROXY_COUNT", "SECRET_KEY")
told = {name: getattr(settings, name) for name in names}
import django
from django.conf import settings as chosen
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "rondo.settings"
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.test import Client
from rondo.foundation.accounts import add_user, make_login_link
from rondo.foundation.actors import system
user = add_user(system(), "alice@example.org", role="administrator")
user.set_password("correct horse battery")
user.save()
link = make_login_link(system(), user)
told["link"] = link
client = Client(headers={"host": HOST, "x-forwarded-proto": "https"})
answer = client.get("/in/" + link.rpartition("/")[2])
page = client.get("/profile/")
client.post("/preferences/language", {"language": "de"})
told["hsts"] = page.headers.get("Strict-Transport-Security", "")
told["headers"] = dict(page.headers)
told["status"] = [answer.status_code, page.status_code]
told["cookies"] = {name: [bool(c["secure"]), bool(c["httponly"]), c["samesite"]] for name, c in client.cookies.items()}
print(json.dumps(told))
"""


def settings_under(home: Path, host: str, **environment: str) -> dict[str, Any]:
    (home / "static").mkdir(parents=True, exist_ok=True)
    (home / "static" / "staticfiles.json").write_text('{"version": "1.1", "paths": {}, "hash": ""}')
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RONDO_", "DJANGO_"))}
    code = PROBE.replace("HOST,", repr(host) + ",").replace("from django.test import Client", _PLAIN_STATIC)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=kept | {"RONDO_HOME": str(home), "RONDO_LOG_LEVEL": "ERROR"} | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


_PLAIN_STATIC = """from django.test import Client
from django.contrib.staticfiles.storage import ManifestFilesMixin
ManifestFilesMixin.stored_name = lambda self, name: name"""
"""Pages name static files as they are: nothing was collected."""


@pytest.mark.once
def test_over_https_cookies_are_secure_and_browsers_are_told_to_stay(migrated_home: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("a secret key out of a file, long enough to be one\n")
    told = settings_under(
        migrated_home, "crm.example.org", RONDO_URL="https://crm.example.org", RONDO_SECRET_KEY_FILE=str(key)
    )
    assert told["DEBUG"] is False
    assert told["SECRET_KEY"] == key.read_text().strip()
    assert told["ALLOWED_HOSTS"] == ["crm.example.org", "localhost", "127.0.0.1", "[::1]"]
    assert told["CSRF_TRUSTED_ORIGINS"] == ["https://crm.example.org"]
    assert told["link"].startswith("https://crm.example.org/in/in_")
    assert told["status"] == [302, 200]
    assert told["hsts"] == "max-age=31536000"
    assert told["headers"]["X-Frame-Options"] == "DENY"
    assert told["headers"]["X-Content-Type-Options"] == "nosniff"
    assert told["headers"]["Referrer-Policy"] == "same-origin"
    assert told["headers"]["Cross-Origin-Opener-Policy"] == "same-origin"
    assert set(told["cookies"]) == {"rondo_session_8000", "rondo_csrf_8000", "rondo_language"}
    assert all(found == [True, True, "Lax"] for found in told["cookies"].values()), told["cookies"]


@pytest.mark.once
def test_without_https_nothing_is_pretended(migrated_home: Path) -> None:
    """A header of a proxy that is not there is not believed, and the key is made once, for its owner's eyes."""
    told = settings_under(migrated_home, "localhost")
    assert told["DEBUG"] is False
    assert told["SECURE_PROXY_SSL_HEADER"] is None and told["ALLAUTH_TRUSTED_PROXY_COUNT"] == 0
    assert told["hsts"] == ""
    assert all(found == [False, True, "Lax"] for found in told["cookies"].values())
    key = migrated_home / "secret-key"
    assert key.read_text() == told["SECRET_KEY"] and len(told["SECRET_KEY"]) > 50
    assert key.stat().st_mode & 0o077 == 0


def test_old_and_used_links_are_thrown_away_and_stay_in_the_audit_log(alice: User) -> None:
    from rondo.foundation.jobs.housekeeping import tidy

    accounts.use_login_link(accounts.make_login_link(system(), alice).rpartition("/")[2])
    accounts.make_login_link(system(), alice, minutes=-1)
    assert tidy(system())["links"] == 2
    assert AuditEntry.objects.filter(verb__startswith="link.").count() == 3
    assert AuditEntry.objects.filter(at__gt=timezone.now() + timedelta(minutes=1)).count() == 0
