"""Changes of the chain, in the order in which they happened: for another system that keeps a copy."""

from typing import Annotated

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Query, Router

from rondo.api import paging, parameters
from rondo.api.auth import viewer
from rondo.api.v1 import schemas
from rondo.api.v1.chain_rows import interactions_of, orders_of
from rondo.customers.queries import belongs_to, visible
from rondo.foundation import change_numbers, ids
from rondo.foundation.models import User
from rondo.interactions.changed import Walked, walk
from rondo.interactions.models import Interaction, Order
from rondo.interactions.queries import standing

router = Router(tags=["chain"])


@router.get(
    "/interactions/changes",
    response=schemas.InteractionChanges,
    summary=gettext_noop("Changes of the chain"),
    operation_id="listInteractionChanges",
    description=gettext_noop(
        "Every interaction that was written, imported, retracted or taken back since the cursor, oldest change first, "
        "each once a walk and as it stands now; without a cursor from the beginning, so that the first walk gives all."
    ),
)
def list_interaction_changes(
    request: HttpRequest,
    kind: Annotated[
        list[str],
        Query(max_length=20, description=gettext_noop("Only these kinds; may be repeated."), examples=["purchase"]),
    ] = [],  # noqa: B006 - read as the default by ninja, never changed
    limit: paging.Limit = paging.DEFAULT_LIMIT,
    cursor: paging.Cursor = None,
) -> schemas.InteractionChanges:
    parameters.check_texts("kind", kind)
    user = viewer(request)
    after, until = _place(cursor)
    page = walk(user, after, until, limit, kinds=kind)
    current = _current(user, page)
    told = {row.pk: made for row, made in zip(current, interactions_of(user, current), strict=True)}
    moments = change_numbers.moments({number for number, _row in page.rows})
    following, behind = _cursors(request, page, until)
    return schemas.InteractionChanges.model_construct(
        data=[
            schemas.InteractionChange.model_construct(
                id=row.public_id,
                state="current" if row.pk in told else "gone",
                changed_at=moments[number],
                interaction=told.get(row.pk),
            )
            for number, row in page.rows
        ],
        next=following,
        cursor=behind,
    )


@router.get(
    "/orders/changes",
    response=schemas.OrderChanges,
    summary=gettext_noop("Changes of orders"),
    operation_id="listOrderChanges",
    description=gettext_noop(
        "Every order that was imported, retracted or taken back since the cursor, oldest change first, with its lines, "
        "each once a walk and as it stands now; without a cursor from the beginning, so that the first walk gives all."
    ),
)
def list_order_changes(
    request: HttpRequest, limit: paging.Limit = paging.DEFAULT_LIMIT, cursor: paging.Cursor = None
) -> schemas.OrderChanges:
    user = viewer(request)
    after, until = _place(cursor)
    page = walk(user, after, until, limit, orders=True)
    current = _current(user, page)
    told = {row.pk: made for row, made in zip(current, orders_of(current), strict=True)}
    moments = change_numbers.moments({number for number, _row in page.rows})
    following, behind = _cursors(request, page, until)
    return schemas.OrderChanges.model_construct(
        data=[
            schemas.OrderChange.model_construct(
                id=ids.encode(Order.PREFIX, row.pk),
                state="current" if row.pk in told else "gone",
                changed_at=moments[number],
                order=told.get(row.pk),
            )
            for number, row in page.rows
        ],
        next=following,
        cursor=behind,
    )


def _place(cursor: str | None) -> tuple[tuple[int, int], int]:
    """Where a walk goes on, and the number it ends with: the one its first page settled."""
    after, until = paging.decode_change(cursor)
    return after, change_numbers.horizon() if until is None else until


def _current(user: User, page: Walked) -> list[Interaction]:
    """Those of a page that stand and may be seen."""
    rows = [row for _number, row in page.rows]
    stands = standing().filter(belongs_to(visible(user)), pk__in=[row.pk for row in rows])
    keys = set(stands.values_list("pk", flat=True))
    return [row for row in rows if row.pk in keys]


def _cursors(request: HttpRequest, page: Walked, until: int) -> tuple[str | None, str]:
    """The link to the next page of this walk, and the place behind the page."""
    behind = paging.encode_change(*page.behind)
    following = paging.next_link(request, f"{behind}:{ids.encode('n', until)}") if page.more else None
    return following, behind
