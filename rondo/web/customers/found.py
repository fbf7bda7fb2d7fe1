"""The customer whom an address names, for whoever asks."""

from django.http import Http404, HttpRequest

from rondo.customers.models import Customer
from rondo.customers.queries import get_visible
from rondo.web.access import viewer


def found_customer(request: HttpRequest, public_id: str) -> Customer:
    """The customer of a public id, the survivor where it was merged.

    Raises:
        Http404: there is none, or it is not the viewer's to see.
    """
    try:
        return get_visible(viewer(request), public_id)
    except Customer.DoesNotExist as error:
        raise Http404(public_id) from error
