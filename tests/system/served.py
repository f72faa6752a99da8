"""`facegate serve` as its users run it: a process of its own, with a configuration on disk."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from gateway.audit.record import Line, read_line
from gateway.demo.issuer import Issuer
from gateway.demo.provider.credential import Own
from gateway.demo.samples.model import PLACES
from gateway.demo.world import AUDIENCE, World, build_world
from tests.ports import free_port

SERVE = (sys.executable, "-m", "gateway", "serve", "--config")
ROOT = Path(__file__).parents[2]
PATIENCE_S = 600.0


@dataclass(slots=True)
class Served:
    """A gateway process, its configuration, and everything it says."""

    world: World
    port: int
    admin_port: int
    issuer: Issuer
    process: asyncio.subprocess.Process
    log: list[str] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Where Rekognition is spoken; Azure Face is spoken on `localhost`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def azure_url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def admin_url(self) -> str:
        return f"http://127.0.0.1:{self.admin_port}"

    def token(self, tenant: str) -> str:
        return token_for(self.issuer, self.world, tenant)

    async def said(self, text: str, *, times: int = 1) -> list[str]:
        """Wait until the log has lines with this text, and return them."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self._news.clear()
                found = [line for line in self.log if text in line]
                if len(found) >= times:
                    return found
                await self._news.wait()

    async def listen(self, stream: asyncio.StreamReader) -> None:
        """Keep what the process says."""
        async for line in stream:
            self.log.append(line.decode().rstrip("\n"))
            self._news.set()

    def records(self) -> list[Line]:
        """Return every whole line of the audit log."""
        lines = list[Line]()
        for path in sorted((self.world.directory / "audit").rglob("*.jsonl")):
            lines += map(read_line, path.read_bytes().split(b"\n")[:-1])
        return lines

    def kill(self) -> None:
        """End the process as the kernel does when memory is short: at once."""
        os.kill(self.process.pid, signal.SIGKILL)

    async def end(self) -> int:
        """Ask for an orderly end and return the exit code."""
        if self.process.returncode is None:
            self.process.terminate()
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()


def own_credentials() -> Own:
    return Own(
        access_key_id="AKIDGATEWAYEXAMPLE",
        secret_access_key="made-up-gateway-secret",
        region="us-east-1",
        subscription_key="made-up-subscription-key",
    )


@asynccontextmanager
async def serving(
    directory: Path,
    provider_url: str,
    *,
    command: Sequence[str] = SERVE,
    world: World | None = None,
    issuer: Issuer | None = None,
) -> AsyncIterator[Served]:
    """Run a gateway in front of a provider until the end of the block.

    Args:
        directory: where its configuration is written, unless `world` has one already.
        provider_url: base address of the provider.
        command: what to run; the configuration's path is appended.
        world: a configuration to run again, with `issuer`.
        issuer: of the tokens in that configuration.
    """
    async with issuer_or(issuer) as tokens:
        port, admin_port = free_port(), free_port()
        world = world or build_world(
            directory,
            gateway_port=port,
            admin_port=admin_port,
            provider_url=provider_url,
            issuer_url=tokens.url,
            jwks_url=tokens.jwks_url,
            own=own_credentials(),
        )
        served = await start(world, tokens, command)
        async with asyncio.TaskGroup() as tasks:
            stderr = served.process.stderr
            assert stderr is not None
            tasks.create_task(served.listen(stderr))
            try:
                await ready(served)
                yield served
            finally:
                await served.end()


@asynccontextmanager
async def issuer_or(issuer: Issuer | None) -> AsyncIterator[Issuer]:
    if issuer is not None:
        yield issuer
        return
    async with Issuer() as fresh:
        yield fresh


async def start(world: World, issuer: Issuer, command: Sequence[str] = SERVE) -> Served:
    """Start the process; whoever asks reads its stderr with `listen`."""
    text = world.config.read_text()
    ports = [
        int(line.split("port:")[1].strip(" }")) for line in text.splitlines() if "port:" in line
    ]
    process = await asyncio.create_subprocess_exec(
        *command,
        str(world.config),
        env={**os.environ, **world.environ, "PYTHONPATH": str(ROOT)},
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    return Served(world=world, port=ports[0], admin_port=ports[1], issuer=issuer, process=process)


async def ready(served: Served) -> None:
    """Wait until the gateway says that it serves; an early end tells why."""
    async with asyncio.timeout(PATIENCE_S):
        while not any("data listener on" in line for line in served.log):
            served._news.clear()
            ended = served.process.returncode is not None
            assert not ended, "\n".join(served.log)
            try:
                async with asyncio.timeout(0.2):
                    await served._news.wait()
            except TimeoutError:
                continue
    async with (
        aiohttp.ClientSession() as client,
        client.get(served.admin_url + "/readyz") as answer,
    ):
        assert answer.status == 200


def token_for(issuer: Issuer, world: World, tenant: str) -> str:
    subject = world.callers[tenant].subject
    return issuer.mint(subject, audience=AUDIENCE, lifetime_s=600, now=datetime.now(UTC))


def search_bytes(port: int, token: str, number: int, *, place: str = "CA") -> bytes:
    """Return a SearchFaces with a token; each number makes another body."""
    body = b'{"CollectionId":"missing","FaceId":"face-%d"}' % number
    return bearer_bytes(port, "SearchFaces", token, body, place=place)


def bearer_bytes(port: int, operation: str, token: str, body: bytes, *, place: str = "CA") -> bytes:
    """Return a Rekognition request with a token, from an address of a place."""
    head = (
        "POST / HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\n"
        f"Authorization: Bearer {token}\r\n"
        "Content-Type: application/x-amz-json-1.1\r\n"
        f"X-Amz-Target: RekognitionService.{operation}\r\n"
        f"X-Forwarded-For: {PLACES[place]}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@dataclass(slots=True)
class Answer:
    """A response as it came: status, headers, body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """One keep-alive connection that speaks bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def connect(cls, port: int) -> Client:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, request: bytes) -> None:
        """Send without waiting for an answer."""
        self._writer.write(request)

    async def ask(self, request: bytes) -> Answer:
        self._writer.write(request)
        await self._writer.drain()
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines if line)
        }
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(status=int(first.split()[1]), headers=headers, body=body)

    def close(self) -> None:
        self._writer.close()
