"""What the figures and findings of an import are called in the reader's language."""

from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_noop as _

COUNTED = {
    "customers_created": ngettext_lazy("customer created", "customers created"),
    "customers_updated": ngettext_lazy("customer updated", "customers updated"),
    "customers_left_out": ngettext_lazy("new customer left out", "new customers left out"),
    "products_left_out": ngettext_lazy("new product left out", "new products left out"),
    "campaigns_left_out": ngettext_lazy("new campaign left out", "new campaigns left out"),
    "customers_skipped": ngettext_lazy("customer skipped", "customers skipped"),
    "households_created": ngettext_lazy("household created", "households created"),
    "members_linked": ngettext_lazy("customer linked to their household", "customers linked to their household"),
    "memberships_ended": ngettext_lazy("membership of a household ended", "memberships of households ended"),
    "addresses_updated": ngettext_lazy("address updated", "addresses updated"),
    "attributes_updated": ngettext_lazy("attribute updated", "attributes updated"),
    "products_created": ngettext_lazy("product created", "products created"),
    "products_updated": ngettext_lazy("product updated", "products updated"),
    "products_skipped": ngettext_lazy("product skipped", "products skipped"),
    "orders_created": ngettext_lazy("order created", "orders created"),
    "orders_skipped": ngettext_lazy("order skipped", "orders skipped"),
    "lines_created": ngettext_lazy("line created", "lines created"),
    "interactions_created": ngettext_lazy("interaction created", "interactions created"),
    "interactions_skipped": ngettext_lazy("interaction skipped", "interactions skipped"),
    "answers_to_unknown": ngettext_lazy("answer to something unknown", "answers to something unknown"),
    "campaigns_created": ngettext_lazy("campaign created", "campaigns created"),
    "campaigns_updated": ngettext_lazy("campaign updated", "campaigns updated"),
    "campaigns_skipped": ngettext_lazy("campaign skipped", "campaigns skipped"),
    "exposures_created": ngettext_lazy("exposure created", "exposures created"),
    "exposures_skipped": ngettext_lazy("exposure skipped", "exposures skipped"),
    "consents_created": ngettext_lazy("consent noted", "consents noted"),
    "consents_skipped": ngettext_lazy("consent skipped", "consents skipped"),
    "rows": ngettext_lazy("row", "rows"),
    "rows_rejected": ngettext_lazy("row refused", "rows refused"),
    "rows_held_back": ngettext_lazy("row held back", "rows held back"),
    "customers": ngettext_lazy("customer", "customers"),
    "products": ngettext_lazy("product", "products"),
    "campaigns": ngettext_lazy("campaign", "campaigns"),
    "exposures": ngettext_lazy("exposure", "exposures"),
    "categories": ngettext_lazy("category", "categories"),
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
