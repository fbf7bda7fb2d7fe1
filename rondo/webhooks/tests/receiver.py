"""A receiver as an integrator would write one, on the loopback, that behaves or misbehaves as a test says."""

import base64
import hashlib
import hmac
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answering = Callable[["Handler"], None]


def signature_is_good(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether one of the signatures is that of the body, reckoned by the text of the standard and not by our code."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = headers["webhook-id"].encode() + b"." + headers["webhook-timestamp"].encode() + b"." + body
    wanted = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    given = [part.split(",", 1) for part in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(wanted, value) for version, value in given)


@dataclass
class Got:
    """One request that came in."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """What came in, and how each request is answered in turn: a status, or a function; the last one stays."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    script: list[int | Answering] = field(default_factory=lambda: [204])
    at_once: int = 0
    most_at_once: int = 0
    lock: Any = field(default_factory=threading.Lock)


class Handler(BaseHTTPRequestHandler):
    """Keeps the request, then does what the script says."""

    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver = self.receiver
        with receiver.lock:
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.got.append(Got(self.path, headers, body))
            step = receiver.script.pop(0) if len(receiver.script) > 1 else receiver.script[0]
            receiver.at_once += 1
            receiver.most_at_once = max(receiver.most_at_once, receiver.at_once)
        try:
            if callable(step):
                step(self)
            else:
                self.answer(step)
        except OSError:
            pass  # the sender has gone
        finally:
            with receiver.lock:
                receiver.at_once -= 1

    def answer(self, status: int, text: bytes = b"thanks", **headers: str) -> None:
        """Answer with a status, a text and headers."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if status not in (204, 304):
            self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the screen."""


@contextmanager
def receiving(*script: int | Answering, host: str = "127.0.0.1") -> Iterator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver(script=list(script) or [204])
    server = ThreadingHTTPServer((host, 0), type("Bound", (Handler,), {"receiver": receiver}))
    server.daemon_threads = True
    receiver.url = f"http://{host}:{server.server_address[1]}/hooks?of=rondo"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def free_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
