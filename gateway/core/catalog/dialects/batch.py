"""Batches of requests: `multipart/mixed` of `application/http` parts, as Google's APIs take them.

Each part is a whole request, for its path and body to be judged like those of any other. Clients
end lines with CR LF or with LF alone; a batch that does both has no single reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote_plus

import msgspec

from gateway.core.catalog.media import MediaType, read_media_type
from gateway.core.strict_json import Refused

_MOST_PARTS = 1000  # Google's documented limit is 100 or 1,000 calls, by API
_MOST_HEAD_BYTES = 32768
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_REQUEST = re.compile(r"([A-Z]+) (/[!-~]*?)(?: HTTP/1\.[01])?")
_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_IDENTITY = frozenset({"7bit", "8bit", "binary"})


class Inner(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a batch; the fields are those of `gateway.core.request.Request`."""

    method: str
    path: str
    query_string: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    content: bytes

    def __repr__(self) -> str:
        """Show what names the request only."""
        return f"Inner({self.method} {self.path})"


class _DoubtError(ValueError):
    """Carries a reason out of the parts; never leaves this module."""


def read(content: bytes, media: MediaType) -> tuple[Inner, ...] | Refused:
    """Read the requests of a batch in order; there is at least one."""
    boundary = media.parameters.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        return Refused("the batch's boundary is not of one reading")
    dashes = b"--" + boundary.encode("ascii")
    end_of_line = b"\r\n" if content.startswith(dashes + b"\r\n") else b"\n"
    if end_of_line == b"\n" and b"\r" in content:
        return Refused("the batch ends lines in two ways")
    try:
        inner = tuple(_inner(part, end_of_line) for part in _parts(content, dashes, end_of_line))
    except _DoubtError as doubt:
        return Refused(str(doubt))
    return inner or Refused("the batch is empty")


def _parts(content: bytes, dashes: bytes, end_of_line: bytes) -> Iterator[bytes]:
    delimiters = content.count(dashes)
    if not content.startswith(dashes) or delimiters > _MOST_PARTS + 1:
        raise _DoubtError("the batch does not start with its boundary, or has too many parts")
    first, *parts, last = (end_of_line + content).split(end_of_line + dashes)
    if first or last not in {b"--", b"--" + end_of_line} or len(parts) + 1 != delimiters:
        raise _DoubtError("the batch does not end with its boundary, or has it within a part")
    for part in parts:
        if not part.startswith(end_of_line):
            raise _DoubtError("a line of the batch only begins with its boundary")
        yield part.removeprefix(end_of_line)


def _inner(part: bytes, end_of_line: bytes) -> Inner:
    lines, request = _cut(part, end_of_line)
    headers = _headers(lines)
    media = read_media_type(headers.get("content-type", ""))
    if media is None or media.essence != "application/http":
        raise _DoubtError("a part of the batch is no request")
    if headers.get("content-transfer-encoding", "binary").lower() not in _IDENTITY:
        raise _DoubtError("a part of the batch is encoded")
    (start, *rest), content = _cut(request, end_of_line)
    match = _REQUEST.fullmatch(start)
    target: str = match[2] if match else ""
    headers = _headers(rest)
    if match is None or headers.get("content-length", str(len(content))) != str(len(content)):
        raise _DoubtError("a request of the batch is not of one reading")
    if "transfer-encoding" in headers or "content-encoding" in headers:
        raise _DoubtError("the body of a request of the batch is encoded")
    path, _, query_string = target.partition("?")
    return Inner(
        method=match[1],
        path=path,
        query_string=query_string,
        query=tuple(_parameters(query_string)),
        headers=headers,
        content=content,
    )


def _cut(message: bytes, end_of_line: bytes) -> tuple[list[str], bytes]:
    """Cut a message into the lines of its head and its content.

    Raises:
        _DoubtError: it has no head, or none that has one reading.
    """
    if message.startswith(end_of_line):
        raise _DoubtError("a part of the batch has no head")
    head, found, content = message.partition(end_of_line * 2)
    if not found:
        # The last line end of a message without content may be taken for the delimiter's.
        head, content = message.removesuffix(end_of_line), b""
    if len(head) > _MOST_HEAD_BYTES or not head.isascii():
        raise _DoubtError("the head of a part of the batch is too long, or not ASCII")
    return head.decode("ascii").split(end_of_line.decode("ascii")), content


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        match = _LINE.fullmatch(line)
        name: str = match[1] if match else ""
        if match is None or name.lower() in headers:
            raise _DoubtError("the head of a part of the batch is not of one reading")
        headers[name.lower()] = match[2]
    return headers


def _parameters(query_string: str) -> Iterator[tuple[str, str]]:
    if ";" in query_string or "#" in query_string or _BROKEN_ESCAPE.search(query_string):
        raise _DoubtError("the query of a request of the batch is not of one reading")
    for field in query_string.split("&"):
        if field:
            name, _, value = field.partition("=")
            try:
                yield unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")
            except UnicodeDecodeError:
                raise _DoubtError("the query of a request of the batch is not UTF-8") from None
