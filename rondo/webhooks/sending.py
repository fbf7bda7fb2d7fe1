"""One message over the wire: resolved once, sent to exactly the address that was checked, within a time that ends.

The standard library's HTTP client is used, which knows neither redirects nor proxies: both would lead to addresses that
nobody checked. TLS certificates are verified against the name.
"""

import http.client
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import gettext as _

from rondo import outside
from rondo.errors import InputError
from rondo.outside import Networks, Target

SECONDS = 15.0
"""How long one attempt may take in all, from the name to the end of the answer."""
_RESOLVING = 5.0
_EXCERPT = 1000
_READ = 4096
_TRIED = 3
"""Of many addresses of a name so many are tried."""

Resolver = Callable[[str, int], list[str]]


class _Late(TimeoutError):
    """The time of an attempt is over."""


@dataclass(frozen=True)
class Answer:
    """What came of an attempt. ``status``: None where no answer came, and ``error`` says why. ``retry_after``: seconds
    that the receiver asks for. ``text`` is the beginning of what it said."""

    status: int | None
    milliseconds: int
    error: str = ""
    text: str = ""
    retry_after: int | None = None

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it: any 2xx."""
        return self.status is not None and 200 <= self.status < 300


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allowed: Networks = (),
    seconds: float = SECONDS,
    resolve: Resolver | None = None,
) -> Answer:
    """Send a message; never raises, whatever the other side does. ``resolve`` gives the addresses of a name."""
    begun = time.monotonic()
    status, text, error, wait = None, "", "", None
    try:
        where = outside.target(url, allowed)
        addresses = _addresses(where, allowed, resolve or _resolved)
        status, text, wait = _exchange(where, addresses, body, headers, begun + seconds)
    except InputError as refused:
        error = str(refused)
    except TimeoutError:
        error = _("No answer within %(seconds)d seconds.") % {"seconds": round(seconds)}
    except ssl.SSLCertVerificationError as broken:
        error = _("Its certificate is not valid for this address: %(why)s.") % {"why": broken.verify_message}
    except (OSError, http.client.HTTPException, UnicodeError) as broken:
        late = time.monotonic() >= begun + seconds
        told = str(getattr(broken, "strerror", "") or broken or type(broken).__name__)[:150]
        error = (
            _("No answer within %(seconds)d seconds.") % {"seconds": round(seconds)}
            if late
            else _("The connection failed: %(why)s.") % {"why": told}
        )
    return Answer(status, round((time.monotonic() - begun) * 1000), error, text, wait)


def _addresses(where: Target, allowed: Networks, resolve: Resolver) -> list[str]:
    """The addresses that may be called; raises InputError where none is left."""
    found = [where.host] if where.literal is not None else resolve(where.host, where.port)
    if not found:
        raise InputError(_("%(host)s has no address; check the name."), host=where.host)
    usable, refused = [], ""
    for address in dict.fromkeys(found):
        if why := outside.refusal(address, allowed, where.scheme):
            refused = refused or _("%(host)s: %(address)s %(why)s.") % {
                "host": where.host,
                "address": address,
                "why": _(why),
            }
        else:
            usable.append(address)
    if not usable:
        raise InputError(refused)
    return usable[:_TRIED]


def _resolved(host: str, port: int) -> list[str]:
    """What the machine's resolver says, which has no time of its own to end: it is left behind where it takes long."""
    said: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            said.put([str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)])
        except (OSError, UnicodeError) as error:
            said.put(error if isinstance(error, OSError) else OSError(str(error)))

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        found = said.get(timeout=_RESOLVING)
    except queue.Empty:
        raise InputError(_("The name %(host)s was not resolved in time."), host=host) from None
    if isinstance(found, OSError):
        raise InputError(_("%(host)s has no address; check the name."), host=host)
    return found


def _exchange(
    where: Target, addresses: list[str], body: bytes, headers: Mapping[str, str], until: float
) -> tuple[int, str, int | None]:
    """Status, beginning of the answer, and seconds to wait."""
    sock = _connected(addresses, where.port, until)
    if where.scheme == "https":
        sock = _tls().wrap_socket(sock, server_hostname=where.host, do_handshake_on_connect=False)
    # Time runs out for the whole exchange: one byte now and then would keep a timeout of the socket from ever coming.
    watch = threading.Timer(max(0.0, until - time.monotonic()), _cut, [sock])
    watch.daemon = True
    watch.start()
    try:
        if isinstance(sock, ssl.SSLSocket):
            sock.do_handshake()
        connection = http.client.HTTPConnection(where.host, where.port)
        connection.sock = sock
        sent = {"Host": where.host_header, "Content-Length": str(len(body)), "Connection": "close", **headers}
        connection.putrequest("POST", where.path, skip_host=True, skip_accept_encoding=True)
        for name, value in sent.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        with connection.getresponse() as response:
            if time.monotonic() >= until:  # cut off within the head
                raise _Late
            text = b""
            with suppress(OSError, http.client.HTTPException):  # the status has been said; the rest is for the log
                while len(text) < _READ and (part := response.read1(_READ)):
                    text += part
            wait = response.headers.get("Retry-After", "")
            said = text.decode("utf-8", "replace").replace("\x00", "�")[:_EXCERPT]
            return response.status, said, int(wait) if wait.isdecimal() and len(wait) < 8 else None
    finally:
        watch.cancel()
        with suppress(OSError):
            sock.close()


def _connected(addresses: list[str], port: int, until: float) -> socket.socket:
    failed: OSError = _Late()
    for address in addresses:
        left = until - time.monotonic()
        if left <= 0:
            raise _Late
        try:
            return socket.create_connection((address, port), timeout=left)
        except OSError as error:
            failed = error
    raise failed


def _cut(sock: socket.socket) -> None:
    """End the connection under whoever reads from it; of TLS, too, whose own way out would wait for the other side."""
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Verifies certificates and names; reads the machine's authorities once."""
    return ssl.create_default_context()
