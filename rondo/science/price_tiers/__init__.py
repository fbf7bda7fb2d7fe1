"""Price tiers within categories, and who is likely to trade up: grading products by what was really paid, whether
customers hold to tiers, and the chance and worth of a higher tier at the next purchase.

::

    goods = Goods(paths, brands, Sizes.parse(sizes))
    found = work_out(Paid(customer, product, day, units, paid, saved), goods, as_of)    # TradingUp
    found.state.tiers.edges, found.chance, found.gain

docs/next.md has the method, what it was measured against, and a worked table.
"""

from rondo.science.price_tiers.grading import Goods, Paid, TierConfig, Tiers, breaks, grade, paid_prices
from rondo.science.price_tiers.habits import Days, Habits, drawn
from rondo.science.price_tiers.holding import Held, held
from rondo.science.price_tiers.sizes import COUNT, LENGTH, MASS, VOLUME, Sizes, parse_size
from rondo.science.price_tiers.trading import Judged, Reason, State, TradingUp, state_of, work_out

__all__ = [
    "COUNT",
    "LENGTH",
    "MASS",
    "VOLUME",
    "Days",
    "Goods",
    "Habits",
    "Held",
    "Judged",
    "Paid",
    "Reason",
    "Sizes",
    "State",
    "TierConfig",
    "Tiers",
    "TradingUp",
    "breaks",
    "drawn",
    "grade",
    "held",
    "paid_prices",
    "parse_size",
    "state_of",
    "work_out",
]
