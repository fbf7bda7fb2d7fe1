"""A shop whose price tiers and customers' tastes are known, as arrays: what tests of trading up read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rondo.science._checks import FloatArray, IntArray
from rondo.science.price_tiers import Goods, Paid, Sizes

PRICES = (200, 320, 520)
PACKS = (250, 500, 1000)
POWER = 0.7


@dataclass(frozen=True)
class Shop:
    """``tier``: true tier per product; ``taste``: per customer, how far up; ``true``: per category the price of each
    product at 500 g."""

    paid: Paid
    goods: Goods
    tier: IntArray
    taste: FloatArray
    kind: IntArray


def shop(
    customers: int = 150, kinds: int = 6, days: int = 240, seed: int = 4, *, meant: bool = True, sized: bool = True
) -> Shop:
    """Every category has nine products, of three tiers in three packs, whose prices grow with the pack to the power of
    0.7. Customers take a tier by their taste (``meant``), which is the same in every category, or by lot.
    """
    rng = np.random.default_rng(seed)
    tier = np.tile(np.repeat(np.arange(3), 3), kinds)
    pack = np.tile(np.array(PACKS), 3 * kinds)
    kind = np.repeat(np.arange(kinds), 9)
    maker = kind * 3 + tier
    price = np.array(PRICES)[tier] * (pack / 500) ** POWER
    taste = rng.normal(0, 1.3, customers) if meant else np.zeros(customers)
    rows: list[tuple[int, int, int, int, int, int]] = []
    for who in range(customers):
        pull = taste[who] * np.array([-1, 0, 1])
        chance = np.exp(pull) / np.exp(pull).sum()
        for day in range(int(rng.integers(0, 5)), days, 5):
            for what in np.flatnonzero(rng.random(kinds) < 0.3).tolist():
                thing = what * 9 + int(rng.choice(3, p=chance)) * 3 + int(rng.integers(0, 3))
                count = int(rng.integers(1, 3))
                cut = 0.8 if rng.random() < 0.1 else 1.0
                full = round(float(price[thing])) * count
                rows.append((who, thing, day, count * 1000, round(full * cut), full - round(full * cut)))
    paid = Paid(*(np.array(column, np.int64) for column in zip(*rows, strict=True)))
    paths = [f"FOOD > K{number}" for number in kind]
    sizes = Sizes.parse([f"{amount} g" if sized else "" for amount in pack])
    return Shop(paid, Goods(paths, maker, sizes), tier, taste, kind)
