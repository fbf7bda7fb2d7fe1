"""What binds each customer, run by run: the five bonds as facts, from the purchases and the reserved attributes.

The scores are :mod:`rondo.science.standing.bonds`; here they meet the columnar copy. docs/standing.md has the rules.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rondo.analysis.facts import Past
from rondo.analysis.modelling import Log, day_number
from rondo.analysis.reserved_values import Reserved
from rondo.analysis.results import BondCount, Standing
from rondo.analysis.standing import counted as counted_by
from rondo.science.standing import bonds as science
from rondo.science.standing.bonds import BONDS, Attachment, Band, BondRules
from rondo.warehouse.tables import Tables

FACTS = tuple(f"bond_{name}" for name in BONDS)
"""The facts, in the order of the bonds."""
ATTACHMENTS = tuple(one.name.lower() for one in Attachment)[1:]
BANDS = tuple(one.name.lower() for one in Band)
_COUNTED = ("main_days", "store_days", "saved", "paid", "buying_days")
TENTHS = 10

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Evidence:
    """What the bonds are made of, by customer in the order of their ids, within the window of days looked at.

    ``main_days`` of ``store_days``: purchase days at the store bought at most often, of those on which a store is
    named. ``saved``, ``paid``: minor units. ``buying_days``: purchase days. ``places``: whether the data name two
    stores or more; ``offers``: whether any price was ever reduced.
    """

    window_days: int
    main_days: Whole
    store_days: Whole
    saved: Whole
    paid: Whole
    buying_days: Whole
    places: bool
    offers: bool
    attributes: Reserved
    as_of: int


@dataclass(frozen=True)
class Bonds:
    """The five scores (nan: not known) by name, the :class:`Attachment`, and what they are made of."""

    scores: dict[str, npt.NDArray[np.float64]]
    attachment: npt.NDArray[np.uint8]
    evidence: Evidence

    def beside(self, facts: pa.Table) -> pa.Table:
        """The facts, whose rows are the same customers in the same order, with those of the bonds."""
        for name in BONDS:
            facts = facts.append_column(f"bond_{name}", pa.array(np.round(self.scores[name], 6), from_pandas=True))
        words = pa.DictionaryArray.from_arrays(
            pa.array(np.maximum(self.attachment, 1) - 1, mask=self.attachment == Attachment.UNKNOWN),
            pa.array(ATTACHMENTS),
        )
        return facts.append_column("attachment", words.cast(pa.string()))

    def evident(self, histories: pa.Table) -> pa.Table:
        """The histories with what the bonds are made of."""
        for name in _COUNTED:
            histories = histories.append_column(name, pa.array(getattr(self.evidence, name)))
        return histories


def gather(tables: Tables, known: Past, ids: Whole, log: Log, attributes: Reserved, rules: BondRules) -> Evidence:
    """What the bonds of the customers ``ids`` (ascending) are made of, on the day of ``known``."""
    since = known.as_of - timedelta(days=rules.window_days)
    recent = known.orders.filter(lambda t: (t.total >= 0) & (t.business_date > ibis.literal(since)))
    named = recent.filter(recent.store != "")
    visits = tables.keep(named.select("customer_id", "store", "business_date").distinct())
    at_store = visits.group_by("customer_id", "store").aggregate(days=visits.count())
    main = at_store.group_by("customer_id").aggregate(main_days=at_store.days.max())
    all_days = visits.group_by("customer_id").aggregate(store_days=visits.business_date.nunique())
    # Only the keys and sums of lines: a saving is what the list price was above what was paid.
    orders = recent.select("customer_id", order_id="id")
    lines = tables.order_lines.join(orders, "order_id").filter(lambda t: t.total >= 0)
    given = (lines.discount + lines.coupon_discount + lines.match_discount).sum()
    money = lines.group_by("customer_id").aggregate(saved=given.cast("int64"), paid=lines.total.sum().cast("int64"))
    columns: dict[str, Whole] = {}
    for rows, names in ((main, ("main_days",)), (all_days, ("store_days",)), (money, ("saved", "paid"))):
        columns |= _in_order(tables.arrow(rows), ids, names)
    days, customers = log.days, log.customers[log.days.customer]
    bought = customers[days.day > day_number(since)]
    place = np.searchsorted(ids, bought)
    shown = place < ids.size
    shown[shown] = ids[place[shown]] == bought[shown]
    stores = tables.arrow(visits.aggregate(stores=visits.store.nunique()))["stores"][0].as_py()
    return Evidence(
        window_days=rules.window_days,
        **columns,
        buying_days=np.bincount(place[shown], minlength=ids.size).astype(np.int64),
        places=stores > 1,
        offers=bool(columns["saved"].any()),
        attributes=attributes,
        as_of=day_number(known.as_of),
    )


def _in_order(rows: pa.Table, ids: Whole, names: Iterable[str]) -> dict[str, Whole]:
    """Columns by customer in the order of ``ids``; 0 where a customer has no row."""
    who = rows["customer_id"].to_numpy()
    place = np.clip(np.searchsorted(ids, who), 0, max(ids.size - 1, 0))
    here = ids[place] == who if ids.size else np.zeros(who.size, bool)
    found = {}
    for name in names:
        found[name] = np.zeros(ids.size, np.int64)
        found[name][place[here]] = rows[name].to_numpy()[here]
    return found


def bind(evidence: Evidence, rules: BondRules) -> Bonds:
    """The bonds by these rules. A bond that the data cannot tell for anybody (one store, no price ever reduced) is not
    known of anybody."""
    unknown = np.full(evidence.saved.size, np.nan)
    of = evidence.attributes
    scores = {
        "local": science.local(evidence.main_days, evidence.store_days, rules) if evidence.places else unknown,
        "contractual": science.contractual(of.contract_end - evidence.as_of, of.notice_months, rules),
        "economic": science.economic(evidence.saved, evidence.paid, evidence.buying_days, rules)
        if evidence.offers
        else unknown,
        "technical": science.technical(of.connected_products, rules),
        "emotional": science.emotional(of.commitment, of.promoter_score, of.community_member, rules),
    }
    held = science.attached(scores["contractual"], scores["economic"], scores["emotional"], rules)
    return Bonds(scores, held, evidence)


def results(scores: pa.Table, rules: BondRules, where: Standing) -> Standing:
    """The figures that the pages read, beside those of ``where``; ``scores`` are the facts with values."""
    held = counted_by(scores, "attachment", ATTACHMENTS)
    return Standing(**{**where, "bonds": counted(scores, rules), "attachment": held})


def counted(scores: pa.Table, rules: BondRules) -> list[BondCount]:
    """How each bond is spread over the customers of ``scores``, which has :data:`FACTS`."""
    found = []
    for name, fact in zip(BONDS, FACTS, strict=True):
        column: Any = scores[fact].cast(pa.float64()).fill_null(np.nan)
        values = np.asarray(column.to_numpy(), np.float64)
        told = values[~np.isnan(values)]
        of_band = np.bincount(science.bands(values, rules), minlength=len(BANDS)).tolist()
        # By the very numbers that filters of lists compare with.
        tenths = np.bincount(np.searchsorted(np.arange(1, TENTHS) / TENTHS, told, side="right"), minlength=TENTHS)
        found.append(
            BondCount(
                key=name,
                bands=dict(zip(BANDS, of_band, strict=True)),
                tenths=tenths.tolist(),
                mean=round(float(told.mean()), 6) if told.size else None,
            )
        )
    return found
