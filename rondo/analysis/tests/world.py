"""A base of customers who buy at seeded random, and how to write it as orders."""

from datetime import date, timedelta

import numpy as np

from rondo.customers.models import Customer
from rondo.science.summary import PurchaseDays, merge_days
from rondo.warehouse.tests.world import customer, product, purchase, purchases

__all__ = ["customer", "product", "purchase", "purchases", "seeded_base", "seeded_log"]

START = date(2023, 1, 1)


def seeded_log(customers: int = 60, days: int = 300, seed: int = 8) -> PurchaseDays:
    """Purchase days of customers with different rates, some of whom leave."""
    rng = np.random.default_rng(seed)
    who: list[int] = []
    when: list[int] = []
    money: list[int] = []
    for code in range(customers):
        rate = rng.gamma(1.5, 1 / 30)
        day = int(rng.integers(0, 60))
        leaves = rng.random() * 0.1
        while day < days:
            who.append(code)
            when.append(day)
            money.append(int(rng.gamma(4, 500)) + 100)
            if rng.random() < leaves:
                break
            day += 1 + int(rng.exponential(1 / rate))
    return merge_days(who, when, money)


def seeded_base(customers: int = 60, days: int = 300, seed: int = 8) -> list[Customer]:
    """The seeded log as orders of new customers."""
    log = seeded_log(customers, days, seed)
    people = Customer.objects.bulk_create([Customer(name=f"C{number}") for number in range(customers)])
    purchases(
        (people[code], START + timedelta(days=int(day)), int(spend))
        for code, day, spend in zip(log.customer, log.day, log.spend, strict=True)
    )
    return people
