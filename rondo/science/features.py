"""Columns of customers made comparable: heavy tails drawn in, missing values filled and marked, unit variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rondo.errors import InputError
from rondo.science._checks import FloatArray

_REACH = 5.0


@dataclass(frozen=True)
class Features:
    """What is known of each customer on one day: ``values`` is (customer, feature), nan where not known."""

    names: tuple[str, ...]
    values: FloatArray

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.names):
            raise InputError(f"features: {self.values.shape} does not go with {len(self.names)} names")
        if len(set(self.names)) != len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise InputError(f"features: {twice!r} is named twice")
        if np.isinf(self.values).any():
            column = int(np.argmax(np.isinf(self.values)) % len(self.names))
            raise InputError(f"column {self.names[column]}: has an infinite value; every value must be finite or nan")

    def __len__(self) -> int:
        return int(self.values.shape[0])

    def rows(self, chosen: Any) -> Features:
        """The features of some customers: a mask or row numbers."""
        return Features(self.names, self.values[chosen])

    @staticmethod
    def stack(parts: list[Features]) -> Features:
        """The customers of several tables, one below the other.

        Raises InputError where they do not have the same features in the same order.
        """
        if not parts:
            raise InputError("features: nothing to stack")
        if different := [part for part in parts if part.names != parts[0].names]:
            unlike = sorted(set(different[0].names) ^ set(parts[0].names)) or ["another order"]
            raise InputError(f"features: tables differ in {', '.join(unlike)}")
        return Features(parts[0].names, np.vstack([part.values for part in parts]))


@dataclass(frozen=True)
class Scaling:
    """How features become standard scores: sign(v) log(1 + |v|), less ``mean``, by ``deviation``, cut at 5 either side.

    Logarithms since money, counts and days have heavy tails. A value that is not known counts as the mean (score 0); a
    feature that does not vary counts as 0 for everybody.
    """

    names: tuple[str, ...]
    mean: FloatArray
    deviation: FloatArray

    @classmethod
    def of(cls, features: Features) -> Scaling:
        """The scaling of these customers."""
        drawn = _draw_in(features.values)
        known = ~np.isnan(drawn)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, drawn, 0.0).sum(axis=0) / count
        deviation = np.sqrt(np.where(known, (drawn - mean) ** 2, 0.0).sum(axis=0) / count)
        return cls(features.names, mean, deviation)

    def scores(self, features: Features) -> FloatArray:
        """Standard scores (customer, feature), by this scaling. Raises InputError for other features."""
        if features.names != self.names:
            unlike = sorted(set(features.names) ^ set(self.names)) or ["another order"]
            raise InputError(f"features: differ from those of the fit in {', '.join(unlike)}")
        varies = self.deviation > 1e-12
        scores = (_draw_in(features.values) - self.mean) / np.where(varies, self.deviation, 1.0)
        found: FloatArray = np.clip(np.where(np.isnan(scores) | ~varies, 0.0, scores), -_REACH, _REACH)
        return found

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"names": list(self.names), "mean": self.mean.tolist(), "deviation": self.deviation.tolist()}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Scaling:
        """From :meth:`to_dict`."""
        return cls(tuple(document["names"]), np.array(document["mean"]), np.array(document["deviation"]))


def _draw_in(values: FloatArray) -> FloatArray:
    drawn: FloatArray = np.sign(values) * np.log1p(np.abs(values))
    return drawn
