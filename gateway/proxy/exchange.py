"""One keep-alive connection to the provider: a request out, its response in, then the next.

No task and no timer of its own: a future for each exchange, which the pool awaits and whose
deadline the pool keeps. A connection that is in any doubt is aborted, never mended.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from typing import cast

import msgspec

from gateway.errors import UpstreamError
from gateway.proxy.outbox import MOST_BYTES, Outbox
from gateway.proxy.response import (
    ResponseLimits,
    ResponseReader,
    UpstreamResponse,
    read_at_once,
)


class UnsentError(UpstreamError):
    """The connection ended before a byte of the request was written: another one may carry it."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__(
            "the connection ended before the request", sent=False, reason="upstream.unavailable"
        )


class ConnectionEvents(msgspec.Struct, frozen=True, kw_only=True):
    """What a connection tells its pool."""

    made: Callable[[Connection], None]
    freed: Callable[[Connection], None]
    lost: Callable[[Connection], None]


class Connection(asyncio.Protocol):
    """One connection; owned by its pool, used by one exchange at a time.

    `deadline` is on the loop's clock and means something while an exchange is under way,
    `descriptor` is the socket's once it is connected.
    """

    __slots__ = (
        "_answer",
        "_events",
        "_limits",
        "_loop",
        "_lost",
        "_no_body",
        "_outbox",
        "_reader",
        "_transport",
        "_unsent",
        "deadline",
        "descriptor",
    )

    def __init__(
        self,
        *,
        loop: asyncio.AbstractEventLoop,
        limits: ResponseLimits,
        events: ConnectionEvents,
        outbox: Outbox,
    ) -> None:
        self._loop, self._outbox = loop, outbox
        self._limits = limits
        self._events = events
        self._transport: asyncio.Transport  # from connection_made on; nobody has it before
        self._reader: ResponseReader | None = None  # of an answer that did not come at once
        self._no_body = False
        self._answer: asyncio.Future[UpstreamResponse] | None = None
        self._unsent = b""  # the request, until it is written
        self._lost = False
        self.deadline = 0.0
        self.descriptor = -1

    @property
    def busy(self) -> bool:
        """Whether an exchange is under way."""
        return self._answer is not None

    @property
    def open(self) -> bool:
        """Whether neither end has closed, as far as the loop knows."""
        return not self._lost and not self._transport.is_closing()

    def usable(self) -> bool:
        """Tell whether another request may be written: open, and nothing has arrived unasked.

        The look at the socket finds an end or bytes that the loop has not delivered yet; written
        to all the same, the one would lose the request and the other would be taken for its
        answer.
        """
        if not self.open:
            return False
        look = select.poll()
        look.register(self.descriptor, select.POLLIN)
        return not look.poll(0)

    def send(
        self, head: bytes, body: bytes, *, deadline: float
    ) -> asyncio.Future[UpstreamResponse]:
        """Have one request written, and return the future of its response.

        The connection was just seen to be open. Once a byte is written the provider may act on the
        request, and it is never written again; where none is, the future fails with `UnsentError`.
        """
        answer: asyncio.Future[UpstreamResponse] = self._loop.create_future()
        self._answer = answer
        self._no_body = head.startswith(b"HEAD ")
        self.deadline = deadline
        if len(body) <= MOST_BYTES:  # up to here one copy is cheaper than a second system call
            self._unsent = head + body
            self._outbox.add(self._flush)
        else:
            self._transport.writelines((head, body))
        return answer

    def abandon(self, answer: asyncio.Future[UpstreamResponse]) -> None:
        """Give up an exchange whose caller left; without effect once it is over.

        The rest of the answer may still come, so the connection goes with it.
        """
        if self._answer is answer:
            self._give_up()
        elif answer.done() and not answer.cancelled():
            answer.exception()  # seen: the caller left in the moment that it was set

    def expire(self) -> None:
        """End the exchange under way: its deadline has passed."""
        self._fail(
            UpstreamError(
                "the provider did not answer in time",
                sent=not self._unsent,
                reason="upstream.timeout",
            )
        )

    def drop(self) -> None:
        """Abort the connection; whoever waits for an answer on it is told."""
        self._transport.abort()

    def forget(self) -> None:
        """Tell the pool that the connection is gone, once; uvloop gives up some without a word."""
        if not self._lost and self.descriptor >= 0:
            self._lost = True
            self._events.lost(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (asyncio's callback)."""
        self._transport = cast("asyncio.Transport", transport)
        self.descriptor = transport.get_extra_info("socket").fileno()
        self._events.made(self)

    def data_received(self, data: bytes) -> None:
        """Read on; bytes that nobody asked for end the connection (asyncio's callback)."""
        answer = self._answer
        if answer is None or self._unsent:
            self.drop()
            return
        try:
            response = self._read(data)
        except UpstreamError as error:
            self._fail(error)
            return
        if response is None:
            return
        reusable = self._reader is None or self._reader.reusable
        self._answer = self._reader = None
        if reusable and self._clean():
            self._events.freed(self)
        else:
            self.drop()
        if not answer.done():
            answer.set_result(response)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the pool, and whoever waits for an answer (asyncio's callback)."""
        self.forget()
        if self._unsent:
            self._fail(UnsentError())
            return
        ended = "ended" if exc is None else "was lost"
        self._fail(
            UpstreamError(
                f"the connection {ended} before the answer was whole",
                sent=True,
                reason="upstream.broken",
            )
        )

    def _flush(self) -> None:
        unsent, transport = self._unsent, self._transport
        if unsent and not transport.is_closing():
            self._unsent = b""
            transport.write(unsent)

    def _read(self, data: bytes) -> UpstreamResponse | None:
        reader = self._reader
        if reader is None:
            response = read_at_once(data, no_body=self._no_body, limits=self._limits)
            if response is not None:
                return response
            reader = ResponseReader(limits=self._limits, no_body=self._no_body)
            self._reader = reader
        return reader.feed(data)

    def _clean(self) -> bool:
        """Tell whether this end is between two exchanges.

        An answer can come before its request was all written (a 413): what is left in the buffer
        would then be read as the next request's.
        """
        transport = self._transport
        return not transport.is_closing() and transport.get_write_buffer_size() == 0

    def _give_up(self) -> None:
        self._answer = self._reader = None
        self._unsent = b""
        self.drop()

    def _fail(self, error: UpstreamError) -> None:
        answer = self._answer
        self._give_up()
        if answer is not None and not answer.done():
            answer.set_exception(error)
