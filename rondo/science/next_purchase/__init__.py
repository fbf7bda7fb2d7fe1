"""What a customer buys next: products (or categories), split into what they bought before and what is new to them.

::

    log = basket_log(customer, basket, product, day, kind=category_of_product, family=department_of_product)
    model = fit(log, as_of)                    # learns from baskets up to as_of alone
    found = model.rank(log, top=10)            # Ranking: customer, product, probability, is_new, place

The same functions serve categories: give their codes as products. docs/next.md has the method, what it was measured
against, and a worked table.
"""

from rondo.science.next_purchase.baskets import BasketLog, basket_log
from rondo.science.next_purchase.model import NextConfig, NextModel, Ranking, fit
from rondo.science.next_purchase.recall import Comparison, Recall, own_frequency, popularity, recall_at

__all__ = [
    "BasketLog",
    "Comparison",
    "NextConfig",
    "NextModel",
    "Ranking",
    "Recall",
    "basket_log",
    "fit",
    "own_frequency",
    "popularity",
    "recall_at",
]
