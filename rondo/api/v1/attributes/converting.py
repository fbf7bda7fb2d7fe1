"""A change of an attribute's type, and choices merged into one: tried, done at once or as a job, taken back."""

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Router

from rondo.api.auth import viewer
from rondo.api.v1.attributes.shapes import (
    ADMINISTERING,
    AttributeDefined,
    Becomes,
    Choice,
    Conversion,
    ConversionProgress,
    MergeChoices,
    TypeBody,
    Unconverted,
    choices_given,
    choices_told,
    told,
)
from rondo.api.writing import actor
from rondo.customers.actions import converting
from rondo.customers.actions.definitions import find_attribute, uses_of
from rondo.customers.jobs import request_conversion
from rondo.errors import InputError

router = Router(tags=["attributes"])


@router.post(
    "/attributes/{key}/type",
    auth=ADMINISTERING,
    response=Conversion,
    summary=gettext_noop("Change the type of an attribute"),
    operation_id="changeAttributeType",
    description=gettext_noop(
        "Converts every value, or changes nothing: a value that does not convert refuses the change. Up to 5,000 "
        "values are converted at once, more by a job."
    ),
)
def change_type(request: HttpRequest, key: str, body: TypeBody) -> Conversion:
    return _change(request, key, body.type, body.choices, {}, body.dry_run)


@router.post(
    "/attributes/{key}/choices/merge",
    auth=ADMINISTERING,
    response=Conversion,
    summary=gettext_noop("Merge choices"),
    operation_id="mergeAttributeChoices",
    description=gettext_noop("Customers who have one of the choices in `gone` have `into` instead."),
)
def merge_choices(request: HttpRequest, key: str, body: MergeChoices) -> Conversion:
    row = find_attribute(key)
    known = {str(choice["value"]) for choice in row.choices}
    gone = [value for value in body.gone if value != body.into]
    if wrong := next((value for value in (*gone, body.into) if value not in known), None):
        raise InputError(
            _("%(value)r is no choice of %(key)s; one of %(values)s is needed.")
            % {"value": wrong[:60], "key": key, "values": ", ".join(sorted(known)) or "–"}
        )
    if not gone:
        raise InputError(_("Choose at least one choice to merge, and another one that stays."))
    return _change(request, key, row.type, [], dict.fromkeys(gone, body.into), body.dry_run)


@router.get(
    "/attributes/{key}/conversion",
    auth=ADMINISTERING,
    response=ConversionProgress,
    summary=gettext_noop("Progress of a change of type"),
    operation_id="getAttributeConversion",
    description=gettext_noop("How far the change of an attribute's type is, and what it can be taken back to."),
)
def get_progress(request: HttpRequest, key: str) -> ConversionProgress:
    row = find_attribute(key)
    done, total = converting.progress_of(row) if row.changing else (0, 0)
    former = converting.former_of(key)
    return ConversionProgress(
        key=key, to=row.changing or None, done=done, total=total, former=None if former is None else former.type
    )


@router.post(
    "/attributes/{key}/conversion/stop",
    auth=ADMINISTERING,
    response=AttributeDefined,
    summary=gettext_noop("Stop a change of type"),
    operation_id="stopAttributeConversion",
    description=gettext_noop("Ends a change that is not done: the values are as they were."),
)
def stop(request: HttpRequest, key: str) -> AttributeDefined:
    converting.give_up(actor(request), key)
    return told(find_attribute(key))


@router.post(
    "/attributes/{key}/conversion/undo",
    auth=ADMINISTERING,
    response=AttributeDefined,
    summary=gettext_noop("Take a change of type back"),
    operation_id="undoAttributeConversion",
    description=gettext_noop(
        "Puts the former type and its values back; values given since are converted back, or the undo is refused."
    ),
)
def take_back(request: HttpRequest, key: str) -> AttributeDefined:
    return told(converting.take_back_change(actor(request), key))


def _change(
    request: HttpRequest, key: str, type: str, choices: list[Choice], merged: dict[str, str], dry_run: bool
) -> Conversion:
    given = choices_given(choices)
    trial = converting.try_change(actor(request), key, type, choices=given, merged=merged)
    uses, state = uses_of(viewer(request), key), "tried"
    if not dry_run:
        target, number = converting.begin_change(actor(request), key, type, choices=given, merged=merged)
        if number > converting.AT_ONCE:
            request_conversion(viewer(request), target.pk, merged)
            state = "running"
        else:
            converting.carry_out(actor(request), target.pk, merged)
            state = "done"
    return Conversion(
        state=state,
        type=type,
        values=trial.values,
        converts=trial.convert,
        examples=[Becomes(before=before, after=after) for before, after in trial.examples],
        refused=[Unconverted(value=value, customers=number, why=why) for value, number, why in trial.refused],
        choices=choices_told(trial.choices),
        used_by=uses,
        rewrites=trial.rewrites,
    )
