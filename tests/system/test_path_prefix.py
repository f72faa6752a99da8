"""Several providers behind one host, told apart by the path that SDKs keep of their endpoint."""

from __future__ import annotations

import asyncio
from pathlib import Path

import boto3

from gateway.audit.record import Decided, read_line
from gateway.core.identity.model import Verified
from gateway.core.operation import Operation
from tests.system.inside import TENANT, Inside, inside
from tests.system.served import Client

UPSTREAMS = """\
  - name: signed
    provider: aws_rekognition
    hosts: ["HOST"]
    path_prefix: /clouds/aws
    url: URL
    credential:
      aws:
        access_key_id: env:DEMO_AWS_ID
        secret_access_key: env:DEMO_AWS_SECRET
        region: us-east-1
  - name: people
    provider: azure_face
    hosts: ["HOST"]
    path_prefix: /clouds
    url: URL
    credential: {header: {name: Ocp-Apim-Subscription-Key, value: env:DEMO_AZURE_KEY}}
"""


def compare(running: Inside) -> object:
    caller = running.world.callers[TENANT]
    client = boto3.client(
        "rekognition",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{running.gateway.port}/clouds/aws",
        aws_access_key_id=caller.access_key_id,
        aws_secret_access_key=caller.secret_access_key,
    )
    image = {"Bytes": b"face"}
    return client.compare_faces(SourceImage=image, TargetImage=image)


async def ask(running: Inside, path: str) -> int:
    client = await Client.connect(running.gateway.port)
    key = running.world.callers[TENANT].api_key
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{running.gateway.port}\r\nX-Api-Key: {key}\r\n"
    try:
        return (await client.ask(f"{head}\r\n".encode())).status
    finally:
        client.close()


def decided(running: Inside) -> list[Decided]:
    paths = sorted((running.world.directory / "audit").rglob("*.jsonl"))
    lines = [line for path in paths for line in path.read_bytes().splitlines()]
    return [record for record in map(read_line, lines) if isinstance(record, Decided)]


async def test_a_prefix_chooses_the_provider_is_signed_and_does_not_go_on(tmp_path: Path) -> None:
    async with inside(tmp_path, upstreams=UPSTREAMS) as running:
        await asyncio.to_thread(compare, running)
        (arrival,) = running.provider.arrivals
        assert arrival.line == "POST / HTTP/1.1"
    (record,) = decided(running)
    assert record.request.target == "/clouds/aws/"
    assert isinstance(record.facts.identity, Verified)
    assert record.facts.identity.method == "sigv4"
    assert isinstance(record.facts.operation, Operation)
    assert record.facts.operation.name == "CompareFaces"


async def test_the_longest_prefix_wins_and_half_a_segment_is_none(tmp_path: Path) -> None:
    async with inside(tmp_path, upstreams=UPSTREAMS) as running:
        for path in (
            "/clouds/face/v1.0/detectLiveness-sessions/c5c24a82-6845-4031-9d5d-978df9175426",
            "/clouds/aws?x=1",
            "/clouds/awsface/v1.0/x",
            "/cloudsface/v1.0/x",
            "/Clouds/aws",
        ):
            await ask(running, path)
        assert await ask(running, "/clouds/%61ws") == 400
        assert await ask(running, "/clouds/../x") == 400
    asked = [(each.facts.operation.provider, each.request.target) for each in decided(running)]
    assert [provider for provider, _ in asked] == [
        "azure_face",
        "aws_rekognition",
        "azure_face",
        "aws_rekognition",
        "aws_rekognition",
    ]
    assert asked[1][1].startswith("/clouds/aws/?x=~")
