"""The pool of keep-alive connections to one provider.

Fails closed in every direction: an answer that is not one strict HTTP/1.1 response, a deadline, a
lost connection, no free connection in time are all `UpstreamError`, and its `sent` says whether the
provider may have acted. Nothing is ever sent twice: a request goes on to another connection only
while not a byte of it was written.
"""

from __future__ import annotations

import asyncio
import math
import select
import ssl
from urllib.parse import SplitResult, urlsplit

import msgspec

from gateway.errors import UpstreamError
from gateway.proxy.exchange import Connection, ConnectionEvents, UnsentError
from gateway.proxy.outbox import MOST_BYTES, Outbox
from gateway.proxy.response import ResponseLimits, UpstreamResponse

_PORTS = {"http": 80, "https": 443}


class PoolLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a pool may hold.

    `idle_timeout_s` lies below what servers commonly keep (60 s and more), so that the pool is the
    one who closes.
    """

    connections: int = 256
    connect_timeout_s: float = 5.0
    idle_timeout_s: float = 50.0
    response: ResponseLimits = ResponseLimits()


def tls_context(ca_file: str | None = None) -> ssl.SSLContext:
    """Make the client context: certificate and host name verified, TLS 1.2 and newer, HTTP/1.1.

    Args:
        ca_file: PEM file of the authorities to trust instead of the system's.

    Raises:
        OSError: the file cannot be read, or holds no certificate (`ssl.SSLError`).
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context


def host_field(url: str) -> str:
    """Return the Host header for an upstream's URL: the port only where it is not the default."""
    parts = _origin(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    default = parts.port in {None, _PORTS[parts.scheme]}
    return f"{host}" if default else f"{host}:{parts.port}"


def _origin(url: str) -> SplitResult:
    parts = urlsplit(url)
    extra = parts.path not in {"", "/"} or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in _PORTS or not parts.hostname or extra:
        raise ValueError("an upstream is an http or https URL of host and port only")
    return parts


class Pool:
    """Connections to one upstream; belongs to one event loop and is made inside it.

    Idle connections are used last in, first out, so that what is not needed grows old; requests
    that find the pool full wait first in, first out. An exchange costs one future: all deadlines
    share one timer.
    """

    def __init__(
        self, url: str, *, limits: PoolLimits | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        """Take the upstream's address; nothing is connected yet.

        Args:
            url: scheme, host and port only.
            limits: see `PoolLimits`.
            tls: the context for an https URL; by default that of `tls_context()`.

        Raises:
            ValueError: the URL has another scheme or more than host and port.
        """
        parts = _origin(url)
        self._host = parts.hostname or ""
        self._port = parts.port or _PORTS[parts.scheme]
        self._tls = (tls or tls_context()) if parts.scheme == "https" else None
        self._limits = limits or PoolLimits()
        self._loop = asyncio.get_running_loop()
        self._outbox = Outbox()
        self._events = ConnectionEvents(made=self._made, freed=self._freed, lost=self._lost)
        self._connections: set[Connection] = set()
        self._connecting = 0
        # In the order in which they came to rest; each with that time on the loop's clock.
        self._idle: dict[Connection, float] = {}
        # Looked at all together before one of them is used: a look costs as much for all as for
        # one, and lets other threads run.
        self._poll = select.poll()
        self._by_descriptor: dict[int, Connection] = {}
        self._looked_at = 0.0
        # In the order of arrival, each with its deadline. None as a result: connect, a place is
        # counted in `_connecting`.
        self._waiting: dict[asyncio.Future[Connection | None], float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self._closed: asyncio.Future[None] | None = None

    @property
    def open(self) -> int:
        """How many connections are open, idle ones among them."""
        return len(self._connections)

    @property
    def idle(self) -> int:
        """How many connections wait for a request."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """How many requests wait for a connection."""
        return len(self._waiting)

    async def exchange(self, head: bytes, body: bytes, *, deadline_s: float) -> UpstreamResponse:
        """Send one request and read its whole response.

        Args:
            head: request line and headers with the empty line, as `forward.outbound_head` makes it.
            body: exactly the bytes that Content-Length announces.
            deadline_s: seconds from now for everything: a free connection, connecting, the answer.

        Raises:
            UnsentError: twice in a row the connection ended before the request was written.
            UpstreamError: see the module.
        """
        now = self._loop.time()
        deadline = now + deadline_s
        retries = 1
        while True:
            # What is written at once has no second chance to see what arrives until then.
            connection = self._take_idle(now, again=len(body) > MOST_BYTES)
            connection = connection or await self._obtain(deadline)
            if deadline < self._timer_at:
                self._arm(deadline)
            answer = connection.send(head, body, deadline=deadline)
            try:
                return await answer
            except UnsentError:
                if not retries:
                    raise
                retries, now = 0, self._loop.time()
            except BaseException:
                connection.abandon(answer)
                raise

    async def close(self) -> None:
        """Abort every connection and wait until all are gone; waiting requests get an error."""
        if self._closed is None:
            self._closed = self._loop.create_future()
        if self._timer is not None:
            self._timer.cancel()
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(_unavailable("the pool is closed"))
        self._waiting.clear()
        for connection in self._connections:
            connection.drop()
        if self._connections and not self._closed.done():
            await asyncio.shield(self._closed)

    def _take_idle(self, now: float, *, again: bool = False) -> Connection | None:
        """Return a connection on which nothing has arrived since its answer.

        An end or bytes that the loop has not delivered yet are looked for once in a turn of the
        loop (uvloop's clock has milliseconds), and `again` on the one that is returned; what is
        still on its way is found by no look.
        """
        if self._looked_at < now:
            self._looked_at = now
            self._look()
        while self._idle:
            connection, rested_at = self._idle.popitem()
            # What has come to rest since that look is looked at by itself.
            looked_at = rested_at < now and not again
            sound = connection.open if looked_at else connection.usable()
            if sound and now - rested_at < self._limits.idle_timeout_s:
                return connection
            connection.drop()
        return None

    def _look(self) -> None:
        for descriptor, _ in self._poll.poll(0):
            connection = self._by_descriptor.get(descriptor)
            if connection is not None and self._idle.pop(connection, None) is not None:
                connection.drop()

    async def _obtain(self, deadline: float) -> Connection:
        while True:
            if self._closed is not None:
                raise _unavailable("the pool is closed")
            connection = None
            if self._full():
                connection = await self._turn(deadline)
            else:
                self._connecting += 1
            if connection is None:
                return await self._connect(deadline)
            if connection.usable():
                return connection
            connection.drop()

    def _full(self) -> bool:
        return len(self._connections) + self._connecting >= self._limits.connections

    async def _turn(self, deadline: float) -> Connection | None:
        turn: asyncio.Future[Connection | None] = self._loop.create_future()
        self._waiting[turn] = deadline
        if deadline < self._timer_at:
            self._arm(deadline)
        try:
            return await turn
        except asyncio.CancelledError:
            self._waiting.pop(turn, None)
            # The turn may have come in the moment in which the caller left: it is passed on.
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                given = turn.result()
                if given is None:
                    self._connecting -= 1
                    self._call_next()
                elif given.open:
                    self._freed(given)
            raise

    async def _connect(self, deadline: float) -> Connection:
        # On the place that the caller counted in `_connecting`.
        latest = min(deadline, self._loop.time() + self._limits.connect_timeout_s)
        connection = Connection(
            loop=self._loop,
            limits=self._limits.response,
            events=self._events,
            outbox=self._outbox,
        )
        try:
            async with asyncio.timeout_at(latest):
                await self._loop.create_connection(
                    lambda: connection,
                    self._host,
                    self._port,
                    ssl=self._tls,
                    server_hostname=self._host if self._tls else None,
                )
        except OSError as error:
            connection.forget()
            raise _not_connected(error) from error
        except BaseException:
            connection.forget()
            raise
        finally:
            self._connecting -= 1
            self._call_next()
        # A new TLS connection may have session tickets to read.
        usable = connection.usable() if self._tls is None else connection.open
        if self._closed is not None or not usable:
            connection.drop()
            raise _unavailable("the connection ended, or the provider spoke, before the request")
        return connection

    def _made(self, connection: Connection) -> None:
        self._connections.add(connection)
        self._by_descriptor[connection.descriptor] = connection
        self._poll.register(connection.descriptor, select.POLLIN)

    def _freed(self, connection: Connection) -> None:
        if self._closed is not None:
            connection.drop()
            return
        for turn in self._waiting:
            if not turn.done():
                del self._waiting[turn]
                turn.set_result(connection)
                return
        now = self._loop.time()
        self._idle[connection] = now
        oldest, rested_at = next(iter(self._idle.items()))
        if now - rested_at >= self._limits.idle_timeout_s:
            del self._idle[oldest]
            oldest.drop()

    def _lost(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._idle.pop(connection, None)
        # Another connection may have the descriptor already.
        if self._by_descriptor.get(connection.descriptor) is connection:
            del self._by_descriptor[connection.descriptor]
            self._poll.unregister(connection.descriptor)
        if self._closed is None:
            self._call_next()
        elif not self._connections and not self._closed.done():
            self._closed.set_result(None)

    def _call_next(self) -> None:
        """Give a place that has become free to the first who waits."""
        if self._full():
            return
        for turn in self._waiting:
            if not turn.done():
                del self._waiting[turn]
                self._connecting += 1
                turn.set_result(None)
                return

    def _arm(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self._expire)
        self._timer_at = deadline

    def _expire(self) -> None:
        """End what is due, and set the timer for the next deadline, if there is one."""
        self._timer, self._timer_at = None, math.inf
        now = self._loop.time()
        later = math.inf
        for connection in [each for each in self._connections if each.busy]:
            if connection.deadline <= now:
                connection.expire()
            else:
                later = min(later, connection.deadline)
        for turn, deadline in list(self._waiting.items()):
            if deadline > now:
                later = min(later, deadline)
            elif not turn.done():
                del self._waiting[turn]
                turn.set_exception(
                    UpstreamError(
                        "no connection was free in time", sent=False, reason="upstream.timeout"
                    )
                )
        if later < math.inf:
            self._arm(later)


def _unavailable(message: str) -> UpstreamError:
    return UpstreamError(message, sent=False, reason="upstream.unavailable")


def _not_connected(error: OSError) -> UpstreamError:
    """Say what a failed attempt to connect means, in words that hold nothing of the exchange."""
    if isinstance(error, TimeoutError):
        return _unavailable("the provider did not accept a connection in time")
    if isinstance(error, ssl.SSLCertVerificationError):
        return _unavailable(f"the provider's certificate does not verify: {error.verify_message}")
    what = error.strerror or type(error).__name__
    return _unavailable(f"the provider cannot be connected to: {what}")
