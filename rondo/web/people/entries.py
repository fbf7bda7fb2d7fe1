"""Audit entries as they are shown: in words, with what is masked for the viewer masked, and a link to each record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from rondo.customers.identifiers import DOTS
from rondo.customers.models import AttributeDefinition
from rondo.customers.queries import survivors_of, visible
from rondo.foundation.models import AuditEntry, Role, Team, User
from rondo.foundation.rights import MASKS, REACHES, RIGHTS, has_right
from rondo.interactions.audited import OF_ATTRIBUTE, hides, holds_others, names_hidden
from rondo.web import formats
from rondo.web.customers.fields import catalogue
from rondo.web.customers.filters import parse
from rondo.web.people.records import KINDS, named
from rondo.web.people.wording import ABOUT, DONE, DOORS, FIELDS, VALUES

_NEVER = "–"
_MORE = "…"


@dataclass(frozen=True)
class Field:
    """One field: from what to what."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Entry:
    """One entry, ready to be written."""

    id: int
    at: datetime
    who: str
    who_url: str
    door: str
    verb: str
    record: str
    url: str
    fields: list[Field]


def verb_words(verb: str) -> str:
    """What was done, in words: "Identifier added"; a verb without words of its own stands as it is."""
    if verb in {"link.made", "link.used"}:  # other verbs of links are those between customers
        return _("Sign-in link made") if verb == "link.made" else _("Signed in by a link")
    about, _dot, done = verb.partition(".")
    subject = ABOUT.get(about) or (KINDS[about].label if about in KINDS else about)
    return f"{subject}: {DONE.get(done, done.replace('_', ' '))}"


def shown(viewer: User, rows: Sequence[AuditEntry]) -> list[Entry]:
    """The entries in words, for ``viewer``."""
    records = named(viewer, [(row.record_type, row.record_id) for row in rows])
    names = _names(viewer, rows)
    labels = _labels(rows)
    administers = has_right(viewer, "administer")
    made = []
    for row in rows:
        kind = KINDS.get(row.record_type)
        label = str(kind.label) if kind is not None else row.record_type
        name, url = records.get((row.record_type, row.record_id), ("", ""))
        who = str(row.actor) if row.actor is not None else _("the system")
        made.append(
            Entry(
                row.pk,
                row.at,
                who,
                KINDS["user"].address(row.actor) if administers and row.actor is not None else "",
                str(DOORS.get(row.door, row.door)),
                verb_words(row.verb),
                f"{label}: {name}" if name else label,
                url,
                _fields(viewer, row, names, labels),
            )
        )
    return made


def _labels(rows: Sequence[AuditEntry]) -> dict[str, str]:
    """What the attributes are called whose values stand in the entries."""
    if not any(field.startswith(OF_ATTRIBUTE) for row in rows for field in row.changes):
        return {}
    return {f"{OF_ATTRIBUTE}{row.key}": row.label for row in AttributeDefinition.everything.all()}


def _names(viewer: User, rows: Sequence[AuditEntry]) -> dict[tuple[str, Any], str]:
    """Names of the users, teams and columns of lists whose keys stand in the entries, and of other customers, those
    that the viewer may see."""
    wanted: dict[str, set[int]] = {"owner": set(), "team": set(), "parent": set()}
    for row in rows:
        for field, values in row.changes.items():
            if field in wanted:
                wanted[field].update(value for value in values if isinstance(value, int))
    found: dict[tuple[str, Any], str] = {
        ("owner", user.pk): str(user) for user in User.objects.filter(pk__in=wanted["owner"])
    }
    teams = wanted["team"] | wanted["parent"]
    for team in Team.objects.filter(pk__in=teams) if teams else []:
        found["team", team.pk] = found["parent", team.pk] = team.name
    others = {
        value
        for row in rows
        for field, values in row.changes.items()
        if holds_others(row, field) and isinstance(values, list)
        for value in values
        if isinstance(value, int)
    }
    if others:
        stands = survivors_of(viewer, list(others))
        people = visible(viewer).in_bulk({stands.get(key, key) for key in others})
        found |= {("other", key): str(people[now]) for key in others if (now := stands.get(key, key)) in people}
    if any(row.verb == "customers.exported" or "query" in row.changes for row in rows):
        fields = catalogue(viewer)
        found |= {("column", key): str(field.label) for key, field in fields.items()}
        for text in {text for row in rows for value in row.changes.get("query", ()) for text in _filters(value)}:
            conditions, _flaws = parse([text], fields, viewer)
            if conditions:
                found["filter", text] = str(conditions[0].words())
    return found


def _filters(kept: Any) -> list[str]:
    return list(map(str, kept.get("f") or ())) if isinstance(kept, dict) else []


def _fields(viewer: User, row: AuditEntry, names: dict[tuple[str, Any], str], labels: dict[str, str]) -> list[Field]:
    made = []
    for field, values in row.changes.items():
        if field == "unique_key":  # follows the value
            continue
        before, after = values if isinstance(values, list) and len(values) == 2 else (None, values)
        if hides(viewer, row.verb, field) or names_hidden(viewer, field, values):
            said = [DOTS if value not in (None, "") else _NEVER for value in (before, after)]
        elif holds_others(row, field) and any(isinstance(value, int) for value in (before, after)):
            # Keys of other customers, who may not be the viewer's to see.
            said = [
                _NEVER if value is None else names.get(("other", value), _("another customer"))
                for value in (before, after)
            ]
        else:
            said = [_said(field, value, names) for value in (before, after)]
        label = _("Default") if (row.record_type, field) == ("attribute", "default") else FIELDS.get(field)
        made.append(Field(labels.get(field) or str(label or field.replace("_", " ")), *said))
    return made


def _said(field: str, value: Any, names: dict[tuple[str, Any], str]) -> str:
    if value is None or value == "" or value == []:
        return _NEVER
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int) and (field, value) in names:
        return names[field, value]
    if field == "role" and isinstance(value, str):
        return str(Role(key=value))
    if field == "rights" and isinstance(value, list):
        return ", ".join(str(RIGHTS.get(one, one)) for one in value)
    if field == "masked" and isinstance(value, list):
        return ", ".join(str(MASKS.get(one, one)) for one in value)
    if field == "reaches" and isinstance(value, dict):
        return ", ".join(f"{key}: {REACHES.get(reach, reach)}" for key, reach in value.items())
    if isinstance(value, str) and value in VALUES.get(field, {}):
        return str(VALUES[field][value])
    if field == "reach" and value in REACHES:
        return str(REACHES[value])
    if value in ("True", "False"):
        return _("yes") if value == "True" else _("no")
    if field == "list" and isinstance(value, dict):
        return _taken(value, names)
    if field == "query" and isinstance(value, dict):
        return _kept(value, names)
    if isinstance(value, list):
        return ", ".join(_item(one) for one in value)
    if field.endswith("_at") and isinstance(value, str) and (moment := parse_datetime(value)) is not None:
        return formats.moment(moment)
    if isinstance(value, str) and (found := _day(value)) is not None:
        return formats.day(found)
    return str(value)[:300]


def _taken(asked: dict[str, Any], names: dict[tuple[str, Any], str]) -> str:
    """Which list somebody took out of the house, and in what form."""

    sort = str(asked.get("sort", ""))
    parts = [
        (_("format"), str(asked.get("form", "csv")).upper()),
        (_("rule"), asked.get("rule")),
        (_("filters"), ", ".join(map(str, asked.get("f") or ()))),
        (_("search"), asked.get("q")),
        (_("sorted by"), f"{_column(sort.lstrip('-'), names)} {'↓' if sort.startswith('-') else '↑'}" if sort else ""),
        (_("columns"), ", ".join(_column(key, names) for key in asked.get("columns") or ())),
    ]
    return "; ".join(f"{label} {said}" for label, said in parts if said)[:600]


def _kept(asked: dict[str, Any], names: dict[tuple[str, Any], str]) -> str:
    """What a view keeps of the list."""
    layouts = {"board": _("board"), "chart": _("chart")}
    sort, by = str(asked.get("sort", "")), str(asked.get("by", ""))
    parts = [
        (_("rule"), asked.get("rule")),
        (_("filters"), ", ".join(names.get(("filter", text), _MORE) for text in asked.get("f") or ())),
        (_("sorted by"), f"{_column(sort.lstrip('-'), names)} {'↓' if sort.startswith('-') else '↑'}" if sort else ""),
        (_("columns"), ", ".join(_column(str(key), names) for key in asked.get("cols") or ())),
        (_("rows a page"), asked.get("size")),
        (_("drawn as"), layouts.get(str(asked.get("as", "")))),
        (_("by"), _column(by, names) if by else ""),
    ]
    return "; ".join(f"{label} {said}" for label, said in parts if said)[:600] or _("everybody")


def _column(key: str, names: dict[tuple[str, Any], str]) -> str:
    return names.get(("column", key), key)


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:  # the form of a day, but none
        return None


def _item(value: Any) -> str:
    """One of several values: a choice by what it is called, anything else as it is."""
    if isinstance(value, dict) and "value" in value:
        return str(value.get(formats.language()) or value["value"])
    return str(value)
