"""Changes of customers, in the order in which they happened: for another system that keeps a copy."""

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Router

from rondo.api import paging
from rondo.api.auth import viewer
from rondo.api.v1 import schemas
from rondo.api.v1.customers import fields_of
from rondo.customers import queries
from rondo.customers.changed import changed_after
from rondo.customers.models import Customer
from rondo.foundation import change_numbers, ids

router = Router(tags=["customers"])

_BEHIND = 2**63 - 1
"""Behind every key."""


@router.get(
    "/customers/changes",
    response=schemas.CustomerChanges,
    summary=gettext_noop("Changes of customers"),
    operation_id="listCustomerChanges",
    description=gettext_noop(
        "Every record that was made, changed, merged or taken back since the cursor, oldest change first, each once a "
        "walk and as it stands now; without a cursor from the beginning, so that the first walk gives all customers."
    ),
)
def list_changes(
    request: HttpRequest, limit: paging.Limit = paging.DEFAULT_LIMIT, cursor: paging.Cursor = None
) -> schemas.CustomerChanges:
    user = viewer(request)
    after, until = paging.decode_change(cursor)
    if until is None:
        until = change_numbers.horizon()
    found = list(changed_after(queries.once_visible(user), after, until)[: limit + 1])
    page, last = paging.split(found, limit)
    standing = queries.visible(user).select_related("owner", "team", "load").in_bulk([row.pk for row in page])
    survivors = queries.survivors_of(user, [row.pk for row in page if row.is_merged])
    moments = change_numbers.moments({row.changed_in for row in page})
    behind = paging.encode_change(*((last.changed_in, last.pk) if last else max(after, (until, _BEHIND))))
    following = f"{behind}:{ids.encode('n', until)}" if last else None
    return schemas.CustomerChanges(
        data=[
            schemas.CustomerChange(
                id=row.public_id,
                state="current" if row.pk in standing else "merged" if row.pk in survivors else "gone",
                changed_at=moments.get(row.changed_in, row.created_at),
                survivor=ids.encode(Customer.PREFIX, survivors[row.pk]) if row.pk in survivors else None,
                customer=schemas.Customer(**fields_of(standing[row.pk], moments)) if row.pk in standing else None,
            )
            for row in page
        ],
        next=paging.next_link(request, following) if following else None,
        cursor=behind,
    )
