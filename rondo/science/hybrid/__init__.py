"""A hybrid: a Pareto/NBD, corrected by what it leaves out and by what earlier dates of the same log teach.

The base model says how often customers buy on the whole and that they leave; it knows no pause against the own habit,
momentum, money, campaign, category or season. Standing at earlier dates of the log, with what was known then, one sees
who bought more or less in the days after than it expected; a penalised Poisson regression with the base's expectation
as exposure learns it (:mod:`~rondo.science.hybrid.learning`), and the same customers' state today is weighed by it.
Effects move purchases between customers and keep the base's total, since on real logs the sign of an earlier error of
the total did not foretell the next one's; only a season seen for two years moves the total. docs/models.md has the
measured tables.
"""

from rondo.science.hybrid.model import Bases, Covariates, Hybrid, HybridConfig, fit, sampled
from rondo.science.hybrid.season import Season

__all__ = ["Bases", "Covariates", "Hybrid", "HybridConfig", "Season", "fit", "sampled"]
