"""The one path from request to record to effect, where something goes wrong on the way."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from gateway.audit.record import Aborted, Decided, Happened, Line, Rejected, Shed, read_line
from gateway.audit.verify import verify
from gateway.core.geography.networks import Networks
from gateway.core.standing import Standings
from tests.system.inside import Inside, inside
from tests.system.served import Client, bearer_bytes, search_bytes


def records(running: Inside) -> list[Line]:
    found: list[Line] = []
    for path in sorted((running.world.directory / "audit").rglob("*.jsonl")):
        found += map(read_line, path.read_bytes().split(b"\n")[:-1])
    return found


class BrokenReader:
    """A reader that breaks its contract: it raises, and quotes what it was asked."""

    def country(self, address: str) -> str | None:
        raise RuntimeError(f"cannot look up {address}")


async def test_a_bug_while_judging_is_a_refusal_with_a_record_of_its_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with inside(tmp_path) as running:
        live = running.gateway.live
        serving = live.serving
        networks = Networks(
            reader=BrokenReader(),
            build=datetime.now(UTC),
            max_age=timedelta(days=1),
            trusted_proxies=serving.snapshot.networks.trusted_proxies,
            digest="broken",
        )
        snapshot = msgspec.structs.replace(
            serving.snapshot,
            networks=networks,
            standings=Standings(networks, serving.snapshot.policies),
        )
        live.serving = msgspec.structs.replace(serving, snapshot=snapshot)
        with caplog.at_level(logging.ERROR, "facegate"):
            answer = await running.search(1)
        assert answer.status == 403
        assert json.loads(answer.body)["reason"] == "engine.failed"
        assert running.provider.arrivals == []
        assert "could not be computed: RuntimeError in" in caplog.text
        assert "192.0.2." not in caplog.text
        live.serving = serving
        assert (await running.search(2)).status == 200
    aborted = [record for record in records(running) if isinstance(record, Aborted)]
    assert [record.reason for record in aborted] == ["engine.failed"]
    assert aborted[0].id == answer.headers["x-facegate-decision"]


async def test_a_client_that_hangs_up_while_the_provider_works_is_recorded_as_gone(
    tmp_path: Path,
) -> None:
    async with inside(tmp_path) as running:
        running.provider.gate, arrived = asyncio.Event(), asyncio.Event()
        running.provider.on_arrival = arrived.set
        client = await Client.connect(running.gateway.port)
        client.send(search_bytes(running.gateway.port, running.token, 1))
        await arrived.wait()
        client.close()
        await running.settled()
        running.provider.gate.set()
    (happened,) = (record for record in records(running) if isinstance(record, Happened))
    assert (happened.outcome, happened.sent, happened.status) == ("client_gone", True, None)
    assert verify(running.world.directory / "audit", closed=True).ok


async def test_what_cannot_be_read_is_recorded_by_address_reason_and_length_only(
    tmp_path: Path,
) -> None:
    canary = b"canary-0123456789"
    async with inside(tmp_path) as running:
        for request in (
            b"POST /\xff" + canary + b" HTTP/1.1\r\n\r\n",
            b"nonsense " + canary + b"\r\n\r\n",
            bearer_bytes(running.gateway.port, canary.decode(), running.token, b"{}").replace(
                b"POST / ", b"POST /%2e%2e/" + canary + b" "
            ),
        ):
            client = await Client.connect(running.gateway.port)
            answer = await client.ask(request)
            client.close()
            assert answer.status == 400
            assert canary not in answer.body
        assert running.provider.arrivals == []
    rejected = [record for record in records(running) if isinstance(record, Rejected)]
    assert len(rejected) == 3
    assert all(record.address == "127.0.0.1" and record.request_bytes for record in rejected)
    assert {record.reason for record in rejected} <= {
        "malformed.syntax",
        "malformed.path",
        "malformed.method",
    }
    logs = (running.world.directory / "audit").rglob("*.jsonl")
    assert all(canary not in path.read_bytes() for path in logs)


async def test_rejections_above_the_rate_of_an_address_are_counted_in_aggregate(
    tmp_path: Path,
) -> None:
    async with inside(tmp_path) as running:
        for _ in range(25):
            client = await Client.connect(running.gateway.port)
            assert (await client.ask(b"nonsense\r\n\r\n")).status == 400
            client.close()
    rejected = [record for record in records(running) if isinstance(record, Rejected)]
    assert sum(record.count for record in rejected) == 25
    # A minute may have turned in between; the first ten of each stand alone.
    assert sum(record.count == 1 for record in rejected) <= 21
    assert any(record.count > 1 for record in rejected)


async def test_bodies_beyond_the_memory_that_the_operator_gave_are_turned_away_and_counted(
    tmp_path: Path,
) -> None:
    async with inside(tmp_path) as running:
        live = running.gateway.live
        live.serving = msgspec.structs.replace(live.serving, inspection_memory_bytes=100_000)
        # More than arrives together with the head: only what is still to come is counted.
        body = b'{"CollectionId":"c","FaceId":"' + b"f" * 1_000_000 + b'"}'
        client = await Client.connect(running.gateway.port)
        answer = await client.ask(
            bearer_bytes(running.gateway.port, "SearchFaces", running.token, body)
        )
        client.close()
        assert answer.status == 400
        assert json.loads(answer.body)["__type"] == "ThrottlingException"
        assert answer.headers["retry-after"] == "1"
        assert (await running.search(1)).status == 200
        assert await running.metric('facegate_shed_total{reason="memory"}') == 1
    shed = [record for record in records(running) if isinstance(record, Shed)]
    assert [(record.reason, record.count) for record in shed] == [("memory", 1)]


async def test_the_record_names_the_operation_that_the_provider_got(tmp_path: Path) -> None:
    operations = ["SearchFaces", "CompareFaces", "DetectFaces", "DeleteFaces", "ListFaces"]
    async with inside(tmp_path) as running:
        for operation in operations:
            client = await Client.connect(running.gateway.port)
            body = b'{"CollectionId":"missing","FaceId":"%b"}' % operation.encode()
            await client.ask(bearer_bytes(running.gateway.port, operation, running.token, body))
            client.close()
        arrived = {
            arrival.body_sha256: arrival.headers["x-amz-target"]
            for arrival in running.provider.arrivals
        }
    decided = {
        record.request.body_sha256: record.facts.operation.name
        for record in records(running)
        if isinstance(record, Decided) and record.decision.outcome == "permit"
        if hasattr(record.facts.operation, "name")
    }
    assert {digest: f"RekognitionService.{name}" for digest, name in decided.items()} == arrived
    assert len(arrived) >= 4
