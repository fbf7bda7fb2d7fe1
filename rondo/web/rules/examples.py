"""Rules to begin with: what companies ask most, in the words of this one's own data. What it cannot ask is left out."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from rondo.analysis.buying_stages.queries import largest_categories
from rondo.analysis.buying_stages.ruled import rule_of
from rondo.customers.models import AttributeDefinition
from rondo.rules import RuleError, Schema, parse, to_json

Form = AttributeDefinition.Form


def examples(schema: Schema, segments: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Label, form of segmentation and tree (the JSON form) of each example that can be asked here."""
    found = []
    for label, form, text in (*_of_all(), *_of_category(), *_of_segment(segments)):
        try:
            rule = to_json(parse(text, schema))["rule"]
        except RuleError:
            continue
        found.append({"label": label, "form": str(form), "rule": rule})
    return found


def _of_all() -> Iterable[tuple[str, str, str]]:
    yield (
        _("Spend most, and buy later than usual"),
        Form.BEHAVIOURAL,
        "rfm_monetary = 5 and activity in (late, asleep)",
    )
    yield (
        _("Came into decline within 90 days"),
        Form.BEHAVIOURAL,
        "did standing where (scale = stage and after = decline) within 90 days",
    )
    yield (
        _("Got a campaign mail, and redeemed nothing within 14 days"),
        Form.BEHAVIOURAL,
        "did campaign_mail within 90 days then not redemption within 14 days",
    )
    yield (
        _("Opened a mail, and bought nothing within 7 days"),
        Form.BEHAVIOURAL,
        "did mail_open within 90 days then not purchase within 7 days",
    )
    yield (
        _("Bought once, and not again for 30 days"),
        Form.BEHAVIOURAL,
        "purchase_days = 1 and last_purchase before 30 days ago",
    )
    yield _("Look for price: much of it bought at a discount"), Form.BENEFIT, "discount_share >= 30%"
    yield _("Have their birthday within 7 days"), Form.DEMOGRAPHIC, "birth_date anniversary within next 7 days"
    yield (
        _("Recommended us to somebody who bought"),
        "",
        "linked referred (did purchase)",
    )


def _of_category() -> Iterable[tuple[str, str, str]]:
    for path in largest_categories(1):
        name = path.rpartition(" > ")[2]
        quoted = '"{}"'.format(name.replace("\\", "\\\\").replace('"', '\\"'))
        where = f"did purchase where category = {quoted}"
        yield (
            _("Bought %(category)s twice in 90 days, but not lately") % {"category": name},
            Form.BEHAVIOURAL,
            f"{where} at least 2 times within 90 days and not {where} within 30 days",
        )
        yield (
            _("Need %(category)s, by what they do") % {"category": name},
            Form.BEHAVIOURAL,
            rule_of(path, "need_recognised"),
        )


def _of_segment(segments: Sequence[tuple[str, str]]) -> Iterable[tuple[str, str, str]]:
    for key, name in segments[:1]:
        yield (
            _("Came into “%(segment)s” within 30 days") % {"segment": name},
            "",
            f'did membership where segment = "{key}" within 30 days',
        )
