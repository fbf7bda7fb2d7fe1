"""Which list a request asks for."""

from contextlib import suppress

from django.http import HttpRequest, QueryDict

from rondo.errors import NotFound
from rondo.web.access import viewer
from rondo.web.customers.query import ListQuery
from rondo.web.customers.tabs import tab_of

CHOSEN = "customer_columns"
"""Where a session keeps the columns of lists that no saved view gives them."""


def read_query(request: HttpRequest, params: QueryDict | None = None, opens_with: str = "") -> ListQuery:
    """The list that the address (or ``params``) asks for, with the columns its viewer chose; where it asks for nothing,
    the view ``opens_with``.

    Raises:
        NotFound: it names a view that is not there or not the viewer's to open.
    """
    params = request.GET if params is None else params
    chosen = request.session.get(CHOSEN, [])
    exact = params.get("view", "") or ("" if params else opens_with)
    key, user = exact or params.get("base", ""), viewer(request)
    # A list that began with a view which is gone stands in the rest of its address.
    tab = tab_of(user, key) if exact else None
    if key and not exact:
        with suppress(NotFound):
            tab = tab_of(user, key)
    return ListQuery(user, params, chosen if isinstance(chosen, list) else [], tab, bool(exact))
