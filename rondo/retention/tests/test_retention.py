"""What is older than a rule says goes, and nothing else; a killed night goes on where it stopped."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from rondo.customers.actions import change_customer, create_customer, link, merge, put_into_bin
from rondo.customers.models import Bin, Customer
from rondo.customers.queries import binned, visible
from rondo.erasure.actions import put_hold
from rondo.erasure.models import Hold
from rondo.errors import InputError, PermissionRefused
from rondo.foundation.actors import Actor, system
from rondo.foundation.holdings import MARK
from rondo.foundation.installation import business_now
from rondo.foundation.models import AuditEntry, User
from rondo.interactions.actions import log_interaction
from rondo.interactions.models import Interaction
from rondo.retention.actions import carrying, change_rules
from rondo.retention.actions.removing import REMOVE
from rondo.retention.kinds import KINDS
from rondo.retention.models import Rule
from rondo.retention.queries import would_go

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = timezone.now() - timedelta(days=400)


def person(name: str) -> Customer:
    return create_customer(system(), given_name=name, family_name="Keep")


def test_without_a_rule_nothing_goes() -> None:
    person("Ada")
    Customer.objects.update(created_at=LONG_AGO)
    assert carrying.every_night(system()) == {} and visible(None).count() == 1
    assert KINDS.keys() == REMOVE.keys()


def test_prospects_go_into_the_bin_and_out_of_it_for_good() -> None:
    ada, bob, cleo, dan, eve = (person(name) for name in ("Ada", "Bob", "Cleo", "Dan", "Eve"))
    log_interaction(system(), cleo, "note", title="said something")
    merge(system(), cleo, bob)  # whose merged record was active
    Customer.objects.exclude(pk=dan.pk).update(created_at=LONG_AGO)
    change_rules(system(), {"prospects": 365, "bin": 30})
    assert would_go("prospects", 365) == 2 and would_go("bin", 30) == 0
    assert carrying.every_night(system()) == {"prospects": 2}
    assert set(binned(None)) == {ada, eve} and set(visible(None)) == {bob, dan}

    Bin.objects.update(created_at=LONG_AGO)
    Customer.objects.filter(pk=eve.pk).update(bin=None)
    put_hold(system(), eve, "a case in court", None)
    put_into_bin(system(), [eve])
    Bin.objects.update(created_at=LONG_AGO)
    assert would_go("bin", 30) == 1
    assert carrying.every_night(system()) == {"bin": 1}
    assert list(binned(None)) == [eve] and not Customer.objects.filter(given_name="Ada").exists()


def test_who_has_members_is_no_prospect() -> None:
    """What is bought and said stands with those who live and work there."""
    home, empty = (create_customer(system(), kind="household", name=name) for name in ("The Keeps", "Nobody"))
    firm, bought = (create_customer(system(), kind="organisation", name=name) for name in ("Keep Ltd", "Bought Ltd"))
    ada = person("Ada")
    log_interaction(system(), ada, "note", title="said something")
    link(system(), ada, home, "member")
    link(system(), ada, bought, "employee")
    merge(system(), bought, firm)  # whose merged record has somebody who works there
    Customer.objects.update(created_at=LONG_AGO)
    change_rules(system(), {"prospects": 365})
    assert would_go("prospects", 365) == 1 and carrying.every_night(system()) == {"prospects": 1}
    assert set(visible(None)) == {home, firm, ada} and list(binned(None)) == [empty]


def test_a_hold_keeps_until_its_last_day() -> None:
    ada = person("Ada")
    put_hold(system(), ada, "a case in court", business_now().date())
    put_into_bin(system(), [ada])
    Bin.objects.update(created_at=LONG_AGO)
    change_rules(system(), {"bin": 30})
    assert carrying.every_night(system()) == {}
    Hold.objects.update(until=business_now().date() - timedelta(days=1))
    assert carrying.every_night(system()) == {"bin": 1}
    assert not Customer.objects.filter(given_name="Ada").exists()


def test_texts_go_and_contacts_stay() -> None:
    ada = person("Ada")
    old = log_interaction(system(), ada, "note", title="zqold", body="zqoldbody", occurred_at=LONG_AGO)
    young = log_interaction(system(), ada, "note", title="zqyoung")
    change_rules(system(), {"texts": 365})
    assert carrying.every_night(system()) == {"texts": 1} and carrying.every_night(system()) == {}
    assert Interaction.objects.filter(customer=ada).count() == 2
    old.refresh_from_db()
    young.refresh_from_db()
    assert (old.title, old.body, young.title) == ("", "", "zqyoung")


def test_values_leave_the_audit_log_and_a_killed_night_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    ada = person("Ada")
    ada.refresh_from_db()
    for name in ("Bea", "Cea", "Dea"):
        ada = change_customer(system(), ada, given_name=name, expected_version=ada.version)
    _made_old(AuditEntry.objects.filter(record_type="customer"))
    change_customer(system(), ada, given_name="Eea", expected_version=ada.version)
    count = AuditEntry.objects.filter(record_type="customer").count()
    change_rules(system(), {"audit": 365})
    remove, calls = REMOVE["audit"], []

    def killed(actor: Actor, keys: list[int]) -> int:
        calls.append(keys)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return remove(actor, keys)

    monkeypatch.setattr(carrying, "PORTION", 1)
    monkeypatch.setitem(REMOVE, "audit", killed)
    with pytest.raises(KeyboardInterrupt):
        carrying.every_night(system())
    assert carrying.every_night(system()) == {"audit": count - 2}
    told = AuditEntry.objects.filter(record_type="customer", changes__has_key="given_name").order_by("pk")
    assert [entry.changes["given_name"][1] for entry in told] == [MARK, MARK, MARK, MARK, "Eea"]


def _made_old(rows: Any) -> None:
    from rondo.foundation import audit

    keys = list(rows.values_list("pk", flat=True))
    with audit.door_opened("test"):
        AuditEntry.objects.filter(pk__in=keys).update(at=LONG_AGO)


def test_rules_are_checked_and_noted(make_user: Callable[..., User]) -> None:
    with pytest.raises(PermissionRefused):
        change_rules(Actor(make_user("mia", role="manager"), "web"), {"texts": 365})
    for wrong in ({"texts": 1}, {"nothing": 40}):
        with pytest.raises(InputError):
            change_rules(system(), wrong)
    change_rules(system(), {"texts": 365})
    change_rules(system(), {"texts": None})
    assert not Rule.objects.exists()
    noted = AuditEntry.objects.filter(verb="retention.changed").order_by("pk")
    assert [entry.changes for entry in noted] == [{"texts": [None, 365]}, {"texts": [365, None]}]


def test_the_page_tries_saves_and_refuses(signed_in: Callable[[User], Client], alice: User) -> None:
    person("Ada")
    Customer.objects.update(created_at=LONG_AGO)
    client = signed_in(alice)
    tried = client.post("/settings/retention/", {"prospects": "365", "try": ""})
    assert "1 would go tonight" in tried.content.decode() and not Rule.objects.exists()
    wrong = client.post("/settings/retention/", {"prospects": "3", "texts": "x", "save": ""})
    assert wrong.status_code == 422 and not Rule.objects.exists()
    assert client.post("/settings/retention/", {"prospects": "365", "save": ""}).status_code == 302
    assert list(Rule.objects.values_list("kind", "days")) == [("prospects", 365)]
    assert visible(None).count() == 1
    assert connection.in_atomic_block is False
