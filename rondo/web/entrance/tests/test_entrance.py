"""Coming in as a new user does: invitations and forgotten passwords through a mail server that runs here, links, the
second factor, sessions, and what an administrator may do about them."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core.management import call_command
from django.db.models import Q
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from rondo.errors import InputError, NotFound, PermissionRefused, StateError
from rondo.foundation import accounts, api_tokens, invitations, second_factor, sessions
from rondo.foundation.actors import Actor, system
from rondo.foundation.installation import change_installation
from rondo.foundation.models import AuditEntry, Installation, Invitation, User, UserSession
from rondo.foundation.rights import RIGHTS

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
PASSWORD = "correct horse battery"


class Mailbox:
    """A mail server that keeps what it takes, or ``refuses``."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuses = ""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage) and envelope.rcpt_tos == [mail["To"]]
        if not self.refuses:
            self.mails.append(mail)
        return self.refuses or "250 taken"


@pytest.fixture
def mailbox(settings: Any, installation: Installation) -> Iterator[Mailbox]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    box = Mailbox()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 5
    settings.DEFAULT_FROM_EMAIL, settings.RONDO_MAIL = "Rondo <crm@example.org>", True
    yield box
    server.stop()


def work() -> None:
    """What a worker does: all jobs that are due."""
    from rondo.foundation.account_mails import send_account_mail

    due = Q(run_after__lte=timezone.now()) | Q(run_after__year=9999)
    for row in DBTaskResult.objects.filter(due, status="READY").order_by("enqueued_at"):
        if row.task_path.endswith("send_account_mail"):
            send_account_mail.func(*row.args_kwargs["args"])
            row.delete()


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def link_in(mail: EmailMessage) -> str:
    """The path of the link; text and HTML have the same."""
    found = re.search(r"http://localhost:8000(/\S+)", body(mail, "plain"))
    assert found and found.group(1) in body(mail, "html")
    return found.group(1)


def verbs() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True))


def invite(actor: User, *addresses: str, **fields: Any) -> list[Invitation]:
    return invitations.invite(Actor(actor, "web"), addresses, **({"role": "sales", "reach": "own"} | fields))


def token_of(row: Invitation) -> str:
    return invitations.link_of(row).rpartition("/")[2]


# Invitations


def test_several_are_invited_by_mail_and_one_comes_in(mailbox: Mailbox, signed_in: SignIn, alice: User) -> None:
    """In the language chosen, after the commit, by a job; opening the page uses nothing up; the link works once."""
    form = {"addresses": "Dora@example.org, eve@example.org", "role": "sales", "reach": "own", "language": "de"}
    assert signed_in(alice).post("/settings/invitations", form).status_code == 302
    assert mailbox.mails == [] and set(Invitation.objects.values_list("mail", flat=True)) == {"waiting"}
    work()
    to_dora, to_eve = sorted(mailbox.mails, key=lambda mail: str(mail["To"]))
    assert (to_dora["To"], to_eve["To"]) == ("dora@example.org", "eve@example.org")
    assert to_dora["Content-Language"] == "de" and to_dora["From"] == "Rondo <crm@example.org>"
    assert "Alice" in body(to_dora, "plain") and "Corner Stores" in str(to_dora["Subject"])
    assert set(Invitation.objects.values_list("mail", flat=True)) == {"sent"}
    path, client = link_in(to_dora), Client()
    for _look in range(2):
        assert "dora@example.org" in client.get(path).content.decode()
    weak = client.post(path, {"name": "Dora", "password1": "short", "password2": "short"})
    assert weak.status_code == 422 and not User.objects.filter(email="dora@example.org").exists()
    entered = client.post(path, {"name": "Dora", "password1": PASSWORD, "password2": PASSWORD})
    assert (entered.status_code, entered["Location"]) == (302, "/")
    dora = User.objects.get(email="dora@example.org")
    assert (dora.name, second_factor.role_of(dora), dora.reach, dora.language) == ("Dora", "sales", "own", "de")
    assert dora.check_password(PASSWORD) and client.get("/profile/").status_code == 200
    assert Client().get(path).status_code == 410
    told = verbs()
    assert [verb for verb in told if verb.startswith("invitation.")] == ["invitation.made"] * 2 + [
        "invitation.accepted"
    ]
    kept = str(list(Invitation.objects.values())) + str(list(AuditEntry.objects.values()))
    assert path.rpartition("-")[2] not in kept


def test_a_link_ends_with_time_a_newer_one_withdrawal_and_the_right_of_who_invited(alice: User, bob: User) -> None:
    [row] = invite(alice, "dora@example.org")
    first = token_of(row)
    again = invitations.send_again(Actor(alice, "web"), row.pk)
    assert invitations.of_token(first) is None and invitations.of_token(token_of(again)) is not None
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert invitations.of_token(token_of(again)) is None
    again = invitations.send_again(Actor(alice, "web"), row.pk)
    accounts.change_user(system(), bob, role="administrator")
    accounts.change_user(system(), alice, role="reader")
    assert invitations.of_token(token_of(again)) is None, "who invited may administer no more"
    [newer] = invite(User.objects.get(pk=bob.pk), "dora@example.org")
    invitations.withdraw(system(), newer.pk)
    with pytest.raises(NotFound, match="no longer good"):
        invitations.accept(token_of(newer), "Dora", PASSWORD)
    for rubbish in ("", "1", "x-y", "9" * 30 + "-a", f"{newer.pk}-", "²-x"):
        assert Client().get(f"/invitation/{rubbish or 'x'}").status_code == 410


def test_who_may_not_be_invited_and_who_may_not_invite(alice: User, bob: User) -> None:
    for addresses, fields, error in (
        (["nobody"], {}, InputError), ([], {}, InputError), (["BOB@example.org"], {}, StateError),
        (["dora@example.org"], {"reach": "moon"}, InputError),
        ([f"{n}@example.org" for n in range(101)], {}, InputError),
    ):  # fmt: skip
        with pytest.raises(error):
            invite(alice, "fine@example.org", *addresses, **fields) if addresses else invite(alice)
    assert not Invitation.objects.exists(), "one that is not usable: nobody is invited"
    with pytest.raises(PermissionRefused):
        invite(bob, "dora@example.org")


def test_without_a_mail_server_the_link_is_shown_once(signed_in: SignIn, alice: User) -> None:
    client = signed_in(alice)
    form = {"addresses": "dora@example.org", "role": "reader", "reach": "all"}
    shown = client.post("/settings/invitations", form).content.decode()
    row = Invitation.objects.get()
    assert token_of(row) in shown and row.mail == "none"
    assert token_of(row) not in client.get("/settings/invitations").content.decode()
    assert not DBTaskResult.objects.exists()


def test_a_mail_that_is_not_taken_is_tried_again_and_then_said(
    mailbox: Mailbox, signed_in: SignIn, alice: User
) -> None:
    mailbox.refuses = "550 no such mailbox"
    invite(alice, "dora@example.org")
    for _try in range(4):
        DBTaskResult.objects.update(run_after=timezone.now())
        work()
    assert not DBTaskResult.objects.filter(status="READY").exists()
    page = signed_in(alice).get("/settings/invitations").content.decode()
    assert "no such mailbox" in page and Invitation.objects.get().mail == "failed"


# Forgotten passwords


def test_a_forgotten_password_is_mended_by_mail_and_all_sessions_end(
    mailbox: Mailbox, signed_in: SignIn, alice: User
) -> None:
    User.objects.filter(pk=alice.pk).update(language="de")
    elsewhere, client = signed_in(alice), Client()
    elsewhere.get("/profile/")
    answer = client.post("/accounts/password/reset/", {"email": alice.email})
    assert answer.status_code == 302 and mailbox.mails == []
    work()
    [mail] = mailbox.mails
    assert mail["To"] == alice.email and mail["Content-Language"] == "de"
    path = client.get(link_in(mail))["Location"]
    assert "-set-password/" in path
    saved = client.post(path, {"password1": PASSWORD, "password2": PASSWORD})
    assert saved.status_code == 302
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD) and elsewhere.get("/profile/").status_code == 302
    assert not UserSession.objects.filter(user=alice).exists()
    used = Client().get(link_in(mail), follow=True)
    assert "set-password" not in used.request["PATH_INFO"], "the link works once"
    work()
    assert len(mailbox.mails) == 2, "the change is told by mail"


def test_nobody_learns_whether_there_is_an_account(mailbox: Mailbox, alice: User) -> None:
    """The same page after the same work for an address without an account, of who is off, or asked too often."""
    User.objects.create_user("off@example.org", is_active=False)
    answers = []
    for email in ("nobody@example.org", "off@example.org", *[alice.email] * 5):
        answer = Client().post("/accounts/password/reset/", {"email": email}, follow=True)
        answers.append(re.sub(r'value="[^"]{60,}"', "", answer.content.decode()))
    assert len(set(answers)) == 1
    assert DBTaskResult.objects.count() == 5, "a job each, of which those without an account do nothing"
    work()
    assert [mail["To"] for mail in mailbox.mails] == [alice.email] * 3


# Links


def test_who_comes_by_a_link_chooses_a_password_before_anything_else(client: Client) -> None:
    """As the first administrator does, who also says their name and address."""
    from rondo.foundation.serving.prepare import first_link

    link = first_link()
    assert link is not None
    assert client.get(link.partition(":8000")[2])["Location"] == "/welcome"
    for address in ("/", "/customers/", "/settings/", "/palette?q=", "/accounts/password/set/"):
        assert client.get(address)["Location"] == "/welcome", address
    assert client.get("/", headers={"hx-request": "true"})["HX-Redirect"] == "/welcome"
    wrong = client.post("/welcome", {"name": "Ada", "email": "ada@example.org", "password1": "ada", "password2": "ada"})
    assert wrong.status_code == 422
    right = {"name": "Ada", "email": "Ada@example.org", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post("/welcome", right)["Location"] == "/start/"
    assert client.get("/settings/").status_code == 200
    ada = User.objects.get()
    assert (ada.email, ada.name, ada.check_password(PASSWORD)) == ("ada@example.org", "Ada", True)
    assert first_link() is None


def test_a_fresh_link_for_the_only_administrator_needs_no_address(capsys: pytest.CaptureFixture[str]) -> None:
    from rondo.foundation.serving.prepare import first_link

    first_link()
    call_command("link")
    assert accounts.use_login_link(capsys.readouterr().out.strip().rpartition("/")[2]) == User.objects.get()
    User.objects.create_user("eve@example.org", role="administrator")
    with pytest.raises(StateError, match=r"eve@example\.org"):
        call_command("link")


# Second factor


def code_of(secret: str, later: int = 0) -> str:
    """The code of now, or of half a minute ``later``, which a clock that is a little fast shows."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + later)))


def with_app(user: User) -> str:
    """Gives a user an authenticator app; its secret."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    TOTP.activate(user, secret)
    return secret


MFA = second_factor.MFAAdapter()


def sign_in(user: User) -> Client:
    client = Client()
    answer = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert answer["Location"] == "/accounts/2fa/authenticate/"
    return client


def test_an_app_is_added_with_recovery_codes_and_opens_once_a_code(
    alice: User, django_capture_on_commit_callbacks: Any
) -> None:
    alice.set_password(PASSWORD)
    alice.save(update_fields=["password"])
    client = Client()
    client.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    found = re.search(r'id="totp-secret">(\w+)<', page)
    assert found
    secret = found.group(1)
    assert client.post("/accounts/2fa/totp/activate/", {"code": "000000"}).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        first = code_of(secret)
        added = client.post("/accounts/2fa/totp/activate/", {"code": first}, follow=True)
    codes = re.findall(r"^\d{8}$", re.sub(r"<[^>]+>", "\n", added.content.decode()), re.MULTILINE)
    assert len(codes) == 10
    assert "second_factor.app_added" in verbs()
    assert secret not in str(list(Authenticator.objects.values())), "kept encrypted"
    other, code = sign_in(alice), code_of(secret, later=1)
    assert other.get("/profile/").status_code == 302, "the password alone opens nothing"
    assert other.post("/accounts/2fa/authenticate/", {"code": first}).status_code == 200, "it has added the app"
    assert other.post("/accounts/2fa/authenticate/", {"code": code})["Location"] == "/"
    from django.core.cache import cache

    cache.clear()  # as another process has it
    assert sign_in(alice).post("/accounts/2fa/authenticate/", {"code": code}).status_code == 200, "seen over a shoulder"
    assert sign_in(alice).post("/accounts/2fa/authenticate/", {"code": codes[0]})["Location"] == "/"
    assert sign_in(alice).post("/accounts/2fa/authenticate/", {"code": codes[0]}).status_code == 200


@pytest.mark.parametrize("address", ["/accounts/2fa/", "/accounts/2fa/webauthn/"])
def test_what_allauth_lists_is_on_one_page_of_ours(signed_in: SignIn, alice: User, address: str) -> None:
    """There it leads who has added or removed a passkey."""
    answer = signed_in(alice).get(address)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/profile/sign-in")


def test_wrong_codes_are_counted_for_all_processes(alice: User) -> None:
    secret = with_app(alice)
    for _attempt in range(5):
        sign_in(alice).post("/accounts/2fa/authenticate/", {"code": "000000"})
    refused = sign_in(alice).post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert refused.status_code == 200 and "Too many attempts" in refused.content.decode()


def test_two_factors_are_asked_of_roles_and_kept(signed_in: SignIn, alice: User, bob: User, charlie: User) -> None:
    change_installation(system(), two_factor="roles", two_factor_roles=["sales"])
    assert signed_in(charlie).get("/profile/").status_code == 200
    client = signed_in(bob)
    assert client.get("/customers/")["Location"] == "/profile/sign-in"
    assert "Your company asks for two factors" in client.get("/profile/sign-in").content.decode()
    with_app(bob)
    bob.refresh_from_db()
    client = signed_in(bob)
    assert client.get("/customers/").status_code == 200
    assert not MFA.can_delete_authenticator(Authenticator.objects.get(user=bob))
    assert MFA.can_delete_authenticator(Authenticator(user=charlie, type="totp"))
    client.get("/profile/")
    count = second_factor.reset_second_factor(Actor(alice, "web"), bob)
    assert count == 1 and client.get("/profile/")["Location"].startswith("/accounts/login/")
    assert AuditEntry.objects.get(verb="second_factor.reset").changes == {"factors": [["totp"], []]}
    with pytest.raises(PermissionRefused):
        second_factor.reset_second_factor(Actor(bob, "web"), alice)


def test_a_changed_secret_key_is_said_and_opens_nothing(alice: User, settings: Any) -> None:
    secret = with_app(alice)
    settings.SECRET_KEY = "another key, long enough to be one, and never used before"
    with pytest.raises(StateError, match="--reset-second-factor"):
        MFA.decrypt(Authenticator.objects.get().data["secret"])
    assert secret not in str(Authenticator.objects.get().data)


# Sessions


def test_sessions_are_listed_and_end_at_once(signed_in: SignIn, alice: User, bob: User) -> None:
    firefox = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
    here, there = signed_in(bob), signed_in(bob)
    there.get("/profile/", headers=firefox, REMOTE_ADDR="192.0.2.7")
    page = here.get("/profile/sign-in").content.decode()
    assert "Firefox on Linux" in page and "192.0.2.7" in page and "this one" not in page
    assert "this one" in here.get("/profile/sign-in").content.decode()
    other = next(one for one in sessions.sessions_of(bob) if one.address == "192.0.2.7")
    assert signed_in(alice).post(f"/profile/sessions/{other.id}/end").status_code == 404
    assert here.post(f"/profile/sessions/{other.id}/end").status_code == 302
    assert there.get("/profile/").status_code == 302 and here.get("/profile/").status_code == 200
    third = signed_in(bob)
    third.get("/profile/")
    here.post("/profile/sessions/end-others")
    assert third.get("/profile/").status_code == 302 and here.get("/profile/").status_code == 200
    assert signed_in(alice).post(f"/settings/users/{bob.pk}/end-sessions").status_code == 302
    assert here.get("/profile/").status_code == 302
    back = signed_in(bob)
    back.get("/profile/")
    accounts.change_user(system(), bob, is_active=False)
    accounts.change_user(system(), bob, is_active=True)
    assert back.get("/profile/").status_code == 302, "who was off comes in anew"
    assert verbs().count("sessions.ended") == 4


# Service accounts and tokens


def test_a_service_account_has_tokens_and_nothing_else(mailbox: Mailbox, signed_in: SignIn, alice: User) -> None:
    client = signed_in(alice)
    made = client.post("/settings/service-accounts", {"name": "Till 7", "role": "sales", "reach": "all"}, follow=True)
    till = User.objects.get(is_service=True)
    assert "Till 7" in made.content.decode() and till.email == "till-7@service.invalid"
    with pytest.raises(StateError, match="nobody signs in"):
        accounts.make_login_link(system(), till)
    Client().post("/accounts/password/reset/", {"email": till.email})
    work()
    assert mailbox.mails == []
    form = {"name": "shop", "days": "30", "scopes": ["see", "edit"]}
    shown = client.post(f"/settings/service-accounts/{till.pk}", form).content.decode()
    found = re.search(r'id="new-token">(rondo_[\w-]+)<', shown)
    assert found and found.group(1) not in client.get(f"/settings/service-accounts/{till.pk}").content.decode()
    bearer = {"authorization": f"Bearer {found.group(1)}"}
    assert Client().get("/api/v1/customers", headers=bearer).status_code == 200
    assert client.post(f"/settings/service-accounts/{till.pk}/switch").status_code == 302
    assert Client().get("/api/v1/customers", headers=bearer).status_code == 401
    assert client.post(f"/settings/service-accounts/{till.pk}/switch").status_code == 302
    assert Client().get("/api/v1/customers", headers=bearer).status_code == 401, "on again, with none of its tokens"


def test_a_token_has_what_it_and_its_user_have(alice: User, bob: User) -> None:
    with pytest.raises(InputError, match="does not have this right"):
        api_tokens.make_api_token(Actor(bob, "web"), bob, "x", scopes=["administer"])
    with pytest.raises(InputError, match="one of see"):
        api_tokens.make_api_token(Actor(bob, "web"), bob, "x", scopes=["fly"])
    text = api_tokens.make_api_token(Actor(alice, "web"), alice, "x", scopes=["see", "merge"])
    acting = Actor(api_tokens.use_api_token(text), "api")
    assert [acting.may(right) for right in ("see", "merge", "edit", "administer")] == [True, True, False, False]
    accounts.change_user(system(), bob, role="administrator")
    accounts.change_user(system(), alice, role="sales")
    acting = Actor(api_tokens.use_api_token(text), "api")
    assert [acting.may(right) for right in ("see", "merge")] == [True, False], "the role has lost it"


def test_the_api_names_the_scope_that_is_missing(alice: User) -> None:
    text = api_tokens.make_api_token(system(), alice, "x", scopes=["edit"])
    answer = Client().get("/api/v1/customers", headers={"authorization": f"Bearer {text}"})
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert answer.json()["scope"] == "see" and "“see”" in answer.json()["detail"]
    assert answer["WWW-Authenticate"] == 'Bearer realm="rondo", error="insufficient_scope", scope="see"'
    document = Client().get("/api/openapi.json").json()
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert all(list(one["security"][0]) == ["TokenAuth"] and len(one["security"]) == 1 for one in operations)
    scopes = [one["security"][0]["TokenAuth"] for one in operations]
    assert all(len(scope) == 1 and scope[0] in RIGHTS for scope in scopes)
    assert document["paths"]["/api/v1/customers"]["get"]["security"] == [{"TokenAuth": ["see"]}]
    assert document["paths"]["/api/v1/merges"]["post"]["security"] == [{"TokenAuth": ["merge"]}]
