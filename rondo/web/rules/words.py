"""The words of the builder, in the viewer's language: operators by type of value, units, and what its buttons say."""

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

Choices = list[tuple[str, str]]


def operators(form: str) -> dict[str, str]:
    """What operators are called where values are days (``form`` "date"), texts, numbers or anything else."""
    known = {"known": pgettext("filter", "is known"), "unknown": pgettext("filter", "is not known")}
    same = {"is": pgettext("filter", "is"), "is_not": pgettext("filter", "is not")}
    if form == "date":
        return {
            **same,
            "at_least": pgettext("rule", "since"),
            "at_most": pgettext("rule", "until"),
            "above": pgettext("rule", "after"),
            "below": pgettext("rule", "before"),
            "between": pgettext("filter", "between"),
            "within_last": pgettext("rule", "within the last"),
            "within_next": pgettext("rule", "within the next"),
            "anniversary_last": pgettext("rule", "anniversary within the last"),
            "anniversary_next": pgettext("rule", "anniversary within the next"),
            **known,
        }
    return {
        **same,
        "at_least": pgettext("filter", "at least"),
        "at_most": pgettext("filter", "at most"),
        "above": pgettext("filter", "more than"),
        "below": pgettext("filter", "less than"),
        "between": pgettext("filter", "between"),
        "starts_with": pgettext("rule", "begins with"),
        "contains": pgettext("rule", "contains"),
        **known,
    }


def units() -> Choices:
    """Units of time, as they stand behind a number."""
    return [
        ("days", pgettext("rule", "days")),
        ("weeks", pgettext("rule", "weeks")),
        ("months", pgettext("rule", "months")),
        ("years", pgettext("rule", "years")),
    ]


def modes() -> Choices:
    """How the conditions of a group go together."""
    return [
        ("all", _("all of these hold")),
        ("any", _("at least one of these holds")),
        ("none", _("none of these holds")),
        ("not_all", _("not all of these hold")),
    ]


def groups() -> dict[str, str]:
    """What the list of fields is ordered by."""
    return {
        "attributes": _("Attributes"),
        "value": _("Value and risk"),
        "facts": _("Facts"),
        "stages": _("Stages"),
        "customer": _("Customer"),
        "events": _("Events"),
        "links": _("Links"),
        "segments": _("Segments"),
        "buying stages": _("Buying stages"),
        "interests": _("Interest in categories"),
        "expected": _("What comes next"),
        "examples": _("Examples"),
    }


def forms() -> dict[str, str]:
    """What each form of segmentation asks, as a guide."""
    return {
        "geographic": _("Where they live or buy: region, post code, store."),
        "demographic": _("Who they are: age, household, income, size of a company."),
        "behavioural": _("What they do: purchases, rhythm, answers to campaigns. Usually the strongest."),
        "benefit": _("What they look for: price, convenience, quality, service."),
        "psychographic": _("What they value and how they live; ask them, it is seldom in the data."),
    }


def interface() -> dict[str, str]:
    """What the builder says and its controls are called; places are named in braces."""
    return {
        "add": _("Add condition"),
        "addGroup": _("Add group"),
        "amount": _("Amount"),
        "and": pgettext("rule", "and"),
        "anyKind": _("any contact"),
        "anything": _("Everybody: there is no condition yet."),
        "begin": _("Begin with an example, and change it:"),
        "ago": _("ago"),
        "atLeast": pgettext("filter", "at least"),
        "atMost": pgettext("filter", "at most"),
        "change": _("Change what is asked: {field}"),
        "choose": _("Choose …"),
        "condition": _("Condition {n}"),
        "date": _("Date"),
        "detail": _("Detail"),
        "addDetail": _("Where …"),
        "addCount": _("How often"),
        "addTotal": _("For how much"),
        "addPeriod": _("When"),
        "addStep": _("Then …"),
        "addWithout": _("Then not …"),
        "addWithin": _("Within …"),
        "did": pgettext("rule", "did"),
        "didNot": pgettext("rule", "did not"),
        "drag": _("Drag"),
        "duplicate": _("Duplicate"),
        "duplicated": _("Duplicated."),
        "exactly": pgettext("rule", "exactly"),
        "failed": _("The rule could not be sent; it is tried again with the next change."),
        "filter": _("Search the values"),
        "formAny": _("All"),
        "formNone": _(
            "Nothing here says that yet: it needs an attribute of this form, filled by an import or by asking."
        ),
        "forms": _("Form of segmentation"),
        "fromToday": _("from today"),
        "gone": _("{key} (not there)"),
        "group": _("Group: {mode}"),
        "groupWord": _("Customers for whom"),
        "inGroup": _("Put into a group of its own"),
        "inSegment": _("belongs to"),
        "notInSegment": _("does not belong to"),
        "kind": _("Kind of event"),
        "length": _("Length of time"),
        "linkTo": pgettext("rule", "the customer"),
        "linkBy": pgettext("rule", "another customer"),
        "linkNotTo": pgettext("rule", "not: the customer"),
        "linkNotBy": pgettext("rule", "not: another customer"),
        "linkWay": _("Who is linked"),
        "linkRole": _("Kind of link"),
        "linkWhere": _("and for the other"),
        "linkAny": _("is linked in any way to"),
        "aboutThem": _("Say who the other is"),
        "many": _("{n} are not shown; type to find them."),
        "me": _("me"),
        "mend": _("Mend the text first: {problem}"),
        "missing": _("A value is missing here."),
        "moveDown": _("Move down"),
        "moveUp": _("Move up"),
        "moved": _("Moved."),
        "no": _("no"),
        "nothing": _("Nothing is called that."),
        "nobody": _("Nobody: a group without a condition of which one has to hold."),
        "not": pgettext("rule", "not"),
        "open": _("{n} conditions are not finished."),
        "openOne": _("One condition is not finished."),
        "operator": _("How it is compared"),
        "or": pgettext("rule", "or"),
        "nor": pgettext("rule", "nor"),
        "period": _("Period"),
        "pick": _("What the condition is about"),
        "pickHint": _("Search attributes, facts, stages, events, links and segments"),
        "close": _("Close"),
        "redone": _("Done again."),
        "remove": _("Remove"),
        "removed": _("Removed."),
        "removeNot": _("Remove “not”"),
        "removePart": _("Remove: {part}"),
        "segment": _("Segment"),
        "sequence": _("One after the other: first …, then …"),
        "thenNot": _("then not"),
        "then": _("then"),
        "afterwards": _("all within"),
        "times": _("times"),
        "total": _("in all for"),
        "today": _("today"),
        "undone": _("Undone."),
        "ungroup": _("Take the conditions out of the group"),
        "unit": _("Unit"),
        "value": _("Value"),
        "addValue": _("Another value"),
        "when": _("Which day"),
        "where": _("where"),
        "yes": _("yes"),
    }
