"""From a change to a message that arrived: none lost, none of what was rolled back, none twice at the same moment."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from rondo import outside
from rondo.analysis.segments.actions import add_members, create_segment
from rondo.customers import actions as customers
from rondo.foundation import audit, roles
from rondo.foundation.actors import Actor, system
from rondo.foundation.installation import change_installation
from rondo.foundation.models import AuditEntry, Load, User
from rondo.interactions.actions import log_interaction, retract
from rondo.webhooks import actions, deliveries, signing
from rondo.webhooks.courier import Courier
from rondo.webhooks.kinds import KINDS
from rondo.webhooks.models import Attempt, Delivery, Endpoint, Event
from rondo.webhooks.sending import Answer
from rondo.webhooks.tests.receiver import Handler, receiving, signature_is_good

ACTOR = system()
ALL = list(KINDS)
MakeUser = Callable[..., User]


@pytest.fixture(autouse=True)
def loopback(settings: Any) -> None:
    """The house lets webhooks reach the loopback."""
    settings.RONDO_WEBHOOK_NETWORKS = outside.networks("127.0.0.1")


@pytest.fixture
def courier() -> Iterator[Courier]:
    """A courier that sends what is due when told to."""
    made = Courier()
    yield made
    made.close()


def webhook(owner: User, url: str, kinds: list[str] = ALL) -> tuple[Endpoint, str]:
    return actions.create_webhook(Actor(owner, "web"), name="Shop", url=url, kinds=kinds)


def hurry() -> None:
    """Let what waits for its next attempt be due now."""
    Delivery.objects.filter(status="waiting").update(due_at=timezone.now())


@pytest.mark.django_db
class TestMessages:
    def test_every_kind_arrives_signed_with_ids_and_without_a_value(self, alice: User, courier: Courier) -> None:
        with receiving() as receiver:
            made, secret = webhook(alice, receiver.url)
            row = customers.create_customer(ACTOR, name="Zoë Zimmer")
            other = customers.create_customer(ACTOR, name="Zora Zimmer")
            customers.change_customer(ACTOR, row, expected_version=row.version, given_name="Zoe", family_name="Z")
            customers.add_identifier(ACTOR, row, "email", "zoe@zq.org")
            customers.note_consent(ACTOR, row, "email", "given")
            contact = log_interaction(ACTOR, row, "note", body="Zimmer said so")
            retract(ACTOR, contact, "wrong")
            merge = customers.merge(ACTOR, other, row)
            customers.unmerge(ACTOR, merge.pk)
            load = Load.objects.create(kind="customers", file_name="z.csv", status="visible", counts={"created": 7})
            audit.record(
                Actor(None, "import", load_id=load.pk), "import.published", "load", load.pk, {"status": [None, 1]}
            )
            segment = create_segment(ACTOR, name="Best", kind="static")
            add_members(ACTOR, segment.key, [row.public_id, other.public_id])
            courier.drain()
        told = [json.loads(got.body) for got in receiver.got]
        assert all(signature_is_good(secret, got.headers, got.body) for got in receiver.got)
        assert not signature_is_good(secret, receiver.got[0].headers, receiver.got[0].body + b" ")
        assert all(got.headers["webhook-id"] == one["id"] for got, one in zip(receiver.got, told, strict=True))
        assert all(abs(int(got.headers["webhook-timestamp"]) - time.time()) < 60 for got in receiver.got)
        assert b"Zimmer" not in b"".join(got.body for got in receiver.got)
        assert b"zoe" not in b"".join(got.body for got in receiver.got)
        by_kind: dict[str, list[dict[str, Any]]] = {}
        for one in told:
            by_kind.setdefault(one["type"], []).append(one["data"])
        assert {key: len(found) for key, found in by_kind.items()} == {
            "customer.created": 2,
            "customer.changed": 2,
            "consent.changed": 1,
            "interaction.added": 1,
            "interaction.retracted": 1,
            "customer.merged": 1,
            "customer.unmerged": 1,
            "import.finished": 1,
            "segment.entered": 1,
        }
        assert sorted(tuple(one["fields"]) for one in by_kind["customer.changed"]) == [
            ("family_name", "given_name"),
            ("identifiers",),
        ]
        consent = by_kind["consent.changed"][0]
        assert (consent["channel"], consent["purpose"], consent["state"]) == ("email", "marketing", "given")
        merged = by_kind["customer.merged"][0]
        assert (merged["customers"], merged["other"]) == ([other.public_id], row.public_id)
        assert by_kind["import.finished"][0]["counts"] == {"created": 7}
        entered = by_kind["segment.entered"][0]
        assert (set(entered["customers"]), entered["count"], entered["complete"]) == (
            {row.public_id, other.public_id},
            2,
            True,
        )
        made.refresh_from_db()
        assert made.delivered_at is not None and not Delivery.objects.exclude(status="ok").exists()

    def test_nothing_is_told_that_the_owner_may_not_see(self, make_user: MakeUser, courier: Courier) -> None:
        roles.add_role(ACTOR, "Shop", like="sales")
        roles.change_role(ACTOR, "shop", rights=["see", "integrate"], reaches={"customers": "own", "segments": "none"})
        dora = make_user("dora", role="shop")
        with receiving() as receiver:
            webhook(dora, receiver.url)
            hers = customers.create_customer(ACTOR, name="Hers")
            customers.assign_owner(ACTOR, hers, dora)
            courier.drain()
            receiver.got.clear()
            customers.define_attribute(
                ACTOR, "secret", label_en="Secret", type="text", form="demographic", visible_to=["manager"]
            )
            customers.set_attribute(ACTOR, hers, "secret", "x")
            foreign = customers.create_customer(ACTOR, name="Foreign")
            log_interaction(ACTOR, foreign, "note", body="x")
            segment = create_segment(ACTOR, name="Best", kind="static")
            add_members(ACTOR, segment.key, [hers.public_id])
            load = Load.objects.create(kind="customers", file_name="z.csv", status="visible")
            audit.record(ACTOR, "import.published", "load", load.pk, {})
            log_interaction(ACTOR, hers, "note", body="x")
            courier.drain()
            assert [json.loads(got.body)["data"]["customers"] for got in receiver.got] == [[hers.public_id]]
            assert Event.objects.count() > 4, "the events were there"
            roles.change_role(ACTOR, "shop", rights=["see"])
            log_interaction(ACTOR, hers, "note", body="y")
            courier.drain()
        assert len(receiver.got) == 1

    def test_what_is_rolled_back_and_what_nobody_asked_for_leaves_no_event(self, alice: User, courier: Courier) -> None:
        with receiving() as receiver:
            webhook(alice, receiver.url, ["customer.created"])
            with pytest.raises(ZeroDivisionError), transaction.atomic():
                customers.create_customer(ACTOR, name="Never")
                raise ZeroDivisionError
            row = customers.create_customer(ACTOR, name="There")
            log_interaction(ACTOR, row, "note", body="nobody asked")
            rows = [audit.entry(Actor(None, "import", load_id=None), "customer.imported", "customer", 1, {})] * 3
            audit.record_many(
                AuditEntry(**{f: getattr(one, f) for f in ("door", "verb", "record_type", "record_id")}) for one in rows
            )
            courier.drain()
        assert [json.loads(got.body)["data"]["customers"] for got in receiver.got] == [[row.public_id]]
        assert Event.objects.count() == 1


@pytest.mark.django_db
class TestFailures:
    def test_a_message_is_tried_again_under_its_id_until_it_arrives(self, alice: User, courier: Courier) -> None:
        def busy(it: Handler) -> None:
            it.answer(503, b"later", Retry_After="600")

        with receiving(500, busy, 200) as receiver:
            made, secret = webhook(alice, receiver.url)
            customers.create_customer(ACTOR, name="Ada")
            courier.drain()
            row = Delivery.objects.get()
            pause = row.due_at - timezone.now()
            assert (row.status, row.attempts) == ("waiting", 1) and timedelta(seconds=3) < pause < timedelta(seconds=7)
            hurry()
            courier.drain()
            row.refresh_from_db()
            assert row.due_at - timezone.now() > timedelta(seconds=590), "the receiver asked for time"
            made.refresh_from_db()
            assert made.failures == 2 and made.failing_since is not None
            hurry()
            courier.drain()
        row.refresh_from_db()
        made.refresh_from_db()
        assert (row.status, row.attempts, made.failures) == ("ok", 3, 0)
        assert Endpoint.objects.filter(failing_since=None).exists()
        assert [one.status_code for one in row.tries.order_by("pk")] == [500, 503, 200]
        assert row.tries.order_by("pk").values_list("answer", flat=True)[1] == "later"
        assert len({got.headers["webhook-id"] for got in receiver.got}) == len({got.body for got in receiver.got}) == 1
        assert all(signature_is_good(secret, got.headers, got.body) for got in receiver.got)

    def test_it_is_given_up_after_a_day_and_the_webhook_stops_and_says_so(self, alice: User) -> None:
        made, _secret = webhook(alice, "http://127.0.0.1:9999/")
        customers.create_customer(ACTOR, name="Ada")
        deliveries.plan()
        now = begun = timezone.now()
        while found := deliveries.claim(9, now):
            deliveries.settle(found[0], Answer(500, 3), now)
            now = Delivery.objects.get().due_at
        row = Delivery.objects.get()
        made.refresh_from_db()
        assert timedelta(hours=20) < now - begun < timedelta(hours=30)
        assert row.status == "failed" or made.state == "failed"
        assert made.state == "failed" and made.why == deliveries.WHY_FAILING
        assert audit.entries_of("webhook", made.pk)[0].verb == "webhook.stopped"
        customers.create_customer(ACTOR, name="Meanwhile")
        deliveries.plan()
        assert Delivery.objects.count() == 1
        actions.resume_webhook(Actor(alice, "web"), made.pk)
        since, until = begun - timedelta(hours=1), timezone.now() + timedelta(hours=1)
        assert actions.replay_span(Actor(alice, "web"), made.pk, since, until) == 2, "what failed, and what was missed"
        assert len(deliveries.claim(9)) == 2

    def test_a_restored_installation_tells_nobody_until_somebody_says_so(self, alice: User) -> None:
        made, _secret = webhook(alice, "http://127.0.0.1:9999/")
        customers.create_customer(ACTOR, name="Ada")
        deliveries.plan()
        audit.record(ACTOR, "backup.restored", "installation", 1, {})
        made.refresh_from_db()
        assert made.why == deliveries.WHY_RESTORED and not deliveries.claim(9)
        actions.resume_webhook(Actor(alice, "web"), made.pk)
        assert deliveries.claim(9)

    def test_an_address_that_is_gone_stops_it_at_once(self, alice: User, courier: Courier) -> None:
        with receiving(410) as receiver:
            made, _secret = webhook(alice, receiver.url)
            customers.create_customer(ACTOR, name="Ada")
            courier.drain()
        made.refresh_from_db()
        assert (made.state, made.why) == ("failed", deliveries.WHY_GONE)

    def test_secrets_overlap_and_another_key_of_the_installation_sends_nothing(
        self, alice: User, courier: Courier, settings: Any
    ) -> None:
        me = Actor(alice, "web")
        with receiving() as receiver:
            made, first = webhook(alice, receiver.url)
            _row, second = actions.rotate_secret(me, made.pk)
            actions.ping(me, made.pk)
            courier.drain()
            (got,) = receiver.got
            assert signature_is_good(first, got.headers, got.body) and signature_is_good(second, got.headers, got.body)
            assert first != second and len(got.headers["webhook-signature"].split()) == 2
            actions.end_former_secret(me, made.pk)
            actions.ping(me, made.pk)
            courier.drain()
            got = receiver.got[1]
            assert signature_is_good(second, got.headers, got.body)
            assert not signature_is_good(first, got.headers, got.body)
            made.refresh_from_db()
            assert second not in str(Endpoint.objects.values().get()) and signing.secret_of(made.salt) == second
            settings.SECRET_KEY = "another"
            actions.ping(me, made.pk)
            courier.drain()
        assert len(receiver.got) == 2 and "RONDO_SECRET_KEY" in Attempt.objects.latest("pk").error

    def test_a_second_new_secret_at_once_leaves_the_receivers_good(self, alice: User) -> None:
        """A second click, or a page that was loaded again: the receiver still has the secret before both."""
        me = Actor(alice, "web")
        made, _first = webhook(alice, "https://hooks.example.org/")
        salt = made.salt
        for _time in range(3):
            row, _secret = actions.rotate_secret(me, made.pk)
            assert row.former_salt == salt
        until = row.former_until
        assert until is not None
        Endpoint.objects.update(former_until=until - actions.UNUSED)
        again, _secret = actions.rotate_secret(me, made.pk)
        assert again.former_salt == row.salt, "by then the receiver has it"

    def test_what_went_wrong_is_told_in_the_companys_language(self, alice: User, courier: Courier) -> None:
        change_installation(ACTOR, language="de")
        with receiving() as receiver:
            made, _secret = webhook(alice, receiver.url)
        actions.ping(Actor(alice, "web"), made.pk)  # nobody listens there any more
        courier.drain()
        assert Attempt.objects.get().error.startswith("Die Verbindung")


@pytest.mark.django_db(transaction=True)
class TestSeveralWorkers:
    def test_of_two_workers_one_makes_and_one_sends_each_message(self, alice: User) -> None:
        """Threads with connections of their own race for the same rows; while it lasts, nobody else has them."""
        webhook(alice, "http://127.0.0.1:9999/")
        for number in range(12):
            customers.create_customer(ACTOR, name=f"C{number}")
        won: list[int] = []
        start = threading.Barrier(3)

        def work() -> None:
            try:
                start.wait()
                deliveries.plan()
                for _n in range(30):
                    for row in deliveries.claim(2):
                        won.append(row.pk)
                        deliveries.settle(row, Answer(200, 1))
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(won) == sorted(Delivery.objects.values_list("pk", flat=True)) and len(won) == 12
        assert set(Delivery.objects.values_list("status", "attempts")) == {("ok", 1)}

    def test_what_a_worker_left_that_died_is_sent_again_and_its_late_word_does_not_count(self, alice: User) -> None:
        webhook(alice, "http://127.0.0.1:9999/")
        customers.create_customer(ACTOR, name="Ada")
        deliveries.plan()
        (lost,) = deliveries.claim(5)
        assert not deliveries.claim(5), "while the lease lasts"
        later = timezone.now() + deliveries.LEASE * 2
        (found,) = deliveries.claim(5, later)
        assert found.pk == lost.pk and not deliveries.claim(5, later)
        deliveries.settle(lost, Answer(500, 1))
        assert Delivery.objects.get().status == "sending", "it is another worker's by now"
        deliveries.settle(found, Answer(200, 1))
        assert Delivery.objects.get().status == "ok"


@pytest.mark.django_db(transaction=True)
def test_the_log_forgets_nothing_that_is_under_way_and_what_it_forgot_stops_nobody(alice: User) -> None:
    webhook(alice, "https://127.0.0.1:9999/")
    customers.create_customer(ACTOR, name="Zoe")
    deliveries.plan()
    Delivery.objects.update(made_at=timezone.now() - timedelta(days=365))
    (row,) = deliveries.claim(8)
    assert deliveries.tidy(ACTOR)["deliveries"] == 0
    Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert deliveries.tidy(ACTOR)["deliveries"] == 1
    deliveries.settle(row, Answer(200, 5))
    assert not Attempt.objects.exists()
