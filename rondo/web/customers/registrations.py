"""What the customers' pages put into the navigation and into the command palette."""

import json
import re

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from rondo.customers.models import Customer
from rondo.customers.queries import marks
from rondo.customers.searching import Search
from rondo.foundation.models import User
from rondo.foundation.registry import CustomerPanel, Finder, Hit, NavItem, registries
from rondo.foundation.rights import masked
from rondo.foundation.search import begins
from rondo.lists import queries as views
from rondo.lists.models import SavedView
from rondo.web.customers import coming, consents
from rondo.web.customers.fields import Field
from rondo.web.customers.lists import phases, read_page
from rondo.web.customers.rows import read_rows
from rondo.web.customers.selection import Selection

_ICONS = {Customer.Kind.PERSON: "user", Customer.Kind.HOUSEHOLD: "house", Customer.Kind.ORGANISATION: "building-2"}
_NAME = Field("name", _("Name"), "text", "customer", "folded_name")


def find_customers(viewer: User, text: str, limit: int) -> list[Hit]:
    """Customers whom a name, its beginning, or an identifier names; best first."""
    search = Search(text, whole=masked(viewer, "identifiers"))
    if not search:
        return []
    selection = Selection(viewer, search=search)
    page = read_page(phases(selection, _NAME, False, relevance=True), limit=limit)
    known_by = marks(viewer, page.ids)
    return [
        Hit(
            row.customer.name or row.key,
            f"{row.customer.get_kind_display()} · {known_by.get(row.customer.pk, row.key)}",
            reverse("customer", args=[row.key]),
            _ICONS[Customer.Kind(row.customer.kind)],
        )
        for row in read_rows(viewer, page.ids, [])
    ]


def find_views(viewer: User, text: str, limit: int) -> list[Hit]:
    """Saved views of the list by a part of their name."""
    found = [view for view in views.visible(viewer) if text.strip() and begins(view.name, text)]
    return [
        Hit(view.name, str(_("View of the customers")), f"{reverse('customers')}?view={view.key}", "bookmark")
        for view in found[:limit]
    ]


registries.nav.add("customers", NavItem("customers", _("Customers"), "users", "customers", 20))
registries.finders.add("customers", Finder("customers", _("Customers"), 20, find_customers))
registries.finders.add("views", Finder("views", _("Views"), 25, find_views))
registries.customer_panels.add(
    "consents", CustomerPanel("consents", "who", 20, "customers/consents.html", consents.of_customer)
)
registries.customer_panels.add("next", CustomerPanel("next", "worth", 10, "customers/next.html", coming.of_customer))


def views_with(key: str) -> list[str]:
    """Saved views that ask for an attribute, or show or sort by it, in words."""
    named = re.compile(rf"(?<!\w)attr\.{re.escape(key)}(?!\w)")
    rows = SavedView.objects.filter(deleted_at__isnull=True)
    return [_("the view “%(view)s”") % {"view": row.name} for row in rows if named.search(json.dumps(row.query))]


registries.attribute_uses.add("views", views_with)
