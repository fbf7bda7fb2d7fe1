"""What operations that change something share: the scope they need, the actor they act as, and bodies that are refused
where they hold what nobody asked for.

An operation of this kind is a thin call of the action that the pages call, too::

    @router.post("/merges", auth=TokenAuth("merge"), response={201: schemas.Merge}, ...)
    def make_merge(request: HttpRequest, body: MergeBody) -> Status[schemas.Merge]: ...
"""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Schema
from pydantic import ConfigDict, model_validator

from rondo.api.auth import viewer
from rondo.foundation.actors import Actor

BODY = "body"
"""What the parameter of an operation is called that takes the request's body."""


class Body(Schema):
    """A request body: a field that it does not have is refused, since one that is misspelt would be passed over."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def no_nul(cls, given: Any) -> Any:
        """Refuse what no column can hold."""
        if _holds_nul(getattr(given, "_obj", given)):
            raise ValueError(_("a NUL is no text; remove it"))
        return given


def _holds_nul(given: Any) -> bool:
    if isinstance(given, str):
        return "\x00" in given
    if isinstance(given, dict):
        return any(_holds_nul(part) for pair in given.items() for part in pair)
    return isinstance(given, list) and any(_holds_nul(part) for part in given)


def actor(request: HttpRequest) -> Actor:
    """Whom an authenticated request acts as, through the door of the API."""
    return Actor(viewer(request), "api")
