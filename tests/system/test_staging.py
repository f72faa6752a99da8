"""A policy takes over from some tenants to all, and is taken back when it refuses too much."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gateway.app.gateway import Gateway
from gateway.audit.record import Activation, Decided
from gateway.console.policy import Wish
from gateway.core.policy.activation import State
from gateway.demo.issuer import Issuer
from gateway.demo.world import World
from tests.system.inside import TENANT, write_world
from tests.system.recording import recording_provider
from tests.system.served import Client, search_bytes, token_for
from tests.system.test_activation import state_of, write
from tests.system.test_kept_parts import records

STAGE = "policies: {{dir: policies, stage: {{steps: [50], newly_refused: {share}, decisions: 4}}}}"


def staged_at(world: World, share: str) -> None:
    """Let a change begin with half of the tenants."""
    text = world.config.read_text()
    assert "policies: policies\n" in text
    world.config.write_text(text.replace("policies: policies\n", STAGE.format(share=share) + "\n"))


async def search(gateway: Gateway, token: str, number: int) -> int:
    client = await Client.connect(gateway.port)
    try:
        return (await client.ask(search_bytes(gateway.port, token, number))).status
    finally:
        client.close()


async def until_staged(gateway: Gateway, world: World) -> State:
    """Offer policies until one has the charity among its first tenants."""
    for number in range(50):
        change = asyncio.ensure_future(gateway.change())
        await asyncio.sleep(0)
        write(world.policies, f"draft-{number}")
        await change
        stage = gateway.snapshot.stage
        assert stage is not None
        if stage.holds(TENANT):
            return state_of(world.directory)
    raise AssertionError("none of fifty salts chose the tenant")


async def run(tmp_path: Path, share: str, test: object) -> None:
    assert callable(test)
    async with Issuer() as issuer, recording_provider() as provider:
        world = await write_world(tmp_path, provider, issuer)
        staged_at(world, share)
        gateway = Gateway(world.config, world.environ)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(gateway.run())
            await gateway.ready.wait()
            try:
                await test(gateway, world, token_for(issuer, world, TENANT))
            finally:
                gateway.stop()


async def test_a_staged_policy_judges_its_tenants_alone_and_then_all(tmp_path: Path) -> None:
    async def steps(gateway: Gateway, world: World, token: str) -> None:
        state = await until_staged(gateway, world)
        assert state.staged is not None
        assert state.staged.percent == 50
        assert await search(gateway, token, 1) == 403
        report = await gateway.act(Wish(action="activate", percent=99, who="ada", why="looks well"))
        assert report.result == "activated"
        assert await search(gateway, token, 2) == 403
        report = await gateway.act(Wish(action="activate", who="ada", why="all of it"))
        assert report.result == "activated"
        assert gateway.snapshot.stage is None
        assert await search(gateway, token, 3) == 403

    await run(tmp_path, "1.0", steps)
    state = state_of(tmp_path)
    assert (state.active.action, state.active.who, state.staged) == ("activate", "ada", None)
    decided = [one for one in records(tmp_path) if isinstance(one, Decided)]
    assert {one.parts["policies"] for one in decided} == {state.active.policies}
    assert [[(one.name, one.outcome) for one in each.alternatives] for each in decided] == [
        [("active", "permit")],
        [("active", "permit")],
        [],
    ]
    told = [
        (one.why, one.detail)
        for one in records(tmp_path)
        if isinstance(one, Activation) and one.what == "policies" and one.who == "ada"
    ]
    assert told == [("looks well", "for 99 % of the tenants"), ("all of it", "")]


async def test_a_staged_policy_that_refuses_too_much_is_taken_back_and_held(
    tmp_path: Path,
) -> None:
    async def steps(gateway: Gateway, world: World, token: str) -> None:
        state = await until_staged(gateway, world)
        assert state.staged is not None
        statuses = [await search(gateway, token, number) for number in range(4)]
        assert statuses == [403, 403, 403, 200]
        # A look at everything waits for what is under way, and finds the same offer held.
        report = await gateway.reload("ada")
        assert report.findings == ()
        assert await search(gateway, token, 5) == 200
        after = state_of(world.directory)
        assert (after.staged, after.held) == (None, (state.staged.step.bundle,))
        assert after.active == state.active

    await run(tmp_path, "0.5", steps)
    (back,) = (
        one for one in records(tmp_path) if isinstance(one, Activation) and one.who == "gateway"
    )
    assert back.why == "3 of 3 decisions newly refused"


async def test_what_was_staged_goes_when_what_is_active_is_offered_again(tmp_path: Path) -> None:
    async def steps(gateway: Gateway, world: World, token: str) -> None:
        await until_staged(gateway, world)
        change = asyncio.ensure_future(gateway.change())
        await asyncio.sleep(0)
        (world.policies / "version.yaml").unlink()
        await change
        assert gateway.snapshot.stage is None
        assert await search(gateway, token, 1) == 200
        state = state_of(world.directory)
        assert (state.staged, state.held, state.latest.action) == (None, (), "return")

    await run(tmp_path, "1.0", steps)
