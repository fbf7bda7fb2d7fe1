"""The builder of rules as a part of any page that has a rule in a form."""

from typing import Any

from django import template

from rondo.analysis.segments.queries import ROOM as SEGMENTS
from rondo.analysis.segments.queries import day_of_rules, standing
from rondo.foundation.rights import enters
from rondo.rules import schema
from rondo.web.access import viewer
from rondo.web.rules.offering import offered
from rondo.web.rules.turning import from_text

register = template.Library()

ICONS = (
    "arrow-down",
    "arrow-up",
    "chevron-down",
    "copy",
    "grip-vertical",
    "group",
    "plus",
    "search",
    "trash-2",
    "ungroup",
    "x",
)
"""Icons that the script uses."""


@register.inclusion_tag("rules/builder.html", takes_context=True)
def rule_builder(
    context: template.Context, text: str, name: str, check: str, answer: str, optional: bool = False
) -> dict[str, Any]:
    """A rule as rows and as text: ``{% rule_builder values.text "text" "segment-check" "check" %}``.

    ``name`` is that of the text field in the form, ``check`` the address that counts a rule and shows some of whom it
    finds, ``answer`` the id of the element that takes its answer. With ``optional``, no condition is right,
    too. The page loads rules/builder.js and rules.css.
    """
    user = viewer(context["request"])
    known = schema(user)
    rows = standing(user) if enters(user, SEGMENTS) else standing(user).none()
    return {
        "text": text,
        "name": name,
        "check": check,
        "answer": answer,
        "optional": optional,
        "icons": ICONS,
        "offered": offered(known, rows.values_list("key", "name"), day_of_rules()),
        "start": from_text(text, known).as_json(),
    }
