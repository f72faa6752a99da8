"""A rule on an image's hash: images are hashed while it is loaded, and not before."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from gateway.audit.record import Decided, read_line
from tests.system.inside import Inside, inside
from tests.system.served import Client, bearer_bytes

FACE, OTHER = bytes(range(200)) * 30, b"another face" * 500
DIGEST = "sha256:" + hashlib.sha256(FACE).hexdigest()
PACK = f"""\
apiVersion: facegate/v1
kind: Pack
pack: probes
owner: Test
source: a test
force: binding
review: 2027-06-30
rules:
  - id: not-this-face
    effect: deny
    when: {{probe: ["{DIGEST}"]}}
    reason: The same face was compared with too many others.
"""
HASHED = 'facegate_decision_duration_seconds_count{stage="probes"}'


async def compare(running: Inside, image: str) -> int:
    body = {"SourceImage": {"Bytes": image}, "TargetImage": {"Bytes": "QUJD"}}
    client = await Client.connect(running.gateway.port)
    try:
        request = bearer_bytes(
            running.gateway.port, "CompareFaces", running.token, json.dumps(body).encode()
        )
        return (await client.ask(request)).status
    finally:
        client.close()


def text(image: bytes) -> str:
    return base64.b64encode(image).decode()


def probes(running: Inside) -> list[tuple[str, ...] | None]:
    paths = sorted((running.world.directory / "audit").rglob("*.jsonl"))
    lines = [line for path in paths for line in path.read_bytes().splitlines()]
    records = [record for record in map(read_line, lines) if isinstance(record, Decided)]
    return [record.facts.observed.probes for record in records]


async def test_a_rule_on_the_hash_of_a_face_refuses_that_face_and_no_other(tmp_path: Path) -> None:
    async with inside(tmp_path) as running:
        assert await compare(running, text(FACE)) == 200
        assert await running.metric(HASHED) == 0
        policies = running.world.directory / "policies"
        # The shipped guardrails hold that no rule ever refuses a comparison; this one is to.
        (policies / "guardrails.yaml").unlink()
        (policies / "probes.yaml").write_text(PACK)
        await running.gateway.reload("test")
        for image in (text(FACE), "data:image/png;base64," + text(FACE)):
            assert await compare(running, image) == 403
        for image in (text(OTHER), "no image!", text(OTHER)):
            assert await compare(running, image) == 200
        assert await running.metric(HASHED) == 5
        assert len(running.provider.arrivals) == 4
    other = "sha256:" + hashlib.sha256(OTHER).hexdigest()
    assert probes(running) == [None, (DIGEST,), (DIGEST,), (other,), ("unknown",), (other,)]
