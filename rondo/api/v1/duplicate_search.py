"""The search for duplicates, by program: begun, how far it is; and from which probability on pairs are merged by
themselves."""

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Field, Query, Router, Schema

from rondo.api.auth import TokenAuth, viewer
from rondo.api.parameters import key_of
from rondo.api.versions import alone
from rondo.api.writing import Body, actor
from rondo.customers.queries import sees_all
from rondo.duplicates import queries
from rondo.duplicates.actions import request_search, set_automatic
from rondo.duplicates.models import AutomaticMerging, Search
from rondo.errors import NotFound
from rondo.foundation import ids

router = Router(tags=["merging"])
MERGING = TokenAuth("merge")
ADMINISTERING = TokenAuth("administer")
SEARCH = "ds"
"""What public ids of searches for duplicates begin with."""


class DuplicateSearch(Schema):
    __doc__ = gettext_noop("A search for duplicates. `status`: queued, running, done or failed.")

    id: str = Field(..., examples=["ds_4m2kq8xw"])
    status: str
    done: int
    total: int
    error: str
    asked_at: datetime
    finished_at: datetime | None
    kept: int | None = Field(..., description=gettext_noop("Pairs found; null while it is under way."))


class Automatic(Schema):
    __doc__ = gettext_noop(
        "From which probability on pairs are merged by themselves after each search; null: never. Of `tried`: how many "
        "pairs would be merged now, and which share of the pairs at this level people merged, with its interval."
    )

    least: float | None
    tried: float | None
    would: int | None
    precision: float | None
    precision_low: float | None
    precision_high: float | None


class AutomaticBody(Body):
    __doc__ = gettext_noop("The probability, from 0.9 to below 1; null: nothing is merged by itself.")

    least: float | None = Field(..., examples=[0.999])


@router.post(
    "/duplicates/searches",
    auth=MERGING,
    response=DuplicateSearch,
    summary=gettext_noop("Search for duplicates"),
    operation_id="searchDuplicates",
    description=gettext_noop(
        "A job does it; while one is under way, that one is answered. Only for users who see all customers."
    ),
)
def search(request: HttpRequest) -> DuplicateSearch:
    return _told(request_search(actor(request)))


@router.get(
    "/duplicates/searches/{search_id}",
    auth=MERGING,
    response=DuplicateSearch,
    summary=gettext_noop("One search for duplicates"),
    operation_id="getDuplicateSearch",
    description=gettext_noop("How far it is."),
)
def get_search(request: HttpRequest, search_id: str) -> DuplicateSearch:
    row = Search.objects.filter(pk=key_of(SEARCH, search_id)).first()
    if row is None or not sees_all(viewer(request)):
        raise NotFound(search_id)
    return _told(row)


@router.get(
    "/settings/automatic-merging",
    auth=ADMINISTERING,
    response=Automatic,
    summary=gettext_noop("What is merged by itself"),
    operation_id="getAutomaticMerging",
    openapi_extra=alone(
        lambda: AutomaticMerging.objects.all(),
        "tried",
        "would",
        "precision",
        "precision_low",
        "precision_high",
    ),
    description=gettext_noop("The probability that is set, and what another one would do, without setting it."),
)
def get_automatic(
    request: HttpRequest,
    least: Annotated[float | None, Query(ge=0.9, lt=1, description=gettext_noop("A probability to try."))] = None,
) -> Automatic:
    actor(request).require("merge")
    now = queries.automatic_from()
    tried = now if least is None else least
    share = None if tried is None else queries.precision(tried)
    return Automatic(
        least=now,
        tried=tried,
        would=None if tried is None else queries.certain_pairs(tried).count(),
        precision=share.value if share else None,
        precision_low=share.low if share else None,
        precision_high=share.high if share else None,
    )


@router.put(
    "/settings/automatic-merging",
    auth=ADMINISTERING,
    response=Automatic,
    summary=gettext_noop("Set what is merged by itself"),
    operation_id="setAutomaticMerging",
    description=gettext_noop("It holds from the next search on, and needs the scope merge, too."),
)
def set_least(request: HttpRequest, body: AutomaticBody) -> Automatic:
    actor(request).require("merge")
    set_automatic(actor(request), body.least)
    return get_automatic(request)


def _told(row: Search) -> DuplicateSearch:
    kept = row.results.get("kept")
    return DuplicateSearch(
        id=ids.encode(SEARCH, row.pk),
        status=row.status,
        done=row.done,
        total=row.total,
        error=row.error,
        asked_at=row.created_at,
        finished_at=row.finished_at,
        kept=kept if isinstance(kept, int) else None,
    )
