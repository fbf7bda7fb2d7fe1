"""What is compared of two records, in which levels of agreement, and how likely each is until the data tell."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Level:
    """One level of agreement: ``key`` names it, ``condition`` is SQL over the columns of both (``_l``, ``_r``).

    ``usual`` is the share of pairs of one person at this level (m) that is assumed before any data. ``frequency``: the
    column whose rare values weigh more where they agree.
    """

    key: str
    condition: str
    usual: float
    frequency: str = ""


@dataclass(frozen=True)
class Comparison:
    """One comparison: its levels from the closest to ``else``; ``null`` is the condition under which nothing can be
    said. ``column`` counts how many records have it. ``shared``: people who live together agree on it, too."""

    key: str
    null: str
    column: str
    levels: tuple[Level, ...]
    shared: bool = False


ELSE = "different"


def _either_missing(column: str) -> str:
    return f"{column}_l IS NULL OR {column}_r IS NULL"


def _close(column: str, at_least: float) -> str:
    return f"jaro_winkler_similarity({column}_l, {column}_r) >= {at_least}"


def _edits(column: str, at_most: int) -> str:
    return f"damerau_levenshtein({column}_l, {column}_r) <= {at_most}"


COMPARISONS: tuple[Comparison, ...] = (
    Comparison(
        "given",
        _either_missing("given"),
        "given",
        (
            Level("equal", "given_l = given_r", 0.80, "given"),
            Level("swapped", "given_l = family_r OR given_r = family_l", 0.01),
            Level("close", _close("given", 0.9), 0.08),
            Level(
                "similar",
                _close("given", 0.75) + " OR given_l[1:1] = given_r AND length(given_r) = 1 "
                "OR given_r[1:1] = given_l AND length(given_l) = 1",
                0.05,
            ),
            Level(ELSE, "ELSE", 0.06),
        ),
    ),
    Comparison(
        "family",
        _either_missing("family"),
        "family",
        (
            Level("equal", "family_l = family_r", 0.85, "family"),
            Level("swapped", "family_l = given_r OR family_r = given_l", 0.01),
            Level("close", _close("family", 0.9), 0.07),
            Level("similar", _close("family", 0.75), 0.03),
            Level(ELSE, "ELSE", 0.04),
        ),
        shared=True,
    ),
    Comparison(
        "birth",
        _either_missing("birth"),
        "birth",
        (
            Level("equal", "birth_l = birth_r", 0.88),
            Level(
                "swapped",
                "birth_l[1:4] = birth_r[1:4] AND birth_l[5:6] = birth_r[7:8] AND birth_l[7:8] = birth_r[5:6]",
                0.01,
            ),
            Level("one_digit", _edits("birth", 1), 0.06),
            Level(
                "two_parts",
                "(birth_l[1:4] = birth_r[1:4])::INT + (birth_l[5:6] = birth_r[5:6])::INT "
                "+ (birth_l[7:8] = birth_r[7:8])::INT = 2",
                0.02,
            ),
            Level(ELSE, "ELSE", 0.03),
        ),
    ),
    Comparison(
        "street",
        _either_missing("street"),
        "street",
        (
            Level("equal", "street_l = street_r", 0.70, "street"),
            Level("swapped", "street_l = place_r OR street_r = place_l", 0.01),
            Level("close", _close("street", 0.9), 0.09),
            Level(ELSE, "ELSE", 0.20),
        ),
        shared=True,
    ),
    Comparison(
        "house",
        _either_missing("house"),
        "house",
        (
            Level("equal", "house_l = house_r", 0.75, "house"),
            Level("one_digit", _edits("house", 1) + " AND length(house_l) + length(house_r) > 3", 0.05),
            Level(ELSE, "ELSE", 0.20),
        ),
        shared=True,
    ),
    Comparison(
        "place",
        _either_missing("place"),
        "place",
        (
            Level("equal", "place_l = place_r", 0.75, "place"),
            Level("swapped", "place_l = street_r OR place_r = street_l", 0.01),
            Level("close", _close("place", 0.85), 0.09),
            Level(ELSE, "ELSE", 0.15),
        ),
        shared=True,
    ),
    Comparison(
        "city",
        "(postal_l IS NULL OR postal_r IS NULL) AND (city_l IS NULL OR city_r IS NULL)",
        "coalesce(postal, city)",
        (
            Level("equal", "area_l = area_r", 0.70, "area"),
            Level("postal", "postal_l = postal_r", 0.08),
            Level("city", "city_l = city_r AND " + _edits("postal", 1), 0.04),
            Level("name", "city_l = city_r", 0.06),
            Level("close", _close("city", 0.88) + " OR " + _edits("postal", 1), 0.04),
            Level(ELSE, "ELSE", 0.08),
        ),
        shared=True,
    ),
    Comparison(
        "region",
        _either_missing("region"),
        "region",
        (Level("equal", "region_l = region_r", 0.92, "region"), Level(ELSE, "ELSE", 0.08)),
        shared=True,
    ),
    Comparison(
        "mail",
        "len(mails_l) = 0 OR len(mails_r) = 0",
        "mail",
        (
            Level("equal", "mail_l = mail_r OR list_has_any(mails_l, mails_r)", 0.25),
            Level("close", "rest_l = rest_r AND " + _edits("mail", 2), 0.10),
            Level("box", "rest_l = rest_r AND length(rest_l) >= 3", 0.15),
            Level(ELSE, "ELSE", 0.50),
        ),
    ),
    Comparison(
        "phone",
        "len(phones_l) = 0 OR len(phones_r) = 0",
        "phone",
        (
            Level("equal", "phone_l = phone_r OR list_has_any(phones_l, phones_r)", 0.35),
            Level("one_digit", _edits("phone", 1), 0.15),
            Level(ELSE, "ELSE", 0.50),
        ),
        shared=True,
    ),
)
"""The comparisons of people. Unequal telephone numbers and addresses say little, for one person has several."""


def settings_of(comparison: Comparison) -> dict[str, Any]:
    """The comparison as a part of Splink's settings."""
    levels: list[dict[str, Any]] = [
        {"sql_condition": comparison.null, "label_for_charts": "null", "is_null_level": True}
    ]
    for level in comparison.levels:
        made: dict[str, Any] = {"sql_condition": level.condition, "label_for_charts": level.key}
        if level.frequency:
            made["tf_adjustment_column"] = level.frequency
            made["tf_adjustment_weight"] = 1.0
        levels.append(made)
    return {"output_column_name": comparison.key, "comparison_levels": levels}
