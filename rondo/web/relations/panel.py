"""The panel of a customer's relationship: its type with confidence, evidence and contract, and what binds them."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.analysis import thresholds
from rondo.analysis.models import History, Score
from rondo.analysis.queries import course_of, history_of, score_of, served
from rondo.analysis.reserved import TYPES as RESERVED
from rondo.analysis.ruled import CONFIDENCE, RELATIONSHIP
from rondo.analysis.thresholds import Thresholds
from rondo.customers.definitions import seen
from rondo.customers.models import AttributeValue
from rondo.customers.queries import all_attributes_of
from rondo.foundation.installation import installation
from rondo.foundation.models import User
from rondo.foundation.reading import Reading
from rondo.web import formats
from rondo.web.relations.texts import BANDS, BONDS, MISSING, TYPES

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


@dataclass(frozen=True)
class Entry:
    """One entry of the ledger of types: from when to when (None: still), and by what it was told."""

    label: "_StrOrPromise"
    entered: date
    left: date | None
    why: "_StrOrPromise"


@dataclass(frozen=True)
class Bond:
    """One bond of one customer: how strong in words, its score, and the evidence or what is missing."""

    key: str
    label: "_StrOrPromise"
    band: str
    strength: "_StrOrPromise"
    share: str
    why: str


def of_customer(viewer: User, reading: Reading) -> dict[str, Any] | None:
    """The relationship of a customer whom the viewer may see; None before an analysis that knows of it."""
    score, history = reading.of_survivor(score_of), reading.of_survivor(history_of)
    if score is None or history is None or score.relationship is None:
        return None
    rules = thresholds.made_by(reading.once(served)) or Thresholds()
    known = seen(viewer, reading.of_records(all_attributes_of))
    values = {value.definition.key: value for value in known if value.definition.key in RESERVED}
    words = TYPES[score.relationship]
    return {
        "known": score.relationship != "unknown",
        "headline": _headline(score),
        "meaning": words.meaning,
        "evidence": _evidence(history, rules, asked="relationship_survey" in values),
        "contract": words.contract,
        "course": _course(history),
        "bonds": [_bond(key, score, history, rules, values) for key in BONDS],
        "attachment": _attachment(score),
    }


def _headline(score: Score) -> str:
    label = str(dict(RELATIONSHIP)[score.relationship or "unknown"])
    label = label[:1].upper() + label[1:]
    if score.relationship == "unknown":
        return label
    sure = dict(CONFIDENCE).get(score.relationship_confidence or "", "")
    if score.relationship_since:
        return _("%(type)s since %(day)s, confidence %(confidence)s") % {
            "type": label,
            "day": formats.day(score.relationship_since),
            "confidence": sure,
        }
    return _("%(type)s, confidence %(confidence)s") % {"type": label, "confidence": sure}


def _evidence(history: History, rules: Thresholds, *, asked: bool) -> str:
    """What the type rests on, in one sentence: only what there is, and that nobody was asked."""
    counts = (
        (history.window_purchases, _purchases),
        (history.offers_sent, _offers),
        (history.offers_answered, _answers),
        (history.contacts, _contacts),
        (history.complaints, _complaints),
        (history.talks, _talks),
        (history.referrals, _referrals),
    )
    found = [write(count) for count, write in counts if count]
    if not history.contacts and not history.complaints:
        found.append(_("no contact of their own"))
    found.append(_("an answer to the survey") if asked else _("nobody asked"))
    return _("In the last %(days)s: %(evidence)s.") % {
        "days": formats.days(rules.relationship.window_days),
        "evidence": ", ".join(found),
    }


def _purchases(count: int) -> str:
    return ngettext("%(n)s purchase day", "%(n)s purchase days", count) % {"n": formats.number(count)}


def _offers(count: int) -> str:
    return ngettext("%(n)s campaign sent", "%(n)s campaigns sent", count) % {"n": formats.number(count)}


def _answers(count: int) -> str:
    return ngettext("%(n)s of them answered", "%(n)s of them answered", count) % {"n": formats.number(count)}


def _contacts(count: int) -> str:
    return ngettext("%(n)s unprompted contact", "%(n)s unprompted contacts", count) % {"n": formats.number(count)}


def _complaints(count: int) -> str:
    return ngettext("%(n)s complaint", "%(n)s complaints", count) % {"n": formats.number(count)}


def _talks(count: int) -> str:
    return ngettext("%(n)s personal word of ours", "%(n)s personal words of ours", count) % {"n": formats.number(count)}


def _referrals(count: int) -> str:
    return ngettext("%(n)s recommendation made", "%(n)s recommendations made", count) % {"n": formats.number(count)}


def _course(history: History) -> list[Entry]:
    """The ledger of types, newest first; that nothing was known at the beginning is no entry."""
    labels = dict(RELATIONSHIP)
    steps = course_of(history.types)
    ends = [day for day, _state in steps[1:]] + [None]
    found = [
        Entry(labels[state], day, left, TYPES[state].told_by) for (day, state), left in zip(steps, ends, strict=True)
    ]
    if steps and steps[0][1] == "unknown":
        found = found[1:]
    return found[::-1]


def _bond(key: str, score: Score, history: History, rules: Thresholds, values: dict[str, AttributeValue]) -> Bond:
    value: float | None = getattr(score, f"bond_{key}")
    by = rules.bonds
    if value is None:
        band = "unknown"
    else:
        band = "strong" if value >= by.strong else "weak" if value < by.weak else "moderate"
    why = _why(key, history, values) if value is not None else _why_not(key, history, rules)
    return Bond(key, BONDS[key], band, BANDS[band], "" if value is None else formats.share(value, 0), why)


def _why(key: str, history: History, values: dict[str, AttributeValue]) -> str:
    if key == "local":
        return _("%(main)s of %(all)s purchase days at the same store, which stands in for the nearest.") % {
            "main": formats.number(history.main_days),
            "all": formats.number(history.store_days),
        }
    if key == "economic":
        currency, listed = installation().currency, (history.saved or 0) + (history.paid or 0)
        return _("Saved %(saved)s of list prices of %(listed)s by offers (%(share)s).") % {
            "saved": formats.money(history.saved, currency, 0),
            "listed": formats.money(listed, currency, 0),
            "share": formats.share((history.saved or 0) / listed if listed else 0, 0),
        }
    if key == "technical":
        count = int(_number(values, "connected_products"))
        return ngettext("%(n)s connected product.", "%(n)s connected products.", count) % {"n": formats.number(count)}
    return _contract(values) if key == "contractual" else _heart(values)


def _contract(values: dict[str, AttributeValue]) -> str:
    found = []
    if "contract_end" in values:
        found.append(_("The term ends on %(day)s.") % {"day": formats.day(values["contract_end"].day)})
    if "notice_months" in values:
        months = int(_number(values, "notice_months"))
        found.append(ngettext("Notice: %(n)s month.", "Notice: %(n)s months.", months) % {"n": formats.number(months)})
    return " ".join(found)


def _heart(values: dict[str, AttributeValue]) -> str:
    found = []
    if "commitment" in values:
        told = formats.number(_number(values, "commitment"), 1)
        found.append(_("Commitment %(value)s on a scale from 1 to 7.") % {"value": told})
    if "promoter_score" in values:
        told = formats.number(_number(values, "promoter_score"))
        found.append(_("Would recommend us: %(value)s of 10.") % {"value": told})
    if _number(values, "community_member") == 1:
        found.append(_("Member of the community."))
    return " ".join(found)


def _number(values: dict[str, AttributeValue], key: str) -> float:
    return (values[key].number or 0.0) if key in values else 0.0


def _why_not(key: str, history: History, rules: Thresholds) -> str:
    """Why a bond is not known, and how to know it."""
    days = {"local": history.store_days, "economic": history.buying_days}.get(key)
    if days is not None and 0 < days < rules.bonds.least_days:
        return _("Fewer than %(least)s purchase days in the last %(days)s.") % {
            "least": formats.number(rules.bonds.least_days),
            "days": formats.days(rules.bonds.window_days),
        }
    if key in ("local", "economic") and not history.buying_days:
        return _("No purchase in the last %(days)s.") % {"days": formats.days(rules.bonds.window_days)}
    return str(MISSING[key])


def _attachment(score: Score) -> str:
    told = {
        "attached": _("Attached: stays because they want to."),
        "bound": _("Bound but not attached: stays for as long as they have to. Earn it before the bond ends."),
        "free": _("Free: neither contract nor price nor liking holds them."),
    }
    return told.get(
        score.attachment or "",
        _("Whether they are attached or only bound cannot be told: the emotional bond is not known.")
        if score.bond_emotional is None
        else _("Whether they are bound cannot be told: contract or price advantage is not known."),
    )
