"""Requests that someone wrote down, as one JSON value or as the bytes of one HTTP/1.1 message.

What a parser would have taken apart stands apart already, so only what a parser looks at is looked
at here; everything else is left to the functions that the front door itself uses.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Sequence

import msgspec

from gateway.core.catalog.model import Provider
from gateway.core.request import Malformed, Request, Whole
from gateway.proxy.header import names_of
from gateway.proxy.wire import read_head, route_to

_PEER = "192.0.2.1"  # nobody's (RFC 5737): who sent it was not written down
_REQUEST_LINE = re.compile(rb"(\S+) (\S+) HTTP/1\.1", re.ASCII)
_BLANKS = b" \t"

Lines = tuple[tuple[bytes, bytes], ...]


class Captured(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it was written down, taken apart and not judged.

    Attributes:
        id: what whoever wrote it calls it.
        provider: whose host it is, where no catalogue can know (self-hosted).
        method: as sent.
        host: the Host field, or HTTP/2's `:authority`.
        target: as sent.
        lines: names and values of the headers in order, a Host line always among them.
        content: the body, no transfer coding around it.
    """

    id: str
    provider: str
    method: str
    host: str
    target: str
    lines: Lines
    content: bytes

    def __repr__(self) -> str:
        """Show nothing that could be a credential or a face."""
        return f"Captured({self.method} {self.host})"

    def values(self, name: bytes) -> list[str]:
        """Return the values of a header, one for each line, as far as they are text."""
        return [
            value.decode("ascii", "replace") for each, value in self.lines if each.lower() == name
        ]


class _Written(msgspec.Struct, kw_only=True):
    """The JSON form; members that it does not name are notes of whoever wrote it."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    id: str | int = ""
    provider: str = ""
    host: str = ""
    body: str | None = None
    body_b64: str | None = None


_DECODER = msgspec.json.Decoder(_Written)


def read_json(text: bytes) -> Captured | Malformed:
    """Read one request in the JSON form: method, host, target, headers, body or body_b64."""
    try:
        written = _DECODER.decode(text)
        content = _content_of(written)
    except (ValueError, RecursionError):  # msgspec's and base64's refusals are ValueErrors
        return _syntax("the line is not a request in the JSON form")
    if content is None:
        return _syntax("the line has a body in two forms")
    lines = tuple((_octets(name), _octets(value).strip(_BLANKS)) for name, value in written.headers)
    return _with_host(
        Captured(
            id=str(written.id),
            provider=written.provider,
            method=written.method,
            host=written.host,
            target=written.target,
            lines=lines,
            content=content,
        )
    )


def read_raw(message: bytes, *, name: str) -> Captured | Malformed:
    """Read the bytes of one HTTP/1.1 message.

    In a file without any CRLF before the body, as editors leave it, lines end with LF. Without
    Content-Length the body is what follows the head.
    """
    crlf = message.find(b"\r\n\r\n")
    end, step, separator = (crlf, 4, b"\r\n") if crlf >= 0 else (message.find(b"\n\n"), 2, b"\n")
    head, content = (message[:end], message[end + step :]) if end >= 0 else (message.rstrip(), b"")
    if end < 0:
        separator = b"\r\n" if b"\r\n" in head else b"\n"
    first, *rest = head.split(separator)
    request_line = _REQUEST_LINE.fullmatch(first)
    if request_line is None:
        return _syntax("the first line is not method, target and HTTP/1.1")
    lines: list[tuple[bytes, bytes]] = []
    for line in rest:
        field, colon, value = line.partition(b":")
        if not colon:
            return _syntax("a header line has no colon")
        lines.append((field, value.strip(_BLANKS)))
    captured = Captured(
        id=name,
        provider="",
        method=request_line[1].decode("latin-1"),
        host="",
        target=request_line[2].decode("latin-1"),
        lines=tuple(lines),
        content=content,
    )
    if captured.values(b"transfer-encoding"):
        return _syntax("a written message has its body without transfer coding")
    return _with_host(captured)


def read(captured: Captured, provider: Provider, *, body_bytes: int) -> Request | Malformed:
    """Read a request as the front door would, at an upstream of this provider."""
    fault = _framing_fault(captured)
    if fault is not None:
        return fault
    lines = captured.lines
    if captured.content and not captured.values(b"content-length"):
        lines = (*lines, (b"content-length", b"%d" % len(captured.content)))
    route = route_to(provider, upstream=provider.name)
    names, values = names_of(tuple([name for name, _ in lines])), [value for _, value in lines]
    head = read_head(
        captured.method, captured.target, names, values, route=route, body_bytes=body_bytes
    )
    if isinstance(head, Malformed):
        return head
    return Request(
        method=captured.method,
        host=captured.host.lower(),
        upstream=route.upstream,
        provider=route.provider,
        path=head.target.path,
        query_string=head.target.query_string,
        query=head.target.query,
        headers=head.headers,
        body=Whole(captured.content),
        peer=_PEER,
    )


def _content_of(written: _Written) -> bytes | None:
    """Return the body; None where it is written twice.

    Raises:
        ValueError: it is not base64.
    """
    if written.body_b64 is None:
        return (written.body or "").encode("utf-8", "surrogatepass")
    if written.body:
        return None
    try:
        return b64decode(written.body_b64, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _octets(text: str) -> bytes:
    """Return the bytes of a header; what is not ASCII stays so, for the door to see."""
    return text.encode("utf-8", "surrogatepass")


def _with_host(captured: Captured) -> Captured:
    """Let the Host lines and the host that was written beside them be one."""
    hosts = captured.values(b"host")
    if hosts:
        return msgspec.structs.replace(captured, host=captured.host or hosts[0])
    return msgspec.structs.replace(
        captured, lines=((b"host", _octets(captured.host)), *captured.lines)
    )


def _framing_fault(captured: Captured) -> Malformed | None:
    """Judge what the parser of the door judges before it hands a head over."""
    hosts = captured.values(b"host")
    if len(hosts) > 1 or hosts[0].lower() != captured.host.lower():
        return Malformed(reason="malformed.duplicate", detail="the request names two hosts")
    lengths = captured.values(b"content-length")
    if lengths and captured.values(b"transfer-encoding"):
        return _syntax("both Content-Length and Transfer-Encoding")
    if any(not _is_number(length) for length in lengths):
        return _syntax("a Content-Length that is no number")
    if any(int(length) != len(captured.content) for length in lengths):
        return Malformed(
            reason="malformed.body", detail="the body is not as long as Content-Length says"
        )
    return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18  # noqa: PLR2004 - 64 bits


def _syntax(detail: str) -> Malformed:
    return Malformed(reason="malformed.syntax", detail=detail)


def without_lines(lines: Sequence[tuple[bytes, bytes]], names: frozenset[bytes]) -> Lines:
    """Return the header lines but those of some names (lower case)."""
    return tuple(line for line in lines if line[0].lower() not in names)
