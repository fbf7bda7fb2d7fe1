"""Which attributes there are; one defined, changed, put in its place, archived, put back, and each taken back."""

from functools import partial
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Router

from rondo.api.auth import viewer
from rondo.api.parameters import key_of
from rondo.api.references import CHANGE, change_of, key_in
from rondo.api.v1.attributes.shapes import (
    ADMINISTERING,
    AttributeDefined,
    AttributeFields,
    AttributesDefined,
    NewAttribute,
    Place,
    administers,
    choices_given,
    told,
)
from rondo.api.versions import alone, undoes
from rondo.api.writing import actor
from rondo.customers import actions
from rondo.customers.actions.definitions import find_attribute, hold_attributes
from rondo.customers.definitions import definitions_for, may_see
from rondo.customers.models import AttributeDefinition
from rondo.errors import NotFound
from rondo.foundation import audit

router = Router(tags=["attributes"])
State = AttributeDefinition.State


@router.get(
    "/attributes",
    response=AttributesDefined,
    summary=gettext_noop("Attributes"),
    operation_id="listAttributes",
    description=gettext_noop(
        "The attributes of customers that the token's user sees, in their order. A token with the scope administer "
        "gets those in the archive, too."
    ),
)
def list_attributes(request: HttpRequest) -> AttributesDefined:
    user = viewer(request)
    rows = definitions_for(user)
    if administers(user):
        rows = list(AttributeDefinition.objects.all())
        rows += AttributeDefinition.everything.filter(state=State.ARCHIVED)
    return AttributesDefined(data=[told(row) for row in rows])


@router.get(
    "/attributes/{key}",
    response=AttributeDefined,
    summary=gettext_noop("One attribute"),
    operation_id="getAttribute",
    openapi_extra=alone(
        lambda key: AttributeDefinition.everything.filter(key=key), first=lambda key: hold_attributes()
    ),
    description=gettext_noop("An attribute by its key."),
)
def get_attribute(request: HttpRequest, key: str) -> AttributeDefined:
    user, row = viewer(request), find_attribute(key)
    if not administers(user) and (not may_see(user, row) or row.state == State.ARCHIVED):
        raise NotFound(key)
    return told(row)


@router.post(
    "/attributes",
    auth=ADMINISTERING,
    response=AttributeDefined,
    summary=gettext_noop("Define an attribute"),
    operation_id="defineAttribute",
    description=gettext_noop("A new attribute, behind all others. Its key stays; everything else can be changed."),
)
def define(request: HttpRequest, body: NewAttribute) -> AttributeDefined:
    fields: dict[str, Any] = body.dict(exclude={"key", "choices"})
    row = actions.new_attribute(actor(request), body.key, choices=choices_given(body.choices), **fields)
    return told(row, change_of(audit.entries_of("attribute", row.pk, 1)[0]))


@router.patch(
    "/attributes/{key}",
    auth=ADMINISTERING,
    response=AttributeDefined,
    summary=gettext_noop("Change an attribute"),
    operation_id="changeAttribute",
    description=gettext_noop(
        "Sets the fields that are given. Choices come as a whole; one that customers have cannot be left out, but "
        "retired. The type is changed by a call of its own."
    ),
)
def change(request: HttpRequest, key: str, body: AttributeFields) -> AttributeDefined:
    fields: dict[str, Any] = body.dict(exclude_unset=True, exclude={"choices", "version"})
    if "choices" in body.model_fields_set:
        fields["choices"] = choices_given(body.choices)
    row, entry = actions.change_attribute(actor(request), key, expected_version=body.version, **fields)
    return told(row, change_of(entry))


@router.post(
    "/attributes/{key}/move",
    auth=ADMINISTERING,
    response=AttributesDefined,
    summary=gettext_noop("Move an attribute"),
    operation_id="moveAttribute",
    description=gettext_noop("One place up or down in the order in which attributes stand everywhere."),
)
def move(request: HttpRequest, key: str, body: Place) -> AttributesDefined:
    actions.move_attribute(actor(request), key, up=body.to == "up")
    return list_attributes(request)


@router.post(
    "/attributes/{key}/archive",
    auth=ADMINISTERING,
    response=AttributeDefined,
    summary=gettext_noop("Archive an attribute"),
    operation_id="archiveAttribute",
    description=gettext_noop(
        "Takes it out of every page, list, rule, file and of the API. Its values stay and come back with it."
    ),
)
def archive(request: HttpRequest, key: str) -> AttributeDefined:
    entry = actions.archive_attribute(actor(request), key)
    return told(find_attribute(key), change_of(entry))


@router.post(
    "/attributes/{key}/restore",
    auth=ADMINISTERING,
    response=AttributeDefined,
    summary=gettext_noop("Restore an attribute"),
    operation_id="restoreAttribute",
    description=gettext_noop("Puts an archived attribute back into use, with its values."),
)
def restore(request: HttpRequest, key: str) -> AttributeDefined:
    entry = actions.restore_attribute(actor(request), key)
    return told(find_attribute(key), change_of(entry))


@router.post(
    "/attributes/changes/{change_id}/undo",
    auth=ADMINISTERING,
    response=AttributeDefined,
    summary=gettext_noop("Take a change of an attribute back"),
    operation_id="undoAttributeChange",
    openapi_extra=undoes(attribute=("/attributes/{key}", partial(key_in, AttributeDefinition.everything))),
    description=gettext_noop(
        "Undoes one change: of fields, that it was archived or restored, or that it was defined, while no customer has "
        "a value of it. What was changed again since is refused."
    ),
)
def take_back(request: HttpRequest, change_id: str) -> AttributeDefined:
    row = actions.take_back_attribute(actor(request), key_of(CHANGE, change_id))
    return told(find_attribute(row.key), change_of(audit.entries_of("attribute", row.pk, 1)[0]))
