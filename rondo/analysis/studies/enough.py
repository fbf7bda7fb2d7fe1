"""Whether matched controls are enough of a comparison: pages ask it, which load nothing that matches."""

from typing import Any

LEAST_PAIRS, LEAST_SHARE = 10, 0.1
"""Fewer pairs, or pairs for a smaller share of the members, compare nothing: those few are not like the members."""


def comparable(results: dict[str, Any]) -> bool:
    """Whether enough members have a control for the two groups to be compared at all.

    Where they have not, the features tell members from all others nearly without fail, as they do when members became
    members by what is among the features.
    """
    return bool(results["pairs"] >= max(LEAST_PAIRS, LEAST_SHARE * results["members"]))
