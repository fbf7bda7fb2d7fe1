"""Reports by mail, against a mail server that runs here: to whom, what, once, and what is said when it fails."""

import re
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from io import BytesIO
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from rondo.errors import NotFound
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import AuditEntry, Installation, User
from rondo.mail_server import mail_server
from rondo.reports import actions
from rondo.reports.actions import sendings
from rondo.reports.models import Report, Sending
from rondo.web.reports.mailing import send_due
from rondo.web.tests.customers_data import make_customer

SignIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db
JOB = system("job")


class Mailbox:
    """A mail server: keeps what it takes; ``refuses`` is what it says instead, ``breaks`` hangs up on the mail."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuses = ""
        self.breaks = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.breaks:
            server.transport.close()
            return "421 gone"
        if self.refuses:
            return self.refuses
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage) and envelope.rcpt_tos == [mail["To"]]
        self.mails.append(mail)
        return "250 taken"


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


def words(mail: EmailMessage) -> str:
    """The words of the attached report."""
    [part] = mail.iter_attachments()
    assert part.get_content_type() == "application/pdf"
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(part.get_content())).pages).split())


def make_report(owner: User, *recipients: User, **fields: Any) -> Report:
    pages = fields.pop("addresses", [["/customers/", "Customers"]])
    values = {"name": "Monday", "addresses": pages, "rhythm": "daily", "hour": 7, **fields}
    row = actions.create_report(Actor(owner, "web"), recipients=[one.pk for one in recipients or (owner,)], **values)
    Report.objects.filter(pk=row.pk).update(counted_from=timezone.now() - timedelta(days=20))
    row.refresh_from_db()
    return row


def statuses() -> list[str]:
    return list(Sending.objects.order_by("id").values_list("status", flat=True))


def test_each_gets_what_they_may_see_in_their_language_once(mailbox: Mailbox, alice: User, charlie: User) -> None:
    """Twenty missed days are one sending, and a second run sends nothing more."""
    make_customer("Own Person", owner=charlie)
    make_customer("Foreign Person")
    User.objects.filter(pk=charlie.pk).update(language="de")
    make_report(alice, alice, charlie)
    assert send_due(JOB) == {"planned": 2, "sent": 2}
    assert send_due(JOB) == {"planned": 0}
    to_alice, to_charlie = sorted(mailbox.mails, key=lambda mail: str(mail["To"]))
    assert "Foreign Person" in words(to_alice) and "Own Person" in words(to_alice)
    assert "Own Person" in words(to_charlie) and "Foreign" not in words(to_charlie)
    assert "Kunden" in words(to_charlie) and to_charlie["Content-Language"] == "de"
    assert to_alice["From"] == "Rondo <crm@example.org>" and to_alice["Auto-Submitted"] == "auto-generated"
    assert str(to_alice["Subject"]).startswith("Monday · ") and to_alice["Date"]
    assert to_charlie["Reply-To"] == "alice@example.org" and to_alice["Reply-To"] is None
    assert re.fullmatch(r"<rondo-[0-9a-f]{32}@example\.org>", to_alice["Message-ID"])
    assert {str(mail["Message-ID"]) for mail in mailbox.mails} == set(
        Sending.objects.values_list("message_id", flat=True)
    )
    body = to_alice.get_body(("plain",))
    assert body is not None and "- Customers: 2 customers" in body.get_content()
    assert AuditEntry.objects.filter(verb="report.sent").count() == 2


def test_a_server_that_does_not_answer_or_says_no_is_tried_again(mailbox: Mailbox, settings: Any, alice: User) -> None:
    make_report(alice)
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    assert send_due(JOB) == {"planned": 1, "failed": 1}
    settings.EMAIL_PORT = port
    row = Sending.objects.get()
    assert row.status == "waiting" and "does not answer" in row.error
    assert send_due(JOB) == {"planned": 0}, "not before the pause is over"
    Sending.objects.update(try_at=timezone.now())
    mailbox.refuses = "451 greylisted, come back"
    assert send_due(JOB)["failed"] == 1
    row.refresh_from_db()
    assert "451 greylisted" in row.error and row.try_at > timezone.now() + timedelta(minutes=20)
    mailbox.refuses = ""
    Sending.objects.update(try_at=timezone.now())
    assert send_due(JOB)["sent"] == 1
    assert [mail["Message-ID"] for mail in mailbox.mails] == [row.message_id]


def test_after_the_last_try_it_stays_failed_until_somebody_asks(mailbox: Mailbox, alice: User) -> None:
    make_report(alice)
    mailbox.refuses = "550 no such mailbox"
    for _try in range(len(sendings.RETRIES) + 1):
        send_due(JOB)
        Sending.objects.update(try_at=timezone.now())
    assert statuses() == ["failed"] and not mailbox.mails
    mailbox.refuses = ""
    actions.send_again(Actor(alice, "web"), Sending.objects.get().pk)
    assert send_due(JOB)["sent"] == 1


def test_what_a_dead_worker_was_making_is_taken_up_and_what_it_handed_over_is_not_sent_twice(
    mailbox: Mailbox, alice: User
) -> None:
    make_report(alice)
    sendings.plan_due()
    held = sendings.claim()
    assert held is not None and sendings.claim() is None, "of two workers one has it"
    assert send_due(JOB) == {"planned": 0}
    late = timezone.now() + sendings.LEASE + timedelta(seconds=1)
    again = sendings.claim(late)
    assert again is not None and again.pk == held.pk
    assert not sendings.hand_over(held), "who comes back late sends nothing"
    assert sendings.hand_over(again)
    assert sendings.claim(late + 2 * sendings.LEASE) is None
    assert statuses() == ["unknown"] and not mailbox.mails
    actions.send_again(Actor(alice, "web"), held.pk)
    assert send_due(JOB)["sent"] == 1
    assert mailbox.mails[0]["Message-ID"] == held.message_id


def test_a_mail_at_which_the_worker_dies_each_time_fails(mailbox: Mailbox, alice: User) -> None:
    make_report(alice)
    sendings.plan_due()
    moment = timezone.now()
    for _try in range(len(sendings.RETRIES) + 1):
        assert sendings.claim(moment) is not None
        moment += sendings.LEASE + timedelta(seconds=1)
    assert sendings.claim(moment) is None and statuses() == ["failed"]
    assert AuditEntry.objects.filter(verb="report.failed").count() == 1


@pytest.mark.parametrize("how", ["left", "taken out"])
def test_who_gets_a_report_no_longer_gets_none_that_waited(
    mailbox: Mailbox, alice: User, charlie: User, how: str
) -> None:
    row = make_report(alice, alice, charlie)
    sendings.plan_due()
    if how == "left":
        actions.leave_report(Actor(charlie, "web"), row.pk)
    else:
        actions.change_report(Actor(alice, "web"), row.pk, recipients=[alice.pk])
    assert send_due(JOB) == {"planned": 0, "sent": 1, "held": 1}
    his = Sending.objects.get(recipient=charlie)
    assert (his.status, his.error) == ("held", "charlie@example.org gets this report no longer.")
    actions.send_again(Actor(alice, "web"), his.pk)
    assert send_due(JOB) == {"planned": 0, "held": 1}
    assert [str(mail["To"]) for mail in mailbox.mails] == ["alice@example.org"]


def test_a_connection_that_breaks_on_the_mail_leaves_it_unknown(mailbox: Mailbox, alice: User) -> None:
    make_report(alice)
    mailbox.breaks = True
    assert send_due(JOB) == {"planned": 1, "unknown": 1}
    assert "broke while" in Sending.objects.get().error
    mailbox.breaks = False
    assert send_due(JOB) == {"planned": 0}


def test_who_is_deactivated_or_may_see_nothing_of_it_gets_nothing_and_it_is_said(
    mailbox: Mailbox, alice: User, charlie: User, signed_in: SignIn
) -> None:
    foreign = make_customer("Foreign Person")
    row = make_report(alice, charlie, addresses=[[f"/customers/{foreign.public_id}/", "Foreign Person"]])
    assert send_due(JOB) == {"planned": 1, "held": 1}
    assert "not yours to see" in Sending.objects.get().error
    User.objects.filter(pk=charlie.pk).update(is_active=False)
    actions.send_again(Actor(alice, "web"), Sending.objects.get().pk)
    assert send_due(JOB) == {"planned": 0, "held": 1}
    assert not mailbox.mails
    said = signed_in(alice).get(f"/reports/{row.pk}/").content.decode()
    assert "charlie@example.org is deactivated and gets nothing." in said
    assert "deactivated, gets nothing" in said


def test_a_page_that_is_gone_does_not_keep_the_others_back(mailbox: Mailbox, alice: User) -> None:
    make_customer("Own Person")
    make_report(alice, addresses=[["/segments/gone/", "Gone"], ["/customers/", "Customers"]])
    assert send_due(JOB)["sent"] == 1
    assert "/segments/gone/ is there no more" in words(mailbox.mails[0]) and "Own Person" in words(mailbox.mails[0])


def test_paused_deleted_and_left_reports_are_not_sent(mailbox: Mailbox, alice: User, charlie: User) -> None:
    row = make_report(alice, alice, charlie)
    door = Actor(alice, "web")
    actions.leave_report(Actor(charlie, "web"), row.pk)
    actions.pause_report(door, row.pk)
    assert send_due(JOB) == {"planned": 0}
    actions.resume_report(door, row.pk)
    assert send_due(JOB) == {"planned": 0}, "what fell due in the pause is not made up for"
    assert actions.send_now(door, row.pk) == 1
    assert actions.send_now(door, row.pk) in {0, 1}, "within the minute it is the same sending"
    actions.delete_report(door, row.pk)
    assert send_due(JOB) == {"planned": 0}
    actions.restore_report(door, row.pk)
    assert send_due(JOB) == {"planned": 0}, "what waited when it was deleted waits no more"
    (held,) = Sending.objects.filter(status="held", error="The report was deleted.")
    actions.send_again(door, held.pk)
    assert send_due(JOB) == {"planned": 0, "sent": 1}
    assert {str(mail["To"]) for mail in mailbox.mails} == {"alice@example.org"}
    verbs = set(AuditEntry.objects.filter(record_type="report").values_list("verb", flat=True))
    assert {"report.created", "report.paused", "report.resumed", "report.deleted", "report.restored", "report.left",
            "report.sent_now", "report.sent"} <= verbs  # fmt: skip


def test_a_report_is_its_owners_and_administrators_see_all(
    mailbox: Mailbox, alice: User, bob: User, charlie: User, signed_in: SignIn
) -> None:
    row = make_report(bob, charlie)
    assert signed_in(charlie).get(f"/reports/{row.pk}/").status_code == 404
    assert signed_in(charlie).post(f"/reports/{row.pk}/send").status_code == 404
    with pytest.raises(NotFound):
        actions.pause_report(Actor(charlie, "web"), row.pk)
    theirs = signed_in(charlie).get("/reports/").content.decode()
    assert "What others have sent to you" in theirs and f"/reports/{row.pk}/leave" in theirs
    assert signed_in(alice).get(f"/reports/{row.pk}/").status_code == 200


def test_a_person_sets_one_up_from_a_page(
    installation: Installation, alice: User, charlie: User, signed_in: SignIn, settings: Any
) -> None:
    """Without a mail server the pages teach how to set one; all but the sending works."""
    client = signed_in(alice)
    assert "RONDO_MAIL_URL" in client.get("/reports/").content.decode()
    page = client.get("/customers/?sort=name").content.decode()
    assert "/reports/new?page=%2Fcustomers%2F%3Fsort%3Dname" in page
    form = client.get("/reports/new", {"page": "/customers/?sort=name"}).content.decode()
    assert f"{settings.RONDO_URL}/customers/?sort=name" in form
    asked = {"name": "Weekly", "pages": f"{settings.RONDO_URL}/customers/?sort=name\n/", "rhythm": "weekly",
             "hour": "7", "language": "de", "recipients": [charlie.pk]}  # fmt: skip
    assert "Choose at least one day." in client.post("/reports/new", asked).content.decode()
    wrong = client.post("/reports/new", {**asked, "weekdays": ["0"], "pages": "https://elsewhere.example.org/"})
    assert wrong.status_code == 422 and "no page of this installation" in wrong.content.decode()
    made = client.post("/reports/new", {**asked, "weekdays": ["0", "4"]})
    row = Report.objects.get()
    assert made["Location"] == f"/reports/{row.pk}/"
    assert row.addresses == [["/customers/?sort=name", "Customers"], ["/", "Home"]]
    said = client.get(f"/reports/{row.pk}/").content.decode()
    assert "Monday, Friday, 07:00" in said and "Weekly: next on" in said
    preview = client.get(f"/reports/{row.pk}/preview.pdf")
    assert (
        preview["Content-Type"] == "application/pdf"
        and "Kunden" in PdfReader(BytesIO(preview.content)).pages[0].extract_text()
    )
    assert client.post(f"/reports/{row.pk}/add", {"page": "/segments/"}).status_code == 302
    row.refresh_from_db()
    assert row.addresses[2] == ["/segments/", "Segments"]
    found = client.get("/palette", {"q": "this page as", "at": "/customers/"}).content.decode()
    assert "This page as PDF" in found and "page.pdf?page=%2Fcustomers%2F" in found
    assert "Weekly" in client.get("/palette", {"q": "weekly"}).content.decode()
    assert client.post(f"/reports/{row.pk}/send").status_code == 409


def test_due_times_are_of_the_companys_zone(mailbox: Mailbox, alice: User) -> None:
    """Seven o'clock in New York is noon in London in winter."""
    row = make_report(alice)
    Report.objects.filter(pk=row.pk).update(counted_from=datetime(2026, 11, 23, 11, 0, tzinfo=UTC))
    assert sendings.plan_due(datetime(2026, 11, 23, 11, 59, tzinfo=UTC)) == 0
    assert sendings.plan_due(datetime(2026, 11, 23, 12, 0, tzinfo=UTC)) == 1


@pytest.mark.once
@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("smtp://mail.example.org", ("mail.example.org", 25, "", "", False, False)),
        (
            "smtp://a%40b.org:p%2Fq@mail.example.org?starttls=1",
            ("mail.example.org", 587, "a@b.org", "p/q", False, True),
        ),
        ("smtp+starttls://mail.example.org:2525", ("mail.example.org", 2525, "", "", False, True)),
        ("smtps://u:p@mail.example.org", ("mail.example.org", 465, "u", "p", True, False)),
    ],
)
def test_the_address_of_a_mail_server_is_read(url: str, parts: tuple[object, ...]) -> None:
    from dataclasses import astuple

    found = mail_server(url, "Rondo <crm@example.org>")
    assert found is not None and astuple(found) == parts


@pytest.mark.once
@pytest.mark.parametrize("url", ["http://x", "smtp://", "smtp://h:99999", "smtps://h?starttls=1", "smtp://h?tls=1"])
def test_a_wrong_one_is_refused_without_its_password(url: str) -> None:
    from rondo.errors import InputError

    with pytest.raises(InputError, match="RONDO_MAIL_URL"):
        mail_server(url.replace("//", "//user:secret@") if url.endswith("tls=1") else url, "crm@example.org")
    with pytest.raises(InputError, match="RONDO_MAIL_FROM"):
        mail_server("smtp://user:secret@h", "")
