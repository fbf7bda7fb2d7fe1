"""Version 1 of the REST API, assembled from its routers, and its OpenAPI document."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_noop
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from rondo.api import problems
from rondo.api.auth import TokenAuth
from rondo.api.parameters import refuse_unknown
from rondo.api.v1 import chain, chain_changes, chain_lists, changes, customers, facts, merging, schemas, splitting

DESCRIPTION = gettext_noop(
    "Read customers, their chain of interactions, their orders and what the analysis knows of them, and merge "
    "duplicates.\n\n"
    "Send a token as `Authorization: Bearer TOKEN`; a request acts as the token's user and sees what the user may see, "
    "and has of the user's rights those that the token is made for: its scopes. Reading needs the scope see, merging "
    "the scope merge. "
    "Lists come in pages: follow `next` until it is null. Errors are problem details (RFC 9457)."
)

PREFIX = "/api/v1/"
READING = "see"
"""The scope that an operation needs unless it names another."""

_PROBLEMS = {
    401: gettext_noop("The token is missing, unknown, expired or revoked."),
    403: gettext_noop("The token lacks the scope that this needs, or its user may not do this."),
    404: gettext_noop("It does not exist, or is not the user's to see."),
    409: gettext_noop("It does not fit what stands now; the answer says what does."),
    422: gettext_noop("The request is not usable as given."),
    500: gettext_noop("The server failed; its log says why."),
}


class Api(NinjaAPI):
    """Ninja's API whose OpenAPI document also names the problem details that every operation may answer with."""

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> OpenAPISchema:
        schema = super().get_openapi_schema(path_prefix=path_prefix or PREFIX, path_params=path_params)
        schema["components"]["schemas"]["Problem"] = schemas.Problem.model_json_schema(
            ref_template="#/components/schemas/{model}"
        )
        nested = schema["components"]["schemas"]["Problem"].pop("$defs", {})
        schema["components"]["schemas"].update(nested)
        scopes = dict(self._scopes())
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                operation.setdefault("parameters", [])
                # OpenAPI 3.1 takes the names of scopes for any scheme; ninja leaves them out.
                operation["security"] = [{TokenAuth.__name__: [scopes[operation["operationId"]]]}]
                for status, meaning in _PROBLEMS.items():
                    if (status == 404 and method == "get" and "{" not in path) or (status == 409 and method == "get"):
                        continue
                    operation["responses"][status] = {
                        "description": meaning,
                        "content": {
                            problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}},
                        },
                    }
        return schema

    def _scopes(self) -> Iterator[tuple[str, str]]:
        """Operations with the scope that each needs."""
        for _prefix, router in self._routers:
            for address in router.path_operations.values():
                for operation in address.operations:
                    named = [one.scope for one in operation.auth_callbacks if isinstance(one, TokenAuth)]
                    yield str(operation.operation_id), named[0] if named else READING


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
api.add_decorator(refuse_unknown)
for _router in (
    changes.router,
    splitting.router,
    merging.router,  # before what takes any word behind /customers/ for an id
    customers.router,
    chain.router,
    chain_changes.router,
    chain_lists.router,
    facts.router,
):
    api.add_router("", _router)
