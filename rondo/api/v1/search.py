"""What the one box of the pages finds, by program: customers, orders, notes, views, segments, campaigns, pages."""

from typing import Annotated

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Field, Query, Router, Schema

from rondo.api import paging
from rondo.api.auth import viewer
from rondo.api.parameters import check_texts
from rondo.errors import InputError
from rondo.foundation.finding import LIMIT, find_all
from rondo.foundation.registry import registries

router = Router(tags=["search"])
_MOST = 1000
"""Results of one sort that can be walked to: they are found anew for each page, best first."""


class FoundOne(Schema):
    __doc__ = gettext_noop(
        "Something found: what it is called, what tells it from others, the address of its page, and its `id` where it "
        "is a record that the API knows."
    )

    id: str | None = Field(..., examples=["c_8fk2m9xq"])
    title: str
    detail: str
    url: str = Field(..., examples=["/customers/c_8fk2m9xq/"])


class FoundGroup(Schema):
    __doc__ = gettext_noop("What was found of one sort, the best first.")

    key: str = Field(..., examples=["customers"])
    label: str
    hits: list[FoundOne]


class FoundAll(Schema):
    __doc__ = gettext_noop(
        "What a search found, sort by sort; sorts of which nothing, or nothing more, was found are left out. `next` is "
        "null where there is no more of any."
    )

    data: list[FoundGroup]
    next: str | None


@router.get(
    "/search",
    response=FoundAll,
    summary=gettext_noop("Search everything"),
    operation_id="search",
    description=gettext_noop(
        "What the box on the pages finds: customers by name or identifier, orders by number, notes by their words, "
        "views, segments, campaigns and pages by name, as far as the token's user sees them. Each page has the next "
        "results of each sort, up to 1,000 of one; lists tell more."
    ),
)
def search(
    request: HttpRequest,
    q: Annotated[str, Query(min_length=1, max_length=200, description=gettext_noop("Text to search."))],
    key: Annotated[
        list[str],
        Query(
            max_length=20, description=gettext_noop("Only what is of this sort; may be repeated."), examples=["orders"]
        ),
    ] = [],  # noqa: B006 - read as the default by ninja, never changed
    limit: Annotated[int, Query(ge=1, le=50, description=gettext_noop("Results of each sort."))] = LIMIT,
    cursor: paging.Cursor = None,
) -> FoundAll:
    check_texts("q", [q])
    given = paging.decode_number(cursor)
    shown = min(given + limit, _MOST)
    known = {finder.key for finder in registries.finders}
    if strangers := sorted(set(key) - known):
        raise InputError(
            _("key: nothing is found of the sort %(key)r; there are: %(known)s.")
            % {"key": strangers[0][:60], "known": ", ".join(sorted(known))}
        )
    found = [
        (finder, hits)
        for finder, hits in find_all(viewer(request), q.strip(), shown + 1, key)
        if len(hits) > given and given < shown
    ]
    more = shown < _MOST and any(len(hits) > shown for _finder, hits in found)
    return FoundAll(
        data=[
            FoundGroup(
                key=finder.key,
                label=str(finder.label),
                hits=[
                    FoundOne(id=hit.id or None, title=hit.title, detail=hit.detail, url=hit.url)
                    for hit in hits[given:shown]
                ],
            )
            for finder, hits in found
        ],
        next=paging.next_link(request, paging.encode_number(shown)) if more else None,
    )
