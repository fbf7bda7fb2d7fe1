"""How a file that came in by the browser is to be read, as a person chose it and as it is kept."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from rondo.errors import InputError
from rondo.foundation.loading.fields import ImportOptions

MATCHES = ("both", "create", "update")


@dataclass(frozen=True)
class Choice:
    """How a file is to be read. ``mapping``: field → column. ``constants``: field → value for every row. ``define``:
    attribute key → [type, form], made if missing. ``match_by``: the identifiers that tell who a row is, all if none.
    ``match``: both (create and update), create (known records stay as they are) or update (new ones are left out).
    ``owner``: key of the user who owns the customers created. The rest as in
    :class:`~rondo.foundation.loading.fields.ImportOptions`."""

    mapping: dict[str, str] = field(default_factory=dict)
    define: dict[str, list[str]] = field(default_factory=dict)
    match: str = "both"
    owner: int | None = None
    customer_by: str = "external"
    constants: dict[str, str] = field(default_factory=dict)
    match_by: list[str] = field(default_factory=list)
    region: str = ""
    time_zone: str = ""
    date_format: str = ""
    decimal: str = ""
    delimiter: str = ""
    encoding: str = ""
    header_line: int = 0

    @classmethod
    def of(cls, stored: dict[str, Any]) -> "Choice":
        """The choice kept as JSON; what is unknown in it is left out."""
        return cls(**{name: value for name, value in stored.items() if name in cls.__dataclass_fields__})

    def options(self, *, dry_run: bool) -> ImportOptions:
        """As the engine takes it; raises InputError where a value is not usable."""
        if self.match not in MATCHES:
            raise InputError(
                _("match=%(value)r: one of %(values)s is needed.") % {"value": self.match, "values": ", ".join(MATCHES)}
            )
        return ImportOptions(
            on_match="skip" if self.match == "create" else "update",
            on_new="skip" if self.match == "update" else "create",
            owner=self.owner,
            dry_run=dry_run,
            customer_by=self.customer_by,  # type: ignore[arg-type]  # checked by ImportOptions itself
            region=self.region,
            time_zone=self.time_zone,
            date_format=self.date_format,
            decimal=self.decimal,
            delimiter=self.delimiter,
            encoding=self.encoding,
            header_line=self.header_line,
            constants=self.constants,
            match_by=tuple(self.match_by),
            define={key: (kind, form) for key, (kind, form) in self.define.items()},
        )
