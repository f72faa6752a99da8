"""Loss of power under load: what the provider saw is decided on what is left of the disk."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from gateway.app.gateway import Gateway
from gateway.audit.record import Decided, read_line
from gateway.demo.issuer import Issuer
from gateway.demo.world import build_world
from gateway.errors import AuditError
from tests.audit.fakes import Disk, MemoryFiles
from tests.ports import free_port
from tests.system.recording import Recording, recording_provider
from tests.system.served import Client, own_credentials, search_bytes, token_for

CLIENTS = 8


def undecided(provider: Recording, disk: Disk) -> set[str]:
    """Return the bodies that arrived at the provider and that no durable line decided."""
    decided = set[str]()
    for path, inode in disk.names.items():
        if path.suffix == ".jsonl":
            for line in bytes(inode.content).split(b"\n")[:-1]:
                record = read_line(line)
                if isinstance(record, Decided) and record.request.body_sha256:
                    decided.add(record.request.body_sha256)
    return {arrival.body_sha256 for arrival in provider.arrivals} - decided


async def send(port: int, token: str, numbers: count[int]) -> None:
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        client = await Client.connect(port)
        try:
            while True:
                answer = await client.ask(search_bytes(port, token, next(numbers)))
                if answer.status != 200:
                    return  # the power is gone: nothing is forwarded any more
        finally:
            client.close()


async def lose_power_after(arrivals: int, disk: Disk, directory: Path) -> set[str]:
    """Load a gateway on this disk, cut the power in the very moment of an arrival, and compare."""
    async with Issuer() as issuer, recording_provider() as provider:
        world = build_world(
            directory,
            gateway_port=free_port(),
            admin_port=free_port(),
            provider_url=provider.url,
            issuer_url=issuer.url,
            jwks_url=issuer.jwks_url,
            own=own_credentials(),
        )
        found: list[set[str]] = []

        def arrived() -> None:
            if len(provider.arrivals) == arrivals:
                disk.lose_power()
                found.append(undecided(provider, disk))

        provider.on_arrival = arrived
        gateway = Gateway(world.config, world.environ, files=MemoryFiles(disk))
        token = token_for(issuer, world, "northwind-missing")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(run_until_the_power_is_gone(gateway))
            await gateway.ready.wait()
            numbers = count()
            async with asyncio.TaskGroup() as clients:
                for _ in range(CLIENTS):
                    clients.create_task(send(gateway.port, token, numbers))
            gateway.stop()
        # Whatever was under way came to nothing: not one request went on after the power.
        assert len(provider.arrivals) <= arrivals + CLIENTS
        return found[0]


async def run_until_the_power_is_gone(gateway: Gateway) -> None:
    try:
        await gateway.run()
    except* AuditError:
        pass  # the log cannot be closed in order without power


@pytest.mark.parametrize("arrivals", [1, 2, 9, 40, 150])
async def test_what_the_provider_saw_is_decided_on_what_the_power_left(
    tmp_path: Path, arrivals: int
) -> None:
    assert await lose_power_after(arrivals, Disk(), tmp_path) == set()


async def test_without_the_sync_the_same_test_finds_requests_that_nothing_decided(
    tmp_path: Path,
) -> None:
    assert await lose_power_after(40, Disk(lying_sync=True), tmp_path) != set()
