"""A hybrid: a Pareto/NBD, corrected by what it leaves out and by what earlier dates of the same log teach.

The base model says how often customers buy on the whole and that they leave; it knows no pause against the own habit,
momentum, money, campaign, category or season. Standing at earlier dates of the log, with what was known then, one sees
who bought more or less in the days after than it expected; a penalised Poisson regression with the base's expectation
as exposure learns it (:mod:`~rondo.science.hybrid.learning`), and the same customers' state today is weighed by it.
Effects move purchases between customers. The total is that of the cohorts, by age alone, with the error of earlier
dates as far as they agree on one (:mod:`~rondo.science.hybrid.level`), and a season seen for two years. docs/models.md
has the measured tables.
"""

from rondo.science.hybrid.level import Level
from rondo.science.hybrid.model import Bases, Hybrid, HybridConfig, fit, on_grid, sampled
from rondo.science.hybrid.season import Season
from rondo.science.hybrid.trying import Covariates, Tried, joined

__all__ = [
    "Bases",
    "Covariates",
    "Hybrid",
    "HybridConfig",
    "Level",
    "Season",
    "Tried",
    "fit",
    "joined",
    "on_grid",
    "sampled",
]
