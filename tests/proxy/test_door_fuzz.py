from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import httptools
from hypothesis import given, settings, strategies as st

from gateway.core.request import Malformed, Request, Whole
from gateway.proxy.protocol import Connection
from gateway.proxy.target import Target, read_target
from tests.proxy.doorstep import CANARY, DOOR, LIMITS, Doorstep, raw
from tests.proxy.test_door_accepts import ACCEPTED
from tests.proxy.test_door_refusals import REFUSED

SAMPLES = [*ACCEPTED.values(), *(case[0] for case in REFUSED.values() if len(case[0]) < 2000)]


class Wire(asyncio.Transport):
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.7", 4242)})
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        assert not self.closed
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Statuses:
    """Reads responses with a strict parser of another make."""

    def __init__(self, content: bytes) -> None:
        self.found: list[int] = []
        self._parser = httptools.HttpResponseParser(self)
        self._parser.feed_data(content)

    def on_headers_complete(self) -> None:
        self.found.append(self._parser.get_status_code())


async def _feed(pieces: Sequence[bytes]) -> tuple[Doorstep, Wire, list[object]]:
    heard: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.append(context))
    step, wire = Doorstep(DOOR, LIMITS, None), Wire()
    connection = step.listener()
    assert isinstance(connection, Connection)
    connection.connection_made(wire)
    for piece in pieces:
        connection.data_received(piece)
        await asyncio.sleep(0)
    for _ in range(30):
        await asyncio.sleep(0)
    wire.closed = True
    connection.connection_lost(None)
    for _ in range(3):
        await asyncio.sleep(0)
    return step, wire, heard


def fed(pieces: Sequence[bytes]) -> tuple[Doorstep, Wire]:
    step, wire, heard = asyncio.run(_feed(pieces))
    assert heard == []
    return step, wire


def cut(content: bytes, places: Sequence[int]) -> list[bytes]:
    """Cut at the places, which are taken modulo the length."""
    marks = sorted({0, len(content), *(place % (len(content) + 1) for place in places)})
    return [content[start:end] for start, end in pairwise(marks)]


PLACES = st.lists(st.integers(0, 5000), max_size=4)


@settings(deadline=None)
@given(st.sampled_from(list(ACCEPTED.values())), PLACES)
def test_a_request_reads_the_same_however_it_is_cut(content: bytes, places: list[int]) -> None:
    whole, _ = fed([content])
    pieces, _ = fed(cut(content, places))
    assert len(whole.accepted) == 1
    assert whole.accepted == pieces.accepted


@settings(deadline=None)
@given(st.sampled_from([case[0] for case in REFUSED.values() if len(case[0]) < 2000]), PLACES)
def test_what_is_refused_is_refused_however_it_is_cut(content: bytes, places: list[int]) -> None:
    step, _ = fed(cut(content, places))
    assert step.accepted == []
    assert len(step.refused) == 1


def mutated(content: bytes, place: int, gap: int, bit: bytes) -> bytes:
    """Put `bit` in the place of `gap` bytes; the place is taken modulo the length."""
    place %= len(content) + 1
    return content[:place] + bit + content[place + gap :]


BITS = st.one_of(st.binary(max_size=2), st.sampled_from([b"\r\n", b"\0", b" ", b":", b"%"]))
MUTATED = st.builds(
    mutated, st.sampled_from(SAMPLES), st.integers(0, 2000), st.integers(0, 3), BITS
)


@settings(deadline=None, max_examples=200)
@given(MUTATED, st.sampled_from(SAMPLES), PLACES)
def test_nothing_that_arrives_gets_past_the_door_in_two_readings(
    first: bytes, second: bytes, places: list[int]
) -> None:
    step, wire = fed(cut(first + second, places))
    for request in step.accepted:
        assert_canonical(request)
    assert all(isinstance(refused, Malformed) for refused in step.refused)
    assert len(step.refused) <= 1
    assert CANARY not in wire.written
    statuses = [status for status in Statuses(wire.written).found if status != 100]
    assert len(statuses) == len(step.accepted) + len(step.refused)


def assert_canonical(request: Request) -> None:
    route = DOOR.routes.get(request.host) or DOOR.routes[request.host.rpartition(":")[0]]
    assert isinstance(read_target(request.target, route.decision_parameters), Target)
    assert isinstance(request.body, Whole)
    assert all(value.isascii() for value in request.headers.values())
    assert all(name == name.lower() for name in request.headers)


def test_a_second_request_is_never_read_with_a_trailer_of_the_first() -> None:
    chunks = b"3\r\nabc\r\n0\r\nX-Decides: evil\r\n\r\n"
    content = raw(b"Transfer-Encoding: chunked") + chunks + raw()
    for place in range(len(content)):
        step, _ = fed(cut(content, [place]))
        assert [request.headers.get("x-decides") for request in step.accepted] == [None]
