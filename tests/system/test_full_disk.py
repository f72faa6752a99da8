"""A disk that is full in earnest: each writer refuses, what runs goes on, and room is enough."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path

from gateway.app.policies import WATCH
from gateway.audit.record import Activation
from gateway.audit.verify import verify
from gateway.console.policy import Wish
from gateway.demo.world import World
from tests.system.inside import Inside, inside
from tests.system.offering import policy, write
from tests.system.quotas import count
from tests.system.small_disk import small_disk
from tests.system.test_activation import state_of
from tests.system.test_kept_parts import records

FULL = "no space left on device"
BACK = Wish(action="rollback", who="ada", why="no room for anything else")


def permit(world: World) -> None:
    write(world.policies, policy())


async def status(running: Inside) -> int:
    return (await running.search(1)).status


async def test_a_policy_that_finds_no_room_is_refused_and_taken_once_there_is_some(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "state") as disk:
        async with inside(tmp_path, prepare=permit) as running:
            before = state_of(tmp_path)
            disk.fill()
            write(running.world.policies, policy("strict"))
            for _ in range(2):
                report = await running.gateway.reload("ada")
                assert (report.result, FULL in " ".join(report.findings)) == ("refused", True)
                assert (await status(running), state_of(tmp_path)) == (200, before)
            assert FULL in " ".join((await running.status())["findings"])
            disk.free()
            # Nobody has to change anything, or to ask: the next look is enough.
            assert (await running.gateway.reload(WATCH)).result == "activated"
            assert await status(running) == 403
            after = state_of(tmp_path)

            # All that a rollback needs is there but room for the pointer.
            disk.fill()
            report = await running.gateway.act(BACK)
            assert (report.result, FULL in " ".join(report.findings)) == ("refused", True)
            assert (await status(running), state_of(tmp_path)) == (403, after)
            disk.free()
            assert (await running.gateway.act(BACK)).result == "activated"
            assert await status(running) == 200
            history = await running.gateway.history()
    assert history[-1].bundle == before.active.bundle
    told = [
        (one.who, one.result, FULL in one.detail)
        for one in records(tmp_path)
        if isinstance(one, Activation) and one.what == "policies"
    ]
    assert ("ada", "refused", True) in told
    assert told[-1] == ("ada", "activated", False)
    assert verify(tmp_path / "audit", closed=True).ok


async def test_whoever_would_take_of_a_quota_is_refused_while_the_disk_is_full(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "state") as disk:
        async with inside(tmp_path, prepare=partial(count, quota=1_000)) as running:
            disk.fill()
            answer = await running.search(1)
            assert (answer.status, b"state.unavailable" in answer.body) == (403, True)
            assert running.provider.arrivals == []
            disk.free()
            assert await status(running) == 200
            disk.fill()
            # What was set aside beforehand may be used up, and not one more.
            answers = [await running.search(number) for number in range(40)]
            assert {one.status for one in answers} == {200, 403}
            assert [one.status for one in answers] == sorted(one.status for one in answers)
            assert b"state.unavailable" in answers[-1].body
            served = 1 + sum(one.status == 200 for one in answers)
            assert len(running.provider.arrivals) == served
            disk.free()
            assert await status(running) == 200
        assert verify(tmp_path / "audit", closed=True).ok


async def test_nothing_is_forwarded_while_the_log_has_no_room_and_it_comes_back_by_itself(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "audit") as disk:
        async with inside(tmp_path, prepare=permit) as running:
            assert await status(running) == 200
            disk.fill()
            answers = [await running.search(number) for number in range(8)]
            assert json.loads(answers[-1].body)["reason"] == "audit.unavailable"
            arrived = len(running.provider.arrivals)
            assert arrived == 1 + sum(one.status == 200 for one in answers)
            disk.free()
            async with asyncio.timeout(30):
                while (await running.page("/readyz"))[0] != 200:
                    pass
            assert await status(running) == 200
            assert len(running.provider.arrivals) == arrived + 1
        assert verify(tmp_path / "audit", closed=True).ok
