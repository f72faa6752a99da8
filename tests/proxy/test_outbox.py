"""Answers wait for the end of the turn, and come in order whatever else happens to a connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from gateway.proxy.outbox import MOST_BYTES, Outbox
from gateway.proxy.parser import Arrived
from gateway.proxy.protocol import Connection
from gateway.proxy.reply import Reply
from gateway.respond import Answer
from tests.audit.fakes import turns, until
from tests.proxy.doorstep import DOOR, LIMITS, Doorstep, raw
from tests.proxy.test_door_fuzz import Statuses, Wire


async def test_what_waits_is_written_in_order_in_the_next_turn() -> None:
    outbox, written = Outbox(), list[int]()
    for number in range(3):
        outbox.add(lambda number=number: written.append(number))  # type: ignore[misc]
    assert written == []
    await turns(1)
    assert written == [0, 1, 2]


async def test_a_write_that_fails_is_no_affair_of_the_others() -> None:
    heard: list[BaseException] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.append(context["exception"]))
    outbox, written = Outbox(), list[str]()
    outbox.add(lambda: written.append("before"))
    outbox.add(lambda: written.remove("none"))
    outbox.add(lambda: written.append("behind"))
    await turns(2)
    assert written == ["before", "behind"]
    assert [type(error) for error in heard] == [ValueError]
    outbox.add(lambda: written.append("later"))
    await turns(1)
    assert written[-1] == "later"


@asynccontextmanager
async def answered() -> AsyncIterator[tuple[Connection, Wire]]:
    """A connection whose first answer is ready, and not written yet."""
    connection, wire = Doorstep(DOOR, LIMITS, None).listener(), Wire()
    assert isinstance(connection, Connection)
    connection.connection_made(wire)
    await turns(1)
    connection.data_received(raw())
    await until(lambda: bool(connection._unsent))
    assert wire.written == b""
    yield connection, wire
    if connection._manager is not None:
        connection.connection_lost(None)
    await turns(3)


async def test_an_answer_is_written_in_the_turn_that_follows() -> None:
    async with answered() as (_, wire):
        await turns(2)
        assert Statuses(wire.written).found == [200]


async def test_a_refusal_comes_behind_the_answer_that_still_waits() -> None:
    async with answered() as (connection, wire):
        connection.data_received(b"\0garbage")
        assert Statuses(wire.written).found == [200, 400]


async def test_an_answer_that_waits_is_written_before_the_connection_is_closed() -> None:
    async with answered() as (connection, wire):
        connection.force_close()
        assert wire.closed
        assert Statuses(wire.written).found == [200]


async def test_an_answer_to_a_client_who_left_is_written_to_nobody() -> None:
    async with answered() as (connection, wire):
        wire.closed = True
        connection.connection_lost(None)
        await turns(2)
        assert wire.written == b""


async def test_a_large_answer_is_written_at_once() -> None:
    async def handle(_: Arrived) -> Reply:
        return Reply(Answer(200, (), bytes(MOST_BYTES)))

    connection, wire = Doorstep(DOOR, LIMITS, handle).listener(), Wire()
    assert isinstance(connection, Connection)
    connection.connection_made(wire)
    await turns(1)
    connection.data_received(raw())
    await until(lambda: connection._under_way is None)
    assert len(wire.written) > MOST_BYTES
    connection.connection_lost(None)
    await turns(3)


class Stuck(Wire):
    """A transport whose client takes nothing: closing waits for what is unsent."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


async def test_a_client_who_takes_nothing_is_cut_off_after_its_time() -> None:
    limits = msgspec.structs.replace(LIMITS, write_timeout_s=0.01)
    connection, wire = Doorstep(DOOR, limits, None).listener(), Stuck()
    assert isinstance(connection, Connection)
    connection.connection_made(wire)
    await turns(1)
    connection.force_close()
    assert wire.closed
    assert not wire.aborted
    await until(lambda: wire.aborted)
    connection.connection_lost(None)
    await turns(3)
