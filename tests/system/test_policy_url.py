"""A gateway whose policy comes from a server: what the server does never costs the good one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from gateway.demo.issuer import Issuer
from gateway.demo.world import World
from tests.sources.test_archives import tar_of
from tests.system.inside import Inside, beside, inside, write_world
from tests.system.offering import Offer, offering, policy, settle, write
from tests.system.recording import recording_provider
from tests.system.served import start
from tests.system.test_activation import state_of
from tests.system.test_signing import Signers


def fetched_from(offer: Offer, poll_s: float = 3600) -> Callable[[World], None]:
    return lambda world: settle(world, f"{{url: '{offer.url}', poll_s: {poll_s}}}")


async def status(running: Inside) -> int:
    return (await running.search(1)).status


async def test_a_server_is_asked_by_etag_and_what_is_new_takes_over(tmp_path: Path) -> None:
    async with (
        offering(Offer(tar_of(policy()))) as offer,
        inside(tmp_path, prepare=fetched_from(offer, 0.02)) as running,
    ):
        before = state_of(tmp_path)
        assert await status(running) == 200
        await offer.asked(3)
        assert offer.answered[0] == ("", 200)
        assert set(offer.answered[1:]) == {('"1"', 304)}
        assert state_of(tmp_path) == before  # a 304 changes nothing
        change = asyncio.ensure_future(running.gateway.change())
        await asyncio.sleep(0)
        offer.take(policy("strict"), '"2"')
        await change
        assert await status(running) == 403
        assert state_of(tmp_path).active.who == "watch"


def break_down(offer: Offer) -> None:
    offer.status = 500


def ask_to_sign_in(offer: Offer) -> None:
    offer.content, offer.etag = b"<html>sign in</html>", '"2"'


def break_off(offer: Offer) -> None:
    offer.content, offer.etag = tar_of(policy())[:-20], '"3"'


def slip(offer: Offer) -> None:
    offer.take({**policy(), "half.yaml": b"apiVersion: ["}, '"4"')


FAULTS = {
    break_down: "cannot be fetched: the server answered 500",
    ask_to_sign_in: "what the server sent is no zip and no tar.gz",
    break_off: "is no whole archive",
    slip: "half.yaml:1:14: ",
}


async def test_a_server_that_is_down_or_sends_rubbish_costs_nothing_and_is_told(
    tmp_path: Path,
) -> None:
    offer = Offer(tar_of(policy("strict")))
    async with AsyncExitStack() as stack:
        async with offering(offer):
            running = await stack.enter_async_context(inside(tmp_path, prepare=fetched_from(offer)))
            before = state_of(tmp_path)
            for fault, words in FAULTS.items():
                fault(offer)
                report = await running.gateway.reload("ada")
                assert (report.result, words in " ".join(report.findings)) == ("refused", True)
                assert (await status(running), state_of(tmp_path)) == (403, before)
                offer.status = 200
        # Nobody listens there any more, and what came whole last is refused still.
        told = " ".join((await running.gateway.reload("ada")).findings)
        assert "the server cannot be reached (ClientConnectorError)" in told
        assert "half.yaml:1:14: " in told
        assert await status(running) == 403
        async with offering(offer):
            offer.take(policy(), '"5"')
            assert (await running.gateway.reload("ada")).result == "activated"
            assert await status(running) == 200


async def test_a_gateway_starts_without_the_server_from_what_it_kept(tmp_path: Path) -> None:
    async with Issuer() as issuer, recording_provider() as provider:
        world = await write_world(tmp_path, provider, issuer)
        offer = Offer(tar_of(policy("strict")))
        async with offering(offer):
            fetched_from(offer)(world)
            async with beside(world, provider, issuer) as running:
                assert await status(running) == 403
        async with beside(world, provider, issuer) as running:
            assert await status(running) == 403
            assert "cannot be reached" in " ".join((await running.status())["findings"])
            async with offering(offer):
                offer.take(policy(), '"2"')
                assert (await running.gateway.reload("ada")).result == "activated"
                assert await status(running) == 200
        assert ('"1"', 200) in offer.answered  # it asked by the tag that it kept


async def test_without_the_server_and_without_anything_kept_nothing_listens(
    tmp_path: Path,
) -> None:
    offer = Offer()
    async with offering(offer):
        pass
    async with Issuer() as issuer, recording_provider() as provider:
        world = await write_world(tmp_path, provider, issuer)
        fetched_from(offer)(world)
        served = await start(world, issuer)
        assert served.process.stderr is not None
        said = (await served.process.stderr.read()).decode()
        assert await served.process.wait() == 2
    assert "cannot be fetched: the server cannot be reached (ClientConnectorError)" in said
    assert "Traceback" not in said
    assert "listener on" not in said
    assert not (tmp_path / "audit").exists()


async def test_a_directory_gives_way_to_a_server_while_requests_run(tmp_path: Path) -> None:
    async with inside(tmp_path) as running, offering(Offer(tar_of(policy("strict")))) as offer:
        offer.status = 500
        fetched_from(offer)(running.world)
        report = await running.gateway.reload("ada")
        assert report.result == "refused"
        assert "the server answered 500" in " ".join(report.findings)
        assert await status(running) == 200
        offer.status = 200
        assert (await running.gateway.reload("ada")).result == "activated"
        assert await status(running) == 403


async def test_what_a_server_offered_long_ago_is_no_candidate(tmp_path: Path) -> None:
    async with Issuer() as issuer, recording_provider() as provider:
        world = await write_world(tmp_path, provider, issuer)
        offer = Offer(tar_of(policy()))
        async with offering(offer):
            fetched_from(offer)(world)
            async with beside(world, provider, issuer) as running:
                assert await status(running) == 200
        write(world.policies, policy("strict"))
        settle(world, "policies")
        async with beside(world, provider, issuer) as running:
            assert (await running.gateway.reload("ada")).result == "activated"
            assert await status(running) == 403
        fetched_from(offer)(world)  # which does not answer
        async with beside(world, provider, issuer) as running:
            assert (await running.gateway.reload("ada")).result == "refused"
            assert await status(running) == 403


async def test_a_server_in_other_hands_cannot_bring_back_what_was_signed_in_its_day(
    tmp_path: Path,
) -> None:
    async with Issuer() as issuer, recording_provider() as provider, offering(Offer()) as offer:
        world = await write_world(tmp_path, provider, issuer)
        signers = Signers.of(world, where=f"url: '{offer.url}', poll_s: 3600")

        def sent(version: int, *names: str, denying: str = "") -> bytes:
            signers.offer(version, *names, denying=denying)
            return tar_of({one.name: one.read_bytes() for one in world.policies.iterdir()})

        first, unsigned = sent(1, "ada", "ben"), sent(0)
        second = sent(2, "ben", "cyn", denying="strict")
        offer.content = first
        async with beside(world, provider, issuer) as running:
            assert await status(running) == 200
            offer.content, offer.etag = second, '"2"'
            await running.gateway.reload("ada")
            assert await status(running) == 403
            after = state_of(tmp_path)
            for content, words in (
                (first, "is signed as version 1, and version 2 was activated before it"),
                (unsigned, "is not signed"),
            ):
                offer.content, offer.etag = content, f'"{words}"'.replace(" ", "-")
                report = await running.gateway.reload("ada")
                assert (report.result, words in " ".join(report.findings)) == ("refused", True)
                assert (await status(running), state_of(tmp_path)) == (403, after)
        offer.content, offer.etag = first, '"3"'
        async with beside(world, provider, issuer) as running:
            assert (await running.gateway.reload("ada")).result == "refused"
            assert (await status(running), state_of(tmp_path)) == (403, after)
