"""Lead scoring: who of those who never bought is likely to buy for the first time, from the signals they gave.

::

    found = score_leads(log, as_of)        # LeadScores: a verdict, and a model where the data support one
    for chances in found.blocks(log):      # chance and reasons of everybody who has not bought
        ...

docs/leads.md has the method, the formulas, what is asked of the data, and a worked table.
"""

from rondo.science.leads.log import NEVER, LeadLog
from rondo.science.leads.model import (
    Chances,
    Judged,
    LeadConfig,
    LeadScores,
    Verdict,
    score_leads,
)
from rondo.science.leads.signals import fading, signals_of, themes

__all__ = [
    "NEVER",
    "Chances",
    "Judged",
    "LeadConfig",
    "LeadLog",
    "LeadScores",
    "Verdict",
    "fading",
    "score_leads",
    "signals_of",
    "themes",
]
