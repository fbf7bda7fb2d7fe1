"""Dated signs and contacts beside purchases, from the columnar copy: interest, recommendations, complaints,
cancellations, notices, campaigns.

What this product does not record yet (a bad score) is absent, see docs/standing.md.
"""

from dataclasses import dataclass, replace
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array

from rondo.analysis.between import between_survivors, placed
from rondo.analysis.facts import Past
from rondo.analysis.leavers import stated
from rondo.analysis.modelling import day_number
from rondo.analysis.reserved_values import Reserved
from rondo.analysis.summary import cut_on_the_left
from rondo.customers.models import Customer, Link
from rondo.foundation.installation import zone
from rondo.interactions.queries import COMPLAINTS, LEAVING
from rondo.science.standing import NEVER, Contacts, Sign, Signs, Spans
from rondo.warehouse.tables import Tables

CUT_OFF_DAYS = 31
"""Who is first seen within so many days of a log that begins later than its relationships was a customer before it."""
UNPROMPTED = ("call_in", "email_in", "letter_in", "enquiry", "visit", "review")
"""Kinds by which customers turn to us; unprompted where they answer nothing."""
TALKS = ("call", "email_out", "letter_out", "meeting")
"""Kinds by which one of us turned to the customer in person."""

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Told:
    """All signs and contacts of the customers, by position in their ids."""

    signs: Signs
    contacts: Contacts

    @classmethod
    def nothing(cls, customers: int) -> "Told":
        """No sign of anybody, no contact with anybody."""
        return cls(Signs.none(customers), Contacts.none(customers))


def read_signs(tables: Tables, known: Past, facts: pa.Table, attributes: Reserved) -> Told:
    """Every sign and contact up to the day of ``known`` of the customers of ``facts`` (ordered by ``customer_id``)."""
    ids = facts["customer_id"].to_numpy()
    cut_off = _cut_off(facts["first_purchase"], known)
    referrals = _referrals(tables, known, ids)
    signs = replace(
        Signs.none(ids.size),
        interest=_interest(tables, known, ids),
        recommended=_recommended(referrals, facts["first_purchase"], ids.size),
        complaints=_complaints(tables, known, ids),
        cancelled=_stated(tables, known, ids, "cancellation"),
        notice=_stated(tables, known, ids, "notice"),
        cut_off=cut_off,
    )
    return Told(signs, _contacts(tables, known, ids, attributes, referrals, cut_off))


def _interest(tables: Tables, known: Past, ids: Whole) -> Whole:
    """Day of the first inbound interaction that is neither a purchase nor a word of leaving, by position in ``ids``."""
    t = known.interactions
    t = t.filter((t.direction == "inbound") & ~t.kind.isin(["purchase", *LEAVING]))
    rows = tables.arrow(t.group_by("customer_id").aggregate(day=t.business_date.min()))
    interest = np.full(ids.size, NEVER, np.int64)
    place, here = placed(rows["customer_id"].to_numpy(), ids)
    interest[place[here]] = rows["day"].cast(pa.int32()).to_numpy()[here]
    return interest


def _complaints(tables: Tables, known: Past, ids: Whole) -> Spans:
    """From each complaint to the day of the first outbound contact that answers it, by position in ``ids``."""
    t = known.interactions
    complaints = t.filter((t.direction == "inbound") & t.kind.isin(COMPLAINTS))
    answers = t.filter((t.direction == "outbound") & t.in_response_to.notnull())
    first = answers.group_by(answered="in_response_to").aggregate(until=answers.business_date.min())
    found = complaints.left_join(first, complaints.id == first.answered)
    rows = tables.arrow(found.select("customer_id", "until", begin="business_date"))
    place, here = placed(rows["customer_id"].to_numpy(), ids)
    begin = rows["begin"].cast(pa.int32()).to_numpy()
    until = rows["until"].cast(pa.int32()).fill_null(NEVER).to_numpy()
    return Spans.of(place[here], begin[here], until[here])


def _stated(tables: Tables, known: Past, ids: Whole, kind: str) -> Spans:
    """From each inbound contact of a kind on, by position in ``ids``."""
    customer, begin = stated(tables, known, ids, kind)
    return Spans.of(customer, begin, np.full(begin.size, NEVER))


def _cut_off(first_purchase: Any, known: Past) -> npt.NDArray[np.bool_]:
    """Whose relationship is older than the data: see :data:`CUT_OFF_DAYS`."""
    days = first_purchase.cast(pa.int32()).fill_null(NEVER).to_numpy()
    if not days.size or not cut_on_the_left(first_purchase, known.as_of):
        return np.zeros(days.size, bool)
    return np.asarray(days < days.min() + CUT_OFF_DAYS)


@dataclass(frozen=True)
class _Referrals:
    """Who recommended us to whom (positions), and the day on which it was noted."""

    subject: Whole
    object: Whole
    day: Whole


def _referrals(tables: Tables, known: Past, ids: Whole) -> _Referrals:
    links = tables.links
    links = links.filter((links.role == Link.Role.REFERRED) & links.created_at.notnull())
    links = between_survivors(tables, links)
    rows = tables.arrow(links.select("subject", "object", "created_at").order_by("subject", "object"))
    noted = pc.local_timestamp(rows["created_at"].cast(pa.timestamp("us", str(zone()))))
    day = noted.cast(pa.date32()).cast(pa.int32()).to_numpy().astype(np.int64)
    subject, from_here = placed(rows["subject"].to_numpy(), ids)
    other, to_here = placed(rows["object"].to_numpy(), ids)
    kept = from_here & to_here & (subject != other) & (day <= day_number(known.as_of))
    return _Referrals(subject[kept], other[kept], day[kept])


def _recommended(referrals: _Referrals, first_purchase: Any, customers: int) -> Whole:
    """The first day on which somebody whom the customer recommended us to had bought: dated evidence, by position."""
    found = np.full(customers, NEVER, np.int64)
    bought = first_purchase.cast(pa.int32()).fill_null(NEVER).to_numpy().astype(np.int64)
    np.minimum.at(found, referrals.subject, np.maximum(referrals.day, bought[referrals.object]))
    return found


def _contacts(
    tables: Tables,
    known: Past,
    ids: Whole,
    attributes: Reserved,
    referrals: _Referrals,
    cut_off: npt.NDArray[np.bool_],
) -> Contacts:
    t = known.interactions
    came, unasked = t.direction == "inbound", t.in_response_to.isnull()
    sign_of = ibis.cases(
        (came & t.kind.isin(COMPLAINTS), int(Sign.COMPLAINT)),
        (came & t.kind.isin(UNPROMPTED) & unasked, int(Sign.UNPROMPTED)),
        ((t.direction == "outbound") & t.kind.isin(TALKS), int(Sign.TALK)),
    )
    spoken = t.select("customer_id", on="business_date", sign=sign_of).filter(lambda rows: rows.sign.notnull())
    sent = known.exposures.filter(known.exposures.sent_on.notnull())
    answers = t.filter((t.direction == "inbound") & t.in_response_to.notnull())
    first = answers.group_by(answered="in_response_to").aggregate(on=answers.business_date.min())
    answered = sent.join(first, sent.interaction_id == first.answered)
    parts = [(referrals.subject, referrals.day, np.full(referrals.day.size, Sign.REFERRED, np.uint8))]
    for rows in (
        spoken,
        sent.select("customer_id", on="sent_on", sign=ibis.literal(int(Sign.SENT))),
        answered.select("customer_id", "on", sign=ibis.literal(int(Sign.ANSWERED))),
    ):
        found = tables.arrow(rows)
        place, here = placed(found["customer_id"].to_numpy(), ids)
        when = found["on"].cast(pa.int32()).to_numpy().astype(np.int64)
        parts.append((place[here], when[here], found["sign"].to_numpy()[here].astype(np.uint8)))
    customer, day, sign = (np.concatenate([part[column] for part in parts]) for column in range(3))
    order = _by_customer(customer, ids.size)
    own = day[(sign == Sign.COMPLAINT) | (sign == Sign.UNPROMPTED)]
    answer, answered_on = _answers(attributes, day_number(known.as_of))
    return Contacts(
        customer[order].astype(np.int64),
        day[order].astype(np.int64),
        sign[order],
        answer,
        answered_on,
        _organisations(tables, ids),
        cut_off,
        int(own.min()) if own.size else NEVER,
    )


def _by_customer(customer: Whole, customers: int) -> npt.NDArray[Any]:
    """The order of rows by customer, each one's as they stand: counted, not compared."""
    rows = customer.size
    matrix = coo_array(
        (np.ones(rows, np.int8), (customer, np.arange(rows, dtype=np.int64))), shape=(max(customers, 1), max(rows, 1))
    )
    return np.asarray(matrix.tocsr().indices)


def _answers(attributes: Reserved, as_of: int) -> tuple[npt.NDArray[np.uint8], Whole]:
    """What each customer answered to the survey of the relationship, and when; without a date it is of the run's day,
    for it is not known of any day before."""
    answer = np.nan_to_num(attributes.relationship_survey, nan=0.0).astype(np.uint8)
    on = attributes.relationship_survey_on
    day = np.where(np.isnan(on), as_of, on).astype(np.int64)
    return answer, np.where(answer > 0, day, NEVER).astype(np.int64)


def _organisations(tables: Tables, ids: Whole) -> npt.NDArray[np.bool_]:
    t = tables.customers
    found = np.zeros(ids.size, bool)
    rows = tables.arrow(t.filter(t.kind == Customer.Kind.ORGANISATION).select("id"))
    place, here = placed(rows["id"].to_numpy(), ids)
    found[place[here]] = True
    return found
