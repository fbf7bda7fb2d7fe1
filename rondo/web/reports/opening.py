"""Opens a page for a person in this process, as the browser would get it: same view, same rights, their language."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode, urljoin, urlsplit

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from rondo.errors import InputError, NotFound
from rondo.foundation.models import User
from rondo.web.reports.tree import Element, parse

NO_REPORT = frozenset(
    {"settings", "profile", "security", "tokens", "welcome", "invitation", "invitations", "service-accounts",
     "service-account", "signing-in-settings", "user-access",
     "standing-rules", "segment-new", "segment-edit", "customer-edit", "palette",
     "api-docs", "reports", "report", "report-new", "report-preview", "page-pdf", "sign-in-by-link", "buying-stages-of",
     "buying-stages-rules", "start", "start-step", "demo-data", "customer-new", "customer-merge", "customer-split",
     "customers-bin-list", "import-file", "attribute-new", "attribute", "attribute-type", "attribute-merge", "user",
     "team", "role", "retention", "webhooks", "webhook-new", "webhook", "webhook-message"}
)  # fmt: skip
"""Pages to type into, which say nothing worth a report."""

ROWS = 250
"""Of a list that goes on so many rows are set at most."""
_HOPS = 3
LONGEST_ADDRESS = 4000


@dataclass(frozen=True)
class Opened:
    """A page as it was opened: its whole address, its title, its main part, and of a list that goes on the rows set."""

    address: str
    title: str
    main: Element
    rows: int | None
    total: int | None


def is_report(match: ResolverMatch | None) -> bool:
    """Whether a page can be had as a report."""
    if match is None or match.url_name is None or match.url_name in NO_REPORT:
        return False
    return getattr(match.func, "is_page", False)


def reportable(request: HttpRequest) -> str:
    """The address by which the page of this request is to be had as a report, for a query; empty if it is not."""
    if request.method != "GET" or not is_report(request.resolver_match):
        return ""
    return urlencode({"page": request.get_full_path()})


def local(address: str) -> str:
    """The path and query of a page of this installation, from an address that somebody pasted.

    Raises:
        InputError: it is none, or one of another site, or of a page that has no report.
    """
    text = address.strip()
    parts = urlsplit(text)
    own = urlsplit(settings.RONDO_URL)
    if len(text) > LONGEST_ADDRESS or (parts.netloc and parts.netloc != own.netloc):
        raise InputError(
            _("%(address)s is no page of this installation; its addresses begin with %(own)s/.")
            % {"address": text[:200], "own": settings.RONDO_URL}
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        match = resolve(parts.path or "/")
    except Resolver404:
        match = None
    if not path.startswith("/") or not is_report(match):
        raise InputError(
            _("%(address)s cannot be a report; open a page of figures and copy its address.") % {"address": text[:200]}
        )
    return path


def open_page(viewer: User, address: str, session: Mapping[str, Any] | None = None) -> Opened:
    """The page at ``address`` (path and query) as ``viewer`` may see it now, with the parts that a browser loads later
    and, of a list that goes on, its first :data:`ROWS` rows.

    Raises:
        NotFound: nothing is there, or nothing that the viewer may see. Other errors are those of the page.
    """
    address, response = _asked(viewer, address, session or {})
    document = parse(response.content.decode())
    main = document.by_id("main")
    title = document.first("title")
    if main is None or response.status_code != 200:
        raise NotFound(_("%(address)s is there no more, or not yours to see.") % {"address": address})
    _load_parts(viewer, main, session or {})
    rows, total = _load_rows(viewer, main, session or {})
    named = title.text.rpartition(" · ")[0] if title is not None else ""
    return Opened(settings.RONDO_URL + address, named, main, rows, total)


def _asked(viewer: User, address: str, session: Mapping[str, Any], **headers: str) -> tuple[str, HttpResponse]:
    """Where the address leads in the end, and the answer there."""
    for _hop in range(_HOPS):
        request = _request(viewer, address, session, headers)
        try:
            match = resolve(request.path_info)
            if not getattr(match.func, "is_page", False):
                raise Http404(address)
            request.resolver_match = match
            response = match.func(request, *match.args, **match.kwargs)
        except (Resolver404, Http404) as error:
            raise NotFound(_("%(address)s is there no more, or not yours to see.") % {"address": address}) from error
        if response.status_code not in {301, 302}:
            if not response.headers.get("Content-Type", "").startswith("text/html"):
                raise NotFound(_("%(address)s is no page, but a file.") % {"address": address})
            return address, response
        address = urljoin(address, response["Location"])
    raise NotFound(_("%(address)s leads in a circle.") % {"address": address})


def _request(viewer: User, address: str, session: Mapping[str, Any], headers: Mapping[str, str]) -> WSGIRequest:
    parts, own = urlsplit(address), urlsplit(settings.RONDO_URL)
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": own.hostname or "localhost",
        "SERVER_PORT": str(own.port or (443 if own.scheme == "https" else 80)),
        "HTTP_HOST": own.netloc,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": own.scheme,
        "wsgi.input": BytesIO(),
        **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
    }
    request = WSGIRequest(environ)
    request.user = viewer
    request.session = dict(session)  # type: ignore[assignment]  # pages read it as a mapping
    request.LANGUAGE_CODE = get_language() or settings.LANGUAGE_CODE
    request.htmx = HtmxDetails(request)  # type: ignore[attr-defined]
    return request


def _load_parts(viewer: User, main: Element, session: Mapping[str, Any]) -> None:
    """Put in what the page loads when it is shown."""
    for element in list(main.walk()):
        triggers = {trigger.strip() for trigger in element.get("hx-trigger").split(",")}
        if not element.get("hx-get") or not {"load", "revealed"} & triggers or element.tag == "a":
            continue
        _address, response = _asked(viewer, element.get("hx-get"), session, hx_request="true")
        part: Element | None = parse(response.content.decode())
        if part is not None and element.get("hx-select").startswith("#"):
            part = part.by_id(element.get("hx-select")[1:])
        if response.status_code == 200 and part is not None:
            element.children = [part] if element.get("hx-select") else part.children


def _load_rows(viewer: User, main: Element, session: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Put the rows that follow below those of the list; how many are set and how many there are, if it goes on."""
    body = main.first("tbody")
    while body is not None and (more := body.first(css="more-row")) is not None:
        rows = [row for row in body.elements if row is not more]
        link = more.first("a")
        if len(rows) >= ROWS or link is None:
            counted = next((part for part in main.walk() if part.get("data-total")), None)
            return len(rows), int(counted.get("data-total")) if counted is not None else None
        _address, response = _asked(viewer, link.get("href"), session, hx_request="true", hx_target="more")
        body.children = [*rows, *parse(response.content.decode()).elements]
    return None, None
