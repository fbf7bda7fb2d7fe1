"""The rooms of version 1, which its document calls tags, in the order in which they are read."""

from django.utils.translation import gettext_noop

TAGS: dict[str, str] = {
    "customers": gettext_noop("Customers"),
    "search": gettext_noop("Search"),
    "chain": gettext_noop("Contacts, orders and consents"),
    "facts": gettext_noop("Figures of the analysis"),
    "lists": gettext_noop("Lists, views and exports"),
    "segments": gettext_noop("Segments"),
    "attributes": gettext_noop("Attributes"),
    "households": gettext_noop("Households and links"),
    "merging": gettext_noop("Duplicates, merging and splitting"),
    "imports": gettext_noop("Imports"),
    "erasure": gettext_noop("Bin, erasure and bundles"),
    "webhooks": gettext_noop("Webhooks"),
    "people": gettext_noop("Users, roles, teams and tokens"),
    "settings": gettext_noop("Settings and retention"),
    "audit": gettext_noop("Audit log"),
}
"""Name of the tag, and what stands above its calls on the page of the reference."""
