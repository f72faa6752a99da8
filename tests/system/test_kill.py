"""kill -9 during load: every request that the provider saw has its `decided` record on disk."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from itertools import count
from pathlib import Path

from gateway.audit.record import Decided, Gap, read_line
from gateway.audit.verify import verify
from gateway.demo.issuer import Issuer
from gateway.demo.world import World
from tests.system.recording import Recording, recording_provider
from tests.system.served import Client, Served, search_bytes, serving

KILLS = 20
CLIENTS = 16
LONGEST_S = 0.25
TENANT = "northwind-missing"


async def send(served: Served, token: str, numbers: count[int]) -> None:
    """Send requests of which each body is unique, until the gateway is gone."""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        client = await Client.connect(served.port)
        try:
            while True:
                await client.ask(search_bytes(served.port, token, next(numbers)))
        finally:
            client.close()


async def kill_during_load(
    directory: Path,
    provider: Recording,
    numbers: count[int],
    *,
    after_s: float,
    world: World | None,
    issuer: Issuer,
) -> World:
    """Serve, load, kill after so many seconds of load; the next start finds what is left."""
    async with serving(directory, provider.url, world=world, issuer=issuer) as served:
        token = served.token(TENANT)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(CLIENTS):
                tasks.create_task(send(served, token, numbers))
            await asyncio.sleep(after_s)  # the moment of the kill is what varies
            served.kill()
            await served.process.wait()
        return served.world


def decided_bodies(world: World) -> set[str]:
    """Return the hashes of the bodies that `decided` lines on disk name, torn tails left out."""
    found = set[str]()
    for path in (world.directory / "audit").rglob("*.jsonl"):
        for line in path.read_bytes().split(b"\n")[:-1]:
            record = read_line(line)
            if isinstance(record, Decided) and record.request.body_sha256:
                found.add(record.request.body_sha256)
    return found


async def test_whatever_reached_the_provider_before_a_kill_was_decided_on_disk(
    tmp_path: Path,
) -> None:
    moments = random.Random(20)  # noqa: S311 - moments of kills
    numbers = count()
    world: World | None = None
    async with Issuer() as issuer, recording_provider() as provider:
        in_the_middle = 0
        for _ in range(KILLS):
            before = len(provider.arrivals)
            world = await kill_during_load(
                tmp_path,
                provider,
                numbers,
                after_s=moments.uniform(0.05, LONGEST_S),
                world=world,
                issuer=issuer,
            )
            arrived = {arrival.body_sha256 for arrival in provider.arrivals}
            in_the_middle += len(provider.arrivals) > before
            assert arrived <= decided_bodies(world)
        assert in_the_middle > KILLS // 2
        assert world is not None
        # One more start states what each kill left open, and the log holds together.
        async with serving(tmp_path, provider.url, world=world, issuer=issuer) as served:
            gaps = [record for record in served.records() if isinstance(record, Gap)]
        assert any(gap.reason == "restart" and gap.unpaired for gap in gaps)
        verdict = verify(world.directory / "audit")
        assert verdict.ok, verdict.findings
        assert all(not log.open for log in verdict.logs)
