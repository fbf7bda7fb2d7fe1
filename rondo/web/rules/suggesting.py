"""Texts to offer while somebody types one: names of the catalogue and of campaigns, nothing of customers."""

from rondo.foundation.registry import RuleTerm
from rondo.foundation.search import fold

MOST = 20


def suggests(term: RuleTerm) -> bool:
    """Whether there are texts to offer. Those of attributes may be of customers whom the viewer does not see."""
    return term.suggested is not None or (term.vocabulary is not None and getattr(term, "source", "") != "attribute")


def suggestions(term: RuleTerm, text: str) -> list[str]:
    """Texts that hold ``text``, those that begin with it first, at most :data:`MOST`."""
    sought = fold(text)
    if not sought or not suggests(term):
        return []
    if term.suggested is not None:
        found = set(term.suggested(text.strip()))
    else:
        assert term.vocabulary is not None
        found = {one for one in term.vocabulary() if sought in fold(one)}
    return sorted(found, key=lambda one: (not fold(one).startswith(sought), len(one), one))[:MOST]
