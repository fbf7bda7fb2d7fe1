"""What the customers' pages put into the navigation and into the command palette."""

import json
import re
from functools import partial

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rondo.customers.models import Customer
from rondo.customers.queries import belongs_to, marks, survivors_of, visible
from rondo.customers.searching import Search
from rondo.foundation.models import User
from rondo.foundation.registry import AttributeUses, CustomerPanel, Finder, Hit, NavItem, registries
from rondo.foundation.rights import masked
from rondo.foundation.search import begins
from rondo.foundation.shown_lists import ShownList
from rondo.interactions import wording
from rondo.interactions.listing import numbered
from rondo.interactions.queries import standing
from rondo.lists import queries as views
from rondo.lists.models import SavedView
from rondo.web import formats
from rondo.web.customers import choices, coming, consents
from rondo.web.customers.rows import read_rows
from rondo.web.customers.tolerant import found_or_meant

_LONGEST_NUMBER = 60
_ICONS = {Customer.Kind.PERSON: "user", Customer.Kind.HOUSEHOLD: "house", Customer.Kind.ORGANISATION: "building-2"}


def find_customers(viewer: User, text: str, limit: int) -> list[Hit]:
    """Customers whom a name, its beginning, or an identifier names; best first."""
    search = Search(text, whole=masked(viewer, "identifiers"))
    if not search:
        return []
    found = found_or_meant(viewer, search, limit)
    known_by = marks(viewer, found)
    return [
        Hit(
            row.customer.name or row.key,
            f"{row.customer.get_kind_display()} · {known_by.get(row.customer.pk, row.key)}",
            reverse("customer", args=[row.key]),
            _ICONS[Customer.Kind(row.customer.kind)],
            row.key,
        )
        for row in read_rows(viewer, found, [])
    ]


def find_orders(viewer: User, text: str, limit: int) -> list[Hit]:
    """Orders of that very number, in any source, of customers whom the viewer may see; each leads into the chain."""
    number = text.strip()
    if not number or len(number) > _LONGEST_NUMBER or not any(letter.isdigit() for letter in number):
        return []
    rows = standing().filter(belongs_to(visible(viewer)), pk__in=numbered(number))
    rows = rows.select_related("order").order_by("-pk")
    found = list(rows[:limit])
    survivors = survivors_of(viewer, [row.customer_id for row in found])
    people = visible(viewer).in_bulk([survivors.get(row.customer_id, row.customer_id) for row in found])
    hits = []
    for row in found:
        person = people[survivors.get(row.customer_id, row.customer_id)]
        detail = f"{person} · {formats.day(row.business_date)} · {formats.money(row.order.total)}"
        address = f"{reverse('customer', args=[person.public_id])}?at={row.public_id}"
        title = gettext("Order %(number)s") % {"number": row.order.number}
        hits.append(Hit(title, detail, address, "shopping-basket", row.order.public_id))
    return hits


def find_notes(viewer: User, text: str, limit: int) -> list[Hit]:
    """What was written and said, by its words; each leads to its place in the chain."""
    found = wording.find(viewer, text, limit)
    survivors = survivors_of(viewer, [row.customer_id for row in found])
    people = visible(viewer).in_bulk([survivors.get(row.customer_id, row.customer_id) for row in found])
    hits = []
    for row in found:
        person = people[survivors.get(row.customer_id, row.customer_id)]
        kind = registries.interaction_kinds.get(row.kind)
        said = [str(person), formats.day(row.business_date), str(kind.label) if kind else row.kind]
        address = f"{reverse('customer', args=[person.public_id])}?at={row.public_id}"
        icon = kind.icon if kind else "sticky-note"
        hits.append(Hit(wording.around(row, text), " · ".join(said), address, icon, row.public_id))
    return hits


def find_views(viewer: User, text: str, limit: int) -> list[Hit]:
    """Saved views of the list by a part of their name."""
    found = [view for view in views.visible(viewer) if text.strip() and begins(view.name, text)]
    return [
        Hit(view.name, str(_("View of the customers")), f"{reverse('customers')}?view={view.key}", "bookmark", view.key)
        for view in found[:limit]
    ]


registries.nav.add("customers", NavItem("customers", _("Customers"), "users", "customers", 20))
registries.finders.add("customers", Finder("customers", _("Customers"), 20, find_customers))
registries.finders.add("orders", Finder("orders", _("Orders"), 22, find_orders))
registries.finders.add("notes", Finder("notes", _("Notes and contacts"), 24, find_notes))
registries.finders.add("views", Finder("views", _("Views"), 25, find_views))
registries.customer_panels.add(
    "consents", CustomerPanel("consents", "who", 20, "customers/consents.html", consents.of_customer)
)
registries.customer_panels.add("next", CustomerPanel("next", "worth", 10, "customers/next.html", coming.of_customer))


def _views_with(viewer: User | None, key: str, *, shared: bool) -> list[str]:
    """Saved views that ask for an attribute, or show or sort by it, in words for ``viewer``."""
    named = re.compile(rf"(?<!\w)attr\.{re.escape(key)}(?!\w)")
    rows = SavedView.objects.filter(deleted_at__isnull=True, is_shared=shared)
    ruled = re.compile(rf"(?<!\w){re.escape(key)}(?!\w)")  # as rules call it
    return choices.in_words(
        viewer, [row for row in rows if named.search(json.dumps(row.query)) or ruled.search(row.state.rule)]
    )


registries.choice_uses.add("view", choices.USES)
registries.lists.add("customers", ShownList("customers", "rondo.web.customers.asked.Asked"))
registries.attribute_uses.add("views", AttributeUses(partial(_views_with, shared=True)))
# Somebody's own hold nobody up: such a view says what it lacks when it is opened.
registries.attribute_uses.add("own_views", AttributeUses(partial(_views_with, shared=False), holds=False))
