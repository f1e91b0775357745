"""Who may ask the scheduler: its own pages, clients and scrapers; no page of another site.

A web page of any site can have a browser send requests to a server that only the browser's machine
reaches. Three things give them away: the site's name in ``Host``, where the site's own name was
made to lead here (DNS rebinding); its ``Origin``; and what browsers say of it in
``Sec-Fetch-Site``. Clients that are no browsers send neither of the last two.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import tornado.web
from tornado.httputil import HTTPServerRequest
from tornado.routing import Router

API = "/api/"
"""The path below which requests change what the scheduler knows, those by GET as well."""

_OWN_SITE = {"", "same-origin", "none"}
_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused.

    Attributes:
        status: the HTTP status.
        reason: one line for whoever sent it.
        offers_page: whether a person may follow the link after all, since only a page is asked for.
    """

    status: HTTPStatus
    reason: str
    offers_page: bool = False


class Access:
    """The rules by which requests are let in.

    Args:
        names: under which the scheduler may be reached besides loopback and the address of the
            connection: host names in small letters, with a port where the URL of a proxy has one.
        password: that is asked for; empty for none.
        address: on which it listens, as it is configured.
    """

    def __init__(
        self, names: Iterable[str] = (), password: str = "", address: str = "localhost"
    ) -> None:
        self._names = frozenset(names)
        self._hosts = frozenset(
            _host_name(name) for name in (*self._names, "localhost", address)
        ) - {""}
        self._password = password.encode()

    def refusal(self, request: HTTPServerRequest) -> Refusal | None:
        """Why a request is refused; None if it is let in."""
        if not self._is_own_host(request):
            return Refusal(
                HTTPStatus.FORBIDDEN,
                f"The scheduler is not known as {request.host}: if this name is one of its own, "
                "add it to [luigid] hosts in the luigi.cfg that it is started with.",
            )
        if not self._is_own_origin(request):
            return Refusal(
                HTTPStatus.FORBIDDEN,
                "The request comes from a page of another site: if that is a proxy of the "
                "scheduler, add its name to [luigid] hosts.",
            )
        if not _is_of_own_site(request):
            return Refusal(
                HTTPStatus.FORBIDDEN,
                "The request comes from a page of another site.",
                offers_page=_asks_for_a_page(request),
            )
        # A link in a mail is of no site; no page of the scheduler has links to its interface.
        if request.path.startswith(API) and request.headers.get("Sec-Fetch-Mode") == "navigate":
            return Refusal(HTTPStatus.FORBIDDEN, "The interface is for programs, not for links.")
        if self._password and not self._has_password(request.headers.get("Authorization", "")):
            return Refusal(
                HTTPStatus.UNAUTHORIZED,
                "The scheduler asks for its password: name it before the host in its URL, as "
                "luigi:PASSWORD@host:port.",
            )
        return None

    def _is_own_host(self, request: HTTPServerRequest) -> bool:
        name = _host_name(request.host)
        if name in self._hosts:
            return True
        try:
            is_loopback = ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False
        return is_loopback or name == _local_address(request)

    def _is_own_origin(self, request: HTTPServerRequest) -> bool:
        origin = request.headers.get("Origin")
        if origin is None:
            return True
        scheme, _, netloc = origin.lower().partition("://")
        netloc = netloc.removesuffix(_PORTS.get(scheme, ":"))
        own = request.host.lower().removesuffix(_PORTS.get(scheme, ":"))
        return scheme in _PORTS and (netloc == own or netloc in self._names)

    def _has_password(self, authorization: str) -> bool:
        scheme, _, value = authorization.partition(" ")
        given = b""
        if scheme.lower() == "bearer":
            given = value.strip().encode()
        elif scheme.lower() == "basic":
            try:
                # Any user is let in who knows the password.
                given = base64.b64decode(value, validate=True).partition(b":")[2]
            except (binascii.Error, ValueError):
                return False
        return hmac.compare_digest(given, self._password)


def _is_of_own_site(request: HTTPServerRequest) -> bool:
    site = request.headers.get("Sec-Fetch-Site", "")
    if site not in _OWN_SITE:
        return False
    # Over plain HTTP to another machine, browsers do not say which site a request comes from, and
    # send no Origin with a GET. What their scripts alone can send shows that it is a page's own.
    is_silent_browser = not site and request.headers.get("User-Agent", "").startswith("Mozilla/")
    return not (
        is_silent_browser
        and request.path.startswith(API)
        and "X-Requested-With" not in request.headers
        and "Origin" not in request.headers
    )


def _asks_for_a_page(request: HTTPServerRequest) -> bool:
    return (
        request.method == "GET"
        and request.headers.get("Sec-Fetch-Mode") == "navigate"
        and request.headers.get("Sec-Fetch-Dest") == "document"
        and not request.path.startswith(API)
    )


def _host_name(host: str) -> str:
    """The name or the address in a Host header, as one writes it; empty if there is none."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return ""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name


def _local_address(request: HTTPServerRequest) -> str:
    """The address of this machine to which the request was sent."""
    stream: Any = getattr(request.connection, "stream", None)
    if stream is None or stream.closed():
        return ""
    address = ipaddress.ip_address(stream.socket.getsockname()[0].partition("%")[0])
    return str(getattr(address, "ipv4_mapped", None) or address)


class RefusalHandler(tornado.web.RequestHandler):
    """Answers a request that is refused."""

    def initialize(self, refusal: Refusal) -> None:
        """Take the reason."""
        self.refusal = refusal

    def prepare(self) -> None:
        """Answer, whatever the method."""
        self.set_status(self.refusal.status)
        if self.refusal.status == HTTPStatus.UNAUTHORIZED:
            self.set_header("WWW-Authenticate", 'Basic realm="scheduler", charset="UTF-8"')
        if self.refusal.offers_page:
            self.finish(
                f"<!doctype html><title>Open the scheduler's page?</title><p>"
                f"{self.refusal.reason}</p><p><a href=''>Open the scheduler's page</a></p>"
            )
            return
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{self.refusal.reason}\n")


class GuardedRouter(Router):
    """Hands an application the requests that are let in, on every route that it has."""

    def __init__(self, application: tornado.web.Application, access: Access) -> None:
        self.application = application
        self.access = access

    def find_handler(self, request: HTTPServerRequest, **_kwargs: Any) -> Any:
        """What answers a request."""
        refusal = self.access.refusal(request)
        if refusal is None:
            return self.application.find_handler(request)
        return self.application.get_handler_delegate(request, RefusalHandler, {"refusal": refusal})
