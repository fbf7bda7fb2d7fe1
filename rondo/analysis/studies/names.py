"""What features, traits and groups are called, in the viewer's language."""

from typing import Any

from django.utils.translation import gettext as _

from rondo.analysis.features import feature_of


def phrase(told: list[dict[str, Any]], most: int = 3) -> str:
    """The strongest traits as one phrase: "use more coupons, buy on more days and spend more"."""
    words: list[str] = []
    for one in told:
        feature = feature_of(one["feature"])
        if feature is not None and len(words) < most:
            words.append(str(feature.more if one["high"] else feature.less))
    if len(words) < 2:
        return "".join(words)
    return _("%(first)s and %(last)s") % {"first": ", ".join(words[:-1]), "last": words[-1]}


def group_name(number: int, group: dict[str, Any]) -> str:
    """A group by its letter, the largest A, and its two strongest differences."""
    letter = chr(ord("A") + number)
    words = phrase(group["traits"], 2)
    return f"{letter}: {words}" if words else letter


def groups(study: Any) -> tuple[str, str, list[str]]:
    """How rules call the groups of a study."""
    return (
        _("Group of customers"),
        _("The group that was found for the customer without being told what to look for; see Segments, Groups."),
        [group_name(number, group) for number, group in enumerate(study.results["groups"])],
    )
