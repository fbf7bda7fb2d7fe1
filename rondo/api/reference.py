"""The OpenAPI document as a page reads it: operations with parameters and answers, and the fields of each answer.

The document is in English; here its sentences are said in the reader's language.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext


@dataclass(frozen=True)
class FieldRow:
    """A parameter or a field: its name, its type in words (with the schema it leads to), and what it means.

    For parameters ``place`` is path or query, ``choices`` are the values allowed, and ``many`` may be given repeatedly.
    """

    name: str
    type: str
    schema: str
    meaning: str
    required: bool
    place: str = ""
    choices: tuple[str, ...] = ()
    many: bool = False


@dataclass(frozen=True)
class Operation:
    """One call: where, what for, with which parameters and which body, and what it answers per status. ``files``: names
    of the parts of a form that it takes; ``media``: what it answers with, where that is a file; ``tag``: its room."""

    key: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[FieldRow]
    body: str
    answer: str
    problems: list[tuple[str, str]]
    files: tuple[str, ...] = ()
    media: str = ""
    tag: str = ""


@dataclass(frozen=True)
class Room:
    """The calls of one tag, under its name as people read it."""

    name: str
    label: str
    operations: list[Operation]


@dataclass(frozen=True)
class Schema:
    """What an answer or a part of it holds."""

    name: str
    description: str
    fields: list[FieldRow]


def operations(document: dict[str, Any]) -> list[Operation]:
    """Every call of an OpenAPI document, in its order."""
    return [
        Operation(
            operation["operationId"],
            method.upper(),
            path,
            said(operation["summary"]),
            said(operation.get("description", "")),
            [_parameter(part, document) for part in operation["parameters"]],
            _content(operation.get("requestBody")),
            _content(_good(operation)),
            [
                (str(status), said(answer["description"]))
                for status, answer in operation["responses"].items()
                if int(status) >= 300
            ],
            _files(operation.get("requestBody")),
            _media(_good(operation)),
            operation["tags"][0],
        )
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def rooms(document: dict[str, Any]) -> list[Room]:
    """The calls by their tags, in the order of these; within one as the document has them."""
    every = operations(document)
    return [
        Room(tag["name"], said(tag["description"]), [one for one in every if one.tag == tag["name"]])
        for tag in document["tags"]
    ]


def _good(operation: dict[str, Any]) -> dict[str, Any]:
    """The answer where it went well."""
    return next(answer for status, answer in operation["responses"].items() if int(status) < 300)


def schemas(document: dict[str, Any]) -> list[Schema]:
    """Every object of an OpenAPI document, by name."""
    return [
        Schema(
            name,
            said(schema.get("description", "")),
            [
                _row(key, field, field.get("description", ""), key in schema.get("required", []))
                for key, field in schema["properties"].items()
            ],
        )
        for name, schema in sorted(document["components"]["schemas"].items())
        if "properties" in schema
    ]


def _content(part: dict[str, Any] | None) -> str:
    """The schema of a request's body or of an answer; empty where there is none."""
    return "" if part is None or not part.get("content") else _named(next(iter(part["content"].values()))["schema"])


def _files(body: dict[str, Any] | None) -> tuple[str, ...]:
    """The parts of a form that a call takes, of which each is a file."""
    form = {} if body is None else body["content"].get("multipart/form-data", {})
    return tuple(form.get("schema", {}).get("properties", {}))


def _media(part: dict[str, Any]) -> str:
    """What an answer is, where it is no JSON."""
    media = next(iter(part.get("content", {})), "")
    return "" if media == "application/json" else media


def _row(name: str, schema: dict[str, Any], meaning: str, required: bool) -> FieldRow:
    return FieldRow(name, _words(schema), _named(schema), said(meaning), required)


def _parameter(part: dict[str, Any], document: dict[str, Any]) -> FieldRow:
    schema = part["schema"]
    named = document["components"]["schemas"].get(_named(schema), {})
    kinds = [schema, *schema.get("anyOf", []), named]
    choices: list[Any] = next((kind["enum"] for kind in kinds if "enum" in kind), [])
    return FieldRow(
        part["name"],
        _words(schema),
        _named(schema),
        said(part.get("description", "") or schema.get("description", "")),
        part["required"],
        part["in"],
        tuple(str(choice) for choice in choices),
        any(kind.get("type") == "array" for kind in kinds),
    )


def said(text: str) -> str:
    """A sentence of the document in the language in force."""
    return gettext(text) if text else ""


def _named(schema: dict[str, Any]) -> str:
    """The schema that a reference, a list or a choice leads to; empty for plain values."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "items" in schema:
        return _named(schema["items"])
    return next((named for choice in schema.get("anyOf", []) if (named := _named(choice))), "")


def _words(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _named(schema)
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_words(choice) for choice in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"[{_words(schema['items'])}]"
    return str(schema.get("format") or schema.get("type", ""))
