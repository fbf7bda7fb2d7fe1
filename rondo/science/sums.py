"""The sum of a few estimates and its interval, by their intervals alone: what a household or a company brings together.

Of each customer the mean and the central interval of what they will bring are known, by chance alone. How customers who
belong together move together is not: a household has one purse and moves house as one, a company orders by one hand.
Two sums bound what it may be, and both are given:

- *together*: all go up and down as one (comonotone). The quantiles of such a sum are the sums of the quantiles, exactly
  (Dhaene, Denuit, Goovaerts, Kaas & Vyncke 2002, *Insurance: Mathematics and Economics* 31, 3-33), so bounds add up.
  Among all ways to depend it is the most spread out in convex order.
- *apart*: each by themselves. Variances add up; the variance of each is read off its interval as if it were normal, and
  the sum is taken to be Gamma with the summed mean and variance, which keeps it above 0 and skewed to the right as each
  part is. Its quantiles are by Wilson & Hilferty (1931, *PNAS* 17, 684-688).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from rondo.errors import InputError


@dataclass(frozen=True)
class SumOfEstimates:
    """The sum of the means, its interval if all move as one, and the narrower one if each moves by themselves; in the
    unit of the parts."""

    mean: float
    low: float
    high: float
    low_apart: float
    high_apart: float


def sum_of_estimates(parts: Iterable[tuple[float, float, float]], level: float = 0.90) -> SumOfEstimates:
    """The sum of ``parts``, each a mean of at least 0 with the bounds of its central interval of ``level``.

    The interval of parts that move by themselves never reaches beyond that of parts that move as one. No parts: 0.

    Raises:
        InputError: a level not between 0 and 1, or bounds in the wrong order.
    """
    if not 0 < level < 1:
        raise InputError(f"level: {level}: must lie between 0 and 1, such as 0.9")
    z = NormalDist().inv_cdf((1 + level) / 2)
    mean = low = high = variance = 0.0
    count = 0
    for middle, least, most in parts:
        if not least <= most:
            raise InputError(f"interval {least} to {most}: the lower bound lies above the upper one")
        mean, low, high = mean + middle, low + least, high + most
        variance += ((most - least) / (2 * z)) ** 2
        count += 1
    if count < 2 or variance <= 0 or mean <= 0:
        return SumOfEstimates(mean, low, high, low, high)
    apart = [max(low, min(high, _gamma_quantile(mean, variance, sign * z))) for sign in (-1, 1)]
    return SumOfEstimates(mean, low, high, *apart)


def _gamma_quantile(mean: float, variance: float, z: float) -> float:
    """The quantile of a Gamma where a standard normal has ``z``: the cube root of a Gamma is nearly normal."""
    ninth = variance / (9 * mean * mean)
    root = 1 - ninth + z * sqrt(ninth)
    return mean * max(root, 0.0) ** 3
