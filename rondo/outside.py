"""Which addresses Rondo may call that somebody typed in: the guard against requests to what lies within the house.

Whoever may name an address could otherwise let the server ask its own network for them (server-side request forgery).
An address is checked twice: as it is written, when somebody sets it up, and what its name resolves to, each time before
a connection is made to exactly that address. Networks of the house can be allowed by name (RONDO_WEBHOOK_NETWORKS).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from rondo.errors import InputError
from rondo.speech import gettext, gettext_noop

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]

LONGEST = 1000
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_WITHIN = {"localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "localdomain", "arpa"}
"""Last labels of names that mean something within a house alone."""
_NEVER = [
    ip_network(text)
    for text in ("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32", "168.63.129.16/32", "::/128")
] + [ip_network(text) for text in ("fe80::/10", "ff00::/8", "fd00:ec2::254/128", "fd20:ce::254/128")]
"""What no setting allows: nothing, a whole network, and where clouds tell a machine its own credentials."""
_GLOBAL_6 = IPv6Network("2000::/3")
_CARRIERS = [ip_network(text) for text in ("2001::/32", "2002::/16", "2001:db8::/32", "3fff::/20", "192.88.99.0/24")]
"""Addresses that carry another one (Teredo, 6to4), or stand in documents."""


@dataclass(frozen=True)
class Target:
    """An address taken apart; ``host`` without brackets, ``path`` with its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def literal(self) -> Address | None:
        """The host as an address, where it is one and no name."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None

    @property
    def host_header(self) -> str:
        """Host and, where it is not the usual one, port, as HTTP writes them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme]
        return host if self.port == usual else f"{host}:{self.port}"


def networks(text: str) -> Networks:
    """The networks of a setting, by comma or space.

    Raises:
        InputError: one that is none, or that holds what is never allowed.
    """
    found: list[IPv4Network | IPv6Network] = []
    for part in text.replace(",", " ").split():
        try:
            found.append(ip_network(part))
        except ValueError as error:
            raise InputError(
                gettext_noop(
                    "RONDO_WEBHOOK_NETWORKS: %(part)r is no network (%(error)s); write 10.1.0.0/16 or 192.168.5.7."
                ),
                part=part,
                error=error,
            ) from error
    return tuple(found)


def target(url: str, allowed: Networks = ()) -> Target:
    """Take an address apart that somebody typed in, and refuse what could not be called whatever it resolves to.

    Without ``allowed`` networks it has to be https, under a name that is known outside or a public address; with them
    http and names of the house pass here, and :func:`refusal` decides once the name is resolved.

    Raises:
        InputError: says which part is not usable, and what would be.
    """
    if len(url) > LONGEST or not re.fullmatch(r"[!-~]+", url) or "\\" in url:
        raise _unusable(gettext_noop("an address has up to 1,000 characters of ASCII and no blanks; names as xn--…"))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _unusable(gettext_noop("an address such as https://example.org/hooks is needed")) from error
    if parts.scheme not in {"http", "https"}:
        raise _unusable(gettext_noop("it has to begin with https://"))
    if "@" in parts.netloc:
        raise _unusable(gettext_noop("no name and password in it; the signature says who calls"))
    if "#" in url:
        raise _unusable(gettext_noop("nothing behind a #; it would never be sent"))
    host = (parts.hostname or "").lower()
    usual = {"http": 80, "https": 443}[parts.scheme]
    found = Target(parts.scheme, host, usual if port is None else port, _path(parts.path, parts.query))
    if found.port not in {80, 443} and not 1024 <= found.port <= 65535:
        raise _unusable(gettext_noop("the port has to be 80, 443 or from 1024 on"))
    _check_host(found, bracketed="[" in parts.netloc, allowed=allowed)
    if found.scheme == "http" and not allowed:
        raise _unusable(gettext_noop("it has to begin with https://; http would send it in the clear"))
    return found


def refusal(address: str, allowed: Networks = (), scheme: str = "https") -> str:
    """Why nothing is sent to an address that a name resolved to: a sentence, or empty where it may be called.

    Public addresses are called by https, those of ``allowed`` networks by http, too.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return gettext_noop("is no address")
    if any(_holds(network, found) for network in _NEVER):
        return gettext_noop("is an address that is never called")
    if any(_holds(network, found) for network in allowed):
        return ""
    if isinstance(found, IPv6Address) and (found not in _GLOBAL_6 or found.ipv4_mapped is not None):
        return gettext_noop("is no public address")
    if not found.is_global or found.is_multicast or found.is_reserved or any(_holds(one, found) for one in _CARRIERS):
        return gettext_noop("is no public address")
    return "" if scheme == "https" else gettext_noop("is called by https alone")


def _holds(network: IPv4Network | IPv6Network, address: Address) -> bool:
    return network.version == address.version and address in network


def _check_host(found: Target, *, bracketed: bool, allowed: Networks) -> None:
    literal = found.literal
    if bracketed and not isinstance(literal, IPv6Address):
        raise _unusable(gettext_noop("between [ and ] stands an IPv6 address"))
    if literal is not None:
        if getattr(literal, "scope_id", None):
            raise _unusable(gettext_noop("an address names no interface of a machine"))
        if why := refusal(found.host, allowed):
            raise InputError(
                gettext_noop(
                    "%(host)s %(why)s. Name one that is reached from outside; a network of the house is allowed by "
                    "the setting RONDO_WEBHOOK_NETWORKS."
                ),
                host=found.host,
                why=_Said(why),
            )
        return
    labels = found.host.removesuffix(".").split(".")
    if not all(_LABEL.fullmatch(label) for label in labels) or len(found.host) > 253:
        raise _unusable(gettext_noop("the name of the machine is none"))
    if _NUMBER.fullmatch(labels[-1]):  # 2130706433, 0x7f.1, 0177.0.0.1: read as addresses by some
        raise _unusable(gettext_noop("an IPv4 address is written as four numbers from 0 to 255 without leading zeros"))
    if not allowed and (len(labels) == 1 or labels[-1] in _WITHIN):
        raise _unusable(gettext_noop("a name that is known outside is needed, such as hooks.example.org"))


def _path(path: str, query: str) -> str:
    return (path or "/") + (f"?{query}" if query else "")


def _unusable(why: str) -> InputError:
    return InputError(gettext_noop("This address cannot be used: %(why)s."), why=_Said(why))


class _Said(str):
    """A part of a sentence, said in the language in force when the whole is read."""

    def __str__(self) -> str:
        return gettext(str.__str__(self))
