"""Expected purchases of a customer who is alive, by Gauss-Jacobi quadrature over the chance to leave.

The closed form (Fader, Hardie & Lee 2005, equation 10) is a difference of nearly equal terms divided by a - 1: it loses
all digits near a = 1 and overflows for large x. The integral it comes from has neither fault. With lambda ~ Gamma(r +
x, rate alpha + T) integrated out, a customer with chance p to leave after each purchase makes

    f(p) = (1 - (1 + p u) ** -(r + x)) / p,    u = t / (alpha + T),

purchases in t, and p ~ Beta(a, b + x). f is smooth on [0, 1], so that a Gauss rule for that Beta weight reaches
float64's accuracy with few nodes.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.linalg import eigh_tridiagonal

from rondo.science._checks import FloatArray


def expected_while_alive(
    times: FloatArray, x: FloatArray, T: FloatArray, r: float, alpha: float, a: float, b: float
) -> FloatArray:
    """Expected purchases within each of ``times`` for rows (x, T) of living customers: shape (rows, times).

    Fastest when rows are distinct and sorted by x, since the rule depends on x alone.
    """
    result = np.zeros((x.size, times.size))
    if x.size == 0 or times.size == 0:
        return result
    largest = float(times.max()) / (alpha + float(T.min()))
    nodes = nodes_needed(largest)
    order = np.argsort(x, kind="stable")
    values, starts = np.unique(x[order], return_index=True)
    for value, rows in zip(values, np.split(order, starts[1:]), strict=True):
        p, weight = beta_rule(nodes, a, b + float(value))
        shape = r + float(value)
        for column, time in enumerate(times):
            u = time / (alpha + T[rows])
            exponent = -shape * np.log1p(np.multiply.outer(u, p))
            # -expm1(...)/p tends to shape * u as p -> 0, without cancellation.
            result[rows, column] = (-np.expm1(exponent)) @ (weight / p)
    return result


def nodes_needed(u: float) -> int:
    """Nodes for an error near float64's rounding: f's nearest singularity lies at p = -1/u.

    A Gauss rule of n nodes errs like rho ** -2n, where rho is the sum of half-axes of the largest ellipse around [0, 1]
    that leaves the singularity out.
    """
    if u <= 0:
        return 12
    outside = 1 + 2 / u
    rho = outside + np.sqrt(outside**2 - 1)
    return int(np.clip(24 / np.log(rho) + 12, 12, 600))


@lru_cache(maxsize=2048)
def beta_rule(nodes: int, a: float, b: float) -> tuple[FloatArray, FloatArray]:
    """Nodes in (0, 1) and weights (sum 1) of the Gauss rule for a Beta(a, b) density (Golub & Welsch 1969)."""
    # Jacobi polynomials on [-1, 1] with weight (1 - y)^j (1 + y)^k, and p = (1 + y) / 2.
    j, k = b - 1, a - 1
    n = np.arange(nodes, dtype=np.float64)
    total = 2 * n + j + k
    diagonal = np.empty(nodes)
    diagonal[0] = (k - j) / (j + k + 2)
    diagonal[1:] = (k - j) * (k + j) / (total[1:] * (total[1:] + 2))
    m, s = n[1:], total[1:]
    square = np.empty(nodes - 1)
    square[0] = 4 * (1 + j) * (1 + k) / ((2 + j + k) ** 2 * (3 + j + k))
    square[1:] = 4 * m[1:] * (m[1:] + j) * (m[1:] + k) * (m[1:] + j + k) / (s[1:] ** 2 * (s[1:] + 1) * (s[1:] - 1))
    y, vectors = eigh_tridiagonal(diagonal, np.sqrt(square))
    p = np.maximum((1 + y) / 2, 1e-300)
    return p, vectors[0] ** 2
