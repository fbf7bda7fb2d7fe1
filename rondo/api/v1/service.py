"""Version 1 of the REST API, assembled from its routers, and its OpenAPI document."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_noop
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from rondo.api import problems, showing, versions
from rondo.api.auth import TokenAuth
from rondo.api.parameters import refuse_unknown
from rondo.api.repeating import once
from rondo.api.v1 import (
    chain,
    chain_changes,
    chain_lists,
    chain_writing,
    changes,
    customer_writing,
    customers,
    facts,
    merging,
    rooms,
    schemas,
    splitting,
    webhooks,
)
from rondo.api.v1.tags import TAGS
from rondo.api.writing import MATCHES, NONE, OPTIONAL, REQUIRED

DESCRIPTION = gettext_noop(
    "Read and write customers, their chain of interactions and their orders, read what the analysis knows of them, and "
    "merge duplicates.\n\n"
    "Send a token as `Authorization: Bearer TOKEN`; a request acts as the token's user and sees what the user may see, "
    "and has of the user's rights those that the token is made for: its scopes. Reading needs the scope see, changing "
    "customers the scope edit, merging the scope merge. "
    "Lists come in pages: follow `next` until it is null. Errors are problem details (RFC 9457).\n\n"
    "Whatever is no GET takes an `Idempotency-Key`: sent again with it, the request is not carried out again, and is "
    "given the same answer. `If-Match` with the `ETag` of what was read refuses what would overwrite a change "
    "meanwhile."
)

PREFIX = "/api/v1/"
READING = "see"
"""The scope that an operation needs unless it names another."""

_PROBLEMS = {
    401: gettext_noop("The token is missing, unknown, expired or revoked."),
    403: gettext_noop("The token lacks the scope that this needs, or its user may not do this."),
    404: gettext_noop("It does not exist, or is not the user's to see."),
    409: gettext_noop("It does not fit what stands now; the answer says what does."),
    412: gettext_noop("The record is in another version than `If-Match` names; `etag` is the one it is in."),
    413: gettext_noop("The body is too large; send less at once."),
    422: gettext_noop("The request is not usable as given."),
    428: gettext_noop("The version it is for has to be named in `If-Match`."),
    429: gettext_noop("The token made too many requests; `Retry-After` says in how many seconds to go on."),
    500: gettext_noop("The server failed; its log says why."),
    503: gettext_noop("Others are writing and nothing was done; send it again after `Retry-After` seconds."),
}
_OF_WRITES = {409, 413, 503}
_RATE = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy")
_HEADERS: dict[str, tuple[str, str]] = {
    "RateLimit-Limit": ("integer", gettext_noop("Requests that the token may make in a minute.")),
    "RateLimit-Remaining": ("integer", gettext_noop("How many of them are left, at least.")),
    "RateLimit-Reset": ("integer", gettext_noop("In how many seconds a new minute begins.")),
    "RateLimit-Policy": ("string", gettext_noop("Limit and window in seconds.")),
    "Retry-After": ("integer", gettext_noop("In how many seconds to go on.")),
    "ETag": ("string", gettext_noop("The version of the record, for `If-Match` and `If-None-Match`.")),
    "Location": ("string", gettext_noop("The address of the record.")),
    "Idempotent-Replayed": (
        "string",
        gettext_noop("`true`: carried out before; this is the answer that was given then."),
    ),
}
_KEY_PARAMETER = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": gettext_noop(
        "Makes it safe to send again: with the same key and the same request nothing is done twice, for 24 hours."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "example": "7f1c1c1e-5f0e-4a51-9d1c-0b8f4a3f4e11",
}
_MATCH_PARAMETER = {
    "in": "header",
    "name": "If-Match",
    "required": False,
    "description": gettext_noop("The `ETag` of the version it is for; refused (412) where the record changed since."),
    "schema": {"type": "string", "minLength": 1, "maxLength": 500},
}
_NONE_MATCH_PARAMETER = {
    "in": "header",
    "name": "If-None-Match",
    "required": False,
    "description": gettext_noop("The `ETag` of what the caller has; answered with 304 where it is the same still."),
    "schema": {"type": "string", "minLength": 1, "maxLength": 500},
}
_NOT_MODIFIED = gettext_noop("It is what the caller has, as `If-None-Match` says.")


class Api(NinjaAPI):
    """Ninja's API whose OpenAPI document also names the problem details that every operation may answer with."""

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> OpenAPISchema:
        schema = super().get_openapi_schema(path_prefix=path_prefix or PREFIX, path_params=path_params)
        schema["components"]["schemas"]["Problem"] = schemas.Problem.model_json_schema(
            ref_template="#/components/schemas/{model}"
        )
        nested = schema["components"]["schemas"]["Problem"].pop("$defs", {})
        schema["components"]["schemas"].update(nested)
        schema["tags"] = [{"name": name, "description": label} for name, label in TAGS.items()]
        scopes = dict(self._scopes())
        for path, operations in schema["paths"].items():
            address = path.removeprefix(PREFIX.rstrip("/"))
            for method, operation in operations.items():
                operation.setdefault("parameters", [])
                for part in operation["parameters"]:  # a list is right in the schema alone
                    if isinstance(part.get("examples"), list):
                        part["example"] = part.pop("examples")[0]
                operation.pop(versions.ALONE, None)
                operation.pop(versions.GONE, None)
                operation.pop(versions.UNDOES, None)
                matches = operation.pop(MATCHES, "") or (OPTIONAL if versions.heeds(method, address) else "")
                if method == "get" and _is_one(schema, operation):
                    matches = NONE
                    operation["parameters"].append(_NONE_MATCH_PARAMETER)
                    operation["responses"][304] = {"description": _NOT_MODIFIED}
                # OpenAPI 3.1 takes the names of scopes for any scheme; ninja leaves them out.
                operation["security"] = [{TokenAuth.__name__: [scopes[operation["operationId"]]]}]
                if method != "get":
                    _tell_written(operation)
                    operation["parameters"].append(_KEY_PARAMETER)
                if matches in {OPTIONAL, REQUIRED}:
                    operation["parameters"].append({**_MATCH_PARAMETER, "required": matches == REQUIRED})
                for answer in operation["responses"].values():
                    names = [*_RATE, *(("ETag", "Location") if matches else ())]
                    answer["headers"] = _told([*names, "Idempotent-Replayed"] if method != "get" else names)
                left_out = {REQUIRED: set(), OPTIONAL: {428}}.get(matches, {412, 428})
                if method == "get":
                    left_out |= _OF_WRITES
                for status, meaning in _PROBLEMS.items():
                    if status not in left_out:
                        operation["responses"][status] = {
                            "description": meaning,
                            "content": {
                                problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}},
                            },
                            "headers": _told(["Retry-After"] if status in {429, 503} else []),
                        }
        for one in (schemas.Written, schemas.WrittenMany):
            told = one.model_json_schema(ref_template="#/components/schemas/{model}")
            told.pop("$defs", None)
            schema["components"]["schemas"][one.__name__] = told
        schema["components"]["headers"] = {
            name: {"description": meaning, "schema": {"type": kind}} for name, (kind, meaning) in _HEADERS.items()
        }
        return schema

    def _scopes(self) -> Iterator[tuple[str, str]]:
        """Operations with the scope that each needs."""
        for _prefix, router in self._routers:
            for address in router.path_operations.values():
                for operation in address.operations:
                    named = [one.scope for one in operation.auth_callbacks if isinstance(one, TokenAuth)]
                    yield str(operation.operation_id), named[0] if named else READING


def _is_one(schema: dict[str, Any], operation: dict[str, Any]) -> bool:
    """Whether an operation answers with one thing, and no page of many nor a file."""
    named = operation["responses"][200]["content"].get("application/json", {}).get("schema", {}).get("$ref", "")
    part = schema["components"]["schemas"].get(named.rpartition("/")[2])
    return part is not None and not versions.is_page(part["properties"])


def _tell_written(operation: dict[str, Any]) -> None:
    """Say of answers that show a record that a token without the right to see it is told what it wrote alone."""
    for answer in operation["responses"].values():
        part = answer.get("content", {}).get("application/json", {})
        named = part.get("schema", {}).get("$ref", "").rpartition("/")[2]
        shows = next((one for one in showing.SHOWS if one.__name__ == named), None)
        if shows is not None:
            told = schemas.WrittenMany if versions.is_page(shows.model_fields) else schemas.Written
            part["schema"] = {"anyOf": [part["schema"], {"$ref": f"#/components/schemas/{told.__name__}"}]}


def _told(names: list[str]) -> dict[str, dict[str, str]]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


api = Api(
    title="Rondo",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api-v1",
    openapi_url=None,
    docs_url=None,
    auth=TokenAuth(READING),
)
problems.install(api)
api.add_decorator(showing.shown_to_who_sees)
api.add_decorator(versions.versioned)
api.add_decorator(once)
api.add_decorator(refuse_unknown)
_ROUTERS = (
    changes.router,
    splitting.router,
    merging.router,  # before what takes any word behind /customers/ for an id
    customer_writing.many,
    customers.router,
    chain.router,
    chain_changes.router,
    chain_writing.router,  # before what takes any word behind /interactions/ for an id
    chain_lists.router,
    facts.router,
    *rooms.ROUTERS,
    webhooks.router,
)
versions.declare(_ROUTERS)
for _router in _ROUTERS:
    api.add_router("", _router)
