"""Starting a stream processor names only what was declared before: the gateway remembers."""

from __future__ import annotations

from pathlib import Path

from gateway.audit.record import Decided, read_line
from gateway.core.operation import class_of
from tests.system.inside import Inside, inside
from tests.system.served import Client, bearer_bytes

CREATE = (
    b'{"Name":"%b","RoleArn":"arn:aws:iam::1:role/r",'
    b'"Settings":{"ConnectedHome":{"Labels":["PET"]}},'
    b'"Input":{"KinesisVideoStream":{"Arn":"a"}},"Output":{"KinesisDataStream":{"Arn":"a"}}}'
)


async def ask(running: Inside, operation: str, body: bytes) -> int:
    client = await Client.connect(running.gateway.port)
    try:
        request = bearer_bytes(running.gateway.port, operation, "token", body, place="GB")
        key = running.world.callers["harbour-bank"].api_key.encode()
        request = request.replace(b"Authorization: Bearer token", b"X-Api-Key: " + key)
        return (await client.ask(request)).status
    finally:
        client.close()


def classes(running: Inside) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for path in sorted((running.world.directory / "audit").rglob("*.jsonl")):
        for line in path.read_bytes().split(b"\n")[:-1]:
            record = read_line(line)
            if isinstance(record, Decided):
                facts = record.facts
                found.append((facts.observed.stream_processor, class_of(facts.operation)))
    return found


async def test_a_processor_declared_without_faces_may_be_started_and_an_unknown_one_is_a_search(
    tmp_path: Path,
) -> None:
    async with inside(tmp_path) as running:
        assert await ask(running, "StartStreamProcessor", b'{"Name":"door"}') == 403
        assert await ask(running, "CreateStreamProcessor", CREATE % b"door") == 200
        assert await ask(running, "StartStreamProcessor", b'{"Name":"door"}') == 200
        assert await ask(running, "StartStreamProcessor", b'{"Name":"other"}') == 403
        assert len(running.provider.arrivals) == 2
    assert classes(running) == [
        ("unknown", "stream_search"),
        ("", "unrelated"),
        ("connected_home", "unrelated"),
        ("unknown", "stream_search"),
    ]
