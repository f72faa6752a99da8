from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys

import msgspec
import pytest
from aiohttp.http_parser import HttpRequestParserPy

from gateway.core.request import Whole
from gateway.errors import FacegateError
from gateway.proxy.parser import Arrived, require_c_parser
from gateway.proxy.protocol import Connection, HeadLimits
from gateway.proxy.reply import Reply
from gateway.respond import Answer
from tests.proxy.doorstep import CANARY, DOOR, LIMITS, Client, doorstep, raw

EXPECT = b"Expect: 100-continue"


def limits(**changes: float) -> HeadLimits:
    return msgspec.structs.replace(LIMITS, **changes)


async def content_of(http: Arrived) -> bytes:
    return http.content if isinstance(http.content, bytes) else await http.content.read()


async def silence(client: Client, seconds: float) -> bool:
    """Tell whether nothing arrives for so long; what does arrive is not taken."""
    try:
        await asyncio.wait_for(client.arrival(), seconds)
    except TimeoutError:
        return True
    return False


async def test_a_head_that_comes_slowly_is_refused_in_time() -> None:
    async with doorstep(limits=limits(header_timeout_s=0.1, keepalive_timeout_s=5)) as step:
        client = await step.client()
        await client.send(raw()[:40])
        response = await client.response()
        assert (response.status, response.json["reason"]) == (408, "malformed.timeout")
        assert await client.rest() == b""


async def test_bytes_that_trickle_do_not_stretch_the_deadline_of_a_head() -> None:
    async with doorstep(limits=limits(header_timeout_s=0.15, keepalive_timeout_s=5)) as step:
        client = await step.client()
        async with asyncio.timeout(2):
            while await silence(client, 0.02):
                await client.send(b"\r\n")
        assert (await client.response()).status == 408


async def test_the_deadline_of_a_head_ends_with_the_head() -> None:
    door = msgspec.structs.replace(DOOR, body_timeout_s=5)
    async with doorstep(door=door, limits=limits(header_timeout_s=0.1)) as step:
        client = await step.client()
        head, _, body = raw(EXPECT, body=b"abc").partition(b"\r\n\r\n")
        await client.send(head[:30])
        assert await silence(client, 0.02)
        await client.send(head[30:] + b"\r\n\r\n")
        assert (await client.response()).status == 100
        assert await silence(client, 0.2)
        await client.send(body)
        assert (await client.response()).status == 200


async def test_a_head_under_way_is_not_cut_by_the_time_of_idle_connections() -> None:
    async with doorstep(limits=limits(keepalive_timeout_s=0.1)) as step:
        client = await step.client()
        await client.send(raw()[:20])
        assert await silence(client, 0.3)
        await client.send(raw()[20:])
        assert (await client.response()).status == 200
        assert await client.rest() == b""


async def test_a_connection_without_a_request_is_closed_without_an_answer() -> None:
    async with doorstep(limits=limits(keepalive_timeout_s=0.1)) as step:
        client = await step.client()
        assert await client.rest() == b""
        client = await step.client()
        await client.send(raw())
        assert (await client.response()).status == 200
        assert await client.rest() == b""
        assert step.refused == []


async def test_a_body_that_does_not_come_is_refused_in_time() -> None:
    async with doorstep(door=msgspec.structs.replace(DOOR, body_timeout_s=0.1)) as step:
        client = await step.client()
        await client.send(raw(body=b"abc")[:-1])
        response = await client.response()
        assert (response.status, response.json["reason"]) == (408, "malformed.timeout")
        assert response.headers["content-type"] == "application/x-amz-json-1.1"
        assert await client.rest() == b""


@pytest.mark.parametrize(
    "chunk", [b"1\r\na\r\n", b"4;" + b"x" * 999 + b"\r\nabcd\r\n"], ids=["size", "extension"]
)
async def test_a_body_that_is_framing_for_the_most_part_is_refused(chunk: bytes) -> None:
    door = msgspec.structs.replace(DOOR, body_bytes=12_582_912)
    async with doorstep(door=door) as step:
        client = await step.client()
        await client.send(raw(b"Transfer-Encoding: chunked"))
        await client.send(chunk * (600_000 // len(chunk)))
        assert (await client.response()).json["reason"] == "malformed.body"
        assert step.refused[0].length < 200_000


async def test_a_large_body_in_chunks_of_any_decent_size_is_read() -> None:
    door = msgspec.structs.replace(DOOR, body_bytes=12_582_912)
    async with doorstep(door=door) as step:
        for size in (10, 1_000, 1_000_000):
            chunk = b"%x\r\n%b\r\n" % (size, b"a" * size)
            chunks = chunk * (2_000_000 // size) + b"0\r\n\r\n"
            response = await step.exchange(raw(b"Transfer-Encoding: chunked") + chunks)
            assert response.json["length"] == 2_000_000


async def test_a_large_body_is_read() -> None:
    door = msgspec.structs.replace(DOOR, body_bytes=12_582_912)
    async with doorstep(door=door) as step:
        response = await step.exchange(raw(body=bytes(12_582_912)))
        assert response.json["length"] == 12_582_912


async def test_continue_is_said_once_the_head_is_found_acceptable() -> None:
    async with doorstep() as step:
        client = await step.client()
        head, _, body = raw(EXPECT, body=b"abc").partition(b"\r\n\r\n")
        await client.send(head + b"\r\n\r\n")
        assert (await client.response()).status == 100
        await client.send(body)
        assert (await client.response()).status == 200
        assert step.accepted[0].body == Whole(b"abc")


@pytest.mark.parametrize("letters", [b"100-Continue", b"100-CONTINUE"])
async def test_the_expectation_has_no_letter_case(letters: bytes) -> None:
    async with doorstep() as step:
        client = await step.client()
        await client.send(raw(b"Expect: " + letters, b"Content-Length: 3"))
        assert (await client.response()).status == 100


async def test_continue_is_not_said_where_the_body_is_here_already() -> None:
    async with doorstep() as step:
        assert (await step.exchange(raw(EXPECT, body=b"abc"))).status == 200
        assert (await step.exchange(raw(EXPECT, body=b""))).status == 200


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (raw(EXPECT, b"Content-Length: 65537"), 413),
        (raw(EXPECT, b"Content-Length: 3", target=b"/../"), 400),
        (raw(EXPECT, b"Content-Length: 3", host=b"other"), 421),
        (raw(b"Expect: more", b"Content-Length: 3"), 417),
    ],
    ids=["length", "path", "host", "expectation"],
)
async def test_continue_is_not_said_to_a_head_that_is_refused(
    request_bytes: bytes, status: int
) -> None:
    async with doorstep() as step:
        assert (await step.exchange(request_bytes)).status == status


async def test_continue_is_not_said_where_some_of_the_body_is_here_already() -> None:
    async with doorstep() as step:
        client = await step.client()
        request = raw(EXPECT, body=b"abc")
        await client.send(request[:-1])
        assert await silence(client, 0.05)
        await client.send(request[-1:])
        assert (await client.response()).status == 200


async def test_chunks_are_refused_as_soon_as_they_are_too_many() -> None:
    async with doorstep() as step:
        client = await step.client()
        await client.send(raw(EXPECT, b"Transfer-Encoding: chunked"))
        assert (await client.response()).status == 100
        await client.send(b"20000\r\n" + b"a" * 65_537)
        assert (await client.response()).status == 413


async def test_a_client_that_leaves_in_its_head_is_no_rejection() -> None:
    async with doorstep(limits=limits(header_timeout_s=0.1)) as step:
        client, witness = await step.client(), await step.client()
        await client.send(raw()[:-4])
        assert await silence(client, 0.02)
        await client.close()
        await asyncio.wait_for(step.listener.left.wait(), 5)
        assert await silence(witness, 0.2)
        assert step.refused == []


async def test_requests_follow_one_another_on_a_connection() -> None:
    async with doorstep() as step:
        client = await step.client()
        for number in range(20):
            await client.send(raw(target=b"/%d" % number, body=b"a" * number * 100))
            response = await client.response()
            assert response.json == {"target": f"/{number}", "length": number * 100}
            assert "connection" not in response.headers
        assert len(step.listener.connections) == 1


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with doorstep() as step:
        client = await step.client()
        await client.send(b"".join(raw(target=b"/%d" % n, body=b"a" * n) for n in range(100)))
        targets = [(await client.response()).json["target"] for _ in range(100)]
        assert targets == [f"/{n}" for n in range(100)]


async def test_pipelined_requests_wait_while_one_is_under_way() -> None:
    arrived: asyncio.Queue[str] = asyncio.Queue()
    release = asyncio.Semaphore(0)

    async def handle(http: Arrived) -> Reply:
        await arrived.put(http.raw_path)
        await release.acquire()
        return Reply(Answer(200, (), http.raw_path.encode()))

    async with doorstep(handle=handle) as step:
        client = await step.client()
        await client.send(raw(target=b"/1"))
        assert await arrived.get() == "/1"
        await client.send(raw(target=b"/2"), raw(target=b"/3") + b"\0garbage")
        for number in (b"/1", b"/2", b"/3"):
            release.release()
            assert (await client.response()).body == number
        assert (await client.response()).status == 400
        assert arrived.qsize() == 2


async def test_what_is_pipelined_is_not_hoarded() -> None:
    arrived, release = asyncio.Event(), asyncio.Event()

    async def handle(http: Arrived) -> Reply:
        arrived.set()
        await release.wait()
        return Reply(Answer(200, (), b"%d" % len(await content_of(http))))

    async with doorstep(handle=handle) as step:
        client = await step.client()
        await client.send(raw(target=b"/1"))
        await asyncio.wait_for(arrived.wait(), 5)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.send(raw(body=bytes(30_000_000))), 0.2)
        release.set()
        assert [(await client.response()).body for _ in range(2)] == [b"0", b"30000000"]


async def test_a_body_that_nobody_read_is_never_taken_for_a_request() -> None:
    async def handle(http: Arrived) -> Reply:
        return Reply(Answer(200, (), http.raw_path.encode()))

    async with doorstep(handle=handle) as step:
        client = await step.client()
        await client.send(raw(b"Content-Length: 9999", target=b"/1"))
        assert (await client.response()).body == b"/1"
        await client.send(raw(target=b"/2"))
        assert await client.rest() == b""


async def test_an_answer_that_ends_the_connection_can_be_read_before_the_end() -> None:
    arrived, release = asyncio.Event(), asyncio.Event()

    async def handle(_: Arrived) -> Reply:
        arrived.set()
        await release.wait()
        return Reply(Answer(200, (), b"last"))

    async with doorstep(handle=handle, limits=limits(linger_s=30)) as step:
        client = await step.client()
        await client.send(raw(b"Connection: close"))
        await asyncio.wait_for(arrived.wait(), 5)
        (connection,) = step.listener.connections
        assert isinstance(connection, Connection)
        await client.send(raw() + bytes(1_000_000))
        assert await silence(client, 0.05)
        release.set()
        assert (await client.response()).body == b"last"
        assert await client.rest() == b""
        assert not step.listener.left.is_set()
        await client.close()
        await asyncio.wait_for(step.listener.left.wait(), 5)
        assert connection._clock is None


async def test_a_head_that_is_too_large_is_refused_also_behind_another_request() -> None:
    large = raw(*(b"X-%d: " % i + b"a" * 200 for i in range(25)))
    async with doorstep() as step:
        client = await step.client()
        await client.send(raw(body=b"a" * 9) + large)
        assert (await client.response()).status == 200
        assert (await client.response()).status == 431


@pytest.mark.parametrize("apart", [True, False], ids=["two-segments", "one-segment"])
async def test_garbage_behind_a_request_is_refused_after_its_answer(*, apart: bool) -> None:
    good, bad = raw(target=b"/good"), b"\x00" + CANARY + b"\r\n\r\n"
    async with doorstep() as step:
        client = await step.client()
        await client.send(*((good, bad) if apart else (good + bad,)))
        assert (await client.response()).json["target"] == "/good"
        response = await client.response()
        assert (response.status, response.json["reason"]) == (400, "malformed.method")
        assert await client.rest() == b""


async def test_nothing_is_read_after_a_refusal() -> None:
    async with doorstep() as step:
        client = await step.client()
        await client.send(raw(target=b"/../") + raw(target=b"/smuggled"), raw(target=b"/more"))
        assert (await client.response()).status == 400
        assert await client.rest() == b""
        assert step.accepted == []


async def test_an_upgrade_is_refused_and_nothing_behind_it_is_read() -> None:
    upgrade = raw(b"Connection: Upgrade", b"Upgrade: websocket", method=b"GET")
    async with doorstep() as step:
        client = await step.client()
        await client.send(upgrade + raw(target=b"/smuggled"))
        assert (await client.response()).status == 400
        assert await client.rest() == b""
        assert step.accepted == []


async def test_a_refused_client_that_still_sends_can_read_its_answer() -> None:
    async with doorstep() as step:
        client = await step.client()
        await client.send(raw(b"Content-Length: 4000000"), b"a" * 4_000_000)
        assert (await client.response()).status == 413
        assert await client.rest() == b""


async def test_a_refused_client_that_never_stops_is_cut_off() -> None:
    async with doorstep(limits=limits(linger_s=0.1)) as step:
        client = await step.client()
        await client.send(raw(target=b"/../"))
        assert (await client.response()).status == 400

        async def flood() -> None:
            while True:
                await client.send(b"a" * 65_536)

        with pytest.raises(ConnectionError):
            await asyncio.wait_for(flood(), 5)


async def test_a_client_that_does_not_take_its_answer_is_cut_off() -> None:
    async def handle(_: Arrived) -> Reply:
        return Reply(Answer(200, (), bytes(50_000_000)))

    async with doorstep(handle=handle, limits=limits(write_timeout_s=0.1)) as step:
        client = await step.client()
        client.transport.pause_reading()
        await client.send(raw())
        await asyncio.wait_for(step.listener.left.wait(), 5)
        client.transport.resume_reading()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await client.response()


async def test_a_handler_is_cancelled_when_its_client_goes_away() -> None:
    arrived, gone = asyncio.Event(), asyncio.Event()

    async def handle(_: Arrived) -> Reply:
        arrived.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            gone.set()
            raise
        raise AssertionError

    async with doorstep(handle=handle) as step:
        client = await step.client()
        await client.send(raw())
        await asyncio.wait_for(arrived.wait(), 5)
        await client.close()
        await asyncio.wait_for(gone.wait(), 5)


async def test_a_client_that_leaves_in_its_body_leaves_nothing_behind() -> None:
    async with doorstep() as step:
        client = await step.client()
        await client.send(raw(EXPECT, b"Content-Length: 3"))
        assert (await client.response()).status == 100
        await client.close()
        await asyncio.wait_for(step.listener.left.wait(), 5)
        assert step.accepted == []
        assert step.refused == []


async def test_a_handler_that_fails_ends_the_connection_and_tells_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def handle(http: Arrived) -> Reply:
        raise KeyError(http.header("x-note"))

    async with doorstep(handle=handle) as step:
        client = await step.client()
        await client.send(raw())
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await client.response()
    assert "KeyError" in caplog.text
    assert "test_door_connection.py" in caplog.text
    assert CANARY.decode() not in caplog.text


async def test_a_drain_closes_idle_connections_and_finishes_the_others() -> None:
    async with doorstep() as step:
        idle, busy = await step.client(), await step.client()
        head, _, body = raw(EXPECT, body=b"abc").partition(b"\r\n\r\n")
        await idle.send(raw())
        await idle.response()
        await busy.send(head + b"\r\n\r\n")
        assert (await busy.response()).status == 100
        step.listener.pre_shutdown()
        assert await idle.rest() == b""
        await busy.send(body)
        response = await busy.response()
        assert (response.status, response.headers["connection"]) == (200, "close")
        assert await busy.rest() == b""


async def test_a_shutdown_waits_for_the_answer_under_way() -> None:
    arrived, release = asyncio.Event(), asyncio.Event()

    async def handle(_: Arrived) -> Reply:
        arrived.set()
        await release.wait()
        return Reply(Answer(200, (), b"done"))

    async with doorstep(handle=handle) as step:
        client = await step.client()
        await client.send(raw())
        await arrived.wait()
        async with asyncio.TaskGroup() as group:
            group.create_task(step.listener.shutdown(5))
            group.create_task(_release(release))
            assert (await client.response()).body == b"done"


async def _release(event: asyncio.Event) -> None:
    event.set()


async def test_the_loop_never_hears_of_what_a_client_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    heard: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
    async with doorstep() as step:
        for garbage in (
            b"\0" + CANARY,
            b"GET /" + CANARY + b"\xff HTTP/1.1\r\n\r\n",
            b"\r\n" * 9000,
        ):
            client = await step.client()
            await client.send(garbage)
            await client.response()
    assert heard == []
    assert CANARY.decode() not in caplog.text


def test_the_python_parser_is_refused() -> None:
    require_c_parser()
    with pytest.raises(FacegateError, match="C parser is missing"):
        require_c_parser(HttpRequestParserPy)


def test_the_gateway_notices_that_the_extensions_of_aiohttp_are_off() -> None:
    code = "from gateway.proxy.parser import require_c_parser; require_c_parser()"
    process = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "AIOHTTP_NO_EXTENSIONS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    assert "FacegateError: aiohttp's C parser is missing" in process.stderr
