"""A gateway inside the test's own process and loop, for tests that reach for its parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

from gateway.app.gateway import Gateway
from gateway.app.once import utc_now
from gateway.audit.files import Files
from gateway.demo.issuer import Issuer
from gateway.demo.world import World, build_world
from gateway.sources.child import Child
from tests.ports import free_port
from tests.system.recording import Recording, recording_provider
from tests.system.served import Answer, Client, own_credentials, search_bytes, token_for

TENANT = "northwind-missing"


@dataclass(slots=True)
class Inside:
    """A running gateway with everything around it."""

    gateway: Gateway
    world: World
    provider: Recording
    token: str
    client: aiohttp.ClientSession

    async def search(self, number: int = 0, *, place: str = "CA") -> Answer:
        """Send a permitted 1:many search of the charity, over a connection of its own."""
        client = await Client.connect(self.gateway.port)
        try:
            return await client.ask(
                search_bytes(self.gateway.port, self.token, number, place=place)
            )
        finally:
            client.close()

    @property
    def admin_url(self) -> str:
        return f"http://127.0.0.1:{self.gateway.admin_port}"

    async def page(self, path: str) -> tuple[int, str]:
        """Return status and text of an open admin page."""
        async with self.client.get(self.admin_url + path) as answer:
            return answer.status, await answer.text()

    async def status(self) -> dict[str, Any]:
        """Return what the admin listener says to whoever has its token."""
        headers = {"Authorization": f"Bearer {self.world.admin_token}"}
        url = self.admin_url + "/admin/v1/status"
        async with self.client.get(url, headers=headers) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def settled(self) -> None:
        """Wait until no request is under way and every record is durable.

        What a caller took who left is given back then, and not before.
        """
        wanted = {"facegate_inflight_requests 0.0", "facegate_audit_queue_length 0.0"}
        async with asyncio.timeout(10):
            while not wanted <= set((await self.page("/metrics"))[1].splitlines()):
                pass

    async def metric(self, name: str) -> float:
        """Return a metric's value by its name and labels as exported."""
        _, text = await self.page("/metrics")
        lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[:1] != "#")
        return float(lines[name])


async def write_world(directory: Path, provider: Recording, issuer: Issuer) -> World:
    return build_world(
        directory,
        gateway_port=free_port(),
        admin_port=free_port(),
        provider_url=provider.url,
        issuer_url=issuer.url,
        jwks_url=issuer.jwks_url,
        own=own_credentials(),
    )


@asynccontextmanager
async def inside(
    directory: Path,
    *,
    files: Files | None = None,
    upstreams: str = "",
    prepare: Callable[[World], None] = lambda _: None,
) -> AsyncIterator[Inside]:
    """Run a gateway in front of a recording provider until the end of the block.

    Args:
        directory: an empty one, for all of its files.
        files: the audit log's file port.
        upstreams: more of them, as they stand in the file; `URL` is the provider's, `HOST` the
            gateway's host and port.
        prepare: called with the configuration before the gateway reads it.
    """
    async with (
        Issuer() as issuer,
        recording_provider() as provider,
        aiohttp.ClientSession() as client,
    ):
        world = await write_world(directory, provider, issuer)
        written = world.config.read_text().replace("identity:\n", f"{upstreams}identity:\n", 1)
        host = world.hosts["aws_rekognition"]
        world.config.write_text(written.replace("URL", provider.url).replace("HOST", host))
        prepare(world)
        async with running(world, provider, issuer, client, files=files) as made:
            yield made


@asynccontextmanager
async def beside(
    world: World,
    provider: Recording,
    issuer: Issuer,
    *,
    clock: Callable[[], datetime] = utc_now,
) -> AsyncIterator[Inside]:
    """Run a gateway of a configuration that is written already, until the end of the block."""
    async with (
        aiohttp.ClientSession() as client,
        running(world, provider, issuer, client, clock=clock) as made,
    ):
        yield made


@asynccontextmanager
async def running(
    world: World,
    provider: Recording,
    issuer: Issuer,
    client: aiohttp.ClientSession,
    *,
    files: Files | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> AsyncIterator[Inside]:
    """Run a gateway until the end of the block; one that does not start says why."""
    # One after the other is started in this process: they need not import everything again.
    child = Child(method="forkserver")
    gateway = Gateway(world.config, world.environ, files=files, clock=clock, child=child)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(gateway.run())
        await gateway.ready.wait()
        try:
            yield Inside(gateway, world, provider, token_for(issuer, world, TENANT), client)
        finally:
            gateway.stop()
