"""The OpenAPI document as a page reads it: operations with parameters and answers, and the fields of each answer."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FieldRow:
    """A parameter or a field: its name, its type in words (with the schema it leads to), and what it means."""

    name: str
    type: str
    schema: str
    meaning: str
    required: bool


@dataclass(frozen=True)
class Operation:
    """One call: where, what for, with which parameters, and what it answers per status."""

    key: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[FieldRow]
    answer: str
    problems: list[tuple[str, str]]


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
            operation["summary"],
            operation.get("description", ""),
            [
                _row(part["name"], part["schema"], part.get("description", ""), part["required"])
                for part in operation["parameters"]
            ],
            _named(next(iter(operation["responses"][200]["content"].values()))["schema"]),
            [
                (str(status), answer["description"])
                for status, answer in operation["responses"].items()
                if status != 200
            ],
        )
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def schemas(document: dict[str, Any]) -> list[Schema]:
    """Every object of an OpenAPI document, by name."""
    return [
        Schema(
            name,
            schema.get("description", ""),
            [
                _row(key, field, field.get("description", ""), key in schema.get("required", []))
                for key, field in schema["properties"].items()
            ],
        )
        for name, schema in sorted(document["components"]["schemas"].items())
        if "properties" in schema
    ]


def _row(name: str, schema: dict[str, Any], meaning: str, required: bool) -> FieldRow:
    return FieldRow(name, _words(schema), _named(schema), meaning, required)


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
