"""The verbs of duplicates: ask for a search, decide about a pair, take a decision back, merge the certain ones.

What the search itself needs is imported by its job alone: :mod:`rondo.duplicates.actions.searching`.
"""

from rondo.duplicates.actions.asking import request_search
from rondo.duplicates.actions.automatic import set_automatic
from rondo.duplicates.actions.deciding import decide, take_back

__all__ = ["decide", "request_search", "set_automatic", "take_back"]
