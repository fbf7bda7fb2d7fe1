"""Proves the calls of erasure: the guide as one story, and the archive that a person gets."""

import io
import json
import zipfile
from typing import Any

import pytest
from django.test import Client

from rondo.api.tests.test_documents import check, openapi
from rondo.api.tests.test_rooms import examples
from rondo.customers.actions import add_identifier, create_customer, link, merge
from rondo.erasure.jobs import erase_job
from rondo.erasure.models import Erasure
from rondo.foundation.actors import system
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.models import AuditEntry, User
from rondo.interactions.actions import log_interaction

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(alice: User, installation: object, settings: Any, tmp_path: Any) -> Any:
    settings.RONDO_HOME = tmp_path
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"
    token = make_api_token(system(), alice, "erasing", scopes=["see", "export", "erase"])
    client = Client(headers={"authorization": f"Bearer {token}"})

    def send(verb: str, path: str, body: str = "") -> Any:
        return client.generic(verb, f"/api/v1/{path}", body, content_type="application/json")

    return send


def test_the_guide_runs_as_one_story(call: Any) -> None:
    row = create_customer(system(), name="Ada King", identifiers=[("email", "ada@x.org")])
    other = create_customer(system(), name="A. King")
    firm = create_customer(system(), kind="organisation", name="Engines")
    link(system(), row, firm, "employee")
    add_identifier(system(), other, "phone", "+49 170 8152463")
    note = log_interaction(system(), other, "note", title="Tea", body="Likes tea, 'Grüße'")
    merge(system(), other, row)
    document, given = openapi(), {"CUSTOMER": row.public_id, "ERASURE": "", "HOLD": ""}
    paths = {name: f"/customers/{{customer_id}}/{name}" for name in ("bundle", "erasure", "holds")}
    paths["again"] = "/erasures/{erasure_id}/again"
    paths["end"] = "/customers/{customer_id}/holds/{hold_id}/end"
    for verb, path, body in examples("api-erasure.md"):
        for name, value in given.items():
            path, body = path.replace(f"${name}", value), body.replace(f"${name}", value)
        if path.endswith("/end"):
            refused = call("POST", f"customers/{row.public_id}/erasure", json.dumps({"confirm": row.public_id}))
            assert refused.status_code == 409 and "A case is open" in refused.json()["detail"]
            held = call("GET", f"customers/{row.public_id}/erasure").json()["held"]
            assert held == [{"reason": "A case is open", "until": "2099-12-31"}]
        if path.endswith("/erasure") and verb == "POST":
            assert call(verb, path, '{"confirm": "Ada King"}').status_code == 422
        answer = call(verb, path, body)
        assert answer.status_code == 200, answer.content
        template = f"/api/v1{paths.get(path.rpartition('/')[2], '/erasures/{erasure_id}')}"
        told = document["paths"][template][verb.lower()]["responses"]["200"]["content"]
        if path.endswith("bundle"):
            check_bundle(b"".join(answer.streaming_content), row.public_id, note.public_id, firm.public_id)
            continue
        check(answer.json(), told["application/json"]["schema"], document, path)
        if path.endswith("/holds"):
            given["HOLD"] = answer.json()["id"]
        if path.endswith("/erasure") and verb == "POST":
            given["ERASURE"] = answer.json()["id"]
            assert call("GET", f"customers/{row.public_id}").status_code == 404, "hidden at once"
            erase_job.func(Erasure.objects.get().pk)
    done = call("GET", f"erasures/{given['ERASURE']}").json()
    assert (done["status"], done["results"]["deleted"]["interactions"]) == ("done", 1)
    changes = call("GET", "customers/changes").json()["data"]
    assert {one["id"]: one["state"] for one in changes}[row.public_id] == "gone"


def check_bundle(content: bytes, customer: str, note: str, firm: str) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("manifest.json"))
        told = {one["file"]: json.loads(archive.read(one["file"])) for one in manifest["files"]}
        assert {one["file"]: one["rows"] for one in manifest["files"]} == {
            name: len(rows) for name, rows in told.items()
        }
        assert manifest["customer"] == customer and len(manifest["records"]) == 2
        assert [row["name"] for row in told["customers.json"]] == ["Ada King", "A. King"]
        assert (told["interactions.json"][0]["id"], told["interactions.json"][0]["body"]) == (
            note,
            "Likes tea, 'Grüße'",
        )
        assert {row["shown"] for row in told["identifiers.json"]} == {"ada@x.org", "+49 170 8152463"}
        assert told["links.json"][0]["object_id"] == firm
        assert any("ada@x.org" in str(row) for row in told["changes.json"])
        assert "Ada King" in archive.read("index.html").decode()
    assert AuditEntry.objects.filter(verb="customer.bundle_made", door="api").exists()
