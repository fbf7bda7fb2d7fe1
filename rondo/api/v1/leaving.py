"""Reasons for leaving, by program: which there are, added, called otherwise or offered no longer, and taken back."""

from functools import partial

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Field, Router, Schema

from rondo.api.auth import TokenAuth
from rondo.api.parameters import key_of
from rondo.api.references import CHANGE, change_of, key_in
from rondo.api.versions import alone, undoes
from rondo.api.writing import Body, Fields, actor
from rondo.foundation.models import AuditEntry
from rondo.interactions import reasons
from rondo.interactions.models import LeavingReason

router = Router(tags=["chain"])
ADMINISTERING = TokenAuth("administer")


class ReasonTold(Schema):
    __doc__ = gettext_noop(
        "A reason that customers give for leaving. `own`: the company added it. `change`: what this call changed, by "
        "which it is taken back; null where it changed nothing."
    )

    key: str = Field(..., examples=["price"])
    group: str = Field(..., description=gettext_noop("natural, product, brand or competitor"))
    label: str = Field(..., description=gettext_noop("In the language asked for."))
    label_en: str
    label_de: str
    is_offered: bool = Field(..., description=gettext_noop("Whether it can be chosen."))
    own: bool
    change: str | None = None


class ReasonsTold(Schema):
    __doc__ = gettext_noop("All reasons for leaving, group by group.")

    data: list[ReasonTold]


class NewReason(Body):
    __doc__ = gettext_noop("A reason of the company's own; its key is made of the English name.")

    group: str = Field(..., max_length=20, examples=["product"])
    label_en: str = Field(..., min_length=1, max_length=60, examples=["Out of stock"])
    label_de: str = Field("", max_length=60)


class ReasonFields(Fields):
    __doc__ = gettext_noop("What is to change of a reason; what is left out stays.")

    label_en: str = Field("", min_length=1, max_length=60)
    label_de: str = Field("", max_length=60)
    is_offered: bool = True


@router.get(
    "/leaving-reasons",
    response=ReasonsTold,
    summary=gettext_noop("Reasons for leaving"),
    operation_id="listLeavingReasons",
    description=gettext_noop("Those that come with the program and the company's own."),
)
def list_reasons(request: HttpRequest) -> ReasonsTold:
    return ReasonsTold(data=[_told(reasons.find_reason(key)) for key in reasons.reasons()])


@router.get(
    "/leaving-reasons/{key}",
    response=ReasonTold,
    summary=gettext_noop("One reason for leaving"),
    operation_id="getLeavingReason",
    openapi_extra=alone(lambda key: LeavingReason.objects.filter(key=key)),
    description=gettext_noop("A reason by its key."),
)
def get_reason(request: HttpRequest, key: str) -> ReasonTold:
    return _told(reasons.find_reason(key))


@router.post(
    "/leaving-reasons",
    auth=ADMINISTERING,
    response=ReasonTold,
    summary=gettext_noop("Add a reason for leaving"),
    operation_id="addLeavingReason",
    description=gettext_noop("It can be given at once."),
)
def add_reason(request: HttpRequest, body: NewReason) -> ReasonTold:
    row, entry = reasons.add_reason(actor(request), body.group, body.label_en, body.label_de)
    return _told(row, entry)


@router.patch(
    "/leaving-reasons/{key}",
    auth=ADMINISTERING,
    response=ReasonTold,
    summary=gettext_noop("Change a reason for leaving"),
    operation_id="changeLeavingReason",
    description=gettext_noop("Its name, and whether it is offered; contacts that gave it keep it."),
)
def change_reason(request: HttpRequest, key: str, body: ReasonFields) -> ReasonTold:
    now = reasons.find_reason(key)
    given = body.dict(exclude_unset=True)
    row, entry = reasons.change_reason(
        actor(request),
        key,
        label_en=given.get("label_en", now.label_en),
        label_de=given.get("label_de", now.label_de),
        is_offered=given.get("is_offered", now.is_offered),
    )
    return _told(row, entry)


@router.post(
    "/leaving-reasons/changes/{change_id}/undo",
    auth=ADMINISTERING,
    response=ReasonsTold,
    summary=gettext_noop("Take a change of a reason for leaving back"),
    operation_id="undoLeavingReason",
    openapi_extra=undoes(leaving_reason=("/leaving-reasons/{key}", partial(key_in, LeavingReason.objects))),
    description=gettext_noop("That it was changed, or added while nobody gave it. The answer is all reasons."),
)
def take_back(request: HttpRequest, change_id: str) -> ReasonsTold:
    reasons.take_back_reason(actor(request), key_of(CHANGE, change_id))
    return list_reasons(request)


def _told(row: LeavingReason, entry: AuditEntry | None = None) -> ReasonTold:
    return ReasonTold(
        key=row.key,
        group=row.group,
        label=row.label,
        label_en=row.label_en,
        label_de=row.label_de,
        is_offered=row.is_offered,
        own=row.key not in reasons.DELIVERED.get(row.group, {}),
        change=change_of(entry),
    )
