"""Callers who show their key in the query, a form or the path, as the provider's SDK does."""

from __future__ import annotations

from pathlib import Path

from gateway.audit.record import Decided, Happened, Line, read_line
from gateway.core.identity.model import Verified
from tests.core.catalog.providers.forms import MULTIPART, multipart
from tests.system.inside import Inside, inside
from tests.system.served import Answer, Client

UPSTREAMS = """\
  - name: facepp
    provider: facepp
    hosts: [facepp.gw.example]
    url: URL
    credential: {form: {api_key: "file:own.key", api_secret: "file:own.secret"}}
  - name: vision
    provider: google_vision
    hosts: [vision.gw.example]
    url: URL
    credential: {query: {key: "file:own.key"}}
  - name: compreface
    provider: compreface
    hosts: [compreface.gw.example]
    url: URL
    credential: {header: {name: x-api-key, value: "file:own.key"}}
"""
VISION = b'{"requests":[{"image":{"content":"QUJD"},"features":[{"type":"LABEL_DETECTION"}]}]}'


async def ask(
    running: Inside, host: str, target: str, body: bytes = b"", media: str = ""
) -> Answer:
    client = await Client.connect(running.gateway.port)
    head = f"{'POST' if body else 'GET'} {target} HTTP/1.1\r\nHost: {host}.gw.example\r\n"
    head += "X-Forwarded-For: 192.0.2.10\r\n"
    if body:
        head += f"Content-Type: {media}\r\nContent-Length: {len(body)}\r\n"
    try:
        return await client.ask(f"{head}\r\n".encode() + body)
    finally:
        client.close()


def audit(running: Inside) -> bytes:
    paths = sorted((running.world.directory / "audit").rglob("*.jsonl"))
    return b"".join(path.read_bytes() for path in paths)


def decided(lines: list[Line]) -> list[Decided]:
    return [line for line in lines if isinstance(line, Decided)]


async def test_the_caller_s_key_names_the_tenant_and_the_gateway_s_own_goes_on_in_its_place(
    tmp_path: Path,
) -> None:
    (tmp_path / "own.key").write_text("own-key")
    (tmp_path / "own.secret").write_text("own-secret")
    async with inside(tmp_path, upstreams=UPSTREAMS) as running:
        key = running.world.callers["harbour-bank"].api_key
        pair = (("api_key", key), ("api_secret", key))
        form = multipart(*pair, files=("image_file",))
        answers = [
            await ask(running, "facepp", "/facepp/v3/detect", form, MULTIPART),
            await ask(
                running, "vision", f"/v1/images:annotate?key={key}", VISION, "application/json"
            ),
            await ask(running, "compreface", f"/api/v1/static/{key}/images/1"),
        ]
        assert [answer.status for answer in answers] == [200, 200, 200]
        face, vision, image = running.provider.arrivals
        own = (("api_key", "own-key"), ("api_secret", "own-secret"))
        assert face.body == multipart(*own, files=("image_file",))
        assert vision.line == "POST /v1/images:annotate?key=own-key HTTP/1.1"
        assert image.line == "GET /api/v1/static/own-key/images/1 HTTP/1.1"
        for arrival in (face, vision, image):
            assert key.encode() not in arrival.head + arrival.body
    written = audit(running)
    assert key.encode() not in written
    assert b"own-key" not in written
    assert b"own-secret" not in written
    lines = [read_line(line) for line in written.splitlines()]
    for line in decided(lines):
        identity = line.facts.identity
        assert isinstance(identity, Verified)
        assert (identity.method, identity.tenant.id) == ("api_key", "harbour-bank")
    happened = [line.outcome for line in lines if isinstance(line, Happened)]
    assert happened == ["forwarded"] * 3


async def test_two_keys_are_two_callers_and_a_foreign_key_is_nobody(tmp_path: Path) -> None:
    (tmp_path / "own.key").write_text("own-key")
    (tmp_path / "own.secret").write_text("own-secret")
    async with inside(tmp_path, upstreams=UPSTREAMS) as running:
        callers = running.world.callers
        one, other = callers["harbour-bank"].api_key, callers["northwind-missing"].api_key
        for fields in (
            (("api_key", one), ("api_secret", other)),
            (("api_key", running.world.unknown_api_key),),
            (("api_key", "a-key-of-the-provider"),),
            (),
        ):
            form = multipart(*fields, files=("image_file",))
            answer = await ask(running, "facepp", "/facepp/v3/detect", form, MULTIPART)
            assert answer.status == 401
        assert running.provider.arrivals == []
    reasons = [
        line.decision.reason for line in decided(list(map(read_line, audit(running).splitlines())))
    ]
    assert reasons == [
        "identity.several",
        "identity.unknown",
        "identity.malformed",
        "identity.missing",
    ]
