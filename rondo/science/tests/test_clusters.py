"""Groups: planted ones are found, with their differences; where there are none, none are sold."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from rondo.errors import InputError
from rondo.science.clusters import ClusterConfig, find, fit_sizes
from rondo.science.features import Features

NAMES = ("spend", "visits", "discounts", "noise")


def planted(seed: int, size: int = 900) -> tuple[Features, np.ndarray]:
    """Three kinds of customers: many small ones, bargain hunters, and a few large ones."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, size, p=[0.5, 0.3, 0.2])
    middle = np.array([[3.0, 1.0, 0.2], [4.0, 2.0, 2.5], [7.0, 3.0, 0.2]])[kind]
    values = np.expm1(middle + rng.normal(0, 0.25, (size, 3)))
    return Features(NAMES, np.column_stack([values, rng.normal(0, 0.3, size)])), kind


def test_planted_groups_are_found_again_and_named_by_what_sets_them_apart() -> None:
    features, kind = planted(1)
    found = find(features, ClusterConfig(sizes=(2, 3, 4, 5)))
    assert found.stable and found.sizes.tolist() == sorted(found.sizes.tolist(), reverse=True)
    assert adjusted_rand_score(kind, found.group) > 0.95
    hunters = int(np.bincount(found.group[kind == 1]).argmax())
    strongest = found.differences[hunters][0]
    assert strongest.name == "discounts" and strongest.score > 1 and strongest.group > strongest.base
    assert found.stability[3] > 0.9


def test_a_number_is_fit_if_neither_neighbour_is_stabler() -> None:
    assert fit_sizes({2: 0.93, 3: 0.57, 4: 0.88, 5: 0.71}, 0.8) == [2, 4]
    assert fit_sizes({2: 0.85, 3: 0.9, 4: 0.79}, 0.8) == [3] and fit_sizes({2: 0.7, 3: 0.75}, 0.8) == []


def test_the_same_customers_give_the_same_groups() -> None:
    features, _kind = planted(2, 400)
    config = ClusterConfig(sizes=(2, 3))
    np.testing.assert_array_equal(find(features, config).group, find(features, config).group)


def test_more_customers_than_the_sample_join_the_nearest_group() -> None:
    features, kind = planted(3, 3_000)
    found = find(features, ClusterConfig(sizes=(3,), sample=600))
    assert found.group.size == 3_000 and adjusted_rand_score(kind, found.group) > 0.95


def test_where_everybody_is_of_one_kind_there_are_no_groups() -> None:
    values = np.random.default_rng(4).normal(size=(800, 4))
    found = find(Features(NAMES, values), ClusterConfig(sizes=(3, 4, 5)))
    assert not found.stable and set(found.group.tolist()) == {0} and max(found.stability.values()) < 0.8


def test_too_few_or_all_alike_is_named() -> None:
    with pytest.raises(InputError, match="99 customers; at least 100"):
        find(Features(("a",), np.zeros((99, 1))))
    with pytest.raises(InputError, match="none of them varies"):
        find(Features(("a",), np.zeros((100, 1))))
