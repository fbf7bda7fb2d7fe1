"""The words of what goes with the demo and what stays, and of the steps of its removal."""

from django.utils.translation import gettext_lazy as _

GOES = {
    "customers": _("Households, with names, addresses, cards, attributes and links"),
    "contacts": _("Contacts with them: purchases, redeemed coupons and what was logged"),
    "own_contacts": _("of those logged by people or brought by imports of your own"),
    "lines": _("Lines of purchases"),
    "products": _("Products, but for those in purchases of your own"),
    "campaigns": _("Campaigns"),
    "exposures": _("Who was reached by them"),
    "runs": _("Analyses, with scores, answers to questions and the columnar copy"),
}
STAYS = {
    "users": _("Users, with their passwords and tokens"),
    "roles": _("Roles"),
    "teams": _("Teams"),
    "customers": _("Customers of your own"),
    "imports": _("Imports of your own"),
    "segments": _("Segments, as they were defined; their members are worked out anew"),
    "views": _("Saved views of lists"),
    "reports": _("Reports by mail"),
    "audit": _("Entries of the audit log"),
}
STEPS = {
    "hide": _("The demo is hidden"),
    "customers": _("Households are removed"),
    "rest": _("Products and what else came with them are removed"),
    "figures": _("Figures and the columnar copy are removed"),
}
"""What is done, step by step."""
