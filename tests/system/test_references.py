"""A running gateway tells on its admin listener what is pressing of the references on file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from gateway.demo.world import World
from tests.cli.command import facegate
from tests.system.inside import TENANT, Inside, inside

EXPIRED = 'facegate_references_expired{kind="review"}'
ENDED = {"id": "REV-1", "kind": "review", "valid_to": "2020-01-01"}


def put_on_file(world: World, *references: dict[str, str]) -> None:
    """Have exactly these references on file for the charity."""
    path = world.directory / "tenants.yaml"
    tenants: dict[str, Any] = YAML().load(path.read_text())
    charity = next(one for one in tenants["tenants"] if one["id"] == TENANT)
    charity["references"] = list(references)
    with path.open("w") as file:
        YAML().dump(tenants, file)


async def shows(running: Inside, name: str, value: float) -> None:
    """Wait until a metric has a value."""
    async with asyncio.timeout(60):
        while await running.metric(name) != value:
            pass


async def test_a_reference_that_ended_is_told_until_it_is_taken_out(tmp_path: Path) -> None:
    async with inside(tmp_path, prepare=lambda world: put_on_file(world, ENDED)) as running:
        await shows(running, EXPIRED, 1)
        put_on_file(running.world)
        assert (await running.gateway.reload("test")).result in {"activated", "unchanged"}
        await shows(running, EXPIRED, 0)


async def test_what_is_on_file_is_listed_while_the_gateway_runs(tmp_path: Path) -> None:
    async with inside(tmp_path, prepare=lambda world: put_on_file(world, ENDED)) as running:
        world = running.world
        done = await asyncio.to_thread(
            facegate, "references", "--config", world.config, "--due", environ=world.environ
        )
        assert done.code == 1
        assert f"{TENANT} REV-1: review, ended on 2020-01-01" in done.out
