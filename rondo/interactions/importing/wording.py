"""What the figures and findings of an import are called in the reader's language."""

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

COUNTED = {
    "customers_created": _("customers created"),
    "customers_updated": _("customers updated"),
    "customers_left_out": _("new customers left out"),
    "products_left_out": _("new products left out"),
    "campaigns_left_out": _("new campaigns left out"),
    "customers_skipped": _("customers skipped"),
    "households_created": _("households created"),
    "members_linked": _("customers linked to their household"),
    "addresses_updated": _("addresses updated"),
    "attributes_updated": _("attributes updated"),
    "products_created": _("products created"),
    "products_updated": _("products updated"),
    "products_skipped": _("products skipped"),
    "orders_created": _("orders created"),
    "orders_skipped": _("orders skipped"),
    "lines_created": _("lines created"),
    "interactions_created": _("interactions created"),
    "interactions_skipped": _("interactions skipped"),
    "answers_to_unknown": _("answers to something unknown"),
    "campaigns_created": _("campaigns created"),
    "campaigns_updated": _("campaigns updated"),
    "campaigns_skipped": _("campaigns skipped"),
    "exposures_created": _("exposures created"),
    "exposures_skipped": _("exposures skipped"),
    "consents_created": _("consents noted"),
    "consents_skipped": _("consents skipped"),
    "rows": _("rows"),
    "rows_rejected": _("rows refused"),
    "rows_held_back": _("rows held back"),
    "customers": _("customers"),
    "products": _("products"),
    "campaigns": _("campaigns"),
    "exposures": _("exposures"),
    "categories": _("categories"),
}
FOUND = {
    "format": _("format"),
    "sheet": _("sheet"),
    "encoding": _("encoding"),
    "delimiter": _("delimiter"),
    "dates": _("dates"),
    "decimals": _("decimals"),
}


def counted(name: str) -> str:
    """What a count of a run's record counts."""
    return gettext(COUNTED[name]) if name in COUNTED else name.replace("_", " ")


def found(name: str) -> str:
    """What was detected of a file."""
    return gettext(FOUND[name]) if name in FOUND else name
