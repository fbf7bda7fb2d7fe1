"""What the figures and findings of an import are called in the reader's language."""

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _
from django.utils.translation import ngettext_lazy as _n

COUNTED = {
    "customers_created": _n("customer created", "customers created"),
    "customers_updated": _n("customer updated", "customers updated"),
    "customers_left_out": _n("new customer left out", "new customers left out"),
    "products_left_out": _n("new product left out", "new products left out"),
    "campaigns_left_out": _n("new campaign left out", "new campaigns left out"),
    "customers_skipped": _n("customer skipped", "customers skipped"),
    "households_created": _n("household created", "households created"),
    "members_linked": _n("customer linked to their household", "customers linked to their household"),
    "addresses_updated": _n("address updated", "addresses updated"),
    "attributes_updated": _n("attribute updated", "attributes updated"),
    "products_created": _n("product created", "products created"),
    "products_updated": _n("product updated", "products updated"),
    "products_skipped": _n("product skipped", "products skipped"),
    "orders_created": _n("order created", "orders created"),
    "orders_skipped": _n("order skipped", "orders skipped"),
    "lines_created": _n("line created", "lines created"),
    "interactions_created": _n("interaction created", "interactions created"),
    "interactions_skipped": _n("interaction skipped", "interactions skipped"),
    "answers_to_unknown": _n("answer to something unknown", "answers to something unknown"),
    "campaigns_created": _n("campaign created", "campaigns created"),
    "campaigns_updated": _n("campaign updated", "campaigns updated"),
    "campaigns_skipped": _n("campaign skipped", "campaigns skipped"),
    "exposures_created": _n("exposure created", "exposures created"),
    "exposures_skipped": _n("exposure skipped", "exposures skipped"),
    "consents_created": _n("consent noted", "consents noted"),
    "consents_skipped": _n("consent skipped", "consents skipped"),
    "rows": _n("row", "rows"),
    "rows_rejected": _n("row refused", "rows refused"),
    "rows_held_back": _n("row held back", "rows held back"),
    "customers": _n("customer", "customers"),
    "products": _n("product", "products"),
    "campaigns": _n("campaign", "campaigns"),
    "exposures": _n("exposure", "exposures"),
    "categories": _n("category", "categories"),
}
FOUND = {
    "format": _("format"),
    "sheet": _("sheet"),
    "encoding": _("encoding"),
    "delimiter": _("delimiter"),
    "dates": _("dates"),
    "decimals": _("decimals"),
    "header": _("names in line"),
}


_VALUES = {
    "comma": _("comma"),
    "semicolon": _("semicolon"),
    "tab": _("tab"),
    "bar": _("bar"),
}


def counted(name: str, count: int) -> str:
    """What a count of a run's record counts."""
    return str(COUNTED[name] % count) if name in COUNTED else name.replace("_", " ")


def found(name: str) -> str:
    """What was detected of a file."""
    return gettext(FOUND[name]) if name in FOUND else name


def found_value(name: str, value: str) -> str:
    """How something was detected to be, such as the mark between columns."""
    return gettext(_VALUES[value]) if name == "delimiter" and value in _VALUES else value
