"""The customers list as its page shows it: filters, rule, search, sort, columns; counted, and as a file."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest, StreamingHttpResponse
from django.utils.module_loading import import_string
from django.utils.translation import gettext_noop
from ninja import Field, Query, Router, Schema

from rondo.api import paging
from rondo.api.auth import TokenAuth, viewer
from rondo.api.parameters import check_texts
from rondo.api.v1 import schemas
from rondo.api.writing import actor
from rondo.foundation.installation import installation
from rondo.foundation.models import User
from rondo.foundation.registry import registries
from rondo.foundation.shown_lists import AskedList
from rondo.lists.models import CUSTOMERS

router = Router(tags=["lists"])
_LONGEST = 4000

View = Annotated[
    str | None,
    Query(max_length=40, description=gettext_noop("A view that is kept (`v_…`), or all, active, late, asleep, mine.")),
]
Filters = Annotated[
    list[str] | None,
    Query(max_length=50, description=gettext_noop("A condition as `field:operator:value`; may be repeated.")),
]
RuleText = Annotated[
    str | None, Query(max_length=_LONGEST, description=gettext_noop("A rule in its text form that holds beside them."))
]
Text = Annotated[str | None, Query(max_length=200, description=gettext_noop("Text to search."))]
Sort = Annotated[
    str | None, Query(max_length=80, description=gettext_noop("A field; with a minus before it, downwards."))
]
Columns = Annotated[
    str | None,
    Query(max_length=_LONGEST, description=gettext_noop("Fields with commas between; the usual ones if none.")),
]
Ids = Annotated[
    list[str] | None, Query(max_length=500, description=gettext_noop("Only these customers; may be repeated."))
]


class ListedColumn(Schema):
    __doc__ = gettext_noop("A column of a list.")

    key: str = Field(..., examples=["value"])
    label: str
    type: str


class ListedRow(Schema):
    __doc__ = gettext_noop("A row of a list: `cells` in the order of the columns; days as ISO 8601, money in units.")

    id: str = Field(..., examples=["c_8fk2m9xq"])
    name: str
    cells: list[str | int | float | None]


class ListedRows(Schema):
    __doc__ = gettext_noop("A page of a list in its order; `next` is null on the last page.")

    columns: list[ListedColumn]
    data: list[ListedRow]
    next: str | None


class FieldChoice(Schema):
    __doc__ = gettext_noop("A choice of a field: the value that filters name, and what it is called.")

    value: str = Field(..., examples=["household"])
    label: str


class ListedField(Schema):
    __doc__ = gettext_noop(
        "A field of a list. `key` is what `f`, `sort` and `cols` call it, `rule` what a rule does (null where rules do "
        "not know it). `operators`: those of its conditions. `choices`: the values that a choice has, users by e-mail "
        "address."
    )

    key: str = Field(..., examples=["attr.age"])
    rule: str | None = Field(..., examples=["age"])
    label: str
    type: str = Field(
        ..., description=gettext_noop("choice, text, number, money, count, days, share, date, boolean or user")
    )
    meaning: str
    operators: list[str] = Field(..., examples=[["min", "max", "above", "below", "between", "known", "unknown"]])
    choices: list[FieldChoice]
    column: bool = Field(..., description=gettext_noop("Whether it can be a column, and sorted by."))
    groups: bool = Field(..., description=gettext_noop("Whether a list can be grouped by it."))


class ListedFields(Schema):
    __doc__ = gettext_noop("The fields by which a list can be asked for, in the order in which menus show them.")

    data: list[ListedField]


class ListedGroup(Schema):
    __doc__ = gettext_noop(
        "The customers of a list that have one value of a field: how many, and what they are worth together. `f` is "
        "the condition that leads to them. `value` is empty for who has none, and where many values stand together."
    )

    value: str = Field(..., examples=["household"])
    label: str
    f: str = Field(..., examples=["kind:is:household"])
    count: int
    worth: schemas.Money | None


class ListedGroups(Schema):
    __doc__ = gettext_noop("A list by the values of one field, in their natural order; together they are the list.")

    by: ListedColumn
    data: list[ListedGroup]


class Counted(Schema):
    __doc__ = gettext_noop("How many rows a list has, exactly, and what they are worth together, where that is known.")

    count: int
    value: schemas.Money | None


def open_list(user: User, **asked: Any) -> AskedList:
    """The customers list as parameters ask for it."""
    given = {
        name: value if isinstance(value, list) else [value] for name, value in asked.items() if value not in (None, "")
    }
    for name, texts in given.items():
        check_texts(name, texts)
    opened: AskedList = import_string(registries.lists[CUSTOMERS].open)(user, given)
    return opened


@router.get(
    "/lists/customers",
    response=ListedRows,
    summary=gettext_noop("The customers list"),
    operation_id="readCustomerList",
    description=gettext_noop("Customers as the list on the page shows them, by the same filters, rules and views."),
)
def read_list(
    request: HttpRequest,
    view: View = None,
    f: Filters = None,
    rule: RuleText = None,
    q: Text = None,
    sort: Sort = None,
    cols: Columns = None,
    limit: paging.Limit = paging.DEFAULT_LIMIT,
    cursor: Annotated[
        str | None, Query(max_length=1000, description=gettext_noop("Where the page begins, from `next`."))
    ] = None,
) -> ListedRows:
    opened = open_list(viewer(request), view=view, f=f, rule=rule, q=q, sort=sort, cols=cols)
    rows, following = opened.page(cursor or "", limit)
    return ListedRows(
        columns=[ListedColumn(key=one.key, label=one.label, type=one.type) for one in opened.columns],
        data=[ListedRow(id=key, name=name, cells=cells) for key, name, cells in rows],
        next=paging.next_link(request, following) if following else None,
    )


@router.get(
    "/lists/customers/count",
    response=Counted,
    summary=gettext_noop("Count a list"),
    operation_id="countCustomerList",
    description=gettext_noop("How many customers a list has, and what they are worth together."),
)
def count(request: HttpRequest, view: View = None, f: Filters = None, rule: RuleText = None, q: Text = None) -> Counted:
    number, value = open_list(viewer(request), view=view, f=f, rule=rule, q=q).count()
    currency = installation().currency
    return Counted(count=number, value=None if value is None else schemas.Money(minor=value, currency=currency))


@router.get(
    "/lists/customers/fields",
    response=ListedFields,
    summary=gettext_noop("Fields of the customers list"),
    operation_id="listCustomerFields",
    description=gettext_noop(
        "What the list can be filtered, ruled, sorted and grouped by and show, as far as the token's user sees it."
    ),
)
def list_fields(request: HttpRequest) -> ListedFields:
    return ListedFields(
        data=[
            ListedField(
                key=one.key,
                rule=one.rule or None,
                label=one.label,
                type=one.type,
                meaning=one.meaning,
                operators=list(one.operators),
                choices=[FieldChoice(value=value, label=label) for value, label in one.choices],
                column=one.column,
                groups=one.groups,
            )
            for one in open_list(viewer(request)).fields()
        ]
    )


@router.get(
    "/lists/customers/groups",
    response=ListedGroups,
    summary=gettext_noop("Group a list"),
    operation_id="groupCustomerList",
    description=gettext_noop(
        "How many customers have which value of a field, and what they are worth together, as the boards and charts of "
        "the page show it."
    ),
)
def group(
    request: HttpRequest,
    by: Annotated[
        str | None,
        Query(max_length=80, description=gettext_noop("A field by which lists are grouped; else as on the page.")),
    ] = None,
    view: View = None,
    f: Filters = None,
    rule: RuleText = None,
    q: Text = None,
) -> ListedGroups:
    check_texts("by", [by or ""])
    field, groups = open_list(viewer(request), view=view, f=f, rule=rule, q=q).groups(by or "")
    currency = installation().currency
    return ListedGroups(
        by=ListedColumn(key=field.key, label=field.label, type=field.type),
        data=[
            ListedGroup(
                value=one.value,
                label=one.label,
                f=one.condition,
                count=one.count,
                worth=None if one.worth is None else schemas.Money(minor=one.worth, currency=currency),
            )
            for one in groups
        ],
    )


@router.get(
    "/lists/customers/export",
    auth=TokenAuth("export"),
    openapi_extra={
        "responses": {
            200: {
                "description": "OK",
                "content": {
                    "text/csv": {"schema": {"type": "string", "format": "binary"}},
                    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {
                        "schema": {"type": "string", "format": "binary"}
                    },
                    "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
                },
            }
        }
    },
    summary=gettext_noop("Export a list"),
    operation_id="exportCustomerList",
    description=gettext_noop(
        "The whole list as a file, sent as it is read: all its rows in its order, with its columns. It is noted in the "
        "audit log who took which list."
    ),
)
def export(
    request: HttpRequest,
    form: Annotated[
        Literal["csv", "xlsx", "parquet"], Query(description=gettext_noop("The form of the file."))
    ] = "csv",
    view: View = None,
    f: Filters = None,
    rule: RuleText = None,
    q: Text = None,
    sort: Sort = None,
    cols: Columns = None,
    id: Ids = None,
) -> StreamingHttpResponse:
    opened = open_list(viewer(request), view=view, f=f, rule=rule, q=q, sort=sort, cols=cols, id=id)
    made = opened.file(actor(request), form)
    response = StreamingHttpResponse(made.parts, content_type=made.content_type)
    response["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return response
