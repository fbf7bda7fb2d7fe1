"""Groups of customers who are alike, found without being told what to look for, and kept only if they are stable.

K-means on the leading principal components of the standard scores. For each number of groups the whole is done again on
random halves and compared where they overlap (adjusted Rand index: Hubert & Arabie 1985; Ben-Hur, Elisseeff & Guyon
2002). A number is fit if it is stable and neither one group more nor one less is stabler; of the fit numbers the
largest is taken, since it tells more. If none is stable enough, there are no groups to be had. The convention finds
planted groups; it may part one of them further where that can be repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray
from rondo.science.features import Features, Scaling

FEWEST = 100


@dataclass(frozen=True)
class ClusterConfig:
    """``sizes``: numbers of groups to try. ``stable``: mean adjusted Rand index from which a number counts as stable.
    ``rounds``: pairs of halves.
    ``explained``: share of variance that the components keep. ``sample``: most customers that the groups are sought
    among; the others join the nearest one. ``smallest``: least share of customers that a group may have. ``seed``: of
    all draws."""

    sizes: tuple[int, ...] = (2, 3, 4, 5, 6, 7, 8)
    stable: float = 0.8
    rounds: int = 6
    explained: float = 0.8
    sample: int = 20_000
    smallest: float = 0.02
    seed: int = 0


@dataclass(frozen=True)
class Difference:
    """A feature in which a group differs: its mean standard score (the base's is 0), and medians of group and base."""

    name: str
    score: float
    group: float
    base: float


@dataclass(frozen=True)
class Clusters:
    """``group``: per customer, 0 the largest. ``stability``: mean adjusted Rand index by number of groups tried.
    ``differences``: per group its strongest ones, the strongest first. ``stable``: whether any number of groups was;
    if not, everybody is in group 0."""

    group: IntArray
    stability: dict[int, float]
    differences: tuple[tuple[Difference, ...], ...]
    stable: bool

    @property
    def sizes(self) -> IntArray:
        """Customers per group."""
        return np.bincount(self.group, minlength=len(self.differences))


def find(
    features: Features,
    config: ClusterConfig | None = None,
    strongest: int = 5,
    progress: Callable[[int, int], None] | None = None,
) -> Clusters:
    """Find groups of customers; ``progress(done, sizes)`` is told of each number of groups that was tried.

    Raises InputError for fewer than 100 customers, or features of which none varies.
    """
    config = config or ClusterConfig()
    if len(features) < FEWEST:
        raise InputError(f"features: {len(features)} customers; at least {FEWEST} are needed to find groups")
    scaling = Scaling.of(features)
    if not (scaling.deviation > 0).any():
        raise InputError("features: none of them varies; there is nothing to tell customers apart by")
    rng = np.random.default_rng(config.seed)
    scores = scaling.scores(features)
    chosen = np.arange(len(features))
    if chosen.size > config.sample:
        chosen = np.sort(rng.choice(chosen, config.sample, replace=False))
    components = PCA(n_components=config.explained, svd_solver="full").fit(scores[chosen])
    placed = components.transform(scores[chosen])
    stability: dict[int, float] = {}
    for number, size in enumerate(config.sizes):
        if size * 10 <= chosen.size:
            stability[size] = _stability(placed, size, config, rng)
        if progress is not None:
            progress(number + 1, len(config.sizes))
    stable = fit_sizes(stability, config.stable)
    while stable:
        model = _groups(placed, stable.pop(), config.seed)
        group = model.predict(components.transform(scores)).astype(np.int64)
        counts = np.bincount(group, minlength=model.n_clusters)
        if counts.min() >= config.smallest * group.size:
            order = np.argsort(-counts, kind="stable")
            place = np.empty_like(order)
            place[order] = np.arange(order.size)
            group = place[group]
            return Clusters(group, stability, _differences(features, scores, group, strongest), True)
    return Clusters(np.zeros(len(features), np.int64), stability, ((),), False)


def fit_sizes(stability: dict[int, float], least: float) -> list[int]:
    """The numbers of groups, ascending, that are at least so stable and no less than both their neighbours."""
    return [
        size
        for size, agreed in sorted(stability.items())
        if agreed >= least and agreed >= max(stability.get(size - 1, 0.0), stability.get(size + 1, 0.0))
    ]


def _groups(placed: FloatArray, size: int, seed: int) -> KMeans:
    return KMeans(size, n_init=4, random_state=seed).fit(placed)


def _stability(placed: FloatArray, size: int, config: ClusterConfig, rng: np.random.Generator) -> float:
    agreed = []
    for _turn in range(config.rounds):
        drawn = rng.random((2, placed.shape[0]))
        halves = drawn < 0.5
        both = halves.all(axis=0)
        if min(both.sum(), halves[0].sum(), halves[1].sum()) <= size:
            continue
        told = [_groups(placed[half], size, int(rng.integers(2**31))).predict(placed[both]) for half in halves]
        agreed.append(adjusted_rand_score(told[0], told[1]))
    return float(np.mean(agreed)) if agreed else 0.0


def _differences(
    features: Features, scores: FloatArray, group: IntArray, strongest: int
) -> tuple[tuple[Difference, ...], ...]:
    everybody = np.ones(group.size, bool)
    found = []
    for number in range(int(group.max()) + 1):
        inside = group == number
        means = scores[inside].mean(axis=0)
        found.append(
            tuple(
                Difference(
                    features.names[column],
                    float(means[column]),
                    _median(features, column, inside),
                    _median(features, column, everybody),
                )
                for column in np.argsort(-np.abs(means), kind="stable")[:strongest].tolist()
            )
        )
    return tuple(found)


def _median(features: Features, column: int, inside: npt.NDArray[np.bool_]) -> float:
    values = features.values[inside, column]
    values = values[~np.isnan(values)]
    return float(np.median(values)) if values.size else float("nan")
