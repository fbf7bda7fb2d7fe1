"""The matrix of docs/rights.md, walked: every address and every operation of the API as every role."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from rondo.analysis.segments.actions import create_segment
from rondo.customers import actions as customers
from rondo.customers.models import Customer
from rondo.customers.queries import scope_key, sees_all, visible
from rondo.foundation import roles
from rondo.foundation.actors import Actor, system
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.models import Role, Team, User
from rondo.foundation.registry import registries
from rondo.foundation.rights import BUILT_IN, RIGHTS, built_in, enters, has_right
from rondo.foundation.teams import add_team
from rondo.interactions.actions import log_interaction
from rondo.interactions.models import Interaction
from rondo.reports.actions import create_report

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
ACTOR = system()
DOCUMENT = (Path(__file__).parents[3] / "docs" / "rights.md").read_text()
ROW = re.compile(r"^\| `([^`|]+)` \| (GET|POST) \| `([^`]+)` \| ([^|]+) \| ([^|]*) \|$", re.MULTILINE)
PAGES = {
    name: (method, address, right.strip(), room.strip()) for name, method, address, right, room in ROW.findall(DOCUMENT)
}
OPERATIONS = {
    (verb, path): right
    for verb, path, right in re.findall(r"^\| `([A-Z]+)` \| `(/api/v1/[^`]+)` \| (\w+) \|$", DOCUMENT, re.MULTILINE)
}
ROOMS = {
    (verb, path): (right, room.strip())
    for verb, path, right, room in re.findall(
        r"^\| `([A-Z]+)` \| `(/api/v1/[^`]+)` \| (\w+) \| (\w* ?)\|$", DOCUMENT, re.MULTILINE
    )
}
CAST = {
    **{key: (key, "all") for key in BUILT_IN},
    "team": ("manager", "team"),
    "own": ("hushed", "own"),
    "off": ("off", "all"),
}
"""Who walks: a user of each built-in role who sees all, one who sees the team's customers, one of a role that masks and
has no segments and reports and who sees the own customers, and one whose role has no right."""
BODIES: dict[str, dict[str, Any]] = {
    "PATCH /api/v1/customers/{customer_id}": {"language": "en"},
    "POST /api/v1/customers/{customer_id}/addresses": {"city": "Boston"},
    "POST /api/v1/interactions": {"customer": "{customer_id}", "kind": "note"},
    "POST /api/v1/customers/{customer_id}/consents": {"channel": "email", "state": "given"},
    "POST /api/v1/customers/{customer_id}/identifiers": {"kind": "email", "value": "zqmail-{customer_id}@zq.org"},
}
"""Whole bodies of operations that change a customer; the others are sent half a body."""
SECRETS = ("zqmail", "4711 0815 4242", "471108154242", "Zqsaid", "Zqtitle")
"""What identifiers and notes hold, and what no name does."""


OF_ALL = {"POST /api/v1/duplicates/searches"}
"""What looks at all customers, and is for who sees them all."""


def routes(patterns: Any = None, prefix: str = "/") -> Iterator[tuple[str, str]]:
    """Name and address of every page of ours; those of signing in are the library's."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, route)
        elif isinstance(one, URLPattern) and one.name and not route.startswith(("/accounts/", "/api/v1/")):
            yield one.name, route


@pytest.fixture(scope="module")
def base(module_world: Path) -> None:
    """One customer of the one who sees own, one of the team's, one of nobody's; with number, address, note, segment."""
    north, _entry = add_team(ACTOR, "North")
    below, _entry = add_team(ACTOR, "North-East", north)
    roles.add_role(ACTOR, "Hushed", like="sales")
    roles.change_role(
        ACTOR,
        "hushed",
        rights=["see", "contact", "edit", "export", "segment", "audit"],
        reaches={"segments": "none", "reports": "none"},
        masked=["identifiers", "notes"],
    )
    roles.add_role(ACTOR, "Off", like="reader")
    roles.change_role(ACTOR, "off", rights=[])
    people = {
        name: User.objects.create_user(f"{name}@example.org", name=name.title(), role=role, reach=reach, team=north)
        for name, (role, reach) in CAST.items()
    }
    for group in ("own", "team", "foreign"):
        row = customers.create_customer(ACTOR, name=f"Zq{group} Person")
        customers.add_identifier(ACTOR, row, "email", f"zqmail-{group}@zq.org")
        customers.add_identifier(ACTOR, row, "card", f"4711 0815 4242 {len(group)}")
        if group == "own":
            customers.assign_owner(ACTOR, row, people["own"])
        if group == "team":
            customers.assign_team(ACTOR, row, below)
        log_interaction(ACTOR, row, "note", title=f"Zqtitle {group}", body=f"Zqsaid {group}")
    create_segment(ACTOR, name="Everybody", text="kind = person")
    create_report(
        Actor(people["administrator"], "web"),
        name="Monday",
        addresses=[("/", "Home")],
        recipients=[people["administrator"].pk],
    )


def customer(group: str) -> Customer:
    return Customer.objects.get(name=f"Zq{group} Person")


def seen_by(who: str) -> set[str]:
    return {"team"} if who == "team" else {"own"} if who == "own" else {"own", "team", "foreign"}


def filled(name: str, address: str, group: str) -> str:
    """The address with the records of the customer of a group in the places that name one."""
    row = customer(group)
    contact = Interaction.objects.get(customer=row)
    values = {
        "public_id": row.public_id if "campaign" not in name else "m_none",
        "interaction_id": contact.public_id,
        "key": "sales" if name.startswith("role") else row.public_id if name == "record-changes" else "everybody",
        "kind": "customer",
        "stage": "purchase",
        "level": "product",
        "token": "x",
    }
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda part: str(values.get(part[1], 999_999)), address)


def allowed(user: User, right: str, room: str) -> bool:
    """Whether the matrix lets the user in."""
    right, _of, everybody = right.partition(" of ")
    if everybody and not sees_all(user):
        return False
    if " or " in right:
        held = any(has_right(user, one) for one in right.split(" or "))
    else:
        held = all(has_right(user, one) for one in right.split(" and "))
    return held and (not room or enters(user, room))


def test_the_matrix_lists_every_address_and_every_operation() -> None:
    assert dict(routes()) == {name: row[1] for name, row in PAGES.items()}
    document = json.loads(Client().get("/api/openapi.json").content)
    found = {
        (verb.upper(), path): operation["security"][0]["TokenAuth"][0]
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
    }
    assert found == OPERATIONS | {operation: right for operation, (right, _room) in ROOMS.items()}


def test_the_matrix_of_roles_is_that_of_the_program() -> None:
    table = {
        key: re.findall(r"\| (yes|–) ", line + " ")
        for key, line in re.findall(r"^\| `(\w+)` – [^|]*(.*)$", DOCUMENT, re.M)
    }
    assert table == {right: ["yes" if right in BUILT_IN[key].rights else "–" for key in BUILT_IN] for right in RIGHTS}
    reaches = {
        key: line.split(" | ")
        for key, line in re.findall(r"^\| `(\w+)` \| ((?:none|own|team|all)(?: \| \w+)*) \|$", DOCUMENT, re.M)
    }
    assert reaches == {room.key: [built_in(key).reaches[room.key] for key in BUILT_IN] for room in registries.rooms}


@pytest.mark.parametrize("who", CAST)
def test_every_page_lets_in_whom_the_matrix_lets_in(base: None, who: str, signed_in: SignIn) -> None:
    """And shows customers in reach alone; nothing that is masked is anywhere in what is sent."""
    user = User.objects.get(email=f"{who}@example.org")
    client = signed_in(user)
    client.raise_request_exception = False
    seen = seen_by(who)
    mine, hidden = min(seen), {"own", "team", "foreign"} - seen
    wrong: list[str] = []
    shown: set[str] = set()
    for name, (method, address, right, room) in PAGES.items():
        if right == "–":
            continue
        for group in (mine, *(sorted(hidden)[:1] if "public_id" in address or name == "record-changes" else ())):
            url = filled(name, address, group)
            response = client.get(url + "?q=zq") if method == "GET" else client.post(url)
            sent = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
            body = sent.decode(errors="replace")
            may = allowed(user, right, room)
            if (
                response.status_code >= 500
                or (response.status_code == 403) == may
                or "/accounts/login" in response.get("Location", "")
            ):
                wrong.append(f"{method} {url}: {response.status_code}, the matrix says {'yes' if may else 'no'}")
            if may and group in hidden and "campaign" not in name and response.status_code < 400:
                wrong.append(f"{url} answers {response.status_code} for a customer out of reach")
            wrong += [f"{url} tells of {one}" for one in hidden if f"Zq{one}" in body]
            if who == "own":
                wrong += [f"{url} tells {secret}" for secret in SECRETS if secret in body]
            shown.update(one for one in seen if f"Zq{one}" in body)
    assert not wrong, "\n".join(wrong)
    assert shown == (seen if has_right(user, "see") else set())


@pytest.mark.parametrize("who", CAST)
def test_every_operation_of_the_api_goes_by_the_matrix(base: None, who: str) -> None:
    roles.change_role(ACTOR, "off", rights=["see"])  # a token is made by who may; the right goes afterwards
    walker = User.objects.get(email=f"{who}@example.org")
    scopes = [right for right in RIGHTS if has_right(walker, right)]
    token = make_api_token(ACTOR, walker, "walk", scopes=scopes)
    roles.change_role(ACTOR, "off", rights=[])
    user = User.objects.get(email=f"{who}@example.org")
    client = Client(headers={"authorization": f"Bearer {token}"})
    seen = seen_by(who)
    hidden = {"own", "team", "foreign"} - seen
    shown: set[str] = set()
    for (verb, path), right in sorted(OPERATIONS.items()):
        for group in sorted({"own", "team", "foreign"}):
            row = customer(group)
            contact = Interaction.objects.filter(customer=row).earliest("pk")
            names = {"customer_id": row.public_id, "interaction_id": contact.public_id}
            address = re.sub(r"{(\w+)}", lambda part: names.get(part[1], "x_none"), path)  # noqa: B023
            given = {"name": row.name} if path.endswith("/check") else BODIES.get(f"{verb} {path}")
            sent = "" if verb == "GET" else json.dumps(given or {"loser": row.public_id})
            sent = sent.replace("{customer_id}", row.public_id)
            response = client.generic(verb, address, sent, content_type="application/json")
            body = response.content.decode()
            if not has_right(user, right):
                assert response.status_code == 403, address
                continue
            if verb != "GET" and given is None:  # half a body, or a record that is not there
                assert response.status_code < 500, (verb, address, body)
                refused = response.status_code in {404, 409, 422, 428}
                assert refused or "{customer_id}" not in path or group not in hidden, (verb, address, body)
            elif "{" in path and (group in hidden or "x_none" in address):
                assert response.status_code == 404, (verb, address, body)
            else:
                assert response.status_code < 300 or response.status_code == 404, (verb, address, body)
            assert not [one for one in hidden if f"Zq{one}" in body], address
            told = response.status_code < 300 and any(customer(one).public_id in body for one in hidden)
            assert not told, address
            if who == "own":
                assert not [secret for secret in SECRETS if secret in body], address
            shown.update(one for one in seen if f"Zq{one}" in body)
    assert shown == (seen if has_right(user, "see") else set())


@pytest.mark.parametrize("who", CAST)
def test_every_operation_of_the_rooms_goes_by_the_matrix(base: None, who: str) -> None:
    """With a token that may all that its user may: what the role lacks, or a room that it does not show, is a 403."""
    roles.change_role(ACTOR, "off", rights=["see"])  # as above
    walker = User.objects.get(email=f"{who}@example.org")
    token = make_api_token(ACTOR, walker, "walk", scopes=[right for right in RIGHTS if has_right(walker, right)])
    roles.change_role(ACTOR, "off", rights=[])
    user = User.objects.get(email=f"{who}@example.org")
    client = Client(headers={"authorization": f"Bearer {token}"})
    wrong: list[str] = []
    for (verb, path), (right, room) in ROOMS.items():
        address = re.sub(r"{\w+}", "none", path)
        answer: Any = client.generic(verb, address, "{}", content_type="application/json")
        body = b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode()
        may = has_right(user, right) and (not room or enters(user, room))
        may = may and (f"{verb} {path}" not in OF_ALL or sees_all(user))
        if answer.status_code not in ({200, 404, 409, 422} if may else {403}):
            wrong.append(f"{verb} {address}: {answer.status_code}, the matrix says {'yes' if may else 'no'}")
        wrong += [
            f"{address} tells of {one}" for one in {"own", "team", "foreign"} - seen_by(who) if f"Zq{one}" in body
        ]
        if who == "own":
            wrong += [f"{address} tells {secret}" for secret in SECRETS if secret in body]
    assert not wrong, "\n".join(wrong)


def test_nobody_who_is_not_signed_in_gets_in(base: None) -> None:
    client = Client()
    for name, (method, address, right, _room) in PAGES.items():
        if right != "–":
            url = filled(name, address, "own")
            response = client.get(url) if method == "GET" else client.post(url)
            assert response.status_code == 302 and "/accounts/login/" in response["Location"], url


def test_whom_identifiers_are_masked_finds_by_the_whole_one_alone(base: None, signed_in: SignIn) -> None:
    user = User.objects.get(email="own@example.org")
    client = signed_in(user)
    whole = client.get("/customers/", {"q": "zqmail-own@zq.org"}).content.decode()
    assert "Zqown" in whole
    begun = client.get("/customers/", {"q": "zqmail-o"}).content.decode()
    assert "Zqown" not in begun
    page = client.get(f"/customers/{customer('own').public_id}/").content.decode()
    assert "•••• 2423" in page and page.count("••••") >= 3
    administrator = signed_in(User.objects.get(email="administrator@example.org"))
    full = administrator.get(f"/customers/{customer('own').public_id}/").content.decode()
    assert all(secret in full for secret in ("zqmail-own@zq.org", "4711 0815 4242", "Zqsaid own"))
    assert "Zqown" in administrator.get("/customers/", {"q": "zqmail-o"}).content.decode()
    log = client.get("/settings/audit/", {"text": "zqmail"}).content.decode()
    assert "zqmail-own" not in log


def test_figures_kept_for_a_team_end_with_a_move_of_the_tree(base: None) -> None:
    user = User.objects.get(email="team@example.org")
    before, rows = scope_key(user), set(visible(user))
    Team.objects.filter(name="North-East").update(parent=None)
    user = User.objects.get(pk=user.pk)
    assert scope_key(user) != before and set(visible(user)) != rows


def test_roles_users_and_teams_are_changed_on_their_pages_and_undone(base: None, signed_in: SignIn) -> None:
    client = signed_in(User.objects.get(email="administrator@example.org"))
    role = {
        "name": "Sales",
        "rights": ["see"],
        "masked": ["notes"],
        "reach_customers": "team",
        "reach_segments": "none",
    }
    role |= {"reach_reports": "own", "reach_imports": "own", "reach_audit": "own"}
    page = client.post("/settings/roles/sales/", role, follow=True).content.decode()
    row = Role.objects.get(key="sales")
    assert (row.rights, row.masked, row.reaches["customers"], row.name) == (["see"], ["notes"], "team", "")
    undo = re.search(r'action="(/settings/undo/\d+)"', page)
    assert undo is not None
    client.post(undo[1])
    assert set(Role.objects.get(key="sales").rights) == BUILT_IN["sales"].rights
    assert client.post(undo[1]).status_code == 409, "changed meanwhile"
    north = Team.objects.get(name="North")
    below = Team.objects.get(name="North-East")
    circle = client.post(f"/settings/teams/{north.pk}/", {"name": "North", "parent": below.pk})
    assert circle.status_code == 422 and "which is below it" in circle.content.decode()
    assert client.post(f"/settings/teams/{below.pk}/delete").status_code == 409, "customers belong to it"
    dora = User.objects.get(email="reader@example.org")
    form = {"name": "Dora", "role": "manager", "reach": "own", "team": "", "is_active": "on"}
    page = client.post(f"/settings/users/{dora.pk}/", form, follow=True).content.decode()
    assert "Dora may see customers" in page and "Role:" in page and "Reader → Manager" in page
    last = client.post(
        f"/settings/users/{User.objects.get(email='administrator@example.org').pk}/", form | {"role": "reader"}
    )
    assert last.status_code == 422 and "last administrator" in last.content.decode()
    found = client.get("/settings/audit/", {"record": "user", "text": "manager", "who": "admin"}).content.decode()
    assert "Reader → Manager" in found and f'href="/settings/users/{dora.pk}/"' in found
    told = b"".join(client.get("/settings/audit/log.csv", {"record": "role"}).streaming_content).decode()  # type: ignore[attr-defined]
    assert "Role: changed" in told
    for unusable in ({"since": "2026-13-99"}, {"record": "nothing"}):
        assert client.get("/settings/audit/", unusable).status_code == 422
        assert client.get("/settings/audit/log.csv", unusable).status_code == 400, "not the whole log instead"
