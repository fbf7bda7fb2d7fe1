"""What sets a group of customers apart, feature by feature: figures for the pages, which put them into words."""

from typing import Any

import numpy as np
import numpy.typing as npt

from rondo.analysis.features import feature_of
from rondo.science.features import Features

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def drivers(features: Features, scores: Floats, weights: Floats, inside: Mask, outside: Mask) -> list[dict[str, Any]]:
    """What speaks for ``inside`` against ``outside`` by a linear model, strongest first, one entry per theme.

    Each has ``feature`` (the theme's strongest), ``high`` (whether it is higher inside), ``share`` of all that speaks
    for them, and what :func:`apart` tells. Themes that speak against them are left out, and those whose figures do not
    show it.
    """
    gap = scores[inside].mean(axis=0) - scores[outside].mean(axis=0)
    parts = gap * weights
    themes: dict[str, list[int]] = {}
    for column, name in enumerate(features.names):
        feature = feature_of(name)
        themes.setdefault(feature.theme if feature else name, []).append(column)
    sums = {theme: float(parts[columns].sum()) for theme, columns in themes.items()}
    whole = sum(value for value in sums.values() if value > 0)
    told = []
    for theme, value in sorted(sums.items(), key=lambda one: -one[1]):
        if value <= 0.02 * whole or whole <= 0:
            continue
        column = max(themes[theme], key=lambda column: float(parts[column]))
        high = bool(gap[column] > 0)
        figures = apart(features, column, inside, outside, high)
        if figures is not None:
            told.append({"feature": features.names[column], "high": high, "share": value / whole} | figures)
    return told


def reasons(features: Features, scores: Floats, weights: Floats, top: int = 3) -> list[list[dict[str, Any]]]:
    """Per customer (rows of standard scores) the features that speak most for them by a linear model, at most ``top``,
    one per theme: ``feature``, and ``high``, whether it is above the average."""
    themes = [feature.theme if (feature := feature_of(name)) else name for name in features.names]
    parts, told = scores * weights, []
    for row in range(parts.shape[0]):
        seen: dict[str, int] = {}
        for column in np.argsort(-parts[row], kind="stable").tolist():
            if parts[row, column] <= 0 or len(seen) == top:
                break
            seen.setdefault(themes[column], column)
        told.append(
            [{"feature": features.names[column], "high": bool(scores[row, column] > 0)} for column in seen.values()]
        )
    return told


def apart(features: Features, column: int, inside: Mask, outside: Mask, high: bool) -> dict[str, Any] | None:
    """Figures that show a feature to be higher (or, not ``high``, lower) inside than outside: medians, or means
    (``mean``) where medians do not, as of counts that are mostly 0; None where neither does."""
    for mean, write in ((False, median), (True, average)):
        here, there = write(features, column, inside), write(features, column, outside)
        if here is not None and there is not None and (here > there if high else here < there):
            return {"inside": here, "outside": there, "mean": mean}
    return None


def average(features: Features, column: int, rows: Mask) -> float | None:
    """The mean of a feature over the rows where it is known; None where it is for none."""
    values = features.values[rows, column]
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else None


def median(features: Features, column: int, rows: Mask) -> float | None:
    """The median of a feature over the rows where it is known; None where it is for none."""
    values = features.values[rows, column]
    values = values[~np.isnan(values)]
    return float(np.median(values)) if values.size else None
