"""Saved views: kept, changed, shared, deleted, arranged, and each taken back."""

from typing import Any, Literal

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Field, Router, Schema

from rondo.api.auth import viewer
from rondo.api.parameters import key_of
from rondo.api.references import CHANGE, change_of
from rondo.api.v1.lists.customers import open_list
from rondo.api.versions import alone, undoes
from rondo.api.writing import Body, Fields, actor
from rondo.customers.unseen import names_any, unseen_fields
from rondo.foundation import audit, ids
from rondo.foundation.models import User
from rondo.lists import actions, queries
from rondo.lists.models import CUSTOMERS, Arrangement, SavedView
from rondo.lists.states import PAGE_SIZE, State

router = Router(tags=["lists"])
_LONGEST = 4000


class KeptList(Body):
    __doc__ = gettext_noop(
        "What a view keeps of the list: `f` filters, `rule`, `sort` and `cols` as the list takes them; `size` rows of "
        "a page, and what it is drawn as (`as_`) by which field (`by`). Never what was found. In a colleague's view "
        "`hidden:` stands for a filter or a rule that asks for what the token's user does not see; such a view is "
        "not read."
    )

    f: list[str] = Field([], max_length=50, examples=[["kind:is:household"]])
    rule: str = Field("", max_length=_LONGEST)
    sort: str = Field("", max_length=_LONGEST, examples=["-value"])
    cols: list[str] = Field([], max_length=50)
    size: Literal[25, 50, 100, 200] = 50
    as_: Literal["table", "board", "chart"] = "table"
    by: str = Field("", max_length=_LONGEST)


class KeptView(Schema):
    __doc__ = gettext_noop(
        "A view of the customers list. `change`: what this call changed, by which it is taken back; null where it "
        "changed nothing."
    )

    id: str = Field(..., examples=["v_4m2kq8xw"])
    name: str
    owner: str = Field(..., description=gettext_noop("E-mail address."))
    shared: bool
    kept: KeptList
    version: int = Field(..., description=gettext_noop("Counts changes."))
    may_change: bool = Field(..., description=gettext_noop("Whether the token's user may change it."))
    change: str | None = None


class KeptViews(Schema):
    __doc__ = gettext_noop(
        "The own views and those that others share, by name. `order` and `default`: how they stand as tabs, and which "
        "of them the list opens with."
    )

    data: list[KeptView]
    order: list[str]
    default: str


class Arranged(Schema):
    __doc__ = gettext_noop("How the views stand as tabs, and which of them the list opens with.")

    order: list[str]
    default: str


class NewView(Body):
    __doc__ = gettext_noop("A view to keep; sharing it with everybody needs the scope share.")

    name: str = Field(..., min_length=1, max_length=60, examples=["Households of worth"])
    shared: bool = False
    kept: KeptList


class ViewFields(Fields):
    __doc__ = gettext_noop(
        "What is to change; what is left out stays. With `version` the change is refused where somebody else changed "
        "the view since."
    )

    name: str = Field("", min_length=1, max_length=60)
    shared: bool = False
    kept: KeptList | None = None
    version: int | None = Field(None, ge=1, le=2_000_000_000)


class ViewOrder(Body):
    __doc__ = gettext_noop(
        "The order of the views, by id, and which of them the list opens with (empty: the usual one). For `everybody` "
        "who did not choose: with the scope administer."
    )

    order: list[str] = Field(..., max_length=400)
    default: str = Field("", max_length=40)
    everybody: bool = False


@router.get(
    "/views",
    response=KeptViews,
    summary=gettext_noop("Views"),
    operation_id="listViews",
    description=gettext_noop("The views of the customers list that the token's user may open."),
)
def list_views(request: HttpRequest) -> KeptViews:
    user = viewer(request)
    order, default = queries.arrangement(user)
    return KeptViews(data=[_told(user, row) for row in queries.visible(user)], order=order, default=default)


@router.get(
    "/views/{view_id}",
    response=KeptView,
    summary=gettext_noop("One view"),
    operation_id="getView",
    openapi_extra=alone(lambda view_id: SavedView.objects.filter(pk=ids.decode(SavedView.PREFIX, view_id) or 0)),
    description=gettext_noop("What a view keeps of the list; the list itself is asked for with `view=`."),
)
def get_view(request: HttpRequest, view_id: str) -> KeptView:
    user = viewer(request)
    return _told(user, queries.get_visible(user, view_id))


@router.post(
    "/views",
    response=KeptView,
    summary=gettext_noop("Keep a view"),
    operation_id="saveView",
    description=gettext_noop("Keeps a list under a name. Filters and rule are refused where they are not understood."),
)
def save(request: HttpRequest, body: NewView) -> KeptView:
    user = viewer(request)
    row, entry = actions.save_view(actor(request), body.name, _state(user, body.kept), shared=body.shared)
    return _told(user, row, change_of(entry))


@router.patch(
    "/views/{view_id}",
    response=KeptView,
    summary=gettext_noop("Change a view"),
    operation_id="changeView",
    description=gettext_noop("Names or shares a view, or keeps another list in it."),
)
def change(request: HttpRequest, view_id: str, body: ViewFields) -> KeptView:
    user, given = viewer(request), body.model_fields_set
    fields: dict[str, Any] = {"name": body.name} if "name" in given else {}
    if "shared" in given:
        fields["is_shared"] = body.shared
    if body.kept is not None:
        fields["query"] = _state(user, body.kept)
    row, entry = actions.change_view(actor(request), view_id, expected_version=body.version, **fields)
    return _told(user, row, change_of(entry))


@router.delete(
    "/views/{view_id}",
    response=KeptView,
    summary=gettext_noop("Delete a view"),
    operation_id="deleteView",
    description=gettext_noop("Deletes a view; its `change` puts it back."),
)
def delete(request: HttpRequest, view_id: str) -> KeptView:
    row, entry = actions.delete_view(actor(request), view_id)
    return _told(viewer(request), row, change_of(entry))


@router.post(
    "/views/changes/{change_id}/undo",
    response=KeptView,
    summary=gettext_noop("Take a change of a view back"),
    operation_id="undoViewChange",
    openapi_extra=undoes(view=("/views/{view_id}", lambda key: ids.encode(SavedView.PREFIX, key))),
    description=gettext_noop("Undoes that a view was kept, changed or deleted, by who did it."),
)
def take_back(request: HttpRequest, change_id: str) -> KeptView:
    row = actions.take_back(actor(request), key_of(CHANGE, change_id))
    return _told(viewer(request), row, change_of(audit.entries_of("view", row.pk, 1)[0]))


@router.get(
    "/lists/customers/views",
    response=Arranged,
    summary=gettext_noop("How the views stand"),
    operation_id="getViewOrder",
    openapi_extra=alone(lambda: Arrangement.objects.filter(kind=CUSTOMERS)),
    description=gettext_noop("The order of the views as tabs, and which of them the list opens with."),
)
def get_order(request: HttpRequest) -> Arranged:
    order, default = queries.arrangement(viewer(request))
    return Arranged(order=order, default=default)


@router.put(
    "/lists/customers/views",
    response=KeptViews,
    summary=gettext_noop("Arrange the views"),
    operation_id="arrangeViews",
    description=gettext_noop("How the views stand as tabs, and which of them the list opens with."),
)
def arrange(request: HttpRequest, body: ViewOrder) -> KeptViews:
    actions.arrange(actor(request), body.order, body.default, everybody=body.everybody)
    return list_views(request)


def _state(user: User, kept: KeptList) -> State:
    """What the body keeps, once the list can be read by it."""
    open_list(user, f=kept.f, rule=kept.rule, sort=kept.sort, cols=",".join(kept.cols))
    return State(tuple(kept.f), kept.rule, kept.sort, tuple(kept.cols), kept.size, kept.as_, kept.by)


def _told(user: User, row: SavedView, change: str | None = None) -> KeptView:
    state = row.state if row.owner_id == user.pk else row.state.without(unseen_fields(user), names_any)
    return KeptView(
        id=row.key,
        name=row.name,
        owner=row.owner.email,
        shared=row.is_shared,
        kept=KeptList(
            f=list(state.filters),
            rule=state.rule,
            sort=state.sort,
            cols=list(state.columns),
            size=state.size if state.size in (25, 50, 100, 200) else PAGE_SIZE,  # type: ignore[arg-type]
            as_=state.layout,  # type: ignore[arg-type]
            by=state.by,
        ),
        version=row.version,
        may_change=queries.may_change(user, row),
        change=change,
    )
