"""The mail server of RONDO_MAIL_URL, read into its parts."""

from dataclasses import dataclass
from email.utils import parseaddr
from urllib.parse import parse_qsl, unquote, urlsplit

from rondo.errors import InputError
from rondo.speech import gettext_noop

_PORTS = {"smtp": 25, "smtps": 465}
_EXAMPLE = gettext_noop("RONDO_MAIL_URL: %(problem)s; write smtp://user:password@host:587?starttls=1 or smtps://host.")


@dataclass(frozen=True)
class MailServer:
    """Where mails are handed over, who signs in there, and how the connection is encrypted."""

    host: str
    port: int
    user: str
    password: str
    ssl: bool
    starttls: bool


def mail_server(url: str, sender: str) -> MailServer | None:
    """The server; None where no ``url`` is given.

    Raises:
        InputError: an address that is none, or no ``sender`` (RONDO_MAIL_FROM) to it. The password is not repeated.
    """
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InputError(_EXAMPLE, problem=error) from error
    scheme, _plus, tls = parts.scheme.partition("+")
    options = dict(parse_qsl(parts.query))
    if scheme not in _PORTS or tls not in {"", "starttls"} or not parts.hostname or set(options) - {"starttls"}:
        raise InputError(_EXAMPLE, problem=f"{parts.scheme}://{parts.hostname or ''}")
    starttls = tls == "starttls" or options.get("starttls") == "1"
    if starttls and scheme == "smtps":
        raise InputError(_EXAMPLE, problem="smtps, starttls")
    if "@" not in parseaddr(sender)[1]:
        raise InputError(
            gettext_noop(
                "RONDO_MAIL_FROM=%(sender)r: the sender's address is needed, such as Rondo <crm@example.org>."
            ),
            sender=sender,
        )
    return MailServer(
        parts.hostname,
        port or (587 if starttls else _PORTS[scheme]),
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        scheme == "smtps",
        starttls,
    )
