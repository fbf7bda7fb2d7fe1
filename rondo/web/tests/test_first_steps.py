"""The first steps of a new installation: they tick themselves, end by themselves, and are for who administers."""

from typing import Any

import pytest
from django.test import Client

from rondo.foundation.actors import system
from rondo.foundation.installation import change_installation, installation
from rondo.foundation.models import Team, User
from rondo.web.tests.customers_data import make_customer
from rondo.web.tests.sample import store_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(make_user: Any, signed_in: Any) -> Client:
    """The only administrator of an installation that nobody has named."""
    made: Client = signed_in(make_user("alice", role="administrator", reach="all"))
    return made


def steps(client: Client) -> dict[str, bool]:
    return {step.key: step.done for step in client.get("/").context["first_steps"]}


def test_each_step_ticks_itself_and_the_last_ends_the_list(client: Client) -> None:
    assert steps(client) == {"company": False, "import": False, "analysis": False, "team": False, "colleagues": False}
    text = client.get("/").content.decode()
    assert (
        text.index("Say which company it is") < text.index("Load your purchases") < text.index("Bring your colleagues")
    )
    change_installation(system(), company="Corner Stores")
    assert steps(client)["company"]
    make_customer("Ada")
    assert steps(client) == {"company": True, "import": True, "analysis": False, "team": False, "colleagues": False}
    Team.objects.create(name="North")
    assert steps(client)["team"] and not steps(client)["colleagues"]
    User.objects.create_user("eve@example.org")
    store_run()
    assert steps(client) == {}
    assert "First steps" not in client.get("/").content.decode()


def test_put_away_is_put_away_and_comes_back(client: Client) -> None:
    client.post("/first-steps", {"away": "1"})
    assert steps(client) == {} and installation().first_steps_away
    assert "Show the first steps" in client.get("/settings/").content.decode()
    client.post("/first-steps", {"away": "0"})
    assert len(steps(client)) == 5
    assert "Show the first steps" not in client.get("/settings/").content.decode()


def test_they_are_for_who_administers_and_not_of_the_demo(
    client: Client, make_user: Any, signed_in: Any, bob: User
) -> None:
    assert steps(signed_in(make_user("dora", role="manager", reach="all"))) == {}
    assert signed_in(bob).post("/first-steps", {"away": "1"}).status_code == 403
    change_installation(system(), has_demo=True)
    assert steps(client) == {}
