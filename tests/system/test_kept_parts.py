"""What a gateway decides under is kept before it decides: policy and settings, by digest."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.app.gateway import Gateway
from gateway.audit.record import Activation, Decided, read_line
from gateway.audit.verify import verify
from gateway.core.policy.evaluate import evaluate
from gateway.demo.issuer import Issuer
from gateway.demo.world import tighten
from gateway.sources.stored_parts import StoredParts
from tests.system.inside import Inside, inside, write_world
from tests.system.recording import recording_provider


def parts_of(running: Inside) -> StoredParts:
    (directory,) = (running.world.directory / "audit").glob("*/parts")
    return StoredParts(directory)


def records(directory: Path) -> Iterator[object]:
    for path in sorted((directory / "audit").rglob("*.jsonl")):
        yield from map(read_line, path.read_bytes().split(b"\n")[:-1])


async def test_every_decision_can_be_judged_again_under_the_policy_that_it_names(
    tmp_path: Path,
) -> None:
    async with inside(tmp_path) as running:
        await running.search(1)
        tighten(running.world)
        report = await running.gateway.reload("the test")
        assert report.result != "refused"  # the watcher may have been first
        await running.search(2, place="GB")
        parts = parts_of(running)
    decisions = [
        record for record in records(running.world.directory) if isinstance(record, Decided)
    ]
    assert len({record.parts["policies"] for record in decisions}) == len(decisions) == 2
    for record in decisions:
        assert evaluate(parts.policies(record.parts["policies"]), record.facts) == record.decision
        assert b"settings/v1" in parts.settings(record.parts["settings"])
    assert verify(running.world.directory / "audit", closed=True).ok


async def test_a_policy_that_cannot_be_kept_is_refused_loudly_and_the_old_one_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with inside(tmp_path) as running:
        before = running.gateway.snapshot.policies.digest
        directory = parts_of(running).directory
        shutil.move(directory, directory.with_name("aside"))
        directory.write_text("a file where a directory should be")
        tighten(running.world)
        report = await running.gateway.reload("the test")
        assert report.result == "refused"
        assert running.gateway.snapshot.policies.digest == before
        assert any("cannot be stored: " in finding for finding in report.findings)
        assert (await running.search(1)).status == 200

        directory.unlink()  # the place takes files again: asking once more is enough
        assert (await running.gateway.reload("the test")).result != "refused"
        after = running.gateway.snapshot.policies.digest
        assert after != before
        assert parts_of(running).digests("policies") == (after,)
    refusals = [
        record
        for record in records(running.world.directory)
        if isinstance(record, Activation) and record.result == "refused"
    ]
    assert "policies" in {record.what for record in refusals}
    assert all("cannot be stored" in record.detail for record in refusals)
    assert "policies refused: " in caplog.text


async def test_a_gateway_that_cannot_keep_its_policy_does_not_start(tmp_path: Path) -> None:
    async with Issuer() as issuer, recording_provider() as provider:
        world = await write_world(tmp_path, provider, issuer)
        gateway = Gateway(world.config, world.environ)
        origin = world.directory / "audit" / "demo.facegate.example"
        origin.mkdir(parents=True)
        (origin / "parts").write_text("a file where a directory should be")
        with pytest.raises(ExceptionGroup) as failure:
            async with asyncio.timeout(30):
                await gateway.run()
        assert "cannot be stored: " in str(failure.value.exceptions[0])
        assert not gateway.ready.is_set()
