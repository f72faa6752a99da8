"""Reads exactly one HTTP/1.1 response of the provider, or refuses it.

Sans-IO: bytes in, a value or an `UpstreamError` out. `read_at_once` reads what most answers are;
everything else, and whatever is refused, is a `ResponseReader`'s. There llhttp (httptools, no
leniency set) reads heads and chunks; what it would let pass and two readers could understand
differently is refused: an answer without a length (truncation could not be told from its end), a
transfer coding other than `chunked`, header bytes outside ASCII, HTTP/1.0. Trailers are read and
left out (RFC 9110 section 6.5.1).
"""

from __future__ import annotations

import re
from functools import lru_cache

import httptools
import msgspec

from gateway.errors import UpstreamError

_HEAD_END = b"\r\n\r\n"
_INTERIM = frozenset({100, 103})  # RFC 9110 section 15.2.1, RFC 8297
_INTERIM_MOST = 8
_BODILESS = frozenset({204, 304})  # RFC 9112 section 6.3, the first rule


class UpstreamResponse(msgspec.Struct, frozen=True, kw_only=True):
    """One whole response.

    Attributes:
        status: 200 to 599; interim answers are passed over.
        headers: lower-case name and value of each line, in the order of arrival.
        body: the content, transfer coding taken off, content coding as sent.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def __repr__(self) -> str:
        """Show sizes only: a body or a header never stands in a log or a traceback."""
        return (
            f"UpstreamResponse(status={self.status}, headers={len(self.headers)},"
            f" body_bytes={len(self.body)})"
        )

    def __rich_repr__(self) -> list[tuple[str, object]]:
        """Do the same for pretty printers, which would walk the fields."""
        return [("status", self.status), ("body_bytes", len(self.body))]


class ResponseLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a response is read, in bytes."""

    head_bytes: int = 32_768
    body_bytes: int = 16_777_216


def _broken(message: str) -> UpstreamError:
    # A response is read only after its request was written.
    return UpstreamError(message, sent=True, reason="upstream.broken")


# No larger head is read at once; it bounds what the memos below can hold.
_COMMON_HEAD_BYTES = 2048
_VALUE_OCTETS = b"\t" + bytes(range(0x20, 0x7F))
_STATUS_LINE = re.compile(r"HTTP/1\.1 ([2-5][0-9]{2}) .*", re.ASCII)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)  # RFC 9110 section 5.6.2
# What says how an answer is framed or what becomes of its connection; empty: what is no name.
_DECISIVE = frozenset(
    {"", "connection", "content-length", "proxy-connection", "transfer-encoding", "upgrade"}
)

_PLAIN = frozenset({"connection", "content-length"})


def read_at_once(
    content: bytes, *, no_body: bool, limits: ResponseLimits
) -> UpstreamResponse | None:
    """Read a response of the common kind: whole, nothing behind it, counted, kept alive.

    None for everything else, sound or not: that is for a `ResponseReader` to read from the first
    byte. What is read here it would read the same, and find the connection reusable.

    Args:
        content: the first bytes of the response.
        no_body: whether the request was a HEAD.
        limits: of the response.
    """
    end = content.find(_HEAD_END, 0, _COMMON_HEAD_BYTES)
    body_at = end + len(_HEAD_END)
    if no_body or end < 0 or body_at > limits.head_bytes:
        return None
    head = content[:end]
    ends = head.translate(None, _VALUE_OCTETS)
    if ends.strip(b"\r\n"):  # a byte that no line may hold
        return None
    first, *lines = head.decode("ascii").split("\r\n")
    body_bytes = len(content) - body_at
    # The ends of these lines must be all that was left.
    if len(ends) != 2 * len(lines) or body_bytes > limits.body_bytes:
        return None
    status = _status_of(first)
    headers = _plain_headers(lines, length=str(body_bytes))
    if not status or headers is None:
        return None
    return UpstreamResponse(status=status, headers=headers, body=content[body_at:])


def _plain_headers(lines: list[str], *, length: str) -> tuple[tuple[str, str], ...] | None:
    """Read header lines; None where they say anything of the framing but that length, once."""
    headers = tuple(map(_header_of, lines))
    named = dict(headers)
    framing = _DECISIVE.intersection(named)
    if named.get("content-length") != length or not framing <= _PLAIN:
        return None
    if "connection" in framing and named["connection"].lower() != "keep-alive":
        return None
    if len(named) < len(headers) and sum(name in framing for name, _ in headers) > len(framing):
        return None
    return headers


@lru_cache(maxsize=512)  # a provider's answers differ in few lines
def _header_of(line: str) -> tuple[str, str]:
    """Return name and value of a line; the name is empty where there is none."""
    raw_name, colon, value = line.partition(":")
    return (_name_of(raw_name) if colon else "", value.strip())


@lru_cache(maxsize=64)
def _status_of(line: str) -> int:
    """Return the status; 0 where the line is not plain, or the status says that no body follows."""
    found = _STATUS_LINE.fullmatch(line)
    status = int(found[1]) if found else 0
    return 0 if status in _BODILESS else status


@lru_cache(maxsize=256)
def _name_of(raw: str) -> str:
    """Return the name in lower case; empty where it is no token."""
    return raw.lower() if _TOKEN.fullmatch(raw) else ""


class ResponseReader:
    """The state of one response; thrown away with it, so that nothing carries over to the next.

    `reusable` holds once `feed` has returned the response: whether the connection may carry another
    exchange. It may not after `Connection: close`, nor when any byte followed the response: then
    the two ends disagree on where answers end (RFC 9112 section 9.3, response splitting).
    """

    __slots__ = (
        "_body_bytes",
        "_chunked",
        "_ended",
        "_headers",
        "_held",
        "_interim",
        "_limits",
        "_lines",
        "_no_body",
        "_parser",
        "_parts",
        "_remaining",
        "_status",
        "_wire_bytes",
        "reusable",
    )

    def __init__(self, *, limits: ResponseLimits, no_body: bool) -> None:
        """Start before the first byte; `no_body` says that the request was a HEAD."""
        self._limits = limits
        self._no_body = no_body
        self._held = b""
        self._interim = 0
        self._status = 0
        self._lines: list[tuple[bytes, bytes]] = []
        self._headers: tuple[tuple[str, str], ...] = ()
        self._parser: httptools.HttpResponseParser | None = None
        self._parts: list[bytes] = []
        self._remaining = 0
        self._chunked = False
        self._ended = False
        self._body_bytes = 0
        self._wire_bytes = 0
        self.reusable = True

    def feed(self, content: bytes) -> UpstreamResponse | None:
        """Take the next bytes; return the response with its last one.

        Not to be called again after that.

        Raises:
            UpstreamError: the bytes are not one HTTP/1.1 response within the limits.
        """
        if not self._status:
            rest = self._take_heads(self._held + content if self._held else content)
            if rest is None:
                return None
            content = rest
        return self._take_chunks(content) if self._chunked else self._take_counted(content)

    def on_message_begin(self) -> None:
        """Note whether something follows the response (a callback of httptools, as the next)."""
        if self._ended:
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep one header line, or one trailer, which nobody reads."""
        self._lines.append((name, value))

    def on_body(self, content: bytes) -> None:
        """Keep the content of a chunk."""
        if not self._ended:
            self._parts.append(content)
            self._body_bytes += len(content)

    def on_message_complete(self) -> None:
        """Note the end of the chunks."""
        self._ended = True

    def _take_heads(self, held: bytes) -> bytes | None:
        # Up to the final head; what follows it, or None where it is not all here yet.
        while True:
            end = held.find(_HEAD_END) + len(_HEAD_END)
            whole = end >= len(_HEAD_END)
            if (end if whole else len(held)) > self._limits.head_bytes:
                raise _broken("the head of the answer is larger than the limit")
            if not whole:
                self._held = held
                return None
            parser = httptools.HttpResponseParser(self)
            status = self._read_head(parser, held[:end])
            held = held[end:]
            if status not in _INTERIM:
                self._held = b""
                self._frame(status)
                # It refers to this reader: kept for no longer than there are chunks, lest every
                # response be a cycle for the collector.
                self._parser = parser if self._chunked else None
                return held
            self._interim += 1
            if self._interim > _INTERIM_MOST:
                raise _broken("too many interim answers")

    def _read_head(self, parser: httptools.HttpResponseParser, head: bytes) -> int:
        # llhttp also takes RTSP, other versions, empty lines before the status line, and bytes
        # above 0x7F in values, which aiohttp would write back as something else.
        if not head.startswith(b"HTTP/1.1 ") or not head.isascii():
            raise _broken("the answer does not begin with an HTTP/1.1 head in ASCII")
        self._lines = []
        self._ended = False
        try:
            parser.feed_data(head)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if parser.get_status_code() == 101:  # noqa: PLR2004 - Switching Protocols
                raise _broken("the answer changes the protocol") from None
            raise _broken("the head of the answer is not strict HTTP/1.1") from error
        status: int = parser.get_status_code()
        if not (200 <= status <= 599 or status in _INTERIM):  # noqa: PLR2004 - RFC 9110 section 15
            raise _broken("the answer has a status outside 200 to 599")
        return status

    def _frame(self, status: int) -> None:
        # How the body is delimited (RFC 9112 section 6.3); llhttp refused two lengths, and a length
        # beside a transfer coding.
        length: int | None = None
        headers: list[tuple[str, str]] = []
        for raw_name, raw_value in self._lines:
            name = raw_name.decode().lower()
            value = raw_value.decode().strip(" \t")
            headers.append((name, value))
            if name == "content-length":
                length = int(value)
            elif name == "transfer-encoding":
                if self._chunked or value.lower() != "chunked":
                    raise _broken("the answer has a transfer coding other than chunked")
                self._chunked = True
            elif name == "connection" and "close" in value.lower():
                self.reusable = False
        self._status = status
        self._headers = tuple(headers)
        self._bound(length)

    def _bound(self, length: int | None) -> None:
        if self._status == 204 and (length or self._chunked):  # noqa: PLR2004 - No Content
            raise _broken("the answer says 204 and that it has a body")
        if self._no_body or self._status in _BODILESS:
            self._chunked = False
        elif length is not None:
            if length > self._limits.body_bytes:
                raise _broken("the body of the answer is larger than the limit")
            self._remaining = length
        elif not self._chunked:
            raise _broken("the answer does not say how long its body is")

    def _take_counted(self, content: bytes) -> UpstreamResponse | None:
        surplus = len(content) - self._remaining
        if surplus > 0:
            self.reusable = False
            content = content[: self._remaining]
        if content:
            self._parts.append(content)
        self._remaining -= len(content)
        return self._whole() if surplus >= 0 else None

    def _take_chunks(self, content: bytes) -> UpstreamResponse | None:
        if not content or self._parser is None:
            return None
        self._wire_bytes += len(content)
        try:
            self._parser.feed_data(content)
        except httptools.HttpParserError as error:
            if not self._ended:
                raise _broken("the chunks of the answer are not strict HTTP/1.1") from error
            self.reusable = False
        limits = self._limits
        if self._body_bytes > limits.body_bytes:
            raise _broken("the body of the answer is larger than the limit")
        # Sizes, extensions and trailers are kept nowhere, but the parser holds a trailer while it
        # grows.
        if self._wire_bytes > limits.head_bytes + 2 * self._body_bytes:
            raise _broken("the chunks of the answer are framing for the most part")
        if not self._ended:
            return None
        # llhttp skips empty lines after a message; the tail shows them. The fifth byte from the end
        # belongs to the last chunk's size or to a trailer; where it came earlier, assume the worst.
        if content[-4:] != _HEAD_END or content[-5:-4] in {b"", b"\n"}:
            self.reusable = False
        return self._whole()

    def _whole(self) -> UpstreamResponse:
        self._parser = None
        parts = self._parts
        return UpstreamResponse(
            status=self._status,
            headers=self._headers,
            body=parts[0] if len(parts) == 1 else b"".join(parts),
        )
