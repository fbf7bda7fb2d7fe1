"""Sizes of packages as catalogues write them ("16 OZ", "12 PK/12 OZ", "6x0,33 l", "1/2 GAL"), as amounts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rondo.science._checks import FloatArray, IntArray

UNKNOWN, MASS, VOLUME, COUNT, LENGTH, AREA, OUNCES = range(7)
"""Measures: grams, millilitres, pieces, metres, square metres; ounces are mass or volume, as the rest of the category
says (:func:`settled`)."""

_UNITS: dict[str, tuple[int, float]] = {
    **dict.fromkeys(("G", "GR", "GRAM", "GRAMS"), (MASS, 1.0)),
    **dict.fromkeys(("KG", "KILO"), (MASS, 1000.0)),
    "MG": (MASS, 0.001),
    **dict.fromkeys(("LB", "LBS", "POUND"), (MASS, 453.592)),
    **dict.fromkeys(("ML",), (VOLUME, 1.0)),
    "CL": (VOLUME, 10.0),
    **dict.fromkeys(("L", "LT", "LTR", "LITER", "LITRE"), (VOLUME, 1000.0)),
    **dict.fromkeys(("GA", "GAL", "GALLON"), (VOLUME, 3785.41)),
    **dict.fromkeys(("QT", "QUART"), (VOLUME, 946.353)),
    **dict.fromkeys(("PT", "PINT"), (VOLUME, 473.176)),
    **dict.fromkeys(("FL OZ", "FLOZ"), (VOLUME, 29.5735)),
    **dict.fromkeys(("OZ", "OUNCE"), (OUNCES, 1.0)),
    **dict.fromkeys(("CT", "EA", "PC", "PCS", "ST", "STK", "STÜCK", "PK", "PACK", "ROLL", "RL"), (COUNT, 1.0)),
    **dict.fromkeys(("DZ", "DOZ", "DOZEN"), (COUNT, 12.0)),
    "M": (LENGTH, 1.0),
    "CM": (LENGTH, 0.01),
    **dict.fromkeys(("FT", "FEET"), (LENGTH, 0.3048)),
    **dict.fromkeys(("SQ FT", "SQFT"), (AREA, 0.092903)),
    **dict.fromkeys(("M2", "QM"), (AREA, 1.0)),
}
POWDER = 10.0
"""Ounces so many times as dear as the volumes stated beside them are weighed. On the Complete Journey fluids in ounces
cost .06 to 5 times as much, powders for drinks 14 to 400 times."""

_GRAMS_AN_OUNCE, _MILLILITRES_AN_OUNCE = 28.3495, 29.5735
_NUMBER = r"(\d+(?:[.,]\d+)?|[.,]\d+)"
_UNIT = "(" + "|".join(sorted((re.escape(unit).replace(r"\ ", r"\s*") for unit in _UNITS), key=len, reverse=True)) + ")"
_FRACTION = re.compile(rf"^\s*(\d)\s*/\s*(\d)\s*{_UNIT}\.?$")
_ONE = re.compile(rf"^\s*{_NUMBER}\s*{_UNIT}\.?$")
_MANY = re.compile(rf"^\s*{_NUMBER}\s*(?:PK|PACK|CT|ST|STK)?\s*[/X*×]\s*{_NUMBER}\s*{_UNIT}\.?$")
_TURNED = re.compile(rf"^\s*{_NUMBER}\s*{_UNIT}\s*[/X*×]\s*{_NUMBER}\s*(?:PK|PACK|CT|ST|STK)\.?$")


def parse_size(text: str) -> tuple[int, float]:
    """The measure and amount that a size says; (:data:`UNKNOWN`, nan) where it says none that is understood.

    Packs of several are multiplied: "12 PK/12 OZ" and "12/12 OZ" are 144 ounces. "1/2 GAL" is half a gallon: a number
    below another with a volume above it is a fraction.
    """
    said = " ".join(text.upper().replace("STÜCK", "STK").split())
    if (found := _FRACTION.match(said)) and int(found[1]) < int(found[2]) and _unit(found[3])[0] == VOLUME:
        return _amount(found[3], int(found[1]) / int(found[2]))
    if found := _ONE.match(said):
        return _amount(found[2], _number(found[1]))
    if found := _MANY.match(said):
        return _amount(found[3], _number(found[1]) * _number(found[2]))
    if found := _TURNED.match(said):
        return _amount(found[2], _number(found[1]) * _number(found[3]))
    return UNKNOWN, float("nan")


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _unit(text: str) -> tuple[int, float]:
    said = " ".join(text.split())
    return _UNITS[said if said in _UNITS else said.replace(" ", "")]


def _amount(unit: str, number: float) -> tuple[int, float]:
    measure, factor = _unit(unit)
    return (measure, number * factor) if number > 0 else (UNKNOWN, float("nan"))


@dataclass(frozen=True)
class Sizes:
    """Per product: ``measure`` and ``amount`` in it (nan where unknown)."""

    measure: IntArray
    amount: FloatArray

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Sizes:
        """Of sizes as written; what is written often is read once."""
        known = {text: parse_size(text) for text in set(texts)}
        pairs = [known[text] for text in texts]
        return cls(np.array([one for one, _ in pairs], np.int64), np.array([amount for _, amount in pairs], np.float64))

    def settled(self, group: IntArray, weight: FloatArray, price: FloatArray) -> Sizes:
        """Ounces as grams or millilitres: as most of the ``weight`` of the product's ``group`` (category) with another
        size is measured; grams where there is none.

        Grams, too, where a millilitre in ounces would typically cost :data:`POWDER` times as much as one of a stated
        volume, by ``price`` of a product: of a powder the ounces are weighed, and the quarts are of what is made of it.
        """
        width = int(group.max(initial=-1)) + 1
        ounces, volumes = self.measure == OUNCES, self.measure == VOLUME
        by_mass = np.bincount(group[self.measure == MASS], weight[self.measure == MASS], minlength=width)
        by_volume = np.bincount(group[volumes], weight[volumes], minlength=width)
        paid = (weight > 0) & (price > 0)
        each = np.divide(price, self.amount, out=np.zeros(price.size), where=paid & (ounces | volumes))
        in_ounces, stated = (
            _typical(each[rows], group[rows], weight[rows], width) for rows in (paid & ounces, paid & volumes)
        )
        powder = in_ounces / _MILLILITRES_AN_OUNCE >= POWDER * stated  # not where nothing is known of either: nan
        fluid = (by_volume > by_mass) & ~powder
        measure, amount = self.measure.copy(), self.amount.copy()
        measure[ounces] = np.where(fluid[group[ounces]], VOLUME, MASS)
        amount[ounces] *= np.where(fluid[group[ounces]], _MILLILITRES_AN_OUNCE, _GRAMS_AN_OUNCE)
        return Sizes(measure, amount)


def _typical(values: FloatArray, group: IntArray, weight: FloatArray, width: int) -> FloatArray:
    """The (lower) median of each group's values by weight; nan where it has none."""
    found = np.full(width, np.nan)
    order = np.lexsort((values, group))
    kinds, first = np.unique(group[order], return_index=True)
    reached = np.cumsum(weight[order])
    before = reached[first] - weight[order][first]
    half = before + np.bincount(group, weight, minlength=width)[kinds] / 2
    found[kinds] = values[order[np.searchsorted(reached, half)]]
    return found
