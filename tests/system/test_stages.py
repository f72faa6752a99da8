"""A stage by its timetable, over restarts, and back: nobody changes sides in between."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from gateway.app.once import utc_now
from gateway.audit.record import Activation
from gateway.core.geography.networks import Networks
from gateway.core.policy.activation import Step
from gateway.core.policy.bundle import digest_of
from gateway.core.snapshot import Stage
from gateway.core.standing import Standings
from gateway.demo.issuer import Issuer
from gateway.demo.world import World
from gateway.sources.activations import read_history
from gateway.sources.contents import read_contents
from gateway.sources.policies import read_policies
from tests.cli.command import Done, facegate
from tests.system.inside import TENANT, Inside, beside, write_world
from tests.system.offering import policy, settle, write
from tests.system.recording import Recording, recording_provider
from tests.system.test_activation import state_of
from tests.system.test_enforcement import BrokenReader
from tests.system.test_kept_parts import records

# Seconds: the callers' tokens are good for ten minutes.
EVERY: Final = timedelta(seconds=60)
OTHERS: Final = tuple(f"tenant-{number}" for number in range(1_000))


def put(path: Path, content: bytes) -> None:
    """Put a file in place whole."""
    draft = path.with_name(f".{path.name}")
    draft.write_bytes(content)
    draft.rename(path)


class Clock:
    """The time, where the test decides how much of it has gone by."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead

    def go_on(self, time: timedelta) -> None:
        self.ahead += time


class Staging(msgspec.Struct, frozen=True):
    """A configuration with a stage, to be run again and again."""

    world: World
    provider: Recording
    issuer: Issuer
    clock: Clock

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[Inside]:
        async with beside(self.world, self.provider, self.issuer, clock=self.clock) as running:
            yield running

    def offer(self, *denying: str) -> None:
        """Put a pack beside the policy, whole."""
        for name in denying:
            put(self.world.policies / f"{name}.yaml", policy(name)[f"{name}.yaml"])


@asynccontextmanager
async def staging(tmp_path: Path, stage: str) -> AsyncIterator[Staging]:
    """Write a configuration whose policy permits, and whose changes are staged."""
    async with Issuer() as issuer, recording_provider() as provider:
        world = await write_world(tmp_path, provider, issuer)
        write(world.policies, policy())
        settle(world, f"{{dir: policies, stage: {stage}}}")
        yield Staging(world, provider, issuer, Clock())


def drawn(tmp_path: Path, *, low: int, high: int) -> str:
    """Return the name of a pack whose bundle takes the charity after `low` % and up to `high` %."""
    policies = read_policies(write(tmp_path / "draws", policy()))
    for number in range(1_000):
        name = f"draft-{number}"
        directory = write(tmp_path / "draws", policy(name))
        salt = digest_of(read_contents(directory).manifest())
        shares = [
            Stage(policies=policies, percent=one, salt=salt).holds(TENANT) for one in (low, high)
        ]
        if shares == [False, True]:
            return name
    raise AssertionError("no salt of a thousand chose so")


async def changed(running: Inside, act: Callable[[], object]) -> None:
    """Wait until something else is served, after this."""
    change = asyncio.ensure_future(running.gateway.change())
    await asyncio.sleep(0)
    act()
    async with asyncio.timeout(60):
        await change


def sides(running: Inside) -> frozenset[str]:
    stage = running.gateway.snapshot.stage
    return frozenset(one for one in OTHERS if stage is not None and stage.holds(one))


def break_networks(running: Inside) -> None:
    """Let every judgement of what is served now fail, until something else is served."""
    live = running.gateway.live
    snapshot = live.serving.snapshot
    assert snapshot.staged is not None
    networks = Networks(
        reader=BrokenReader(),
        build=utc_now(),
        max_age=timedelta(days=1),
        trusted_proxies=snapshot.networks.trusted_proxies,
        digest="broken",
    )
    standings = Standings(networks, snapshot.staged.policies)
    staged = msgspec.structs.replace(snapshot.staged, networks=networks, standings=standings)
    broken = msgspec.structs.replace(snapshot, staged=staged)
    live.serving = msgspec.structs.replace(live.serving, snapshot=broken)


async def status(running: Inside) -> int:
    return (await running.search(1)).status


def steps(directory: Path) -> tuple[Step, ...]:
    return read_history(directory / "state/policy/history.jsonl")


def activations(directory: Path) -> list[Activation]:
    return [
        one for one in records(directory) if isinstance(one, Activation) and one.what == "policies"
    ]


async def test_a_stage_keeps_to_its_timetable_and_its_tenants_over_restarts(
    tmp_path: Path,
) -> None:
    limits = "{steps: [5, 25], every_s: 60, newly_refused: 1.0}"
    async with staging(tmp_path, limits) as staged:
        clock, name = staged.clock, drawn(tmp_path, low=5, high=25)
        async with staged.gateway() as running:
            await changed(running, lambda: staged.offer(name))
            first = sides(running)
            assert (await status(running), 20 < len(first) < 100) == (200, True)
        clock.ahead += EVERY * 0.9
        async with staged.gateway() as running:
            # Not time yet, and a start is no reason to begin anew.
            assert (await status(running), sides(running)) == (200, first)
            assert (await running.gateway.reload("ada")).findings == ()
            assert [one.action for one in steps(tmp_path)] == ["change", "stage"]
            await changed(running, lambda: clock.go_on(EVERY))
            second = sides(running)
            assert (await status(running), first < second) == (403, True)
            assert 180 < len(second) < 330
            await changed(running, lambda: clock.go_on(EVERY * 3))
            assert (await status(running), running.gateway.snapshot.stage) == (403, None)
    told = [(one.action, one.who, one.detail) for one in steps(tmp_path)]
    assert told == [
        ("change", "start", ""),
        ("stage", "watch", "for 5 % of the tenants"),
        ("stage", "timetable", "for 25 % of the tenants"),
        ("activate", "timetable", ""),
    ]
    whose = [one.who for one in activations(tmp_path) if one.who != "start"]
    assert whose == ["watch", "timetable", "timetable"]


async def test_a_stage_in_which_the_engine_fails_is_taken_back_told_and_held(
    tmp_path: Path,
) -> None:
    async with staging(tmp_path, "{steps: [99]}") as staged:
        name = drawn(tmp_path, low=0, high=99)
        async with staged.gateway() as running:
            await changed(running, lambda: staged.offer(name))
            assert await status(running) == 403
            break_networks(running)
            assert json.loads((await running.search(2)).body)["reason"] == "engine.failed"
            # From the next request on, whatever is still to be written.
            assert await status(running) == 200
            assert (await running.gateway.reload("ada")).findings == ()
            bundle = steps(tmp_path)[-1].bundle
            assert (await running.status())["policy"]["held"] == bundle
        async with staged.gateway() as running:
            assert (await running.gateway.reload("ada")).findings == ()
            assert (await status(running), running.gateway.snapshot.stage) == (200, None)
    state, back = state_of(tmp_path), steps(tmp_path)[-1]
    assert (state.staged, state.held) == (None, (bundle,))
    assert state.active.bundle != bundle
    assert (back.action, back.who, back.why) == ("return", "gateway", "1 failure of the engine")
    (record,) = (one for one in activations(tmp_path) if one.who == "gateway")
    assert (record.bundle, record.why, record.result) == (bundle, back.why, "activated")
    assert abs(record.time - back.time) < timedelta(seconds=5)


async def test_a_return_that_cannot_be_written_holds_at_once_and_is_written_later(
    tmp_path: Path,
) -> None:
    limits = "{steps: [99], newly_refused: 0.5, decisions: 2}"
    async with staging(tmp_path, limits) as staged:
        name = drawn(tmp_path, low=0, high=99)
        async with staged.gateway() as running:
            await changed(running, lambda: staged.offer(name))
            # A directory in the way of the new pointer: as good as a full disk, also for root.
            blocked = tmp_path / f"state/policy/.active.json.{os.getpid()}"
            blocked.mkdir()
            assert [await status(running) for _ in range(4)] == [403, 403, 200, 200]
            report = await running.gateway.reload("ada")
            assert "active.json: cannot be written" in " ".join(report.findings)
            assert state_of(tmp_path).staged is not None
            assert running.gateway.snapshot.stage is None
            blocked.rmdir()
            await changed(running, lambda: staged.clock.go_on(EVERY * 2))
            assert state_of(tmp_path).staged is None
            assert (await running.gateway.reload("ada")).findings == ()
            assert await status(running) == 200
    assert [(one.action, one.result) for one in steps(tmp_path)] == [
        ("change", "activated"),
        ("stage", "activated"),
        ("return", "refused"),
        ("return", "activated"),
    ]


async def test_another_stage_is_not_taken_back_for_what_the_one_before_did(
    tmp_path: Path,
) -> None:
    limits = "{steps: [99], newly_refused: 0.5, decisions: 1}"
    async with staging(tmp_path, limits) as staged:
        name = drawn(tmp_path, low=0, high=99)
        async with staged.gateway() as running:
            await changed(running, lambda: staged.offer(name))
            first = state_of(tmp_path).staged
            # The second is on its way while the first crosses its limit.
            put(staged.world.policies / "note.yaml", policy("note")["note.yaml"])
            reloading = asyncio.ensure_future(running.gateway.reload("ada"))
            await asyncio.sleep(0)
            assert await status(running) == 403
            await reloading
            assert (await running.gateway.reload("ada")).findings == ()
            second = state_of(tmp_path).staged
            assert first is not None
            assert second is not None
            assert second.step.bundle != first.step.bundle


async def test_an_operator_walks_a_stage_by_command_and_takes_it_back(tmp_path: Path) -> None:
    async with staging(tmp_path, "{steps: [5]}") as staged:
        name = drawn(tmp_path, low=5, high=25)
        async with staged.gateway() as running:

            async def command(*arguments: str) -> Done:
                world = staged.world
                run = partial(facegate, "policy", *arguments, environ=world.environ)
                return await asyncio.to_thread(run, "--config", world.config)

            await changed(running, lambda: staged.offer(name))
            bundle = steps(tmp_path)[-1].bundle
            assert await status(running) == 200
            told = await command("activate", "--percent", "25", "--who", "ada", "--why", "calm")
            assert (told.code, await status(running)) == (0, 403), told
            told = await command("rollback", "--who", "ben", "--why", "complaints")
            assert (told.code, await status(running)) == (0, 200), told
            await running.gateway.reload("ada")
            assert (await running.status())["policy"]["held"] == bundle
            lines = (await command("history")).out.splitlines()
    assert f"activated {bundle}: stage by ada (" in lines[-2]
    assert lines[-2].endswith(": calm; for 25 % of the tenants")
    assert f"activated {bundle}: return by ben (" in lines[-1]
    assert lines[-1].endswith(": complaints")


async def test_a_stage_that_cannot_be_read_at_a_start_is_taken_back(tmp_path: Path) -> None:
    async with staging(tmp_path, "{steps: [99]}") as staged:
        name = drawn(tmp_path, low=0, high=99)
        async with staged.gateway() as running:
            await changed(running, lambda: staged.offer(name))
            assert await status(running) == 403
        content = hashlib.sha256(policy(name)[f"{name}.yaml"]).hexdigest()
        (tmp_path / "state/policy/files" / content).write_bytes(b"spoilt")
        async with staged.gateway() as running:
            assert await status(running) == 200
            if state_of(tmp_path).staged is not None:
                await changed(running, lambda: None)
            back = steps(tmp_path)[-1]
            assert (back.action, back.why) == ("return", "what was staged cannot be read")
            assert (await running.gateway.reload("ada")).findings == ()
            assert await status(running) == 200
