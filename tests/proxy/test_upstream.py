"""The pool against a scripted provider on the loopback."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast

import pytest
import uvloop

from gateway.errors import UpstreamError
from gateway.proxy.exchange import Connection, ConnectionEvents
from gateway.proxy.outbox import Outbox
from gateway.proxy.response import ResponseLimits, UpstreamResponse
from gateway.proxy.upstream import Pool, PoolLimits, host_field
from tests.audit.fakes import until

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
Script = Callable[["Visit"], Awaitable[None]]


class Visit:
    """One connection, as the provider sees it; `number` counts connections from 0."""

    def __init__(
        self,
        number: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        asked: asyncio.Event,
    ) -> None:
        self.number, self.reader, self.writer, self.asked = number, reader, writer, asked
        self.requests: list[bytes] = []  # bodies of those that were read whole

    async def request(self) -> bytes:
        """Read one request; return its body."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        self.asked.set()
        length = re.search(rb"content-length: (\d+)", head)
        self.requests.append(await self.reader.readexactly(int(length[1])) if length else b"")
        return self.requests[-1]

    async def answer(self, content: bytes = HELLO) -> None:
        self.writer.write(content)
        await self.writer.drain()

    async def gone(self) -> bool:
        """Wait for the other end to leave; tell whether it left without a further byte."""
        try:
            return await self.reader.read() == b""
        except ConnectionResetError:
            return True


class Provider:
    """Runs a script on every connection; `visits` lists them."""

    def __init__(self, script: Script) -> None:
        self.script, self.visits, self.url = script, list[Visit](), ""
        self.asked = asyncio.Event()
        self.ended: list[asyncio.Future[None]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = Visit(len(self.visits), reader, writer, asked=self.asked)
        self.visits.append(visit)
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended.append(ended)
        try:
            await self.script(visit)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            ended.set_result(None)


@asynccontextmanager
async def provider(script: Script) -> AsyncIterator[Provider]:
    serving = Provider(script)
    server = await asyncio.start_server(serving.serve, "127.0.0.1", 0)
    serving.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield serving
        await asyncio.gather(*serving.ended)


@asynccontextmanager
async def pooled(script: Script, **limits: float) -> AsyncIterator[tuple[Pool, Provider]]:
    """Start a provider and a pool to it; the pool goes first, so that every script can end."""
    async with AsyncExitStack() as stack:
        serving = await stack.enter_async_context(provider(script))
        small = ResponseLimits(head_bytes=1024, body_bytes=1_000_000)
        pool = Pool(serving.url, limits=PoolLimits(response=small, **limits))  # type: ignore[arg-type]
        stack.push_async_callback(pool.close)
        yield pool, serving


async def post(pool: Pool, body: bytes = b"{}", *, deadline_s: float = 10) -> UpstreamResponse:
    head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body)
    return await pool.exchange(head, body, deadline_s=deadline_s)


async def refused(pool: Pool, *, deadline_s: float = 10) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await post(pool, deadline_s=deadline_s)
    return caught.value


async def echo(visit: Visit) -> None:
    while True:
        body = await visit.request()
        await visit.answer(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def silence(visit: Visit) -> None:
    await visit.request()
    await visit.gone()


def answering(content: bytes) -> Script:
    """Answer every request with the same bytes and keep the connection."""

    async def script(visit: Visit) -> None:
        while True:
            await visit.request()
            await visit.answer(content)

    return script


def closing_after(content: bytes) -> Script:
    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.answer(content)

    return script


async def test_exchanges_one_after_another_share_a_connection() -> None:
    async with pooled(echo) as (pool, serving):
        for number in range(20):
            assert (await post(pool, b"%d" % number)).body == b"%d" % number
        assert (len(serving.visits), pool.open, pool.idle) == (1, 1, 1)


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 900_000])
async def test_the_provider_gets_exactly_the_bytes_of_the_body(size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    async with pooled(echo) as (pool, _):
        assert (await post(pool, body[:size])).body == body[:size]


async def test_many_exchanges_at_once_get_each_its_own_answer() -> None:
    async with pooled(echo, connections=8) as (pool, serving):
        bodies = [b"%d" % number for number in range(200)]
        answers = await asyncio.gather(*(post(pool, body) for body in bodies))
        assert [answer.body for answer in answers] == bodies
        assert len(serving.visits) == 8
        assert (pool.open, pool.idle, pool.waiting) == (8, 8, 0)


async def test_who_waits_for_a_connection_is_served_in_the_order_of_arrival() -> None:
    served = list[bytes]()

    async def note(visit: Visit) -> None:
        while True:
            served.append(await visit.request())
            await visit.answer()

    async with pooled(note, connections=1) as (pool, _):
        bodies = [b"%d" % number for number in range(30)]
        await asyncio.gather(*(post(pool, body) for body in bodies))
    assert served == bodies


async def test_an_interim_answer_is_passed_over() -> None:
    async with pooled(answering(b"HTTP/1.1 100 Continue\r\n\r\n" + HELLO)) as (pool, serving):
        assert [(await post(pool)).body for _ in range(3)] == [b"hello"] * 3
        assert len(serving.visits) == 1


async def test_a_head_request_leaves_the_connection_ready() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 700\r\n\r\n"
    async with pooled(answering(head)) as (pool, serving):
        for _ in range(3):
            answer = await pool.exchange(b"HEAD / HTTP/1.1\r\nhost: x\r\n\r\n", b"", deadline_s=10)
            assert answer.body == b""
        assert len(serving.visits) == 1


@pytest.mark.parametrize(
    "surplus",
    [b"x", b"\r\n", HELLO, b"HTTP/1.1 200 OK\r\n"],
    ids=["byte", "line", "answer", "half"],
)
async def test_a_connection_with_bytes_after_an_answer_is_never_used_again(surplus: bytes) -> None:
    async with pooled(answering(HELLO + surplus)) as (pool, serving):
        assert [(await post(pool)).body for _ in range(3)] == [b"hello"] * 3
        assert len(serving.visits) == 3


class Unasked:
    """A provider that answers, and speaks again on its first connections when it is told to."""

    def __init__(self, connections: int = 1) -> None:
        self.connections = connections
        self._both = asyncio.Barrier(connections)
        self._told = asyncio.Event()
        self._spoken = asyncio.Barrier(connections + 1)

    async def __call__(self, visit: Visit) -> None:
        await visit.request()
        if visit.number < self.connections:
            await self._both.wait()
            await visit.answer()
            await self._told.wait()
            await visit.answer(HELLO.replace(b"hello", b"POISN"))
            await self._spoken.wait()
        else:
            await visit.answer()
        await visit.gone()

    async def speak(self) -> None:
        """Have it speak; what it says has arrived then, and the loop has not delivered it."""
        self._told.set()
        await self._spoken.wait()


async def test_bytes_on_several_idle_connections_end_each_of_them() -> None:
    provider = Unasked(2)
    async with pooled(provider) as (pool, _):
        await asyncio.gather(post(pool), post(pool))
        await provider.speak()
        assert pool.idle == 2
        assert pool._take_idle(pool._loop.time()) is None
        assert pool.idle == 0


class StoppedClock:
    """A loop in whose one turn everything happens, as far as its clock tells."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._now = loop, loop.time()

    def time(self) -> float:
        return self._now

    def __getattr__(self, name: str) -> object:
        return getattr(self._loop, name)


@pytest.mark.parametrize("taken_first", [False, True])
@pytest.mark.parametrize("rested", ["before the look", "after the look"])
async def test_bytes_on_an_idle_connection_end_it_and_are_no_answer(
    rested: str, *, taken_first: bool
) -> None:
    provider = Unasked()
    async with pooled(provider) as (pool, serving):
        if rested == "after the look":
            pool._loop = cast("asyncio.AbstractEventLoop", StoppedClock(pool._loop))
        assert (await post(pool)).body == b"hello"
        assert pool.idle == 1
        await provider.speak()
        assert pool.idle == 1
        if taken_first:
            assert pool._take_idle(pool._loop.time()) is None
        assert (await post(pool)).body == b"hello"
        assert len(serving.visits) == 2


async def test_a_connection_for_a_request_that_is_written_at_once_is_looked_at_again() -> None:
    provider = Unasked(2)
    async with pooled(provider) as (pool, _):
        await asyncio.gather(post(pool), post(pool))
        now = pool._loop.time() + 1
        first = pool._take_idle(now)
        assert first is not None
        await provider.speak()
        assert pool.idle == 1
        assert pool._take_idle(now, again=True) is None
        first.drop()


async def test_a_new_connection_on_which_the_provider_speaks_first_is_dropped() -> None:
    greeted = asyncio.Event()

    async def greet(visit: Visit) -> None:
        await visit.answer(HELLO)
        greeted.set()
        await visit.gone()

    loop = asyncio.get_running_loop()
    lost: asyncio.Future[Connection] = loop.create_future()
    events = ConnectionEvents(made=lambda _: None, freed=lambda _: None, lost=lost.set_result)
    async with provider(greet) as serving:
        port = int(serving.url.rpartition(":")[2])
        _, connection = await loop.create_connection(
            lambda: Connection(loop=loop, limits=ResponseLimits(), events=events, outbox=Outbox()),
            "127.0.0.1",
            port,
        )
        await greeted.wait()
        assert not connection.usable()
        assert await lost is connection


async def test_a_connection_that_the_provider_closed_while_idle_is_not_written_to() -> None:
    async with pooled(closing_after(HELLO)) as (pool, serving):
        for number in range(5):
            assert (await post(pool)).body == b"hello"
            await serving.ended[number]
        assert len(serving.visits) == 5


@pytest.mark.parametrize(
    "loop_factory",
    [asyncio.new_event_loop, uvloop.new_event_loop],
    ids=["asyncio", "uvloop"],
)
def test_a_caller_who_leaves_while_it_connects_leaves_no_place_taken(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def leave(turns: int, pool: Pool) -> None:
        exchange = asyncio.create_task(post(pool))
        for _ in range(turns):
            await asyncio.sleep(0)
        exchange.cancel()
        await asyncio.wait([exchange])

    async def scenario() -> None:
        async with pooled(echo, connections=2) as (pool, _):
            for turns in range(12):
                await leave(turns, pool)
            assert (await post(pool, b"here")).body == b"here"
            async with asyncio.timeout(5):
                await pool.close()
            assert (pool.open, pool._connecting, pool._by_descriptor) == (0, 0, {})

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(scenario())


async def unwritten(pool: Pool) -> tuple[asyncio.Task[UpstreamResponse], Connection]:
    """Begin an exchange on an idle connection; its request waits to be written."""
    connection = [*pool._idle][-1]
    exchange = asyncio.create_task(post(pool))
    await asyncio.sleep(0)
    assert connection.busy
    assert connection._unsent
    return exchange, connection


async def test_a_request_of_which_nothing_was_written_goes_on_another_connection() -> None:
    async with pooled(answering(HELLO)) as (pool, serving):
        await post(pool)
        exchange, connection = await unwritten(pool)
        connection.drop()
        assert (await exchange).body == b"hello"
        assert [len(visit.requests) for visit in serving.visits] == [1, 1]


async def test_what_arrives_before_the_request_was_written_is_no_answer_to_it() -> None:
    async with pooled(answering(HELLO)) as (pool, serving):
        await post(pool)
        exchange, connection = await unwritten(pool)
        connection.data_received(HELLO.replace(b"hello", b"POISN"))
        assert (await exchange).body == b"hello"
        assert [len(visit.requests) for visit in serving.visits] == [1, 1]


async def test_a_request_looks_for_another_connection_only_once() -> None:
    async with pooled(answering(HELLO)) as (pool, serving):
        await asyncio.gather(post(pool), post(pool))
        exchange, connection = await unwritten(pool)
        connection.drop()
        await until(lambda: pool.idle == 0)
        (second,) = (each for each in pool._connections if each.busy)
        assert second._unsent
        second.drop()
        with pytest.raises(UpstreamError, match="before the request") as caught:
            await exchange
        assert not caught.value.sent
        assert [len(visit.requests) for visit in serving.visits] == [1, 1]


async def test_a_deadline_that_passes_before_a_request_is_written_says_so() -> None:
    async with pooled(answering(HELLO)) as (pool, serving):
        await post(pool)
        exchange, connection = await unwritten(pool)
        connection.expire()
        with pytest.raises(UpstreamError, match="in time") as caught:
            await exchange
        assert not caught.value.sent
        assert len(serving.visits[0].requests) == 1


async def test_a_caller_who_leaves_before_the_request_is_written_takes_it_along() -> None:
    async with pooled(answering(HELLO)) as (pool, serving):
        await post(pool)
        exchange, connection = await unwritten(pool)
        assert connection._answer is not None
        connection.abandon(connection._answer)
        exchange.cancel()
        with pytest.raises(asyncio.CancelledError):
            await exchange
        await serving.ended[0]
        assert len(serving.visits[0].requests) == 1


async def test_an_announced_close_is_obeyed() -> None:
    content = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    async with pooled(answering(content)) as (pool, serving):
        await post(pool)
        await post(pool)
        assert len(serving.visits) == 2


async def test_an_answer_before_its_request_was_all_sent_ends_the_connection() -> None:
    async def refuse_early(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await visit.answer(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await visit.gone()

    async with pooled(refuse_early) as (pool, _):
        answer = await post(pool, b"x" * 50_000_000)
        assert answer.status == 413
        assert pool.idle == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
    ids=["nothing", "half_head", "no_body", "short_body", "open_chunks", "interim"],
)
async def test_an_answer_that_ends_early_is_an_error_and_is_not_asked_for_again(
    content: bytes,
) -> None:
    async with pooled(closing_after(content)) as (pool, serving):
        error = await refused(pool)
        assert error.sent
        assert error.reason == "upstream.broken"
        assert len(serving.visits) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000001\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2000,
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    ],
    ids=["upgrade", "no_length", "two_lengths", "large_body", "large_head", "ssh"],
)
async def test_a_broken_answer_is_an_error_and_its_connection_is_dropped(content: bytes) -> None:
    async with pooled(answering(content)) as (pool, serving):
        for visits in (1, 2):
            error = await refused(pool)
            assert (error.sent, error.reason) == (True, "upstream.broken")
            assert len(serving.visits) == visits
        assert pool.idle == 0


async def test_a_slow_answer_ends_at_its_deadline_and_takes_the_connection_along() -> None:
    async with pooled(silence) as (pool, serving):
        error = await refused(pool, deadline_s=0.02)
        assert (error.sent, error.reason) == (True, "upstream.timeout")
        await serving.ended[0]


async def test_each_exchange_has_its_own_deadline() -> None:
    async def silent_to_x(visit: Visit) -> None:
        while True:
            body = await visit.request()
            if body != b"x":
                await visit.answer()

    async with pooled(silent_to_x) as (pool, _), asyncio.TaskGroup() as group:
        ended = list[str]()

        async def expire(name: str, deadline_s: float) -> None:
            with pytest.raises(UpstreamError):
                await post(pool, b"x", deadline_s=deadline_s)
            ended.append(name)

        group.create_task(expire("third", 0.12))
        group.create_task(expire("first", 0.03))
        group.create_task(expire("second", 0.06))
        assert (await post(pool, b"y", deadline_s=60)).body == b"hello"
    assert ended == ["first", "second", "third"]


async def test_who_gets_no_connection_in_time_has_sent_nothing() -> None:
    async with pooled(silence, connections=1) as (pool, serving), asyncio.TaskGroup() as group:
        holding = group.create_task(refused(pool, deadline_s=0.2))
        await serving.asked.wait()
        error = await refused(pool, deadline_s=0.02)
        assert (error.sent, error.reason) == (False, "upstream.timeout")
        assert (await holding).sent


async def test_a_place_goes_to_who_waits_when_a_connection_is_lost() -> None:
    async def fail_first(visit: Visit) -> None:
        await visit.request()
        if visit.number:
            await visit.answer()
            await visit.gone()

    async with pooled(fail_first, connections=1) as (pool, serving), asyncio.TaskGroup() as group:
        first = group.create_task(refused(pool))
        second = group.create_task(post(pool))
        assert (await first).sent
        assert (await second).body == b"hello"
        assert len(serving.visits) == 2


async def test_a_cancelled_exchange_never_leaves_its_answer_to_another() -> None:
    asked = asyncio.Event()
    release = asyncio.Event()

    async def hold_first(visit: Visit) -> None:
        while True:
            body = await visit.request()
            if body == b"first":
                asked.set()
                await release.wait()
            await visit.answer(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    async with pooled(hold_first) as (pool, serving):
        first = asyncio.create_task(post(pool, b"first"))
        await asked.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        release.set()
        assert (await post(pool, b"second")).body == b"second"
        assert len(serving.visits) == 2


async def test_a_caller_that_leaves_as_the_answer_comes_harms_nobody() -> None:
    async with pooled(echo, connections=1) as (pool, _):
        await post(pool)
        for rounds in range(40):
            leaving = asyncio.create_task(post(pool, b"leaving"))
            staying = asyncio.create_task(post(pool, b"staying"))
            for _ in range(rounds % 8):
                await asyncio.sleep(0)
            leaving.cancel()
            assert (await staying).body == b"staying"
            await asyncio.gather(leaving, return_exceptions=True)


@pytest.mark.parametrize("script", [echo, closing_after(HELLO)], ids=["keeping", "closing"])
async def test_a_caller_that_leaves_while_it_waits_loses_nobodys_turn(script: Script) -> None:
    async with pooled(script, connections=1) as (pool, _):
        for rounds in range(40):
            tasks = [asyncio.create_task(post(pool, b"hello")) for _ in range(6)]
            for _ in range(rounds):
                await asyncio.sleep(0)
            for task in tasks[1:4]:
                task.cancel()
            left = await asyncio.gather(*tasks, return_exceptions=True)
            answers = [each for each in left if isinstance(each, UpstreamResponse)]
            assert len(answers) >= 3
        assert pool.waiting == 0


async def test_a_cancelled_exchange_closes_its_connection() -> None:
    async with pooled(silence) as (pool, serving):
        leaving = asyncio.create_task(post(pool))
        await serving.asked.wait()
        leaving.cancel()
        await serving.ended[0]


async def test_who_waits_is_not_given_a_connection_that_the_provider_has_closed() -> None:
    async with pooled(closing_after(HELLO), connections=1) as (pool, serving):
        answers = await asyncio.gather(*(post(pool) for _ in range(10)))
        assert [answer.body for answer in answers] == [b"hello"] * 10
        assert len(serving.visits) == 10


async def test_an_idle_connection_past_its_time_is_replaced() -> None:
    async with pooled(echo) as (pool, serving):
        await post(pool)
        age(pool, *pool._idle)
        await post(pool)
        assert len(serving.visits) == 2


async def test_idle_connections_that_nobody_needs_are_closed_in_time() -> None:
    async with pooled(echo) as (pool, serving):
        await asyncio.gather(post(pool), post(pool))
        unused, _ = pool._idle
        age(pool, unused)
        await post(pool)
        await asyncio.wait(serving.ended, return_when=asyncio.FIRST_COMPLETED)
        assert (len(serving.visits), pool.open, pool.idle) == (2, 1, 1)


def age(pool: Pool, *connections: Connection) -> None:
    for connection in connections:
        pool._idle[connection] -= 60


async def test_a_provider_that_is_not_there_is_unavailable_and_nothing_was_sent() -> None:
    async with provider(echo) as serving:
        url = serving.url
    pool = Pool(url)
    error = await refused(pool)
    assert (error.sent, error.reason) == (False, "upstream.unavailable")
    await pool.close()


async def test_closing_tells_all_who_are_under_way_and_all_who_wait() -> None:
    async with pooled(silence, connections=1) as (pool, serving), asyncio.TaskGroup() as group:
        errors = [group.create_task(refused(pool)) for _ in range(3)]
        await serving.asked.wait()
        await pool.close()
        assert sorted([(await error).sent for error in errors]) == [False, False, True]
        assert not (await refused(pool)).sent
        assert (pool.open, pool.idle, pool.waiting) == (0, 0, 0)


@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("https://a.example", "a.example"),
        ("https://a.example:443/", "a.example"),
        ("https://a.example:8443", "a.example:8443"),
        ("http://127.0.0.1:80", "127.0.0.1"),
        ("http://[::1]:8080", "[::1]:8080"),
    ],
)
def test_the_host_header_names_a_port_only_where_it_is_not_the_default(
    url: str, field: str
) -> None:
    assert host_field(url) == field


@pytest.mark.parametrize(
    "url",
    ["ftp://a.example", "a.example", "https://", "https://u:p@a.example", "https://a.example/p"],
)
async def test_an_upstream_is_scheme_host_and_port_only(url: str) -> None:
    with pytest.raises(ValueError, match="host and port only"):
        Pool(url)
