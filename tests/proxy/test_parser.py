from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import httptools
import pytest
from aiohttp import StreamReader
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpVersion11
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser
from hypothesis import example, given, strategies as st

from gateway.proxy.header import names_of
from gateway.proxy.parser import Arrived, RequestParser
from tests.proxy.doorstep import raw
from tests.proxy.test_door_accepts import ACCEPTED
from tests.proxy.test_door_fuzz import MUTATED, PLACES, SAMPLES, cut

# Method, target, version, lines, body; None for the body where it cannot be read.
Reading = tuple[str, str, str, tuple[tuple[bytes, bytes], ...], bytes | None]

LOOP = asyncio.new_event_loop()
BUFFER_BYTES = 1 << 20


@pytest.fixture(scope="module", autouse=True)
def loop() -> Iterator[None]:
    yield
    LOOP.close()


def parser() -> RequestParser:
    protocol: Any = BaseProtocol(LOOP)
    return RequestParser(protocol, loop=LOOP, buffer_bytes=BUFFER_BYTES)


def body_of(arrived: Arrived) -> bytes | None:
    content = arrived.content
    if isinstance(content, bytes):
        return content
    whole = content.is_eof() and content.exception() is None
    return b"".join(content._buffer) if whole else None


def reading_of(arrived: Arrived) -> Reading:
    lower = [name.encode() for name in arrived.names.lower]
    lines = tuple(zip(lower, arrived.values, strict=True))
    return arrived.method, arrived.raw_path, arrived.version, lines, body_of(arrived)


class Conversation:
    """What a connection makes of what arrives: its requests, and whether they end in a fault."""

    def __init__(self) -> None:
        self.found: list[Reading] = []
        self.fault = self.ended = False
        self._requests = parser()
        self._under_way: Arrived | None = None

    def take(self, data: bytes) -> None:
        """Take what arrives; nothing more once the conversation has ended."""
        while data and not self.ended:
            try:
                self._parse(data)
            except httptools.HttpParserError:
                self._end(self._under_way)
                return
            data = self._next()

    def leave(self) -> None:
        """End it; a body that is under way stays so."""
        if self._under_way is not None and not self.ended:
            self.found.append(reading_of(self._under_way))

    def _parse(self, data: bytes) -> None:
        if self._under_way is None:
            self._under_way = self._requests.feed(data)
        else:
            self._requests.feed_body(data)

    def _next(self) -> bytes:
        arrived = self._under_way
        if arrived is None:
            return b""
        if isinstance(arrived.content, StreamReader) and arrived.content.exception() is not None:
            self._end(arrived)
        elif arrived.here:
            self.found.append(reading_of(arrived))
            self._under_way, self.ended = None, arrived.closes
            rest, self._requests.rest = self._requests.rest, b""
            return rest
        return b""

    def _end(self, arrived: Arrived | None) -> None:
        self.fault = self.ended = True
        if arrived is not None:
            self.found.append((*reading_of(arrived)[:4], None))


def read(pieces: Sequence[bytes]) -> tuple[list[Reading], bool]:
    """Read what arrives in pieces; tell whether it ended in a fault."""
    conversation = Conversation()
    for piece in pieces:
        conversation.take(piece)
    conversation.leave()
    return conversation.found, conversation.fault


@given(st.lists(st.sampled_from(SAMPLES), min_size=1, max_size=3), PLACES)
@example([raw(body=b"a"), raw(body=b"bc"), raw(target=b"/3")], [])
@example([b"\r\n\r\n", raw(body=b"a"), b"\r\n", raw(target=b"/2")], [])
@example([raw(body=b"a"), b"\0garbage"], [])
def test_requests_are_read_alike_however_they_are_cut(
    messages: list[bytes], places: list[int]
) -> None:
    content = b"".join(messages)
    assert read(cut(content, places)) == read([content])


@given(MUTATED, PLACES)
def test_whatever_comes_is_read_alike_however_it_is_cut(content: bytes, places: list[int]) -> None:
    assert read(cut(content, places)) == read([content])


def by_aiohttp(content: bytes) -> Reading | None:
    """Read the first request with aiohttp's own parser; None where it refuses."""
    protocol: Any = BaseProtocol(LOOP)
    size = 1 << 16
    oracle = HttpRequestParser(
        protocol,
        LOOP,
        BUFFER_BYTES,
        max_line_size=size,
        max_field_size=size,
        max_headers=size,
        auto_decompress=False,
        max_msg_queue_size=1,
    )
    try:
        messages, _, _ = oracle.feed_data(content)
    except HttpProcessingError:
        return None
    if not messages:
        return None
    message, payload = messages[0]
    version = "1.1" if message.version == HttpVersion11 else ""
    lower = names_of(tuple(name for name, _ in message.raw_headers)).lower
    values = (value for _, value in message.raw_headers)
    lines = tuple(zip((name.encode() for name in lower), values, strict=True))
    body = b"".join(payload._buffer) if payload.is_eof() and payload.total_bytes else b""
    return message.method, message.path, version, lines, body if payload.is_eof() else None


@pytest.mark.parametrize("content", ACCEPTED.values(), ids=ACCEPTED)
def test_a_good_request_is_read_as_by_the_parser_of_aiohttp(content: bytes) -> None:
    assert read([content]) == ([by_aiohttp(content)], False)


@given(st.one_of(MUTATED, st.sampled_from(SAMPLES)))
def test_what_is_read_is_what_the_parser_of_aiohttp_reads(content: bytes) -> None:
    found, _ = read([content])
    other = by_aiohttp(content)
    if not found or found[0][2] != "1.1" or found[0][4] is None or other is None:
        return
    assert found[0] == other


@pytest.mark.parametrize(
    "start",
    [b"POST  / HTTP/1.1", b"POST /  HTTP/1.1", b"POST / RTSP/1.1", b"POST / HTTP/1.0", b"POST /"],
)
def test_only_one_form_of_the_start_line_is_of_this_version(start: bytes) -> None:
    content = raw().replace(b"POST / HTTP/1.1", start)
    assert [version for _, _, version, _, _ in read([content])[0]] in ([""], [])


def test_a_header_cannot_pass_for_the_start_line() -> None:
    content = b"POST / HTTP/1.0\r\nX: POST / HTTP/1.1\r\n\r\n"
    assert [version for _, _, version, _, _ in read([content])[0]] == [""]


class Counting(RequestParser):
    __slots__ = ("seen",)
    seen: int

    def on_header(self, name: bytes, value: bytes) -> None:
        self.seen += 1
        super().on_header(name, value)


def test_what_is_behind_a_request_is_not_parsed_with_it() -> None:
    requests = Counting(BaseProtocol(LOOP), loop=LOOP, buffer_bytes=BUFFER_BYTES)  # type: ignore[arg-type]
    requests.seen = 0
    content = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    requests.rest = content * 50
    for number in range(1, 51):
        assert requests.feed(requests.rest) is not None
        assert requests.seen == number
    assert requests.rest == content


@pytest.mark.parametrize("body", [b"abc", b"ab"])
def test_zeros_before_a_length_are_no_matter_however_many(body: bytes) -> None:
    content = raw(b"Content-Length: " + b"0" * 5_000 + b"3") + body
    (found,), fault = read([content])
    assert not fault
    assert found[4] == (body if len(body) == 3 else None)


def test_a_parser_lets_go_of_its_connection() -> None:
    requests = parser()
    requests.close()
    assert not hasattr(requests, "_protocol")
    assert not hasattr(requests, "_llhttp")
