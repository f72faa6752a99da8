"""What is accepted is the same operation when it is read from the bytes that go upstream."""

from __future__ import annotations

import json
import random
import re
from datetime import UTC, datetime
from functools import cache
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings, strategies as st

from gateway.core.catalog.classify import classify
from gateway.core.catalog.model import Leaf, Node, Provider
from gateway.core.catalog.severity import RANK
from gateway.core.operation import Observed, Operation, class_of
from gateway.core.request import Request, Whole
from gateway.core.strict_json import JsonValue
from gateway.proxy.forward import NoCredential, outbound_head
from tests.core.catalog.build import request, shipped
from tests.core.catalog.providers.forms import multipart

# One provider at least of each dialect.
PROVIDERS = {
    "header": "aws_rekognition",
    "header, query or form": "tencent_iai",
    "signed RPC": "alibaba_facebody",
    "path": "azure_face",
    "path and array": "baidu_face",
    "path and multipart": "facepp",
    "path, key and plugins": "compreface",
    "features and gRPC": "google_vision",
    "query": "ntechlab_findface_multi",
}
MANY = 1_000 if settings.get_profile("test").max_examples == settings().max_examples else 100_000
VALUES = ("0", "1", "4", "a", "", "a,b", "calculator", "*", "CELEBRITIES", "FACE_DETECTION")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


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


def content(provider: Provider, chance: random.Random, media: str) -> bytes:
    pairs = [(chance.choice(names_of(provider.name)), chance.choice(VALUES)) for _ in range(3)]
    if media == "application/x-www-form-urlencoded":
        body = urlencode(pairs).encode()
    elif media == "multipart/form-data":
        body = multipart(*pairs, files=("image_file",))
    else:
        body = json.dumps(members(provider, chance)).encode()
    if chance.random() < 0.2 and body:
        place = chance.randrange(len(body))
        body = body[:place] + chance.choice([b"", b'"', b"\0", b"&", b"{"]) + body[place + 1 :]
    return body


def drawn(provider: Provider, seed: int) -> Request:
    """Make a request as a client could send it, or nearly."""
    chance = random.Random(seed)  # noqa: S311 - requests, not secrets
    headers: dict[str, str] = {}
    path, method = "/", chance.choice(["POST", "POST", "GET"])
    query = [(chance.choice(names_of(provider.name)), chance.choice(VALUES))] * (
        chance.random() < 0.3
    )
    if provider.routes:
        found = walked(provider.routes[0].root, chance)
        path, method = (found[0], found[1]) if found else (path, method)
    for indicator in provider.indicators:
        named = chance.choice([*indicator.rules, *indicator.routed, "Nothing"])
        if indicator.by == "header" and chance.random() < 0.9:
            headers[indicator.name] = named
        elif indicator.by == "query" and chance.random() < 0.1:
            query.append((indicator.name, named))
    tables = [row for indicator in provider.indicators for row in indicator.contents]
    media = chance.choice([*tables, "application/json", "multipart/form-data", "application/grpc"])
    boundary = "; boundary=b" if media == "multipart/form-data" else ""
    target = f"{path}?{urlencode(query)}" if query else path
    return request(
        provider.name,
        target=target,
        method=method.replace("*", "PATCH"),
        content_type=media + boundary,
        body=content(provider, chance, media) if method != "GET" else b"",
        headers=headers,
    )


def reread(made: Request, provider: Provider) -> Request:
    """Read the head that goes upstream in the plainest way that there is."""
    assert isinstance(made.body, Whole)
    head = outbound_head(
        made,
        upstream_host="upstream.example",
        forward_headers=provider.forward_headers,
        credential=NoCredential(),
        body=made.body.content,
        payload_sha256=None,
        now=NOW,
    )
    start, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
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
        body=Whole(bytes(made.body.content)),
        peer=made.peer,
    )


@pytest.mark.parametrize("name", PROVIDERS.values(), ids=PROVIDERS)
def test_what_is_accepted_is_the_same_operation_in_the_bytes_that_go_upstream(name: str) -> None:
    provider = shipped().providers[name]
    accepted: set[str] = set()

    @settings(max_examples=MANY)
    @given(st.integers(0, 2**32))
    def holds(seed: int) -> None:
        made = drawn(provider, seed)
        found = classify(made, shipped(), Observed())
        assert class_of(found) in RANK
        if isinstance(found, Operation):
            accepted.add(found.name)
            assert classify(reread(made, provider), shipped(), Observed()) == found

    holds()
    assert accepted
