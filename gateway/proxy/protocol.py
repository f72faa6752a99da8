"""One client connection of the data listener, where aiohttp has no hook.

What aiohttp makes of a connection stays; ours are the parser (`gateway.proxy.parser`), deadlines
and sizes of heads, requests one at a time, refusals that echo nothing, and an end of the connection
that lets the client read its answer. The base classes' private attributes are used throughout, so
the version of aiohttp is pinned and the tests of this file are its contract.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, cast

import httptools
import msgspec
from aiohttp import web, web_protocol

from gateway.core.request import Malformed
from gateway.proxy.outbox import MOST_BYTES, Outbox
from gateway.proxy.parser import Arrived, RequestParser, fault_of, too_large
from gateway.proxy.reply import Reply, written
from gateway.respond import Answer

log = logging.getLogger("facegate")

_SEGMENT_BYTES = 262_144  # most that asyncio reads at once

Handle = Callable[[Arrived], Awaitable[Reply]]
# Called with the client's address for what never became a request; records it, and says what to
# answer. The connection ends with that answer.
Reject = Callable[[str, Malformed], Answer]


class HeadLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of a connection.

    Attributes:
        header_bytes: longest head, and longest line in it.
        header_lines: most header lines.
        header_timeout_s: time from the first byte of a head to its last.
        keepalive_timeout_s: time without a byte, before the first request and between two.
        write_timeout_s: time in which the client must take an answer that does not fit the buffers.
        linger_s: time in which a client may go on sending after its last answer.
    """

    header_bytes: int
    header_lines: int = 100
    header_timeout_s: float
    keepalive_timeout_s: float = 75
    write_timeout_s: float = 30
    linger_s: float = 5


class Listener(web.Server):
    """Makes a `Connection` for each client; give it to `loop.create_server`."""

    def __init__(self, handle: Handle, *, limits: HeadLimits, reject: Reject) -> None:
        """Keep what every connection shares.

        A handler is cancelled when its client goes away.
        """
        # Only what calls it knows what it takes: no request of aiohttp's is made for it.
        super().__init__(cast("Any", handle), handler_cancellation=True)
        self.handle = handle
        self.outbox = Outbox()
        self.limits = limits
        self.reject = reject

    def __call__(self) -> Connection:
        """Return the protocol of one more connection (asyncio's protocol factory)."""
        return Connection(self)


class Connection(web_protocol.RequestHandler):
    """One client connection; its requests are parsed and answered one at a time.

    A request that is pipelined behind another waits unparsed: a fault in it is found when the one
    before has its answer.
    """

    __slots__ = (
        "_ahead",
        "_begun",
        "_carried_bytes",
        "_clock",
        "_handle",
        "_head_bytes",
        "_limits",
        "_outbox",
        "_parting",
        "_reject",
        "_remote",
        "_requests",
        "_under_way",
        "_unsent",
    )

    def __init__(self, listener: Listener) -> None:
        """Begin before the first byte."""
        self._limits = limits = listener.limits
        self._reject = listener.reject
        self._handle, self._outbox = listener.handle, listener.outbox
        self._remote = ""  # textual address of the client
        self._begun: Arrived | None = None  # waits for the task of this connection
        self._under_way: Arrived | None = None
        self._ahead = b""  # what came while it was under way
        self._unsent = b""  # the last answer, until it is written
        self._head_bytes = 0  # received since the one before
        self._carried_bytes = 0  # of the request under way, its head and what frames its body too
        self._clock: asyncio.TimerHandle | None = None  # for the head, or for the parting
        self._parting = False  # the last answer is written, what still comes is dropped
        loop = asyncio.get_running_loop()
        super().__init__(
            listener,
            loop=loop,
            keepalive_timeout=limits.keepalive_timeout_s,
            access_log=cast("logging.Logger", None),  # aiohttp's own way to turn it off
            logger=log,
            auto_decompress=False,
        )
        self._requests = RequestParser(self, loop=loop, buffer_bytes=self._read_bufsize)
        # The base class has made one of aiohttp's, which is let go of: it is only ever paused.
        self._parser = cast("Any", self._requests)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note who it is; the base class starts the task (asyncio's callback)."""
        super().connection_made(transport)
        peer = self.peername
        self._remote = peer[0] if isinstance(peer, tuple) else ""

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop the clock; the base class cancels the handler (asyncio's callback)."""
        self._unsent = b""
        super().connection_lost(exc)
        self._stop_clock()
        self._requests.close()

    def force_close(self) -> None:
        """Close, behind what was answered; a client has its time to take that (aiohttp's hook)."""
        self._flush()
        transport = self.transport
        super().force_close()
        if transport is not None:
            self._stop_clock()
            self._leave(transport)

    def data_received(self, data: bytes) -> None:
        """Take the next bytes (asyncio's callback; the base class calls it with none)."""
        if self._parting or self._force_close:
            return
        if self._unsent:
            self._flush()
        under_way = self._under_way
        if under_way is None:
            self._take_head(data)
        elif not under_way.here:
            self._take_body(data, under_way)
        elif data:
            self._ahead += data
            self._pause_reading_for_buffer()

    def resume_reading(self, resume_parser: bool = True) -> None:  # noqa: FBT001, FBT002 - aiohttp's
        """Go on where reading was paused; aiohttp asks for it after each piece of a body."""
        if self._reading_paused:
            super().resume_reading(resume_parser)

    async def start(self) -> None:
        """Answer one request after the other (the base class starts this as a task).

        The handler runs in this task; aiohttp would make one for each request.

        Raises:
            asyncio.CancelledError: the client went away, or the listener shuts down.
        """
        try:
            while True:
                if self._begun is None and not (self._close or self._force_close):
                    await self._arrival()
                begun, self._begun = self._begun, None
                if begun is None or self.transport is None or not await self._answer(begun):
                    break
                self._go_on()
        except asyncio.CancelledError:
            self.force_close()
            raise
        finally:
            if not self._parting:
                self._part()

    def _take_head(self, data: bytes) -> None:
        self._head_bytes += len(data)
        try:
            arrived = self._requests.feed(data)
        except httptools.HttpParserError as error:
            self._refuse(fault_of(error))
            return
        if arrived is not None:
            self._begin(arrived)
        elif self._head_bytes > self._limits.header_bytes:
            self._refuse(too_large())
        elif self._head_bytes and self._clock is None:
            self._clock = self._loop.call_later(self._limits.header_timeout_s, self._head_late)

    def _take_body(self, data: bytes, under_way: Arrived) -> None:
        self._carried_bytes += len(data)
        try:
            self._requests.feed_body(data)
            readable = not self._is_framing(under_way)
        except httptools.HttpParserError:
            readable = False
        if not readable:
            self._requests.fail()

    def _is_framing(self, under_way: Arrived) -> bool:
        """Tell whether most of what came is no body: chunks of a byte cost far more than they hold.

        The head was counted too.
        """
        framing = self._carried_bytes - 2 * under_way.body_bytes
        return framing > _SEGMENT_BYTES + 2 * self._limits.header_bytes

    def _begin(self, arrived: Arrived) -> None:
        """Hand a request whose head is complete to the task of this connection."""
        if self._clock is not None:
            self._stop_clock()
        limits = self._limits
        if len(arrived.values) > limits.header_lines or (
            self._head_bytes > limits.header_bytes and arrived.head_bytes > limits.header_bytes
        ):
            self._refuse(too_large())
            return
        self._carried_bytes = self._head_bytes
        arrived.transport, arrived.remote = self.transport, self._remote
        self._under_way = self._begun = arrived
        self._wake()

    def _process_keepalive(self) -> None:
        """Close an idle connection (aiohttp's hook); a head that is arriving has its own time."""
        if self._clock is None or self._parting:
            super()._process_keepalive()
        else:
            self._keepalive_handle = self._loop.call_later(
                self._keepalive_timeout, self._process_keepalive
            )

    def _head_late(self) -> None:
        self._clock = None
        self._refuse(
            Malformed(
                reason="malformed.timeout", detail="the head did not arrive in time", status=408
            )
        )

    def _refuse(self, malformed: Malformed) -> None:
        """Answer what never became a request; no other is under way at that time."""
        self._flush()
        answer = self._reject(
            self._remote, msgspec.structs.replace(malformed, length=self._head_bytes)
        )
        if self.transport is not None:
            self.transport.write(written(answer, keep_alive=False))
        self._part(unread=True)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _arrival(self) -> None:
        """Wait for a request, or the end."""
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    async def _answer(self, arrived: Arrived) -> bool:
        """Have one request answered; tell whether the connection may carry another."""
        # The base class asks whether there is one, and cancels it at a shutdown.
        self._request_in_progress = True
        self._current_request = arrived  # type: ignore[assignment]
        try:
            keeps = self._write(await self._handle(arrived), arrived)
            if self.writing_paused:
                await self._taken()
        except ConnectionError:
            self._drop()  # the client went away
            return False
        except Exception as error:  # noqa: BLE001 - a bug; nothing was decided, nothing is answered
            _log_bug(error)
            self._drop()
            return False
        finally:
            self._request_in_progress, self._current_request = False, None
            if self._handler_waiter is not None and not self._handler_waiter.done():
                self._handler_waiter.set_result(None)
        if not arrived.here:
            self._part(unread=True)
        return keeps and not self._close

    def _write(self, reply: Reply, arrived: Arrived) -> bool:
        """Have an answer written; tell whether the connection goes on.

        Raises:
            ConnectionResetError: the client went away.
        """
        transport = self.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client went away")
        keeps = not (reply.close or arrived.closes or self._close or self._force_close)
        content = written(reply.answer, keep_alive=keeps, head_only=arrived.method == "HEAD")
        if len(content) <= MOST_BYTES:
            self._unsent = content
            self._outbox.add(self._flush)
        else:
            transport.write(content)
        return keeps

    def _flush(self) -> None:
        """Write the last answer, where it still waits for that."""
        unsent, transport = self._unsent, self.transport
        if unsent:
            self._unsent = b""
            if transport is not None and not transport.is_closing():
                transport.write(unsent)

    async def _taken(self) -> None:
        """Wait until the client has taken most of its answer.

        Raises:
            ConnectionAbortedError: it takes too long.
        """
        try:
            async with asyncio.timeout(self._limits.write_timeout_s):
                await self._drain_helper()
        except TimeoutError:
            raise ConnectionAbortedError("the client does not read its answer") from None

    def _go_on(self) -> None:
        """Make ready for the next request, which may be here already."""
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        if self._keepalive_handle is None:
            self._keepalive_handle = self._loop.call_at(
                self._next_keepalive_close_time, self._process_keepalive
            )
        self._under_way = None
        self._head_bytes = 0
        requests = self._requests
        ahead, self._ahead, requests.rest = requests.rest + self._ahead, b"", b""
        if self._buffer_paused:
            self._resume_reading_for_buffer()
        if ahead:
            self._flush()
            self._take_head(ahead)

    def _part(self, *, unread: bool = False) -> None:
        """End the connection in stages (RFC 9112 section 9.6).

        Only the sending side is closed, and the client is heard out for a while: a full close would
        reset the connection under the answer if anything was still on its way here. TLS has no
        half-close; `unread` says that something surely is.
        """
        self._close = self._parting = True
        self._flush()
        transport = self.transport
        if transport is None:
            return
        self._stop_clock()
        if transport.can_write_eof():
            transport.write_eof()
        elif not unread:
            transport.close()
        self._reading_paused = False
        self._resume_reading_for_buffer()
        self._clock = self._loop.call_later(self._limits.linger_s, self._leave, transport)

    def _leave(self, transport: asyncio.Transport) -> None:
        """Close for good; what the kernel holds is still sent, what we hold has its time."""
        transport.close()
        self._clock = self._loop.call_later(self._limits.write_timeout_s, transport.abort)

    def _drop(self) -> None:
        self._parting = True
        if self.transport is not None:
            self.transport.abort()

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None


def _log_bug(error: Exception) -> None:
    """Log the kind and the place only: the words of an exception may quote what was sent."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    log.error("a request ended in %s at %s:%s", type(error).__name__, frame.filename, frame.lineno)
