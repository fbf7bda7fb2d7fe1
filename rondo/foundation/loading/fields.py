"""What a loader takes: fields with a type, a meaning and bounds; and the options of one run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from django.utils.translation import gettext as _

from rondo.errors import InputError

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

FieldType = Literal[
    "key",
    "text",
    "long_text",
    "date",
    "instant",
    "money",
    "quantity",
    "number",
    "boolean",
    "choice",
    "currency",
    "country",
]

MATCHING = ("external", "email", "phone", "card")
"""The identifiers that can tell who a row of customers is."""


@dataclass(frozen=True)
class Field:
    """One field of an import kind.

    ``type`` decides the staged column: ``key``, ``text``, ``long_text``, ``choice``, ``currency``, ``country`` →
    string;
    ``date`` → date32; ``instant`` → timestamp[us] in UTC; ``money`` → int64 minor units; ``quantity`` → int64
    thousandths; ``number`` → float64; ``boolean`` → bool. ``max_length`` bounds strings, ``choices`` names the values
    of a choice, ``minimum`` bounds money and quantity. ``code``: the text goes into the columnar copy, so that it
    may be a short name of a thing, but no sentence and no address. ``past``: a day that is not to come, so that one
    with two digits of its year is of the century before.
    """

    type: FieldType
    meaning: "_StrOrPromise"
    required: bool = False
    max_length: int = 255
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    code: bool = False
    past: bool = False


@dataclass(frozen=True)
class ImportOptions:
    """How one file is to be read and written.

    ``on_match``: what happens to a known customer, product or campaign. ``on_new``: whether unknown ones are created or
    their rows left out. ``owner``: key of the user who owns the customers created. ``strict``: one bad row refuses the
    file. ``time_zone``: zone of times that carry none (default: the company's). ``region``: country of phone numbers
    without a
    country code. ``constants``: field → value for every row. ``define``: attribute key → (type, form of segmentation),
    made if missing. ``customer_by``: which identifier the field ``customer`` holds. ``match_by``: which identifiers
    tell who a row of customers is (all, unless some are named). ``is_demo`` marks invented data.
    ``date_format`` (strptime style), ``decimal``, ``delimiter``, ``encoding`` and ``header_line`` (where
    the names of the columns stand; 0: not said) overrule what is detected.
    """

    on_match: Literal["update", "skip"] = "update"
    on_new: Literal["create", "skip"] = "create"
    owner: int | None = None
    strict: bool = False
    dry_run: bool = False
    date_format: str = ""
    decimal: str = ""
    delimiter: str = ""
    encoding: str = ""
    header_line: int = 0
    time_zone: str = ""
    region: str = ""
    constants: Mapping[str, str] = field(default_factory=dict)
    define: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    customer_by: Literal["external", "email", "phone", "card"] = "external"
    match_by: tuple[str, ...] = ()
    is_demo: bool = False
    chunk_rows: int = 40_000

    def __post_init__(self) -> None:
        if self.on_match not in {"update", "skip"}:
            raise InputError(_("on_match=%(value)r: 'update' or 'skip' is needed.") % {"value": self.on_match})
        if self.on_new not in {"create", "skip"}:
            raise InputError(_("on_new=%(value)r: 'create' or 'skip' is needed.") % {"value": self.on_new})
        if self.on_new == self.on_match == "skip":
            raise InputError(_("Known records are left as they are and new ones left out: nothing would be imported."))
        if self.decimal not in {"", ".", ","}:
            raise InputError(_("decimal=%(value)r: '.' or ',' is needed.") % {"value": self.decimal})
        if self.customer_by not in {"external", "email", "phone", "card"}:
            raise InputError(
                _("customer_by=%(value)r: one of external, email, phone, card is needed.") % {"value": self.customer_by}
            )
        if unknown := sorted(set(self.match_by) - set(MATCHING)):
            raise InputError(
                _("match_by=%(value)r: some of %(known)s are needed.")
                % {"value": ", ".join(unknown), "known": ", ".join(MATCHING)}
            )

    def meaning(self) -> dict[str, object]:
        """The options that decide what a file means, as JSON: part of a load's fingerprint."""
        # what was not there when files of older runs were read stands in only where it says something
        later: dict[str, object] = {"on_new": self.on_new} if self.on_new != "create" else {}
        if self.owner is not None:
            later["owner"] = self.owner
        if self.header_line:
            later["header_line"] = self.header_line
        if self.match_by:
            later["match_by"] = sorted(set(self.match_by))
        return {
            **later,
            "on_match": self.on_match,
            "date_format": self.date_format,
            "decimal": self.decimal,
            "delimiter": self.delimiter,
            "encoding": self.encoding,
            "time_zone": self.time_zone,
            "region": self.region,
            "constants": dict(sorted(self.constants.items())),
            "define": {key: list(value) for key, value in sorted(self.define.items())},
            "customer_by": self.customer_by,
            "is_demo": self.is_demo,
        }
