"""A data listener on a loopback socket, and a client that sends bytes as they are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Self, cast

import msgspec
from aiohttp import web

from gateway.core.request import Malformed, Request, Whole
from gateway.proxy.parser import Arrived
from gateway.proxy.protocol import Handle, HeadLimits, Listener, Reject
from gateway.proxy.reply import Reply
from gateway.proxy.wire import Door, Route, read
from gateway.respond import Answer, ErrorForm, refusal

CANARY = b"canary-7f3a91"
LIMITS = HeadLimits(header_bytes=4096, header_lines=40, header_timeout_s=5, linger_s=1)
DOOR = Door(
    routes={
        "gw.example": Route(
            upstream="rekognition",
            provider="aws_rekognition",
            decision_headers=frozenset({"x-decides"}),
            decision_parameters=frozenset({"action", "$alt"}),
            underscore_headers=frozenset({"x_known"}),
        ),
        "gw.example:8443": Route(upstream="face", provider="azure_face"),
        "[2001:db8::1]": Route(upstream="six", provider="azure_face"),
    },
    body_bytes=65_536,
    body_timeout_s=5,
)
_FORMS: dict[str | None, ErrorForm] = {"aws_rekognition": "aws_json", "azure_face": "azure"}


class Response(msgspec.Struct, frozen=True):
    """One response as it came, header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        """The body as a JSON object."""
        content: dict[str, object] = json.loads(self.body)
        return content


class Client:
    """A connection that sends exactly what it is given."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.received = b""
        self._held = b""

    @classmethod
    async def to(cls, port: int) -> Self:
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 26))

    @property
    def transport(self) -> asyncio.Transport:
        """The connection itself."""
        return cast("asyncio.Transport", self.writer.transport)

    async def send(self, *parts: bytes) -> None:
        """Send each part on its own."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def response(self, *, head_only: bool = False) -> Response:
        """Read one response, interim ones included."""
        head = self._held + await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)
        self._held = b""
        start, *lines = head.decode("latin-1").split("\r\n")[:-2]
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        length = 0 if head_only else int(headers.get("content-length", 0))
        body = await asyncio.wait_for(self.reader.readexactly(length), 5)
        self.received += head + body
        return Response(int(start.split(" ")[1]), headers, body)

    async def arrival(self) -> None:
        """Wait until something arrives; `response` has it all the same."""
        self._held += await self.reader.read(1)

    async def rest(self) -> bytes:
        """Read what comes until the other side has closed."""
        rest = await asyncio.wait_for(self.reader.read(), 5)
        self.received += rest
        return rest

    async def close(self) -> None:
        """Close, however the other side left."""
        self.writer.close()
        with suppress(ConnectionError):
            try:
                await asyncio.wait_for(self.writer.wait_closed(), 1)
            except TimeoutError:  # something is unsent, and nobody reads it
                self.transport.abort()


class _WatchedListener(Listener):
    """Tells when a connection has ended."""

    def __init__(self, handle: Handle, *, limits: HeadLimits, reject: Reject) -> None:
        super().__init__(handle, limits=limits, reject=reject)
        self.left = asyncio.Event()

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        super().connection_lost(handler, exc)
        self.left.set()


class Doorstep:
    """The listener, and what became of what arrived."""

    def __init__(self, door: Door, limits: HeadLimits, handle: Handle | None) -> None:
        self.door = door
        self.accepted: list[Request] = []
        self.refused: list[Malformed] = []
        self.addresses: list[str] = []
        self.listener = _WatchedListener(handle or self.handle, limits=limits, reject=self.reject)
        self.port = 0
        self._clients: list[Client] = []

    async def handle(self, http: Arrived) -> Reply:
        """Answer with what was read."""
        request = await read(http, self.door)
        if isinstance(request, Malformed):
            self.refused.append(request)
            return Reply(self._refusal(request), close=request.close)
        self.accepted.append(request)
        assert isinstance(request.body, Whole)
        body = msgspec.json.encode({"target": request.target, "length": len(request.body.content)})
        return Reply(Answer(200, (("Content-Type", "application/json"),), body))

    def reject(self, address: str, malformed: Malformed) -> Answer:
        """Answer what never became a request."""
        self.addresses.append(address)
        self.refused.append(malformed)
        return self._refusal(malformed)

    def _refusal(self, malformed: Malformed) -> Answer:
        return refusal(
            reason=malformed.reason,
            decision_id="dec_test",
            form=_FORMS.get(malformed.provider, "problem"),
            host="gw.example",
            status=malformed.status,
        )

    async def client(self) -> Client:
        """Connect one more client; it is closed with the listener."""
        return self.keep(await Client.to(self.port))

    def keep(self, client: Client) -> Client:
        """Close this client with the listener."""
        self._clients.append(client)
        return client

    async def exchange(self, *parts: bytes) -> Response:
        """Send on a connection of its own and read one response."""
        client = await self.client()
        await client.send(*parts)
        return await client.response()

    async def close_clients(self) -> None:
        """Close what `client` opened."""
        for client in self._clients:
            await client.close()


@asynccontextmanager
async def doorstep(
    *, door: Door = DOOR, limits: HeadLimits = LIMITS, handle: Handle | None = None
) -> AsyncIterator[Doorstep]:
    """Run a listener for the length of the block."""
    step = Doorstep(door, limits, handle)
    server = await asyncio.get_running_loop().create_server(step.listener, "127.0.0.1", 0)
    step.port = server.sockets[0].getsockname()[1]
    try:
        yield step
    finally:
        server.close()
        await step.close_clients()
        await step.listener.shutdown(1)
        await server.wait_closed()


def raw(
    *lines: bytes,
    method: bytes = b"POST",
    target: bytes = b"/",
    host: bytes | None = b"gw.example",
    version: bytes = b"HTTP/1.1",
    body: bytes | None = None,
) -> bytes:
    """Write a request: a Host, a canary, the given lines, and Content-Length where a body is."""
    start = [b"%b %b %b" % (method, target, version)]
    if host is not None:
        start.append(b"Host: " + host)
    start.append(b"X-Note: " + CANARY)
    if body is not None:
        start.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*start, *lines, b"", body or b""])
