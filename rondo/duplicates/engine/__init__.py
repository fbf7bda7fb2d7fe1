"""Probabilistic record linkage by Splink: rows of people in, pairs that are probably the same person out.

Knows no framework and writes no file. ``docs/duplicates.md`` states the method, its formulas and its sources.
"""

from rondo.duplicates.engine.comparisons import COMPARISONS, Comparison
from rondo.duplicates.engine.linking import Config, Found, link
from rondo.duplicates.engine.nothing import NothingToCompare
from rondo.duplicates.engine.records import RECORDS, prepare

__all__ = ["COMPARISONS", "RECORDS", "Comparison", "Config", "Found", "NothingToCompare", "link", "prepare"]
