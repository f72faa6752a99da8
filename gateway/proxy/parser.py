"""The parser of the data listener: llhttp in strict mode, by httptools; one request at a time.

A body that came with its head, as small ones do, is handed over as bytes; any other one as
aiohttp's `StreamReader`, which holds the connection up where nobody reads. Every byte of a request
goes through llhttp. What was sent behind a whole request is found by the request's length, and
parsed from its first byte, by a parser that has seen nothing else, when its turn comes.
"""

from __future__ import annotations

import asyncio

import httptools
from aiohttp import StreamReader, web
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy

from gateway.core.request import Malformed
from gateway.errors import FacegateError
from gateway.proxy.header import Names, length_of, names_of

_HEAD_END = b"\r\n\r\n"
_LINE_ENDS = b"\r\n"


class Arrived:
    """A request as the parser left it: a head, and a body that may still be arriving.

    Attributes:
        method: as sent.
        raw_path: the target, as sent; what is not ASCII as in Latin-1.
        version: of HTTP; empty where that is not 1.1, or the start line is not in its one form.
        names: names of the header lines, in the order in which they came.
        values: value of each line, white space around it taken off.
        content: the body; bytes where it came with its head.
        closes: whether the connection ends after it: the client wants it, or it has a transfer
            coding, and llhttp may take its last trailer for a header of what follows.
        transport: where an interim answer goes; None once the client has gone.
        remote: address of the other end of the TCP connection, textual form.
    """

    __slots__ = (
        "closes",
        "content",
        "method",
        "names",
        "raw_path",
        "remote",
        "transport",
        "values",
        "version",
    )

    def __init__(
        self,
        *,
        method: str,
        raw_path: str,
        names: Names,
        values: tuple[bytes, ...],
        closes: bool = False,
    ) -> None:
        """Keep a head; where it came from, and its body, are filled in by who knows them."""
        self.method, self.raw_path, self.version = method, raw_path, ""
        self.names, self.values = names, values
        self.closes = closes or "transfer-encoding" in names.places
        self.content: bytes | StreamReader = b""
        self.transport: asyncio.Transport | None = None
        self.remote = ""

    @property
    def here(self) -> bool:
        """Whether nothing of the body is still to come."""
        content = self.content
        return isinstance(content, bytes) or content.is_eof()

    @property
    def body_bytes(self) -> int:
        """How much of the body has come."""
        content = self.content
        return len(content) if isinstance(content, bytes) else content.total_bytes

    @property
    def head_bytes(self) -> int:
        """Length of the head, written in the shortest way."""
        line = len(self.method) + len(self.raw_path) + len("  HTTP/1.1\r\n")
        lines = self.names.length + sum(map(len, self.values)) + len(": \r\n") * len(self.values)
        return line + lines + len("\r\n")

    def header(self, name: str) -> str:
        """Return the value of the first line of a lower-case name; empty where there is none."""
        place = self.names.places.get(name)
        return "" if place is None else self.values[place].decode("latin-1")

    def _cancel(self, error: BaseException) -> None:
        """Tell whoever reads the body that the connection ends (aiohttp's hook)."""
        if not isinstance(self.content, bytes):
            self.content.set_exception(error)


class RequestParser:
    """The requests of one connection.

    `feed` takes bytes until a head is complete; `feed_body` those that follow until its body is;
    then `feed` the next. `rest` is what came behind a request, for the next `feed`.
    """

    __slots__ = (
        "_arrived",
        "_buffer_bytes",
        "_held",
        "_llhttp",
        "_loop",
        "_names",
        "_over",
        "_parts",
        "_protocol",
        "_reader",
        "_target",
        "_to_come",
        "_values",
        "_whole",
        "rest",
    )
    rest: bytes
    _held: bytes  # of a head that is not complete
    _llhttp: httptools.HttpRequestParser
    _target: bytes
    _names: list[bytes]
    _values: list[bytes]
    _arrived: Arrived | None  # once its head is complete
    _parts: list[bytes]  # of a body that came with its head
    _reader: StreamReader | None  # of a body that came later
    _to_come: int  # bytes of that, where it is counted
    _whole: bool
    _over: bool  # whether something follows a request that is whole

    def __init__(
        self,
        protocol: web.RequestHandler,
        *,
        loop: asyncio.AbstractEventLoop,
        buffer_bytes: int,
    ) -> None:
        """Begin before the first byte.

        Args:
            protocol: pauses its transport while twice `buffer_bytes` of a body are unread.
            loop: its event loop.
            buffer_bytes: see above.
        """
        self._protocol, self._loop, self._buffer_bytes = protocol, loop, buffer_bytes
        self.rest = self._held = b""
        self._begin_anew()

    def feed(self, data: bytes) -> Arrived | None:
        """Take the next bytes of a head; return the request with its last one.

        Raises:
            httptools.HttpParserError: they are not strict HTTP/1.
        """
        held = self._held = self._held + data if self._held else data
        sound = True
        try:
            self._parse(data)
        except httptools.HttpParserError:
            sound = False
            if self._arrived is None:
                raise
        arrived = self._arrived
        if arrived is None:
            return None
        self._held = b""
        start = f"{arrived.method} {arrived.raw_path} HTTP/1.1\r\n".encode("latin-1")
        # llhttp takes empty lines before it, several spaces in it, and other protocols.
        if held.startswith(start) or held.lstrip(_LINE_ENDS).startswith(start):
            arrived.version = "1.1"
        if self._whole:
            self._take_whole(arrived, held)
        else:
            self._read_on(arrived)
        if not sound:
            self.fail()
        return arrived

    def feed_body(self, data: bytes) -> None:
        """Take the next bytes of the body under way.

        Raises:
            httptools.HttpParserError: its chunks are not strict HTTP/1.
        """
        arrived, reader = self._arrived, self._reader
        if arrived is None or reader is None or not data:
            return
        to_come, self._to_come = self._to_come, self._to_come - len(data)
        self._parse(data)
        if not self._whole:
            return
        reader.feed_eof()
        if self._over:
            self._end(arrived, data[to_come:])
        else:
            self._begin()

    def fail(self) -> None:
        """Tell whoever reads the body under way that it cannot be read."""
        if self._reader is not None:
            self._reader.set_exception(web.RequestPayloadError("the body cannot be read"))

    def pause_reading(self) -> None:
        """Do nothing: all that was received is parsed (aiohttp's hook)."""

    def close(self) -> None:
        """Let go of the connection, which holds this parser; nothing is fed any more."""
        del self._llhttp, self._protocol

    def on_message_begin(self) -> None:
        """Stop where something follows the request (a callback of httptools, as the next).

        Raises:
            StopIteration: it is read in its turn, and not again for each request before it.
        """
        if self._whole:
            raise StopIteration

    def on_url(self, piece: bytes) -> None:
        """Keep a piece of the target."""
        self._target += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header line; trailers come here too, when nobody looks any more."""
        self._names.append(name)
        self._values.append(value)

    def on_headers_complete(self) -> None:
        """Put the head together."""
        llhttp = self._llhttp
        self._arrived = Arrived(
            method=llhttp.get_method().decode("ascii"),
            raw_path=self._target.decode("latin-1"),
            names=names_of(tuple(self._names)),
            # Of white space llhttp lets only blanks and tabs into a value, and leaves those behind.
            values=tuple(map(bytes.rstrip, self._values)),
            closes=not llhttp.should_keep_alive(),
        )

    def on_body(self, content: bytes) -> None:
        """Pass on a piece of the body."""
        if self._reader is None:
            self._parts.append(content)
        else:
            self._reader.feed_data(content)

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        self._whole = True

    def _begin_anew(self) -> None:
        """Start with a parser that has seen nothing."""
        self._llhttp = httptools.HttpRequestParser(self)
        self._begin()

    def _begin(self) -> None:
        self._target = b""
        self._names, self._values, self._parts = [], [], []
        self._arrived = self._reader = None
        self._to_come = 0
        self._whole = self._over = False

    def _parse(self, data: bytes) -> None:
        """Have bytes parsed; what is wrong behind a whole request is found in its turn.

        Raises:
            httptools.HttpParserError: see `feed`.
        """
        try:
            self._llhttp.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._over = True
        except httptools.HttpParserError:
            if not self._whole:
                raise
            self._over = True

    def _take_whole(self, arrived: Arrived, held: bytes) -> None:
        """Hand over a body that came with its head, and keep what came behind it."""
        parts = self._parts
        arrived.content = parts[0] if len(parts) == 1 else b"".join(parts)
        if self._over:
            head = held.find(_HEAD_END, len(held) - len(held.lstrip(_LINE_ENDS)))
            self._end(arrived, held[head + len(_HEAD_END) + len(arrived.content) :])
        else:
            self._begin()

    def _read_on(self, arrived: Arrived) -> None:
        """Make a reader for a body that is not all here."""
        reader = StreamReader(self._protocol, self._buffer_bytes, loop=self._loop)
        for part in self._parts:
            reader.feed_data(part)
        self._reader = arrived.content = reader
        self._to_come = length_of(arrived.header("content-length")) - reader.total_bytes

    def _end(self, arrived: Arrived, rest: bytes) -> None:
        """Keep what follows a request; nothing is read where the connection ends with it."""
        self.rest = b"" if arrived.closes else rest
        self._begin_anew()


def require_c_parser(parser: type = HttpRequestParser) -> None:
    """Refuse to run on aiohttp's Python parser, which the admin listener would fall back to.

    Raises:
        FacegateError: aiohttp was installed without its extensions, or told not to use them.
    """
    if parser is HttpRequestParserPy:
        raise FacegateError(
            "aiohttp's C parser is missing: install a wheel of aiohttp, and unset"
            " `AIOHTTP_NO_EXTENSIONS`"
        )


def fault_of(error: Exception) -> Malformed:
    """Say what the parser found; its own words may quote the request and are left."""
    match error:
        case httptools.HttpParserInvalidMethodError():
            return Malformed(reason="malformed.method", detail="the bytes begin with no method")
        case httptools.HttpParserInvalidURLError():
            return Malformed(reason="malformed.path", detail="the target cannot be read")
        case _:
            return Malformed(reason="malformed.syntax", detail="the head is not HTTP/1.1")


def too_large() -> Malformed:
    """Return the refusal of a head that is too large."""
    return Malformed(
        reason="malformed.length", detail="the head is larger than the limit", status=431
    )
