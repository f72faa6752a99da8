"""The front door's reader: from what the parser left to the one canonical `Request`.

It answers with a `Request` whose body was read to its end, or with a `Malformed` that says why
there is none. What cannot be seen from here (bytes that are no HTTP at all, heads that are too slow
or too large) is refused in `gateway.proxy.protocol`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import msgspec
from aiohttp import StreamReader, web

from gateway.core.catalog.model import Provider
from gateway.core.request import Malformed, Request, Whole
from gateway.proxy.header import Names, length_of, read_headers
from gateway.proxy.parser import Arrived
from gateway.proxy.target import Target, read_target

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSED_METHODS = frozenset({"CONNECT", "TRACE"})  # known to HTTP, not acceptable here
# What identification reads beside the catalogue's own headers.
_IDENTITY_HEADERS = frozenset({"authorization", "x-api-key"})
_PATH_ENDS = frozenset({"", "/", "?"})
_VERSION = "1.1"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """What a Host selects, and what its provider's catalogue reads; all names in lower case.

    Attributes:
        upstream: name of the upstream.
        provider: catalogue name of its provider.
        decision_headers: headers that classification or identification reads: one line each.
        decision_parameters: query parameters that they read: once each.
        underscore_headers: header names with `_` that the provider really uses.
        prefix: what stands before the provider's own paths; empty, or `/` and segments.
    """

    upstream: str
    provider: str
    decision_headers: frozenset[str] = frozenset()
    decision_parameters: frozenset[str] = frozenset()
    underscore_headers: frozenset[str] = frozenset()
    prefix: str = ""

    def __post_init__(self) -> None:
        """Hold the names to lower case: in any other they would never be found.

        Raises:
            ValueError: a name has an upper-case letter.
        """
        names = self.decision_headers | self.decision_parameters | self.underscore_headers
        if any(name != name.casefold() for name in names):
            raise ValueError("the names of a route are in lower case")


def route_to(provider: Provider, *, upstream: str, prefix: str = "") -> Route:
    """Return the route of a Host that selects an upstream of this provider."""
    return Route(
        upstream=upstream,
        provider=provider.name,
        decision_headers=provider.decision_headers | provider.key_headers | _IDENTITY_HEADERS,
        decision_parameters=frozenset(
            name.casefold()
            for name in provider.decision_parameters | provider.credential_parameters
        ),
        underscore_headers=provider.underscore_headers,
        prefix=prefix,
    )


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """What reading needs to know.

    Attributes:
        routes: lower-case `host` or `host:port` to its route; with a port it wins.
        prefixed: the same to its routes with a path prefix, the longest first: they go before.
        body_bytes: largest body, inclusive.
        body_timeout_s: time from the judged head to the last byte of the body.
    """

    routes: Mapping[str, Route]
    body_bytes: int
    body_timeout_s: float
    prefixed: Mapping[str, tuple[Route, ...]] = {}


class Head(msgspec.Struct, frozen=True):
    """A head that was found acceptable."""

    target: Target
    headers: Mapping[str, str]


async def read(http: Arrived, door: Door) -> Request | Malformed:
    """Read one request to the end of its body, or refuse it.

    `Expect: 100-continue` is answered here, once the head has been found acceptable.

    Raises:
        ConnectionError: the client went away before its body was complete.
    """
    host = http.header("host").lower()
    route = route_of(host, http.raw_path, door)
    if route is None:
        return _completed(_unroutable(http), http)
    if http.version != _VERSION:
        return _completed(_version_fault(), http, provider=route.provider)
    head = read_head(
        http.method,
        http.raw_path,
        http.names,
        http.values,
        route=route,
        body_bytes=door.body_bytes,
    )
    if not isinstance(head, Head):
        return _completed(head, http, provider=route.provider)
    body: bytes | Malformed
    content = http.content
    if isinstance(content, bytes):  # with its head, as small bodies come
        body = content if len(content) <= door.body_bytes else _length_fault()
    else:
        body = await _read_body(http, content, head.headers, door)
    if not isinstance(body, bytes):
        return _completed(body, http, provider=route.provider)
    return Request(
        method=http.method,
        host=host,
        upstream=route.upstream,
        provider=route.provider,
        path=head.target.path.removeprefix(route.prefix) or "/",
        prefix=route.prefix,
        signed_path=head.target.path if route.prefix else "",
        query_string=head.target.query_string,
        query=head.target.query,
        headers=head.headers,
        body=Whole(body),
        peer=http.remote,
    )


def route_of(host: str, target: str, door: Door) -> Route | None:
    """Look the host up as it stands, then without its port; nothing else is forgiven.

    A path prefix is compared to the character: a path with another spelling of it has either no
    canonical form, and is refused, or does not have the prefix.
    """
    routes = door.routes
    if not door.prefixed and host in routes:
        return routes[host]
    name, _, port = host.rpartition(":")
    hosts = (host, name) if port.isascii() and port.isdecimal() else (host,)
    for each in hosts:
        for route in door.prefixed.get(each, ()):
            if target.startswith(route.prefix) and target[len(route.prefix) :][:1] in _PATH_ENDS:
                return route
    return next((routes[each] for each in hosts if each in routes), None)


def _unroutable(http: Arrived) -> Malformed:
    if http.version != _VERSION:
        return _version_fault()
    if "host" not in http.names.places:
        return Malformed(reason="malformed.syntax", detail="a request without Host")
    return Malformed(reason="host.unknown", detail="no upstream serves this host", status=421)


def _version_fault() -> Malformed:
    return Malformed(reason="malformed.syntax", detail="no start line of HTTP/1.1")


def read_head(
    method: str,
    target: str,
    names: Names,
    values: Sequence[bytes],
    *,
    route: Route,
    body_bytes: int,
) -> Head | Malformed:
    """Read a head that a parser has taken apart.

    Args:
        method: as sent.
        target: the characters between method and version.
        names: of the header lines.
        values: of the lines as sent, white space around them taken off.
        route: what the Host selects.
        body_bytes: largest body, inclusive.
    """
    if method not in _METHODS:
        refused = method in _REFUSED_METHODS
        return Malformed(
            reason="malformed.method",
            detail="a method that is not proxied",
            status=405 if refused else 501,
        )
    canonical = read_target(target, route.decision_parameters)
    if not isinstance(canonical, Target):
        return canonical
    headers = read_headers(
        names, values, once=route.decision_headers, underscored=route.underscore_headers
    )
    if not isinstance(headers, dict):
        return headers
    return _body_fault(method, headers, body_bytes) or Head(canonical, headers)


def _body_fault(method: str, headers: Mapping[str, str], body_bytes: int) -> Malformed | None:
    """Judge the body by what the head says of it."""
    length = length_of(headers.get("content-length", ""))
    if method in _BODILESS and (length or "transfer-encoding" in headers):
        return Malformed(reason="malformed.body", detail="a body with a method that has none")
    return _length_fault() if length > body_bytes else None


def _length_fault() -> Malformed:
    return Malformed(
        reason="malformed.length", detail="the body is larger than the limit", status=413
    )


async def _read_body(
    http: Arrived, content: StreamReader, headers: Mapping[str, str], door: Door
) -> bytes | Malformed:
    if "expect" in headers and not content.total_bytes and http.transport is not None:
        http.transport.write(_CONTINUE)
    try:
        async with asyncio.timeout(door.body_timeout_s):
            return await _collect(content, door.body_bytes)
    except TimeoutError:
        return Malformed(
            reason="malformed.timeout", detail="the body did not arrive in time", status=408
        )
    except web.RequestPayloadError:
        return Malformed(reason="malformed.body", detail="the chunks of the body cannot be read")


async def _collect(content: StreamReader, most: int) -> bytes | Malformed:
    parts: list[bytes] = []
    length = 0
    while part := await content.readany():
        length += len(part)
        if length > most:
            return _length_fault()
        parts.append(part)
    return b"".join(parts)


def _completed(malformed: Malformed, http: Arrived, *, provider: str | None = None) -> Malformed:
    return msgspec.structs.replace(
        malformed, provider=provider, length=http.head_bytes + http.body_bytes
    )
