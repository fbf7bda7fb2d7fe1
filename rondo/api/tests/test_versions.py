"""ETag, If-Match and If-None-Match, over all operations of the document: what can be read alone comes with a version,
and whatever changes it is held to the version that the request names."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from rondo.api.problems import MEDIA_TYPE
from rondo.api.references import RUN, SESSION, TOKEN, USER
from rondo.api.tests.conftest import Shop
from rondo.api.tests.test_documents import openapi
from rondo.customers.actions import link
from rondo.customers.models import AttributeDefinition
from rondo.foundation import ids
from rondo.foundation.actors import system
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.models import ApiToken, Load, User, UserSession
from rondo.foundation.rights import RIGHTS
from rondo.foundation.roles import add_role
from rondo.interactions.models import ImportFile

pytestmark = pytest.mark.django_db
Send = Callable[..., Any]
LEFT_OUT = {
    "previewImportFile",
    "getTogether",
    "getErasure",
    "getWebhookMessage",
    "getBin",
    "getDuplicateSearch",
}
"""Reads of what these things have not: a household, an erasure, a message, a search, a file on the disk."""
CHANGES: dict[str, dict[str, Any]] = {
    "updateCustomer": {"language": "de"},
    "changeAttribute": {"label_en": "Foot"},
    "changeView": {"name": "Other"},
    "changeSegment": {"description": "Other"},
    "changeUser": {"name": "Other"},
    "changeRole": {"name": "Other"},
    "changeTeam": {"name": "Other"},
    "changeLink": {"position": "Other"},
    "changeWebhook": {"name": "Other"},
    "changeSignIn": {"two_factor": "roles", "roles": ["administrator"]},
    "arrangeViews": {"order": [], "default": "all"},
    "changeRetention": {"days": {"prospects": 730}},
    "changeKeptYears": {"years": {"orders": 7}},
    "setAutomaticMerging": {"least": 0.999},
    "changeSettings": {"company": "Other"},
    "changeLeavingReason": {"label_en": "Other"},
}
"""What each operation that changes a thing is sent, so that the thing is another one after it."""


@pytest.fixture
def send(alice: User) -> Send:
    """A request with a token that may do everything."""
    token = make_api_token(system(), alice, "versions", scopes=RIGHTS)

    def call(verb: str, path: str, body: Any = None, **headers: str) -> Any:
        client = Client(raise_request_exception=False, headers={"authorization": f"Bearer {token}"} | headers)
        return client.generic(verb, path, json.dumps(body or {}), "application/json")

    return call


@pytest.fixture
def things(
    send: Send, shop: Shop, alice: User, make_user: Callable[..., User], signed_in: Callable[[User], Client]
) -> dict[str, str]:
    """Parts of addresses by operation: one of each thing that can be read alone."""
    made = send("POST", "/api/v1/attributes", {"key": "shoe", "label_en": "Shoe", "type": "text", "form": "benefit"})
    assert made.status_code == 200
    bea = make_user("bea", role="reader")
    signed_in(alice)
    session = UserSession.objects.create(user=alice, session_key=Session.objects.get().session_key)
    for owner in (bea, alice):
        make_api_token(system(), owner, "other")
    view = send("POST", "/api/v1/views", {"name": "Mine", "kept": {"f": []}}).json()
    send("POST", "/api/v1/segments", {"name": "People", "key": "people", "rule": "kind = person"})
    team = send("POST", "/api/v1/teams", {"name": "North"}).json()
    invitation = send("POST", "/api/v1/invitations", {"emails": ["cora@rondo.example.org"], "role": "sales"}).json()
    hook = {"name": "Shop", "url": "https://shop.example.org/hook", "kinds": ["customer.created"]}
    webhook = send("POST", "/api/v1/webhooks", hook).json()
    role = add_role(system(), "Field", "sales")
    one, two = shop.customer("Ada", kind="person", owner=alice), shop.customer("Miller", owner=alice)
    edge = link(system(), one.pk, two.pk, "member")
    load = Load.objects.create(kind="customers", status=Load.Status.VISIBLE, actor=alice)
    file = ImportFile.objects.create(user=alice, file_name="a.csv", stored_as="a", size=3, kind="customers")
    order = shop.order(one)
    tokens = {row.user_id: ids.encode(TOKEN, row.pk) for row in ApiToken.objects.filter(name="other")}
    return {
        "customer_id": one.public_id,
        "interaction_id": order.interaction.public_id,
        "order_id": order.public_id,
        "view_id": view["id"],
        "team_id": team["id"],
        "invitation_id": invitation["data"][0]["id"],
        "webhook_id": webhook["id"],
        "link_id": ids.encode("ln", edge.pk),
        "run_id": ids.encode(RUN, load.pk),
        "file_id": file.public_id,
        "user_id": ids.encode(USER, bea.pk),
        "session_id": ids.encode(SESSION, session.pk),
        "attributes": "shoe",
        "segments": "people",
        "roles": role.key,
        "leaving-reasons": "price",
        "users/token_id": tokens[bea.pk],
        "profile/token_id": tokens[alice.pk],
    }


def address(path: str, things: dict[str, str]) -> str | None:
    """A path of the document with what there is in it; None where the story has nothing of the kind."""
    room = path.split("/")[3]
    for name in re.findall(r"{(\w+)}", path):
        part = things.get(f"{room}/{name}") or things.get(name) or (things.get(room) if name == "key" else None)
        if part is None:
            return None
        path = path.replace(f"{{{name}}}", part)
    return path


def test_what_is_read_alone_has_a_version_and_is_not_sent_twice(send: Send, things: dict[str, str]) -> None:
    document, read, left_out = openapi(), [], []
    for path, methods in document["paths"].items():
        operation = methods.get("get")
        if operation is None or "304" not in operation["responses"]:
            continue
        where = address(path, things)
        first = send("GET", where) if where else None
        if first is None or first.status_code != 200:
            left_out.append(operation["operationId"])
            continue
        etag = first.headers["ETag"]
        assert re.fullmatch(r'"[^"]+"', etag), path
        for known in (etag, f'"other", W/{etag}', "*"):
            again = send("GET", where, **{"if-none-match": known})
            assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag), path
        assert send("GET", where, **{"if-none-match": '"other"'}).status_code == 200
        read.append(operation["operationId"])
    assert set(left_out) <= LEFT_OUT, left_out
    assert len(read) >= 22
    # What many things are on has no version of its own.
    assert "ETag" not in send("GET", "/api/v1/customers").headers


def test_whatever_changes_a_thing_is_held_to_the_version_it_was_made_for(send: Send, things: dict[str, str]) -> None:
    """Each PATCH, PUT and DELETE at the address of a thing: 412 with the version that stands; with that one, done."""
    document, held = openapi(), []
    alone = {
        path for path, methods in document["paths"].items() if "304" in methods.get("get", {}).get("responses", {})
    }
    for verb in ("patch", "put", "delete"):
        for path in sorted(document["paths"], key=lambda one: one.startswith("/api/v1/customers")):  # theirs go last
            operation = document["paths"][path].get(verb)
            if operation is None or path not in alone:
                continue
            assert "If-Match" in {part["name"] for part in operation["parameters"]}, path
            where = address(path, things)
            assert where is not None, path
            name, body = operation["operationId"], CHANGES.get(operation["operationId"])
            assert body or verb == "delete", f"{name} needs a change in CHANGES"
            seen = send("GET", where).headers["ETag"]
            refused = send(verb.upper(), where, body, **{"if-match": '"other"'})
            told = refused.json()
            assert (refused.status_code, refused.headers["Content-Type"]) == (412, MEDIA_TYPE), (path, told)
            assert told["etag"] == refused.headers["ETag"] and seen.startswith(told["etag"].removesuffix('"'))
            assert send("GET", where).headers["ETag"] == seen, "a change that was refused changed nothing"
            done = send(verb.upper(), where, body, **{"if-match": f'"other", {seen}'})
            assert done.status_code in (200, 204), (path, done.content)
            held.append(name)
            if verb != "delete":
                late = send(verb.upper(), where, body, **{"if-match": seen})
                assert late.status_code == 412, path
                assert late.headers["ETag"] == done.headers["ETag"], path
                assert send(verb.upper(), where, body, **{"if-match": done.headers["ETag"]}).status_code == 200
    assert {"changeAttribute", "changeView", "changeSegment", "changeUser", "changeRole", "changeTeam"} <= set(held)
    assert {"changeLink", "changeWebhook", "revokeUserToken", "revokeOwnToken", "discardImportFile"} <= set(held)


def test_what_is_done_below_a_thing_is_held_to_its_version(send: Send, things: dict[str, str]) -> None:
    assert send("POST", "/api/v1/attributes/shoe/archive", **{"if-match": '"other"'}).status_code == 412
    assert AttributeDefinition.objects.filter(key="shoe").exists()
    seen = send("GET", "/api/v1/attributes/shoe").headers["ETag"]
    archived = send("POST", "/api/v1/attributes/shoe/archive", **{"if-match": seen})
    assert (archived.status_code, archived.headers["ETag"] != seen) == (200, True)
    nothing = send("PATCH", "/api/v1/attributes/nothing", {"label_en": "x"}, **{"if-match": seen})
    assert nothing.status_code == 404


def test_putting_back_what_was_deleted_is_held_to_the_version_that_the_deletion_told(
    send: Send, things: dict[str, str]
) -> None:
    for path in (
        f"/api/v1/segments/{things['segments']}",
        f"/api/v1/webhooks/{things['webhook_id']}",
        f"/api/v1/customers/{things['customer_id']}",
    ):
        back = openapi()["paths"][_template(path) + "/restore"]["post"]
        assert "If-Match" in {part["name"] for part in back["parameters"]}, path
        deleted = send("DELETE", path)
        assert deleted.status_code in (200, 204), deleted.content
        refused = send("POST", f"{path}/restore", **{"if-match": '"other"'})
        assert (refused.status_code, refused.json()["etag"]) == (412, deleted.headers["ETag"]), path
        assert send("GET", path).status_code == 404, "what was refused changed nothing"
        done = send("POST", f"{path}/restore", **{"if-match": deleted.headers["ETag"]})
        assert done.status_code == 200, (path, done.content)
        assert send("GET", path).headers["ETag"].startswith(done.headers["ETag"].removesuffix('"')), path
    binned = send("POST", "/api/v1/bin", {"customers": [things["customer_id"]]}).json()
    path = f"/api/v1/bin/{binned['id']}"
    seen = send("GET", path).headers["ETag"]
    assert send("POST", f"/api/v1/customers/{things['customer_id']}/restore").status_code == 200
    assert send("POST", f"{path}/restore", **{"if-match": seen}).status_code == 412


def _template(path: str) -> str:
    room = path.split("/")[3]
    part = {"segments": "key", "webhooks": "webhook_id", "customers": "customer_id"}[room]
    return f"/api/v1/{room}/{{{part}}}"


def test_a_version_is_that_of_what_people_change_in_every_language(
    send: Send, things: dict[str, str], make_user: Callable[..., User]
) -> None:
    """A number counted anew, and another language, refuse nobody; yet what is shown is not taken for the same."""
    path = "/api/v1/roles/sales"
    german = send("GET", path, **{"accept-language": "de"}).headers["ETag"]
    english = send("GET", path).headers["ETag"]
    assert german != english and german.partition("-")[0] == english.partition("-")[0]
    make_user("dora", role="sales")
    assert send("GET", path, **{"if-none-match": english}).json()["users"] > 0
    assert send("PATCH", path, {"masked": ["notes"]}, **{"if-match": german}).status_code == 200
    assert send("PATCH", path, {"masked": []}, **{"if-match": english}).status_code == 412


def test_a_request_sent_again_with_its_key_is_not_refused_for_what_it_did_itself(
    send: Send, things: dict[str, str]
) -> None:
    path = "/api/v1/roles/sales"
    headers = {"if-match": send("GET", path).headers["ETag"], "idempotency-key": "k-1"}
    first, again = (send("PATCH", path, {"masked": ["notes"]}, **headers) for _time in range(2))
    assert (first.status_code, again.status_code, again.headers["Idempotent-Replayed"]) == (200, 200, "true")
    assert first.headers["ETag"] == again.headers["ETag"]


def test_an_odd_version_is_refused(send: Send, things: dict[str, str]) -> None:
    odd = send("PATCH", "/api/v1/roles/sales", {"masked": []}, **{"if-match": "other"})
    assert (odd.status_code, odd.headers["Content-Type"]) == (422, MEDIA_TYPE)


def test_taking_a_change_back_by_its_id_is_held_to_the_version_of_the_thing(send: Send, things: dict[str, str]) -> None:
    for path, body, undo in (
        (f"/api/v1/views/{things['view_id']}", {"name": "Second"}, "views"),
        ("/api/v1/attributes/shoe", {"label_en": "Foot"}, "attributes"),
        ("/api/v1/leaving-reasons/price", {"label_en": "Dear"}, "leaving-reasons"),
        (f"/api/v1/users/{things['user_id']}", {"name": "Beatrice"}, "people"),
        (f"/api/v1/teams/{things['team_id']}", {"name": "South"}, "people"),
        (f"/api/v1/roles/{things['roles']}", {"name": "Outdoors"}, "people"),
    ):
        back = f"/api/v1/{undo}/changes/{{change_id}}/undo"
        assert "If-Match" in {part["name"] for part in openapi()["paths"][back]["post"]["parameters"]}, path
        before = send("GET", path).headers["ETag"]
        done = send("PATCH", path, body)
        assert done.status_code == 200, (path, done.content)
        back, now = back.replace("{change_id}", done.json()["change"]), send("GET", path)
        for seen in (before, '"other"'):
            refused = send("POST", back, **{"if-match": seen})
            assert (refused.status_code, refused.json()["etag"]) == (412, done.headers["ETag"]), path
        assert send("GET", path).json() == now.json(), "what was refused changed nothing"
        taken = send("POST", back, **{"if-match": now.headers["ETag"]})
        assert taken.status_code == 200, (path, taken.content)
        assert send("GET", path).headers["ETag"].startswith(taken.headers["ETag"].removesuffix('"')), path
    assert send("POST", "/api/v1/views/changes/ch_22222222/undo", **{"if-match": '"other"'}).status_code == 404


def test_taking_a_deletion_back_by_its_id_is_held_to_the_version_that_the_deletion_told(
    send: Send, things: dict[str, str]
) -> None:
    team = send("POST", "/api/v1/teams", {"name": "Empty"}).json()["id"]
    for path, undo in (
        (f"/api/v1/views/{things['view_id']}", "views"),
        (f"/api/v1/teams/{team}", "people"),
        (f"/api/v1/roles/{things['roles']}", "people"),
    ):
        before = send("GET", path)
        deleted = send("DELETE", path)
        assert deleted.status_code == 200, (path, deleted.content)
        back = f"/api/v1/{undo}/changes/{deleted.json()['change']}/undo"
        for seen in (before.headers["ETag"], '"other"'):
            refused = send("POST", back, **{"if-match": seen})
            assert (refused.status_code, refused.json()["etag"]) == (412, deleted.headers["ETag"]), path
        assert send("GET", path).status_code == 404, "what was refused changed nothing"
        done = send("POST", back, **{"if-match": deleted.headers["ETag"]})
        assert done.status_code == 200, (path, done.content)
        if "views" not in path:  # which comes back as another record
            assert send("POST", back, **{"if-match": deleted.headers["ETag"]}).status_code in (409, 412, 422), path
            room, name = path.split("/")[3], before.json()["name"]
            assert [one["name"] for one in send("GET", f"/api/v1/{room}").json()["data"]].count(name) == 1
            continue
        now = send("GET", path)
        assert now.headers["ETag"].startswith(done.headers["ETag"].removesuffix('"')), path
        again = send("POST", back, **{"if-match": deleted.headers["ETag"]})
        assert (again.status_code, again.headers["ETag"]) == (412, done.headers["ETag"]), path
        assert send("POST", back).status_code in (404, 409, 422), path
        assert send("GET", path).headers["ETag"] == now.headers["ETag"], "twice is once"


def test_a_version_tells_nobody_of_a_change_that_is_not_theirs(
    installation: Any, alice: User, make_user: Callable[..., User]
) -> None:
    """Who may not take a change back hears 404 with any version; who may, where the thing is there but out of sight, is
    not held to one."""

    def of(user: User) -> Send:
        token = make_api_token(system(), user, "versions", scopes=RIGHTS)

        def send(verb: str, path: str, body: Any = None, **headers: str) -> Any:
            client = Client(headers={"authorization": f"Bearer {token}"} | headers)
            told = json.dumps(body or {})
            return client.generic(verb, f"/api/v1/{path}", told, "application/json")

        return send

    theirs, mine = of(make_user("bea", role="administrator")), of(alice)
    change = mine("POST", "views", {"name": "Secret", "kept": {}}).json()["change"]
    for headers in ({}, {"if-match": '"x"'}):
        refused = theirs("POST", f"views/changes/{change}/undo", **headers)
        assert (refused.status_code, refused.headers.get("ETag")) == (404, None), headers
    shared = theirs("POST", "views", {"name": "Shared", "kept": {}, "shared": True}).json()["id"]
    seen = mine("GET", f"views/{shared}").headers["ETag"]
    hidden = mine("PATCH", f"views/{shared}", {"shared": False}).json()["change"]
    assert mine("POST", f"views/changes/{hidden}/undo", **{"if-match": seen}).status_code == 200
