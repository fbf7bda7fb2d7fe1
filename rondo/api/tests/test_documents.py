"""The API's documents: OpenAPI that tells the truth, a page that works under the policy, and examples that run."""

import html
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from django.test import Client

import rondo
from rondo.api.problems import MEDIA_TYPE
from rondo.api.tests.conftest import Shop
from rondo.customers.actions import add_address, add_identifier, merge, note_consent
from rondo.duplicates.models import Pair
from rondo.foundation.actors import system
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.ids import encode
from rondo.foundation.models import User
from rondo.foundation.rights import RIGHTS
from rondo.interactions.splitting.choosing import Choice
from rondo.interactions.splitting.splitting import split
from tests.browsing import GRAVE, grave_findings

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

pytestmark = pytest.mark.django_db
SERIOUS = (*GRAVE, "moderate")
GUIDE = Path(rondo.__file__).parent.parent / "docs" / "api.md"


def openapi() -> dict[str, Any]:
    response = Client().get("/api/openapi.json")
    assert response.status_code == 200
    document: dict[str, Any] = response.json()
    return document


def examples() -> list[str]:
    """The curl commands of the guide, variables as written."""
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith("curl ")]


def asked(command: str, **variables: str) -> tuple[str, str, dict[str, str], str]:
    """The method, path, headers and body of a curl command."""
    for name, value in variables.items():
        command = command.replace(f"${name}", value)
    words = shlex.split(command)
    headers = [words[place + 1].split(": ", 1) for place, word in enumerate(words) if word == "-H"]
    given = {word: words[place + 1] for place, word in enumerate(words[:-1]) if word in ("-X", "-d")}
    path = words[-1].removeprefix("http://localhost:8000")
    return given.get("-X", "GET"), path, {name.lower(): value for name, value in headers}, given.get("-d", "")


def resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def check(value: Any, schema: dict[str, Any], document: dict[str, Any], place: str) -> None:
    """Hold a value against its schema: types, required fields, and no field that the document does not name."""
    schema = resolved(schema, document)
    if "anyOf" in schema:
        problems = []
        for choice in schema["anyOf"]:
            try:
                return check(value, choice, document, place)
            except AssertionError as error:
                problems.append(str(error))
        raise AssertionError(f"{place}: {value!r} fits none of {problems}")
    if "type" not in schema:  # whatever the log keeps
        return None
    kinds: dict[str, tuple[type, ...]] = {
        "object": (dict,),
        "array": (list,),
        "string": (str,),
        "integer": (int,),
        "number": (int, float),
        "boolean": (bool,),
        "null": (type(None),),
    }
    assert isinstance(value, kinds[schema["type"]]), f"{place}: {value!r} is no {schema['type']}"
    assert not (isinstance(value, bool) and schema["type"] in {"integer", "number"}), place
    if isinstance(value, dict):
        assert set(schema.get("required", [])) <= set(value), place
        named = schema.get("properties", {})
        if "additionalProperties" not in schema or named:
            assert set(value) <= set(named), f"{place}: {set(value) - set(named)} undocumented"
        for name, part in value.items():
            if (inner := named.get(name) or schema["additionalProperties"]) is not True:
                check(part, inner, document, f"{place}.{name}")
    if isinstance(value, list):
        for position, part in enumerate(value):
            check(part, schema["items"], document, f"{place}[{position}]")
    return None


def test_the_document_is_whole() -> None:
    document = openapi()
    assert document["openapi"].startswith("3.1")
    text = json.dumps(document)
    names = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert names <= set(document["components"]["schemas"])
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["summary"] and operation["description"] and operation["security"]
            named = {part["name"] for part in operation["parameters"] if part["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))
            assert MEDIA_TYPE in operation["responses"]["401"]["content"]
            assert ("404" in operation["responses"]) >= bool(named or "requestBody" in operation)
            assert "428" not in operation["responses"] or "412" in operation["responses"]


def test_the_examples_of_the_guide_run(shop: Shop, alice: User) -> None:
    """Every example is sent as written; answers and errors hold what the OpenAPI document says of them."""
    row, other = shop.customer(owner=alice), shop.customer("Miller", owner=alice)
    pair = Pair.objects.create(
        left=other,
        right=shop.customer("Muller"),
        probability=0.99,
        weight=7.0,
        prior=-9.0,
        left_print="",
        right_print="",
    )
    edge = merge(system(), shop.customer("Mueller"), row)
    order = shop.order(row)
    ids = {"customer_id": row.public_id, "order_id": order.public_id, "interaction_id": order.interaction.public_id}
    ids |= {"pair_id": encode("dp", pair.pk), "merge_id": encode("mg", edge.pk)}
    held = {
        "IDENTIFIER": ("identifier_id", "id", add_identifier(system(), row, "card", "4711")),
        "ADDRESS": ("address_id", "ad", add_address(system(), row, city="Boston")),
        "CONSENT": ("consent_id", "cn", note_consent(system(), row, "sms", "given")),
    }
    add_identifier(system(), row, "card", "4712")
    ids |= {name: encode(prefix, made.pk) for name, prefix, made in held.values()}
    note = shop.interaction(shop.customer("Double", owner=alice))
    parted = split(system(), note.customer, Choice(single=frozenset([note.pk])), name="Second")
    ids |= {"split_id": parted.public_id}
    more = {"OTHER": other.public_id, "PAIR": ids["pair_id"], "MERGE": ids["merge_id"], "SPLIT": ids["split_id"]}
    given = more | {"CUSTOMER": ids["customer_id"], "ORDER": ids["order_id"], "INTERACTION": ids["interaction_id"]}
    given |= {word: ids[name] for word, (name, _prefix, _made) in held.items()}
    given["NOTE"] = shop.interaction(row).public_id
    document = openapi()
    for command in examples():
        token = make_api_token(system(), alice, "guide", scopes=RIGHTS)
        verb, path, headers, sent = asked(command, TOKEN=token, RONDO="http://localhost:8000", **given)
        response = Client(headers=headers).generic(verb, path, sent, content_type="application/json")
        template = path.partition("?")[0]
        for name, value in [*ids.items(), ("interaction_id", given["NOTE"])]:
            template = template.replace(value, f"{{{name}}}")
        status = str(response.status_code)
        assert status == "422" if "limit=1000" in command else status < "300", (command, response.content)
        answers = document["paths"][template][verb.lower()]["responses"]
        assert status in answers, (command, status)
        if response.content:
            media = response.headers["Content-Type"].partition(";")[0]
            check(response.json(), answers[status]["content"][media]["schema"], document, template)


def test_every_status_and_parameter_of_the_document_is_in_the_guide() -> None:
    text = GUIDE.read_text()
    document = openapi()
    for parameter in document["paths"]["/api/v1/customers"]["get"]["parameters"]:
        assert f"`{parameter['name']}`" in text
    for status in document["paths"]["/api/v1/customers/{customer_id}"]["patch"]["responses"]:
        assert status < "300" or f"| {status} |" in text


def test_the_reference_names_every_call_parameter_and_field() -> None:
    body = Client().get("/api/docs").content.decode()
    assert " style=" not in body
    assert "`" not in body and "<code>Authorization: Bearer TOKEN</code>" in body and 'class="brand" href="/"' in body
    document = openapi()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert path in body and operation["operationId"] in body
            assert all(f"<code>{part['name']}</code>" in body for part in operation["parameters"])
    for name, schema in document["components"]["schemas"].items():
        assert "properties" not in schema or f'id="{name}"' in body
        assert all(f"<code>{field}</code>" in body for field in schema.get("properties", {}))
    targets = set(re.findall(r'href="#(\w+)"', body))
    assert targets <= set(re.findall(r'id="(\w+)"', body))


def test_the_reference_speaks_the_readers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sentence of the document is marked for translation; the document itself stays in English."""
    from rondo.foundation.catalogues import extracted

    known = {message.id for message in extracted()}
    document = openapi()
    said = {document["info"]["description"]} | {tag["description"] for tag in document["tags"]}
    for operation in (operation for path in document["paths"].values() for operation in path.values()):
        said |= {operation["summary"], operation["description"]}
        said |= {part.get("description") or part["schema"].get("description", "") for part in operation["parameters"]}
        said |= {answer["description"] for status, answer in operation["responses"].items() if status >= "300"}
    for schema in document["components"]["schemas"].values():
        said.add(schema.get("description", ""))
        said |= {field.get("description", "") for field in schema.get("properties", {}).values()}
    assert said - {""} <= known, said - {""} - known
    monkeypatch.setattr("rondo.api.reference.gettext", lambda text: f"[{text.upper()}]")
    german = html.unescape(Client().get("/api/docs", headers={"accept-language": "de"}).content.decode())
    assert '<html lang="de"' in german
    plain = {text for text in said if text and "`" not in text and "\n" not in text}
    assert all(f"[{text.upper()}]" in german for text in plain)
    assert openapi() == Client().get("/api/openapi.json", headers={"accept-language": "de"}).json()


def test_every_call_stands_in_its_room() -> None:
    """A call of a tag that the document does not name would be missing on the page."""
    document = openapi()
    every = {one["operationId"]: one["tags"] for path in document["paths"].values() for one in path.values()}
    named = {tag["name"] for tag in document["tags"]}
    assert {name for tags in every.values() for name in tags} == named
    body = Client().get("/api/docs").content.decode()
    assert all(body.count(f'<section class="card" id="{key}">') == 1 for key in every)
    assert all(f'id="room-{name}"' in body for name in named)


def test_the_page_loads_nothing_from_elsewhere_and_nothing_inline() -> None:
    response = Client().get("/api/docs")
    body = response.content.decode()
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', body)
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", body, re.DOTALL)
    assert [text for _attributes, text in scripts] == [""]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_call_can_be_tried_on_the_page(
    live_server: "LiveServer",
    page: "Page",
    shop: Shop,
    token_of: Callable[[User], str],
    alice: User,
    scheme: Literal["light", "dark"],
    width: int,
) -> None:
    """It works under the policy (a refusal is logged as an error, which fails the test), and axe finds nothing."""
    row = shop.customer("Miller household")
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{live_server.url}/api/docs")
    page.get_by_role("textbox", name="Token", exact=True).fill(token_of(alice))
    part = page.locator("#getCustomer")
    part.locator("summary").click()
    send = part.get_by_role("button", name="Send")
    send.click()
    assert "customer_id" in part.locator(".try-status").inner_text()
    part.get_by_label("customer_id").fill(row.public_id)
    send.click()
    part.locator(".try-answer").wait_for()
    assert part.locator(".try-status").inner_text().startswith("200 ")
    assert '"name": "Miller household"' in part.locator(".try-body").inner_text()
    assert "cache-control: private, no-store" in part.locator(".try-headers").inner_text()
    part = page.locator("#listInteractions")
    part.locator("summary").click()
    part.get_by_label("customer_id").fill(row.public_id)
    part.get_by_label("kind").fill("note, call")
    part.get_by_role("button", name="Send").click()
    part.locator(".try-answer").wait_for()
    assert "kind=note&kind=call" in part.locator(".try-address").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert grave_findings(page, SERIOUS) == []
