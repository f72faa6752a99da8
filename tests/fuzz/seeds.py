"""Writes the first messages of each provider's corpus: `python -m tests.fuzz.seeds`.

They are the recorded requests of SDKs and the disguises, short, and requests that are drawn where
there are few. What a fuzzer found since stands beside them and stays.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from gateway.core.catalog.classify import classify
from gateway.core.operation import Observed, Operation
from gateway.core.request import Request, Whole
from tests.core.catalog.build import shipped
from tests.core.catalog.rereading import drawn, with_key
from tests.fuzz.target import MOST_BYTES, corpus_of, providers

HERE = Path(__file__).parent
SEEDS = 24
KEPT = frozenset({"content-type", "x-amz-target", "x-tc-action", "x-tc-version", "x-acs-action"})


def recorded() -> Iterator[dict[str, object]]:
    paths = [*sorted((HERE.parent / "capture/recorded").glob("*.jsonl"))]
    for path in [*paths, HERE / "corpus/disguises.jsonl"]:
        yield from map(json.loads, path.read_bytes().splitlines())


def message(line: dict[str, object]) -> bytes:
    """Write a recorded request as a message, with few of its headers."""
    headers = line["headers"]
    assert isinstance(headers, list)
    kept = [f"{name}: {value}\r\n" for name, value in headers if name.lower() in KEPT]
    body = str(line.get("body") or "").encode("utf-8", "surrogatepass")
    if "body_b64" in line:
        body = base64.b64decode(str(line["body_b64"]))
    return f"{line['method']} {line['target']} HTTP/1.1\r\n{''.join(kept)}\r\n".encode() + body


def written(request: Request) -> bytes:
    kept = [f"{name}: {value}\r\n" for name, value in request.headers.items() if name in KEPT]
    assert isinstance(request.body, Whole)
    start = f"{request.method} {request.target} HTTP/1.1\r\n{''.join(kept)}\r\n"
    return start.encode() + request.body.content


def messages(name: str) -> Iterator[bytes]:
    provider = shipped().providers[name]
    of_provider = (line for line in recorded() if line.get("provider") == name)
    yield from map(message, of_provider)
    for seed in range(2_000):
        made = drawn(provider, seed)
        if isinstance(classify(made, shipped(), Observed()), Operation):
            yield written(with_key(made, provider, seed) if seed % 2 else made)


def main() -> None:
    for name in providers():
        directory = corpus_of(name)
        directory.mkdir(parents=True, exist_ok=True)
        short = (each for each in messages(name) if len(each) <= MOST_BYTES // 4)
        for _, each in zip(range(SEEDS), dict.fromkeys(short), strict=False):
            directory.joinpath(hashlib.sha256(each).hexdigest()[:16]).write_bytes(each)


if __name__ == "__main__":
    main()
