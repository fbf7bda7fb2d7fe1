"""Households and organisations as facts: how many belong to each, and what all of them are worth together.

The same sums as on their pages (:mod:`rondo.analysis.belonging`), of the whole base at once: the record itself and all
who belong to it, directly or by way of others, each once. docs/households.md says what is added up.
"""

from dataclasses import dataclass

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rondo.analysis.between import Whole, between_survivors, placed
from rondo.analysis.facts import Past
from rondo.customers.models import Customer, Link
from rondo.warehouse.tables import Tables

KINDS = (Customer.Kind.HOUSEHOLD, Customer.Kind.ORGANISATION)
SUMS = ("value", "value_low", "value_high")
FACTS = tuple(f"{kind}_{name}" for kind in KINDS for name in ("members", *SUMS))
"""The facts; their keys begin with the kind of whom one belongs to."""


@dataclass(frozen=True)
class Circles:
    """Who belongs to whom, by position among ``customers`` customers.

    ``groups``: the households and organisations, by kind. ``subject`` belongs to ``object`` directly, each pair once.
    """

    customers: int
    groups: dict[str, Whole]
    subject: Whole
    object: Whole

    def beside(self, facts: pa.Table) -> pa.Table:
        """The facts, whose rows are the customers, with those of households and organisations.

        Who belongs to several directly gets those of the one that is worth most; of equal ones, of the one first
        known. Null for who belongs to none.
        """
        roots, counts, sums = self._added_up(facts)
        for kind in KINDS:
            of = self._looked_at(kind, roots, sums["value"])
            found = pa.array(of, mask=of < 0)
            facts = facts.append_column(f"{kind}_members", pa.array(counts).take(found))
            for name in SUMS:
                facts = facts.append_column(f"{kind}_{name}", sums[name].take(found))
        return facts

    def _added_up(self, facts: pa.Table) -> tuple[Whole, Whole, dict[str, pa.Array]]:
        """Positions of all groups, ascending; how many belong to each; and the sums over it and them, null where nobody
        has a value."""
        roots = np.sort(np.concatenate(list(self.groups.values())))
        root, member = self._pairs(roots)
        counts = np.bincount(root, minlength=roots.size).astype(np.int64)
        values = [facts[name].combine_chunks().cast(pa.int64()) for name in SUMS]
        known = np.asarray(pc.and_(pc.and_(*(pc.is_valid(one) for one in values[:2])), pc.is_valid(values[2])))
        # Itself among those who are added up.
        root, member = np.concatenate([np.arange(roots.size), root]), np.concatenate([roots, member])
        valued = known[member]
        nobody = np.bincount(root[valued], minlength=roots.size) == 0
        sums = {}
        for name, column in zip(SUMS, values, strict=True):
            total = np.zeros(roots.size, np.int64)
            np.add.at(total, root[valued], column.fill_null(0).to_numpy()[member[valued]])
            sums[name] = pa.array(total, mask=nobody)
        return roots, counts, sums

    def _pairs(self, roots: Whole) -> tuple[Whole, Whole]:
        """Each of ``roots`` by its number with everybody who belongs to it, once, however long the way is."""
        order = np.argsort(self.object, kind="stable")
        subject, starts = self.subject[order], self.object[order]
        first = np.searchsorted(starts, np.arange(self.customers + 1))
        known = np.arange(roots.size) * self.customers + roots
        reached = known
        while reached.size:
            root, above = np.divmod(reached, self.customers)
            count = (first[1:] - first[:-1])[above]
            # The members of each in a row: where theirs begin, and so many on.
            at = np.repeat(first[above] - np.cumsum(count) + count, count) + np.arange(count.sum())
            found = _distinct(np.repeat(root, count) * self.customers + subject[at])
            _place, there = placed(found, known)
            reached = found[~there]
            known = np.sort(np.concatenate([known, reached]))
        root, member = np.divmod(known, max(self.customers, 1))
        others = member != roots[root] if roots.size else np.zeros(0, bool)
        return root[others], member[others]

    def _looked_at(self, kind: str, roots: Whole, value: pa.Array) -> Whole:
        """For each customer the number among ``roots`` of the group of ``kind`` whose facts are theirs; -1 for none."""
        found = np.full(self.customers, -1, np.int64)
        groups = self.groups[kind]
        is_group = np.zeros(self.customers, bool)
        is_group[groups] = True
        mine = is_group[self.object]
        subject, number = self.subject[mine], np.searchsorted(roots, self.object[mine])
        worth = value.fill_null(np.iinfo(np.int64).min).to_numpy()[number]
        # What is written last stays: who is worth most, and of equal ones who comes first.
        order = np.lexsort((-number, worth))
        found[subject[order]] = number[order]
        found[groups] = np.searchsorted(roots, groups)
        return found


def _distinct(keys: Whole) -> Whole:
    """Ascending, each once: sorted, which is many times as quick as by the table of hashes of ``np.unique``."""
    keys = np.sort(keys)
    return keys[np.concatenate([[True], keys[1:] != keys[:-1]])] if keys.size else keys


def read_circles(tables: Tables, known: Past, ids: Whole) -> Circles:
    """Who belongs to whom among the customers ``ids`` (ascending), by the links that have not ended and did not begin
    after the day of ``known``."""
    grouped = known.customers.filter(lambda t: t.kind.isin(list(KINDS))).select("id", "kind")
    rows = tables.arrow(grouped)
    place, here = placed(rows["id"].to_numpy(), ids)
    groups = {str(kind): np.sort(place[here & np.asarray(pc.equal(rows["kind"], kind), dtype=bool)]) for kind in KINDS}
    links = tables.links
    links = links.filter(
        links.role.isin([str(role) for role in Link.BELONGING])
        & (links.since.isnull() | (links.since <= ibis.literal(known.as_of)))
    )
    found = tables.arrow(between_survivors(tables, links).select("subject", "object").distinct())
    subject, from_here = placed(found["subject"].to_numpy(), ids)
    other, to_here = placed(found["object"].to_numpy(), ids)
    is_group = np.zeros(ids.size, bool)
    is_group[np.concatenate(list(groups.values()))] = True
    kept = from_here & to_here & (subject != other)
    kept[kept] = is_group[other[kept]]
    return Circles(ids.size, groups, subject[kept], other[kept])
