"""What a customer buys next: habits are found, new products come from taste, and the future is not looked at."""

from __future__ import annotations

import numpy as np
import pytest

from rondo.errors import InputError
from rondo.science.next_purchase import (
    BasketLog,
    NextConfig,
    Ranking,
    basket_log,
    fit,
    own_frequency,
    popularity,
    recall_at,
)
from rondo.science.next_purchase.regression import Rows

PRODUCTS, KINDS = 60, 12


def invented(customers: int = 150, visits: int = 30, seed: int = 4) -> tuple[np.ndarray, ...]:
    """Lines of customers who keep to a few kinds, have favourites in them, and try another now and then."""
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(customers):
        kinds = rng.choice(KINDS, 3, replace=False)
        favourites = kinds * 5 + rng.integers(0, 5, 3)
        day = int(rng.integers(0, 5))
        for visit in range(visits):
            day += int(rng.integers(2, 6))
            bought = [int(f) for f in favourites if rng.random() < 0.7]
            if rng.random() < 0.3:
                bought.append(int(rng.choice(kinds) * 5 + rng.integers(0, 5)))
            rows += [(customer, customer * 1000 + visit, product, day) for product in bought or [int(favourites[0])]]
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def log_of(columns: tuple[np.ndarray, ...]) -> BasketLog:
    kind = np.arange(PRODUCTS) // 5
    return basket_log(*columns, kind=kind, family=kind // 4)


SMALL = NextConfig(candidates=PRODUCTS, block=64)


def last_baskets(log: BasketLog) -> tuple[BasketLog, np.ndarray]:
    """The log without the last baskets, and what these held."""
    last = log.visit == log.visits[log.customer] - 1
    return log.until(log.visits - 1), (log.customer * log.products + log.product)[last]


def test_a_log_keeps_a_line_per_basket_and_product_in_order() -> None:
    log = basket_log([1, 0, 0, 0, 0], [7, 3, 3, 3, 9], [0, 1, 1, 0, 1], [4, 2, 2, 2, 1], kind=[0, 0])
    assert log.visits.tolist() == [2, 1]
    assert log.visit_day.tolist() == [1, 2, 4]
    assert log.visit_size.tolist() == [1, 2, 1]
    assert list(zip(log.customer.tolist(), log.product.tolist(), log.visit.tolist(), strict=True)) == [
        (0, 0, 1),
        (0, 1, 0),
        (0, 1, 1),
        (1, 0, 0),
    ]
    assert log.known(1).tolist() == [1, 0]
    assert log.until(np.array([1, 0])).product.tolist() == [1]
    assert log.of(1, 2).visit_day.tolist() == log.chosen(np.array([1])).visit_day.tolist() == [4]


def test_a_basket_of_two_customers_is_refused_by_its_number() -> None:
    with pytest.raises(InputError, match="basket 7: of two customers"):
        basket_log([0, 1], [7, 7], [0, 0], [1, 1], kind=[0])


def test_products_beyond_their_kinds_are_refused() -> None:
    with pytest.raises(InputError, match="column product: 2 to 2; codes from 0 to 0"):
        basket_log([0], [1], [2], [1], kind=[0])


def test_it_beats_own_frequency_in_total_and_popularity_on_what_is_new() -> None:
    log = log_of(invented())
    held, pairs = last_baskets(log)
    everybody = np.arange(log.customers)
    model = fit(held, int(held.visit_day.max()), SMALL)
    found = model.rank(held)

    def recall(ranking: Ranking, wanted: np.ndarray) -> float:
        return recall_at(ranking.customer, ranking.product, wanted, everybody, log.products).value

    new = pairs[~np.isin(pairs, held.customer * log.products + held.product)]
    assert recall(found.best(3), pairs) > recall(own_frequency(held, 3), pairs) - 0.02
    assert recall(found.best(10), pairs) > recall(own_frequency(held, 10), pairs)
    theirs = found.rows(found.is_new).best(5)
    assert recall(theirs, new) > 2 * recall(popularity(held, 5, new=True), new)


def test_new_is_what_was_never_bought_and_the_rest_tells_its_habit() -> None:
    log = log_of(invented())
    found = fit(log, int(log.visit_day.max()), SMALL).rank(log)
    had = np.isin(found.customer * log.products + found.product, log.customer * log.products + log.product)
    assert (had == ~found.is_new).all()
    assert (found.count[had] > 0).all() and not found.count[~had].any()
    one = np.flatnonzero(had)[0]
    rows = (log.customer == found.customer[one]) & (log.product == found.product[one])
    assert found.count[one] == rows.sum()
    last = log.visit_day[log.first[found.customer[one] + 1] - 1]
    assert found.silent[one] == last - log.day[rows].max()


def test_probabilities_add_up_to_what_came() -> None:
    log = log_of(invented(400))
    known = log.known(75)
    came = log.visit == known[log.customer]
    pairs = (log.customer * log.products + log.product)[came]
    found = fit(log, 75, SMALL).rank(log.until(known), top=PRODUCTS)
    hits = np.isin(found.customer * log.products + found.product, pairs)
    for part in (found.is_new, ~found.is_new):
        # Chance, and histories that are longer now than those learnt from.
        count = int(hits[part].sum())
        assert found.probability[part].sum() == pytest.approx(count, abs=3 * count**0.5 + 0.05 * count)


def test_what_comes_after_the_day_changes_nothing() -> None:
    columns = invented()
    day = columns[3]
    as_of = 90
    moved = tuple(column.copy() for column in columns)
    later = day > as_of
    rng = np.random.default_rng(0)
    moved[2][later] = rng.permutation(moved[2][later])
    moved[3][later] += 11
    one, other = (log_of(some) for some in (columns, moved))
    first, second = (fit(log, as_of, SMALL) for log in (one, other))
    assert first.describe() == second.describe()
    rankings = [m.rank(log.until(log.known(as_of))) for m, log in ((first, one), (second, other))]
    assert (rankings[0].product == rankings[1].product).all()
    assert (rankings[0].probability == rankings[1].probability).all()


def test_too_few_baskets_are_refused_with_their_number() -> None:
    log = log_of(invented(4, 6))
    with pytest.raises(InputError, match="at least 200 are needed"):
        fit(log, int(log.visit_day.max()), SMALL)


def test_where_all_that_could_come_came_nothing_is_told_apart() -> None:
    """A shop of one category: every basket has it."""
    rows = Rows()
    for number in range(100):
        rows.take(np.array([[float(number)]]), np.array([True]), np.ones(1), 1.0, np.random.default_rng(1))
    found = rows.regression(("often",), 1.0)
    assert found.weights.tolist() == [0.0] and found.intercept > 4


def test_who_never_came_gets_no_ranking() -> None:
    columns = invented()
    log = basket_log(*columns, kind=np.arange(PRODUCTS) // 5, customers=160)
    found = fit(log, int(log.visit_day.max()), SMALL).rank(log)
    assert found.customer.max() == 149


def test_recall_is_the_mean_share_of_a_basket() -> None:
    # Of the first basket (products 0, 1) one is found, of the second (2) one, the third customer bought nothing.
    found = recall_at(np.array([0, 0, 1]), np.array([0, 5, 2]), np.array([0, 1, 12]), np.arange(3), 10)
    assert (found.value, found.baskets) == (0.75, 2)
    assert found.pooled == pytest.approx(2 / 3)
