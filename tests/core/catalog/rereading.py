"""Requests as clients could send them to a provider, and the same read from what goes upstream."""

from __future__ import annotations

import json
import random
import re
from datetime import UTC, datetime
from functools import cache
from urllib.parse import parse_qsl, urlencode

from gateway.core.catalog.dialects.protobuf import Field, Schema
from gateway.core.catalog.model import Leaf, Node, Provider
from gateway.core.request import Request, Whole
from gateway.core.strict_json import JsonValue
from gateway.proxy.credentials import exchanged
from gateway.proxy.forward import Credential, NoCredential, outbound_head
from tests.core.catalog.build import request, shipped
from tests.core.catalog.providers.forms import multipart

# One provider at least of each dialect.
DIALECTS = {
    "header": "aws_rekognition",
    "header, query or form": "tencent_iai",
    "signed RPC": "alibaba_facebody",
    "path": "azure_face",
    "path and array": "baidu_face",
    "path and multipart": "facepp",
    "path, key and plugins": "compreface",
    "features and gRPC": "google_vision",
    "gRPC": "clarifai",
    "query": "ntechlab_findface_multi",
    "batch": "google_batch",
}
VALUES = ("0", "1", "4", "a", "", "a,b", "calculator", "*", "CELEBRITIES", "FACE_DETECTION")
KEY = "fgk_" + "k" * 43
NOW = datetime(2026, 1, 1, tzinfo=UTC)
_FORM, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_WIRES = {"number": 0, "string": 2, "bytes": 2, "message": 2, "fixed": 5}


@cache
def names_of(name: str) -> tuple[str, ...]:
    """Return the members and parameters that a data file names."""
    operations = repr(shipped().providers[name].operations)
    found = re.findall(r"(?:body|parameter|query):([\w.|\[\]{},]+)", operations)
    steps = {re.split(r"[|\[{,]", step)[0] for path in found for step in path.split(".")}
    return (*sorted(step for step in steps if step), "Limit")


def walked(node: Node, chance: random.Random, path: str = "") -> tuple[str, str, Leaf] | None:
    """Walk down to some operation."""
    here = [(path, method, leaf) for method, leaf in node.leaves.items()]
    below = [(f"{path}/{segment}", child) for segment, child in node.literals.items()]
    below += [(f"{path}/x:{verb}", child) for verb, child in node.verbs.items()]
    if node.variable:
        below.append((f"{path}/{chance.choice(['x', 'identify', 'a%20b'])}", node.variable))
    if here and (not below or chance.random() < 0.5):
        return chance.choice(here)
    if not below:
        return None
    text, child = chance.choice(below)
    return walked(child, chance, text)


def members(provider: Provider, chance: random.Random, depth: int = 0) -> dict[str, JsonValue]:
    if depth == 0 and provider.name == "google_vision" and chance.random() < 0.5:
        kinds: list[JsonValue] = [{"type": chance.randrange(13)}]
        return {"requests": [{"features": kinds}, {"features": kinds}]}
    return {
        chance.choice(names_of(provider.name)): value(provider, chance, depth)
        for _ in range(chance.randrange(4))
    }


def value(provider: Provider, chance: random.Random, depth: int) -> JsonValue:
    kind = chance.randrange(6 if depth < 3 else 3)
    if kind < 3:
        plain: tuple[JsonValue, ...] = (*VALUES, None, 0, 4, True, "x" * 5_000)
        return chance.choice(plain)
    if kind == 3:
        return members(provider, chance, depth + 1)
    return [value(provider, chance, depth + 1) for _ in range(chance.randrange(3))]


def varint(number: int) -> bytes:
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*octets, number])


def message(schema: Schema, name: str, chance: random.Random, depth: int = 0) -> bytes:
    """Make a message with some of its fields, in any order."""
    fields = [(number, each) for number, each in schema[name].items() if chance.random() < 0.5]
    chance.shuffle(fields)
    written = b""
    for number, each in fields:
        for _ in range(1 + chance.randrange(2) * each.repeated):
            if each.kind != "message" or depth < 5:
                wire = _WIRES[each.kind]
                written += varint(number << 3 | wire) + field(schema, each, chance, depth)
    return written


def field(schema: Schema, each: Field, chance: random.Random, depth: int) -> bytes:
    if each.kind == "number":
        return varint(chance.choice([0, 1, 2, 4, 5, 7, 10, 300]))
    if each.kind == "fixed":
        return b"\0\0\x80?"
    content = chance.choice([b"", b"a", b"p/x", b"x" * 5_000])
    if each.kind == "message":
        content = message(schema, each.message, chance, depth + 1)
    return varint(len(content)) + content


def content(provider: Provider, chance: random.Random, media: str, leaf: Leaf | None) -> bytes:
    pairs = [(chance.choice(names_of(provider.name)), chance.choice(VALUES)) for _ in range(3)]
    if media == _FORM:
        body = urlencode(pairs).encode()
    elif media == _MULTIPART:
        body = multipart(*pairs, files=("image_file",))
    elif media == "multipart/mixed":
        body = batch(chance)
    elif media in {"application/grpc", "application/x-protobuf"} and leaf and leaf.rules[0].message:
        body = message(provider.messages, leaf.rules[0].message, chance)
        if media == "application/grpc":
            body = b"\0" + len(body).to_bytes(4) + body
    else:
        body = json.dumps(members(provider, chance)).encode()
    if chance.random() < 0.2 and body:
        place = chance.randrange(len(body))
        body = body[:place] + chance.choice([b"", b'"', b"\0", b"&", b"{"]) + body[place + 1 :]
    return body


def batch(chance: random.Random) -> bytes:
    """Make a batch of requests to other providers of the same host."""
    parts = b""
    for _ in range(chance.randrange(1, 4)):
        name = chance.choice(["google_vision", "google_videointelligence"])
        inner = drawn(shipped().providers[name], chance.randrange(2**32))
        assert isinstance(inner.body, Whole)
        media = inner.headers["content-type"]
        parts += (
            f"--b\r\nContent-Type: application/http\r\n\r\n{inner.method} {inner.target} HTTP/1.1"
            f"\r\nContent-Type: {media}\r\n\r\n".encode()
            + inner.body.content
            + b"\r\n"
        )
    return parts + b"--b--\r\n"


def drawn(provider: Provider, seed: int) -> Request:
    """Make a request as a client could send it, or nearly."""
    chance = random.Random(seed)  # noqa: S311 - requests, not secrets
    headers: dict[str, str] = {}
    path, method = "/", chance.choice(["POST", "POST", "GET"])
    leaf: Leaf | None = None
    query = [(chance.choice(names_of(provider.name)), chance.choice(VALUES))] * (
        chance.random() < 0.3
    )
    if provider.routes:
        found = walked(provider.routes[0].root, chance)
        path, method, leaf = found or (path, method, None)
    for indicator in provider.indicators:
        named = chance.choice([*indicator.rules, *indicator.routed, "Nothing"])
        if indicator.by == "header" and chance.random() < 0.9:
            headers[indicator.name] = named
        elif indicator.by == "query" and chance.random() < 0.1:
            query.append((indicator.name, named))
    tables = [row for indicator in provider.indicators for row in indicator.contents]
    media = chance.choice([*tables, "application/json", _MULTIPART, "application/grpc"])
    if provider.name == "google_batch":
        media = "multipart/mixed"
    boundary = "; boundary=b" if media.startswith("multipart/") else ""
    target = f"{path}?{urlencode(query)}" if query else path
    return request(
        provider.name,
        target=target,
        method=method.replace("*", "PATCH"),
        content_type=media + boundary,
        body=content(provider, chance, media, leaf) if method != "GET" else b"",
        headers=headers,
    )


def with_key(made: Request, provider: Provider, seed: int) -> Request:
    """Put a caller's key in some place that is named for it; else return the request as it is."""
    chance = random.Random(seed)  # noqa: S311 - places, not secrets
    places = [(name, "query") for name in sorted(provider.credential_parameters)]
    places += [(name, "form") for name in sorted(provider.credential_fields)]
    if not places:
        return made
    name, place = chance.choice(places)
    name = chance.choice([name, name.upper()])
    target, media = made.target, made.headers.get("content-type", "")
    assert isinstance(made.body, Whole)
    body = made.body.content
    if place == "query":
        pieces = made.query_string.split("&") if made.query_string else []
        pieces.insert(chance.randrange(len(pieces) + 1), f"{name}={KEY}")
        target = f"{made.path}?{'&'.join(pieces)}"
    elif media == _FORM:
        body = b"&".join([f"{name}={KEY}".encode(), *([body] if body else [])])
    elif media.startswith(_MULTIPART):
        body = multipart((name, KEY)).removesuffix(b"--b--\r\n") + body
    headers = {each: text for each, text in made.headers.items() if each != "content-type"}
    return request(
        provider.name,
        target=target,
        method=made.method,
        content_type=media,
        body=body,
        headers=headers,
    )


def sent(made: Request, provider: Provider, credential: Credential) -> bytes:
    """Return the bytes that go upstream."""
    outbound = exchanged(made, provider, credential)
    assert isinstance(outbound.body, Whole)
    head = outbound_head(
        outbound,
        upstream_host="upstream.example",
        forward_headers=provider.forward_headers,
        credential=credential,
        body=outbound.body.content,
        payload_sha256=None,
        now=NOW,
    )
    return head + outbound.body.content


def reread(made: Request, provider: Provider, credential: Credential | None = None) -> Request:
    """Read the bytes that go upstream in the plainest way that there is."""
    written = sent(made, provider, credential or NoCredential())
    head, _, body = written.partition(b"\r\n\r\n")
    start, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = start.split(" ")
    path, _, query_string = target.partition("?")
    return Request(
        method=method,
        host=made.host,
        upstream=made.upstream,
        provider=made.provider,
        path=path,
        query_string=query_string,
        query=tuple(parse_qsl(query_string, keep_blank_values=True)),
        headers={name.lower(): each for name, _, each in (line.partition(": ") for line in lines)},
        body=Whole(body),
        peer=made.peer,
    )
