"""What people administer, by program: the guide as one story, errors that name the place, and the table of verbs."""

import re
import shlex
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from django.urls import resolve

import rondo
from rondo.analysis.segments.ledger import apply_members
from rondo.analysis.segments.models import Segment
from rondo.api.problems import MEDIA_TYPE
from rondo.api.references import SESSION, USER
from rondo.api.tests.test_documents import check, openapi
from rondo.customers import actions
from rondo.customers.actions.converting import begin_change
from rondo.customers.models import AttributeDefinition, Customer, Merge
from rondo.foundation import roles
from rondo.foundation.actors import system
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.ids import encode
from rondo.foundation.models import ApiAnswer, AuditEntry, User, UserSession
from rondo.foundation.rights import RIGHTS
from rondo.interactions.importing import choosing
from rondo.interactions.models import ImportFile
from rondo.web.imports import forms
from rondo.web.tests.customers_data import make_customer
from rondo.web.tests.test_rights import routes

pytestmark = pytest.mark.django_db
DOCS = Path(rondo.__file__).parent.parent / "docs"
PEOPLE = b"No,Name,Mail\n1,Ada King,ada@rondo.example.org\n2,Bob Low,bob(at)example.org\n"
Call = Callable[..., Any]


@pytest.fixture
def call(alice: User, installation: object, settings: Any, tmp_path: Path) -> Call:
    """Sends a request with a token that may do everything; a body goes as JSON, a file as a form."""
    settings.RONDO_HOME = tmp_path
    token = make_api_token(system(), alice, "rooms", scopes=RIGHTS)
    client = Client(raise_request_exception=False, headers={"authorization": f"Bearer {token}"})

    def send(verb: str, path: str, body: Any = None, file: bytes | None = None) -> Any:
        address = f"/api/v1/{path}"
        if file is not None:
            return client.post(address, {"file": SimpleUploadedFile("customers.csv", file)})
        return client.generic(verb, address, client._encode_json(body or {}, "application/json"), "application/json")  # type: ignore[attr-defined]

    return send


def work(answer: Any) -> None:
    """What the worker does with the file of an answer."""
    row = ImportFile.objects.latest("pk") if answer is None else ImportFile.objects.get(pk=_key(answer["id"]))
    choosing.work_on_file.func(row.pk)


def refresh_now(key: str) -> None:
    """What the worker does with a segment, without the engine."""
    row = Segment.objects.get(key=key)
    apply_members(row, date(2026, 11, 1), entered=list(Customer.objects.values_list("pk", flat=True)), left=[])


def _key(public_id: str) -> int:
    return next(row.pk for row in ImportFile.objects.all() if row.public_id == public_id)


def examples(guide: str) -> list[tuple[str, str, str]]:
    """Method, path and body of the curl commands of a guide, variables as written; ``@`` stands for a file."""
    found = []
    for block in re.findall(r"```sh\n(.*?)```", (DOCS / guide).read_text(), re.DOTALL):
        for line in block.splitlines():
            if line.startswith("curl "):
                words = shlex.split(line)
                given = {word: words[place + 1] for place, word in enumerate(words[:-1]) if word in ("-X", "-d", "-F")}
                path = words[-1].removeprefix("$RONDO/api/v1/")
                found.append((given.get("-X", "GET"), path, given.get("-d", "@" if "-F" in given else "")))
    return found


def test_the_guide_of_the_rooms_runs_as_one_story(
    call: Call, alice: User, make_user: Callable[..., User], signed_in: Callable[[User], Client]
) -> None:
    """Each answer holds what the OpenAPI document says of it, and names what the next example asks for."""
    document = openapi()
    actions.define_attribute(system(), "size", label_en="Size", type="text", form="demographic")
    begin_change(system(), "size", "number")
    bea = make_user("bea", role="reader")
    signed_in(alice)
    session = UserSession.objects.create(user=alice, session_key=Session.objects.get().session_key)
    variables = {"RUNNING": "size", "CUSTOMER": make_customer("Miller", kind="person").public_id}
    variables |= {
        "OTHER": make_customer("Mate", kind="person").public_id,
        "USER": encode(USER, bea.pk),
        "SESSION": encode(SESSION, session.pk),
    }
    templates = {path: re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))) for path in document["paths"]}
    for verb, path, body in examples("api-rooms.md"):
        for name, value in variables.items():
            path, body = path.replace(f"${name}", value), body.replace(f"${name}", value)
        answer = call(verb, path, file=PEOPLE) if body == "@" else call(verb, path, body)
        assert answer.status_code == 200, (verb, path, answer.content)
        # The address that is written out goes before one that takes any word in its place.
        address = "/api/v1/" + path.partition("?")[0]
        template = min(
            (
                one
                for one, form in templates.items()
                if form.fullmatch(address) and verb.lower() in document["paths"][one]
            ),
            key=lambda one: one.count("{"),
        )
        told = document["paths"][template][verb.lower()]["responses"]["200"]["content"]
        media = answer.headers["Content-Type"].partition(";")[0]
        assert media in told, path
        if media != "application/json":
            assert b"".join(answer.streaming_content)
            continue
        said = answer.json()
        check(said, told[media]["schema"], document, path)
        if said.get("change"):
            variables["CHANGE"] = said["change"]
        if path.startswith("imports/files") and said.get("id", "").startswith("im_"):
            variables["FILE"] = said["id"]
            if path.endswith(("/trial", "/import")):
                work(said)
        if path.startswith("imports/runs") and said.get("data"):
            variables["RUN"] = said["data"][0]["id"]
        variables |= {"UNDO": said["undo"]} if "undo" in said else {}
        if path == "households":
            variables["HOUSEHOLD"] = said["data"][0]["object"]["id"]
        for name, prefix in {
            "LINK": "ln_",
            "VIEW": "v_",
            "TEAM": "tm_",
            "INVITATION": "iv_",
            "KEY": "tk_",
            "USER": "u_",
            "SEARCH": "ds_",
        }.items():
            told_ids = [one["id"] for one in (said, *said.get("data", [])) if str(one.get("id", "")).startswith(prefix)]
            if told_ids and path.partition("?")[0] not in ("profile", "users", "roles"):
                variables[name] = told_ids[0]
        if path.endswith("/refresh"):
            refresh_now("people")
    assert set(AuditEntry.objects.filter(actor=alice).values_list("door", flat=True)) <= {"api", "import"}


def test_an_attribute_is_changed_as_its_pages_do(call: Call) -> None:
    made = call("POST", "attributes", {"key": "shoe", "label_en": "Shoe", "type": "text", "form": "demographic"}).json()
    assert (made["version"], made["change"] is not None) == (1, True)
    twice = call("POST", "attributes", {"key": "shoe", "label_en": "Shoe", "type": "text", "form": "demographic"})
    assert (twice.status_code, twice.headers["Content-Type"]) == (422, MEDIA_TYPE)
    for number, size in enumerate(["41", "42", "wide"]):
        row = make_customer(f"Person {number}")
        actions.set_attribute(system(), row, "shoe", size)
    tried = call("POST", "attributes/shoe/type", {"type": "number", "dry_run": True}).json()
    assert (tried["state"], tried["values"], tried["converts"]) == ("tried", 3, 2)
    assert [(one["value"], one["customers"]) for one in tried["refused"]] == [("wide", 1)]
    refused = call("POST", "attributes/shoe/type", {"type": "number"})
    assert refused.status_code == 409 and "wide" in refused.json()["detail"]
    done = call("POST", "attributes/shoe/type", {"type": "choice"}).json()
    assert (done["state"], [one["value"] for one in done["choices"]]) == ("done", ["41", "42", "wide"])
    wrong = call("POST", "attributes/shoe/choices/merge", {"gone": ["43"], "into": "42"})
    assert wrong.status_code == 422 and "41, 42, wide" in wrong.json()["detail"]
    call("POST", "attributes/shoe/choices/merge", {"gone": ["wide"], "into": "42"})
    lost = call("PATCH", "attributes/shoe", {"choices": [{"value": "41", "en": "41"}]})
    assert lost.status_code == 409 and "42" in lost.json()["detail"]
    stale = call("PATCH", "attributes/shoe", {"label_en": "Foot", "version": 1})
    assert stale.status_code == 409
    assert call("POST", "attributes/shoe/conversion/undo").json()["choices"][-1]["value"] == "wide"
    changed = call("PATCH", "attributes/shoe", {"label_en": "Foot"}).json()
    assert (changed["label"], call("PATCH", "attributes/shoe", {"label_en": "Foot"}).json()["change"]) == ("Foot", None)
    assert call("POST", f"attributes/changes/{changed['change']}/undo").json()["label"] == "Shoe"
    assert call("POST", f"attributes/changes/{changed['change']}/undo").status_code == 409
    assert AttributeDefinition.objects.get(key="shoe").type == "choice"


def test_secrets_are_said_once_and_a_token_makes_none_that_may_more(call: Call, alice: User) -> None:
    """Not even the answer that an Idempotency-Key keeps holds one."""
    account = call("POST", "service-accounts", {"name": "Sync", "role": "manager"}).json()
    token = call("POST", f"service-accounts/{account['id']}/tokens", {"name": "a", "scopes": ["see", "merge"]}).json()
    narrow = Client(headers={"authorization": f"Bearer {token['token']}", "idempotency-key": "k-1"})
    wider = narrow.post("/api/v1/profile/tokens", {"name": "b", "scopes": ["edit"]}, content_type="application/json")
    assert (wider.status_code, wider.json()["scope"]) == (403, "edit")
    body = {"name": "c", "scopes": ["see"]}
    made = narrow.post("/api/v1/profile/tokens", body, content_type="application/json")
    assert made.status_code == 200
    again = narrow.post("/api/v1/profile/tokens", body, content_type="application/json")
    assert again.status_code == 409 and len(narrow.get("/api/v1/profile/tokens").json()["data"]) == 2
    kept = [*ApiAnswer.objects.values_list("body", flat=True), *map(str, AuditEntry.objects.values_list("changes"))]
    assert kept and not any(made.json()["token"] in text for text in kept)
    listed = call("GET", f"users/{account['id']}/tokens").content.decode()
    assert "rondo_" not in listed and '"scopes": ["merge", "see"]' in listed


def test_who_may_less_sees_less_and_shares_nothing(call: Call, charlie: User) -> None:
    """Lists, counts, files and members of segments by the reach of the token's user; sharing needs the scope."""
    mine = make_customer("Mine", kind="person", owner=charlie)
    make_customer("Foreign", kind="person")
    call("POST", "segments", {"name": "All", "rule": "kind = person"})
    refresh_now("all")
    token = make_api_token(system(), charlie, "his", scopes=["see"])
    client = Client(headers={"authorization": f"Bearer {token}"})
    assert [row["id"] for row in client.get("/api/v1/lists/customers").json()["data"]] == [mine.public_id]
    assert client.get("/api/v1/lists/customers/count").json()["count"] == 1
    assert client.get("/api/v1/lists/customers/export").status_code == 403
    assert [row["name"] for row in client.get("/api/v1/segments/all/members").json()["data"]] == ["Mine"]
    assert client.get("/api/v1/segments/all").json()["size"] == 1
    shared = {"name": "V", "shared": True, "kept": {"f": ["kind:is:person"]}}
    assert client.post("/api/v1/views", shared, content_type="application/json").json()["scope"] == "share"
    wrong = {"name": "V", "kept": {"f": ["shoe:is:1"], "rule": "nobody"}}
    told = client.post("/api/v1/views", wrong, content_type="application/json")
    assert told.status_code == 422 and "shoe" in told.json()["detail"]
    flawed = call("POST", "rules/check", {"rule": "kind = persn"}).json()["errors"]
    assert [(one["pointer"], "persn" in one["detail"]) for one in flawed] == [("body/rule", True)]


def test_the_audit_log_tells_what_its_reader_may_know(
    call: Call, make_user: Callable[..., User], signed_in: Callable[[User], Client], alice: User
) -> None:
    """By reach, masks and hidden attributes, over the API as on the page; a view is told in words there."""
    roles.change_role(system(), "manager", masked=["identifiers"], reaches={"audit": "all", "customers": "own"})
    dora = make_user("dora", role="manager")
    mine, foreign = make_customer("Mine", kind="person", owner=dora), make_customer("Foreign", kind="person")
    for row in (mine, foreign):
        actions.add_identifier(system(), row, "email", f"zqmail{row.pk}@example.org")
    actions.merge(system(), foreign, mine)
    actions.unmerge(system(), Merge.objects.get().pk)
    actions.define_attribute(system(), "secret", label_en="Secret", type="text", form="demographic", visible_to=[])
    kept = {"f": ["kind:is:person", "attr.secret:is:zqhidden"], "cols": ["owner"]}
    assert call("POST", "views", {"name": "People", "kept": kept}).status_code == 200
    token = make_api_token(system(), dora, "log", scopes=["see", "audit"])
    client = Client(headers={"authorization": f"Bearer {token}"})
    told: list[dict[str, Any]] = []
    page = client.get("/api/v1/audit?limit=2").json()
    told += page["data"]
    while page["next"]:
        page = client.get(page["next"]).json()
        told += page["data"]
    assert [one["id"] for one in told] == list(dict.fromkeys(one["id"] for one in told))
    text = str(told)
    assert "zqmail" not in text and "zqhidden" not in text and foreign.public_id not in text and mine.public_id in text
    fields = {(one["verb"], field["field"]): field for one in told for field in one["fields"]}
    hidden = [field["masked"] for (verb, _name), field in fields.items() if verb == "identifier.added"]
    assert hidden and all(hidden) and fields["view.created", "query"]["masked"]
    absorbed = [field for (verb, _name), field in fields.items() if verb == "customer.merged" and not field["masked"]]
    assert absorbed and not any(isinstance(field[side], int) for field in absorbed for side in ("before", "after"))
    assert client.get("/api/v1/audit?text=zqmail").json()["data"] == []
    assert client.get("/api/v1/audit?record=customer&door=command&who=nobody").json()["data"] == []
    page = signed_in(alice).get("/settings/audit/", {"record": "view"}).content.decode()
    assert "&#x27;f&#x27;" not in page and "Secret" in page and "zqhidden" in page and "Owner" in page
    page = signed_in(dora).get("/settings/audit/", {"record": "view"}).content.decode()
    assert "People" in page and "zqhidden" not in page


def test_a_file_goes_in_and_is_taken_back(call: Call, settings: Any) -> None:
    row = call("POST", "imports/files", file=PEOPLE).json()
    assert (row["kind"], row["reading"]["mapping"]["email"]) == ("customers", "Mail")
    place = f"imports/files/{row['id']}"
    mapping = {"external_id": "No", "name": "Title"}
    both = {"mapping": {"external_id": "No"}, "constants": {"external_id": "7"}}
    told = call("PUT", f"{place}/reading", {"kind": "customers", "source": "shop", "reading": both}).json()
    assert told["errors"][0]["pointer"] == "body/reading/constants/external_id"
    wrong = call("PUT", f"{place}/reading", {"kind": "customers", "source": "shop", "reading": {"mapping": mapping}})
    assert wrong.json()["errors"] == [
        {"pointer": "body/reading/mapping/name", "detail": "There is no column “Title”; there are: No, Name, Mail."}
    ]
    none = call(
        "PUT", f"{place}/reading", {"kind": "orders", "source": "shop", "reading": {"mapping": {"order": "No"}}}
    )
    assert call("POST", f"{place}/trial").status_code == 422 and none.status_code == 200
    reading: dict[str, Any] = {
        "mapping": {"external_id": "No", "name": "Name", "email": "Mail", "attribute:club": "Name"}
    }
    reading |= {"define": {"club": {"type": "text"}}, "owner": "alice@example.org"}
    reading |= {"constants": {"city": "Ulm"}, "match_by": ["external"]}
    assert (
        call("PUT", f"{place}/reading", {"kind": "customers", "source": "shop", "reading": reading}).status_code == 200
    )
    assert call("GET", f"{place}/rows").status_code == 409, "not tried yet"
    work(call("POST", f"{place}/trial").json())
    assert call("GET", place).json()["trial"]["outcomes"] | {"keep": 0} == {
        "create": 1, "update": 0, "keep": 0, "leave_out": 0, "refuse": 1,
    }  # fmt: skip
    page = call("GET", f"{place}/rows?limit=1").json()
    assert page["data"][0]["cells"]["email"] == "ada@rondo.example.org"
    (refused,) = call("GET", page["next"].partition("/api/v1/")[2]).json()["data"]
    assert (refused["line"], refused["outcome"], "bob(at)" in refused["why"]) == (3, "refuse", True)
    work(call("POST", f"{place}/import").json())
    run = call("GET", f"imports/runs/{call('GET', place).json()['run']}").json()
    assert (run["counts"]["customers_created"], run["has_rejects"], run["by"]) == (1, True, "alice@example.org")
    made = Customer.objects.get(name="Ada King")
    assert made.owner is not None and made.owner.email == "alice@example.org"
    assert made.addresses.get().city == "Ulm"
    assert call("POST", f"imports/runs/{run['id']}/undo").json()["status"] == "undone"
    assert call("POST", f"imports/runs/{run['id']}/undo").status_code == 409
    settings.RONDO_UPLOAD_LIMIT_MB = 0
    large = call("POST", "imports/files", file=PEOPLE)
    assert (large.status_code, "RONDO_UPLOAD_LIMIT_MB" in large.json()["detail"]) == (413, True)


VERB = re.compile(r"^\| `([\w-]+)` \| `(/[^`]*)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def test_the_table_says_of_each_verb_of_the_pages_which_call_does_it_or_why_none() -> None:
    """Verbs are the addresses that take a POST; an operation that is named exists, and needs no wider right."""
    pages = {}
    for name, route in routes():
        address = re.sub(r"<(?:(\w+):)?(\w+)>", lambda part: "1" if part[1] == "int" else "x", route)
        found = resolve(address)
        request = RequestFactory().generic("TRACE", address)
        if "POST" in found.func(request, *found.args, **found.kwargs).get("Allow", ""):
            pages[name] = route
    rows = {
        name: (address, call.strip())
        for name, address, _what, call in VERB.findall((DOCS / "api-verbs.md").read_text())
    }
    assert {name: address for name, (address, _call) in rows.items()} == pages
    operations = {one["operationId"] for path in openapi()["paths"].values() for one in path.values()}
    named = {call for _address, said in rows.values() for call in re.findall(r"`(\w+)`", said)}
    assert named <= operations, named - operations
    assert all("`" in said or said.startswith("–: ") for _address, said in rows.values())


def test_the_guides_name_every_operation() -> None:
    asked = {(verb, path.partition("?")[0]) for guide in DOCS.glob("api*.md") for verb, path, _ in examples(guide.name)}
    for address, verbs in openapi()["paths"].items():
        form = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(address.removeprefix("/api/v1/"))))
        for verb in verbs:
            assert any(one == verb.upper() and form.fullmatch(path) for one, path in asked), (verb, address)


def test_kinds_of_files_name_no_attribute_that_the_role_does_not_see(
    call: Call, make_user: Callable[..., User]
) -> None:
    for key, seen in (("secret", ["administrator"]), ("open", None)):
        actions.define_attribute(
            system(), key, label_en=f"The {key} one", type="text", form="benefit", visible_to=seen
        )  # fmt: skip
    dora = make_user("dora", role="manager")
    token = make_api_token(system(), dora, "hers", scopes=["see", "import"])
    client = Client(headers={"authorization": f"Bearer {token}"})
    told = client.get("/api/v1/imports/kinds").content.decode()
    assert "attribute:open" in told and "secret" not in told
    groups = forms.groups(dora, "customers")
    assert "attribute:open" in str(groups) and "secret" not in str(groups)
