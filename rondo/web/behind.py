"""Numbers of customers that were counted on an earlier day, or by what no fact tells: each opens exactly those, and
says so where some of them are there no more."""

from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from rondo.analysis.counted import behind
from rondo.customers.queries import sees_all
from rondo.foundation.models import User
from rondo.web import formats
from rondo.web.charts.portfolio import customers_where
from rondo.web.sentences import linked, sentence


@dataclass(frozen=True)
class Told:
    """A number within a sentence, which opens those whom it counts, and what is to be said of those who have gone since
    (empty: nobody has)."""

    number: SafeString | str
    note: SafeString | str = ""


def told(name: str, count: int) -> Told:
    """``count`` customers, kept as the set ``name`` (:mod:`rondo.analysis.counted`); without it, a number alone."""
    found = behind(name)
    if found is None:
        return Told(formats.number(count))
    return told_by(customers_where(rule=found.rule), count, found.customers - found.gone)


def told_to(user: User, name: str, count: int) -> Told:
    """The same of a set of which ``user`` sees ``count`` customers, who may be some of all that were counted."""
    found = behind(name)
    if found is None or sees_all(user):
        return told(name, count)
    return Told(linked(count, customers_where(rule=found.rule)))


def told_by(url: str, count: int, left: int) -> Told:
    """``count`` customers, of whom ``left`` are there, whom ``url`` opens."""
    if left == count:
        return Told(linked(count, url))
    text = ngettext(
        "%(gone)s of them has been merged into another, put into the bin, taken back or erased since; this leaves "
        "%(left)s.",
        "%(gone)s of them have been merged into others, put into the bin, taken back or erased since; this leaves "
        "%(left)s.",
        count - left,
    )
    note = sentence(text, gone=formats.number(count - left), left=linked(left, url))
    return Told(formats.number(count), note)
