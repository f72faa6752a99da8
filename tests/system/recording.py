"""A provider that answers every request alike and remembers exactly what reached it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

ANSWER = b'{"FaceMatches":[],"UnmatchedFaces":[],"SourceImageFace":{"Confidence":99}}'


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request as it arrived: raw head and body."""

    head: bytes
    body: bytes

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines if line)
        return {name.lower(): value.strip() for name, _, value in pairs}

    @property
    def body_sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


@dataclass(slots=True)
class Recording:
    """What reached the provider, in order, and where it listens."""

    arrivals: list[Arrival] = field(default_factory=list)
    port: int = 0
    answer: bytes = ANSWER
    on_arrival: Callable[[], None] = field(default=lambda: None)
    gate: asyncio.Event | None = None  # answers wait for it

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                arrival = Arrival(head=head[:-4], body=b"")
                length = int(arrival.headers.get("content-length", "0"))
                body = await reader.readexactly(length)
                self.arrivals.append(Arrival(head=head[:-4], body=body))
                self.on_arrival()
                if self.gate is not None:
                    await self.gate.wait()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n"
                    b"x-amzn-RequestId: 0a1b\r\nContent-Length: %d\r\n\r\n%b"
                    % (len(self.answer), self.answer)
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def recording_provider() -> AsyncIterator[Recording]:
    """Run a recording provider on a free loopback port."""
    recording = Recording()
    server = await asyncio.start_server(recording.serve, "127.0.0.1", 0)
    recording.port = server.sockets[0].getsockname()[1]
    async with server:
        yield recording
        server.close()
        await server.wait_closed()
