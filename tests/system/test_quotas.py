"""Quotas and budgets through the whole gateway: what reaches the provider is never more."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path

from gateway.audit.record import Aborted, Happened
from gateway.audit.verify import verify
from gateway.core.operation import Returned
from gateway.demo.issuer import Issuer
from gateway.ledger.store import read_marks
from tests.system.inside import Inside, inside, write_world
from tests.system.quotas import TENANT, count, happened, permitted
from tests.system.recording import recording_provider
from tests.system.served import Client, Served, search_bytes, serving
from tests.system.test_enforcement import records

BACK = (
    Returned(of="reference", id="LIC-1", amount=1),
    Returned(of="budget", id="a-month", amount=1),
)


def marks(running: Inside) -> dict[str, int]:
    found = read_marks(running.world.directory / "state")
    return {f"{key[0]} {key[2]}": stored.marks[-1][1] for key, stored in found.items()}


async def statuses(running: Inside, many: int) -> Counter[int]:
    """Send so many searches over so many connections at once."""
    answers = await asyncio.gather(*[running.search(number) for number in range(many)])
    return Counter(answer.status for answer in answers)


async def test_no_more_reaches_the_provider_than_the_quota_holds(tmp_path: Path) -> None:
    async with inside(tmp_path, prepare=partial(count, quota=37)) as running:
        assert await statuses(running, 200) == {200: 37, 403: 163}
        assert len(running.provider.arrivals) == 37
    taken = permitted(records(running))
    assert [one.facts.observed.quotas[0].used for one in taken] == list(range(37))
    assert all(one.given_back == () for one in happened(records(running)))
    assert marks(running) == {"quota LIC-1": 37, "budget a-month": 37}
    assert verify(running.world.directory / "audit", closed=True).ok


async def test_no_more_reaches_the_provider_than_the_budget_holds(tmp_path: Path) -> None:
    async with inside(tmp_path, prepare=partial(count, quota=1_000, budget=5)) as running:
        assert await statuses(running, 50) == {200: 5, 403: 45}
        assert len(running.provider.arrivals) == 5
    assert verify(running.world.directory / "audit", closed=True).ok


async def test_what_never_left_for_the_provider_is_given_back_in_the_record(
    tmp_path: Path,
) -> None:
    async with inside(tmp_path, prepare=partial(count, quota=3)) as running:
        host = running.world.config.read_text()
        # Nothing listens there any more.
        elsewhere = host.replace(running.provider.url, "http://127.0.0.1:1")
        running.world.config.write_text(elsewhere)
        assert (await running.gateway.reload("test")).result == "activated"
        answers = await statuses(running, 20)
        assert answers[502] >= 3
        assert answers[403] == 20 - answers[502]
        running.world.config.write_text(host)
        assert (await running.gateway.reload("test")).result == "activated"
        assert await statuses(running, 20) == {200: 3, 403: 17}
    ends = Counter((one.outcome, one.sent, one.given_back) for one in happened(records(running)))
    failed = answers[502]
    assert ends == {
        ("upstream_failed", False, BACK): failed,
        ("forwarded", True, ()): 3,
        ("refused", False, ()): 37 - failed,
    }
    assert verify(running.world.directory / "audit", closed=True).ok


async def test_what_may_have_reached_the_provider_is_spent(tmp_path: Path) -> None:
    async with inside(tmp_path, prepare=partial(count, quota=2)) as running:
        running.provider.gate, arrived = asyncio.Event(), asyncio.Event()
        running.provider.on_arrival = arrived.set
        client = await Client.connect(running.gateway.port)
        client.send(search_bytes(running.gateway.port, running.token, 1))
        await arrived.wait()
        client.close()
        await running.settled()
        running.provider.gate.set()
        assert await statuses(running, 5) == {200: 1, 403: 4}
    gone = [one for one in happened(records(running)) if one.outcome == "client_gone"]
    assert [(one.sent, one.given_back) for one in gone] == [(True, ())]
    assert marks(running)["quota LIC-1"] == 2
    assert verify(running.world.directory / "audit", closed=True).ok


async def test_whoever_hangs_up_before_anything_is_sent_leaves_nothing_taken_unsaid(
    tmp_path: Path,
) -> None:
    async with inside(tmp_path, prepare=partial(count, quota=100)) as running:
        moments = random.Random(7)  # noqa: S311 - moments of hanging up
        for number in range(60):
            client = await Client.connect(running.gateway.port)
            client.send(search_bytes(running.gateway.port, running.token, number))
            for _ in range(moments.randrange(40)):
                await asyncio.sleep(0)
            client.close()
        await running.settled()
        arrived = len(running.provider.arrivals)
        answers = await statuses(running, 150)
    ends = happened(records(running))
    spent = len(permitted(records(running))) - sum(one.given_back != () for one in ends)
    assert spent == marks(running)["quota LIC-1"] == 100
    # Whatever was not given back may have reached the provider; nothing else did.
    assert arrived + answers[200] <= 100
    assert all(not one.sent for one in ends if one.given_back)
    assert verify(running.world.directory / "audit", closed=True).ok


async def test_whoever_would_take_is_refused_where_counts_cannot_be_kept_and_others_go_on(
    tmp_path: Path,
) -> None:
    async with inside(tmp_path, prepare=partial(count, quota=1_000)) as running:
        # A file stands where the directory would have to be.
        (running.world.directory / "state").rename(running.world.directory / "kept")
        (running.world.directory / "state").write_text("")
        answer = await running.search(1)
        assert (answer.status, b"state.unavailable" in answer.body) == (403, True)
        assert running.provider.arrivals == []
        (running.world.directory / "state").unlink()
        (running.world.directory / "kept").rename(running.world.directory / "state")
        assert (await running.search(2)).status == 200
    aborted = [one for one in records(running) if isinstance(one, Aborted)]
    assert [one.reason for one in aborted] == ["state.unavailable"]
    assert verify(running.world.directory / "audit", closed=True).ok


async def test_a_restart_in_order_counts_on_and_a_lost_state_is_found_by_the_auditor(
    tmp_path: Path,
) -> None:
    async with Issuer() as issuer, recording_provider() as provider:
        world = await write_world(tmp_path, provider, issuer)
        count(world, quota=10)
        for taken in (4, 8):
            async with serving(tmp_path, provider.url, world=world, issuer=issuer) as served:
                client = await Client.connect(served.port)
                for number in range(4):
                    request = search_bytes(served.port, served.token(TENANT), number)
                    assert (await client.ask(request)).status == 200
                client.close()
            assert len(provider.arrivals) == taken
        assert verify(tmp_path / "audit", closed=True).ok
        for file in (tmp_path / "state").glob("ledger.*"):
            file.unlink()
        async with serving(tmp_path, provider.url, world=world, issuer=issuer) as served:
            client = await Client.connect(served.port)
            request = search_bytes(served.port, served.token(TENANT), 9)
            assert (await client.ask(request)).status == 200
            client.close()
        findings = [finding.message for finding in verify(tmp_path / "audit").findings]
        assert findings == [
            "counts 0 of reference `LIC-1`, but 8 were taken before",
            "counts 0 of budget `a-month`, but 8 were taken before",
        ]


async def spend(served: Served, token: str) -> None:
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        client = await Client.connect(served.port)
        try:
            number = 0
            while (await client.ask(search_bytes(served.port, token, number))).status == 200:
                number += 1
        finally:
            client.close()


async def test_a_gateway_that_is_killed_again_and_again_never_overspends(tmp_path: Path) -> None:
    moments = random.Random(11)  # noqa: S311 - moments of kills
    quota = 400
    async with Issuer() as issuer, recording_provider() as provider:
        world = await write_world(tmp_path, provider, issuer)
        count(world, quota=quota)
        for _ in range(6):
            async with (
                serving(tmp_path, provider.url, world=world, issuer=issuer) as served,
                asyncio.TaskGroup() as tasks,
            ):
                for _ in range(8):
                    tasks.create_task(spend(served, served.token(TENANT)))
                await asyncio.sleep(moments.uniform(0.02, 0.2))  # the moment is what varies
                served.kill()
                await served.process.wait()
        async with serving(tmp_path, provider.url, world=world, issuer=issuer) as served:
            await asyncio.gather(*[spend(served, served.token(TENANT)) for _ in range(8)])
            assert len(provider.arrivals) <= quota
            assert len(permitted(served.records())) <= quota
        assert marks_of(tmp_path) == quota
        verdict = verify(tmp_path / "audit", closed=True)
        assert verdict.findings == ()
        spent = sum(isinstance(one, Happened) and one.sent for one in served.records())
        # Six deaths cost no more than the blocks that were set aside, and what was under way.
        assert spent >= quota - 6 * (8 + 2 * 4 + 8)


def marks_of(directory: Path) -> int:
    found = read_marks(directory / "state")
    return next(stored.marks[-1][1] for key, stored in found.items() if key[0] == "quota")
