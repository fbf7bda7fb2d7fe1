"""Webhooks on their pages: set up, tested, paused, sent again; the secret is shown once and to nobody else."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client

from rondo import outside
from rondo.customers import actions as customers
from rondo.foundation import roles
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import User
from rondo.webhooks import actions
from rondo.webhooks.courier import Courier
from rondo.webhooks.models import Delivery, Endpoint
from rondo.webhooks.tests.receiver import receiving, signature_is_good

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
START = "/settings/webhooks/"


@pytest.fixture(autouse=True)
def loopback(settings: Any) -> None:
    settings.RONDO_WEBHOOK_NETWORKS = outside.networks("127.0.0.1")


def drain() -> None:
    courier = Courier()
    courier.drain()
    courier.close()


def test_from_the_empty_page_to_a_message_that_arrived_and_one_that_is_sent_again(
    alice: User, signed_in: SignIn
) -> None:
    client = signed_in(alice)
    assert "No other system is told" in client.get(START).content.decode()
    refused = client.post(f"{START}new", {"name": "Shop", "url": "https://10.0.0.1/", "kinds": ["customer.created"]})
    assert refused.status_code == 422
    form = {"name": "Shop", "url": "https://10.0.0.1/", "kinds": ["customer.created"], "owner": alice.pk}
    beside = client.post(f"{START}new", form).context["form"].errors["url"]
    assert "10.0.0.1 is no public address. Name one" in beside[0], "said at the field, with a remedy"
    with receiving(204, 500, 204) as receiver:
        made = client.post(f"{START}new", form | {"url": receiver.url})
        secret = re.search(r"whsec_[\w+/=]+", made.content.decode())
        assert secret is not None and "no-store" in made["Cache-Control"]
        row = Endpoint.objects.get()
        here = f"{START}{row.public_id}/"
        tested = client.post(f"{here}test")
        assert "is sent in a moment" in client.get(tested["Location"]).content.decode()
        drain()
        assert signature_is_good(secret[0], receiver.got[0].headers, receiver.got[0].body)
        assert "Test: delivered on" in client.get(tested["Location"]).content.decode()
        customers.create_customer(system(), name="Ada")
        drain()
        page = client.get(here).content.decode()
        assert "has not taken anything since" in page and secret[0] not in page
        assert "does not arrive" in client.get(START).content.decode()
        card = render_to_string("webhooks/home_card.html", {"card": {"rows": Endpoint.objects.all()}})
        assert "1 failed attempt, " in card
        failed = Delivery.objects.latest("pk")
        seen = client.get(f"{START}messages/{failed.public_id}/").content.decode()
        assert "tried again on" in seen and ">500<" in seen and "thanks" in seen
        client.post(f"{START}messages/{failed.public_id}/again")
        drain()
        assert Delivery.objects.latest("pk").status == "ok"
        span = {"since": "2020-01-01T00:00", "until": "2099-01-01T00:00", "delivered": "on"}
        assert "1 message is sent again" in client.post(f"{here}again", span, follow=True).content.decode()
        backwards = client.post(f"{here}again", {"since": span["until"], "until": span["since"]})
        assert backwards.status_code == 422
        client.post(f"{here}pause")
        assert "is paused" in client.get(here).content.decode() and client.post(f"{here}test").status_code == 409
        client.post(f"{here}pause", {"resume": "1"})
        second = re.search(r"whsec_[\w+/=]+", client.post(f"{here}secret").content.decode())
        assert second is not None and second[0] != secret[0]
        assert "signed with the secret before" in client.get(here).content.decode()
        client.post(f"{here}secret/end")
    gone = client.post(f"{here}delete", follow=True).content.decode()
    assert "is deleted" in gone and client.get(here).status_code == 404
    client.post(f"{here}restore")
    changes = client.get(f"/changes/webhook/{row.public_id}").content.decode()
    assert all(word in changes for word in ("Webhook: created", "sent again", "new secret made", "put back"))
    assert "whsec" not in changes


def test_one_sees_ones_own_and_an_administrator_all(
    alice: User, make_user: Callable[..., User], signed_in: SignIn
) -> None:
    roles.add_role(system(), "Integrator", like="reader")
    roles.change_role(system(), "integrator", rights=["see", "integrate"])
    dora, emil = make_user("dora", role="integrator"), make_user("emil", role="integrator")
    hers, _secret = actions.create_webhook(
        Actor(dora, "web"), name="Hers", url="https://example.org/", kinds=["customer.created"]
    )
    Endpoint.objects.filter(pk=hers.pk).update(state="failed", why="It took nothing for almost a day.")
    for user, sees in ((dora, True), (emil, False), (alice, True)):
        client = signed_in(user)
        assert ("Hers" in client.get(START).content.decode()) is sees
        assert client.get(f"{START}{hers.public_id}/").status_code == (200 if sees else 404)
        assert ("Webhooks that do not arrive" in client.get("/").content.decode()) is sees
        assert ("Hers" in client.get("/palette", {"q": "hers"}).content.decode()) is sees
    assert client.post(f"{START}{hers.public_id}/secret").status_code == 200
    assert signed_in(emil).post(f"{START}{hers.public_id}/secret").status_code == 404
    assert signed_in(emil).get("/settings/", follow=True).redirect_chain[-1][0] == START
    theirs = {"name": "X", "url": "https://example.org/", "kinds": ["customer.created"], "owner": alice.pk}
    signed_in(emil).post(f"{START}new", theirs)
    assert Endpoint.objects.get(name="X").owner == emil, "nobody takes another's rights"
