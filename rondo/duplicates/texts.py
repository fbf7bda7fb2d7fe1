"""Comparisons and their levels in words."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

COMPARISONS: "dict[str, _StrOrPromise]" = {
    "given": _("Given name"),
    "family": _("Family name"),
    "birth": _("Birth date"),
    "street": _("Street"),
    "house": _("House number"),
    "place": _("Address, second part"),
    "city": _("Postal code and town"),
    "region": _("Region"),
    "mail": _("E-mail"),
    "phone": _("Phone"),
}

LEVELS: "dict[str, tuple[_StrOrPromise, ...]]" = {
    "given": (
        _("equal"),
        _("given and family name exchanged"),
        _("nearly equal"),
        _("similar, or an initial"),
        _("different"),
    ),
    "family": (_("equal"), _("given and family name exchanged"), _("nearly equal"), _("similar"), _("different")),
    "birth": (
        _("equal"),
        _("day and month exchanged"),
        _("one digit differs"),
        _("two of day, month, year equal"),
        _("different"),
    ),
    "street": (_("equal"), _("parts exchanged"), _("nearly equal"), _("different")),
    "house": (_("equal"), _("one digit differs"), _("different")),
    "place": (_("equal"), _("parts exchanged"), _("nearly equal"), _("different")),
    "city": (
        _("equal"),
        _("postal code equal"),
        _("town equal, one digit of the postal code differs"),
        _("town equal"),
        _("nearly equal"),
        _("different"),
    ),
    "region": (_("equal"), _("different")),
    "mail": (
        _("equal but for dots and tags"),
        _("one or two letters differ"),
        _("equal before the @, beside the name"),
        _("different"),
    ),
    "phone": (_("last digits equal"), _("one digit differs"), _("different")),
}
"""Per comparison its levels, in the order of the engine's (:mod:`rondo.duplicates.engine.comparisons`)."""

STEPS: "dict[str, _StrOrPromise]" = {
    "read": _("Reading the customers"),
    "prepare": _("Putting names and addresses into comparable form"),
    "pairs": _("Looking for pairs that share something"),
    "estimate": _("Learning what agreement is worth"),
    "compare": _("Comparing pairs"),
    "keep": _("Keeping what was found"),
}


def level_words(comparison: str, level: int) -> "_StrOrPromise":
    """What a level of a comparison is called; empty where nothing could be compared."""
    levels = LEVELS.get(comparison, ())
    return levels[level] if 0 <= level < len(levels) else ""
