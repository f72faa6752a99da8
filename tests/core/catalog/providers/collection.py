"""What ../shared has collected of the providers: operations, and requests with what they are.

Where it is absent the tests that read it are skipped; each has a twin on samples of its own.
"""

from __future__ import annotations

import gzip
from base64 import b64decode
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from gateway.core.catalog.classify import classify
from gateway.core.catalog.rows import OperationRow
from gateway.core.catalog.severity import RANK
from gateway.core.operation import (
    Access,
    Ambiguous,
    Classified,
    Observed,
    Operation,
    OperationClass,
    class_of,
)
from gateway.core.request import Body
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import request, shipped

_SHARED = Path(__file__).parents[4] / "../shared/catalog"


class Wire(msgspec.Struct, frozen=True):
    """Method and path template, where these name the operation."""

    method: str = ""
    path: str = ""


class CollectedOperation(msgspec.Struct, kw_only=True, rename={"operation_class": "class"}):
    """One operation of one API version."""

    provider: str
    operation: str
    operation_class: OperationClass
    subclass: str = ""
    effect: Access | None = None
    unverified: bool = False
    wire: Wire = Wire()


class CollectedRequest(msgspec.Struct, kw_only=True, rename={"operation_class": "expected_class"}):
    """One request as it stood on the wire, and what it is."""

    id: str
    provider: str
    method: str
    target: str
    headers: list[tuple[str, str]]
    disposition: str
    operation_class: OperationClass
    evasion: bool = False
    catalog_operation: str | None = None
    body: str = ""
    body_b64: str = ""
    gallery: str = ""
    destination: str = ""
    subclass: str = ""
    effect: Access = "none"
    why: str = ""


def collected_operations(provider: str) -> list[CollectedOperation]:
    """Return the rows of one provider, an operation once for each of its API versions."""
    decode = msgspec.json.Decoder(CollectedOperation).decode
    return [row for row in map(decode, _lines("operations.jsonl")) if row.provider == provider]


def collected_requests(provider: str) -> list[CollectedRequest]:
    """Return the requests to one provider."""
    decode = msgspec.json.Decoder(CollectedRequest).decode
    return [row for row in map(decode, _lines("fixtures_sample.jsonl")) if row.provider == provider]


def _lines(name: str) -> list[bytes]:
    path = _SHARED / name
    if not path.is_file():
        pytest.skip(f"{path} is not here; the samples of this file run in its place")
    return path.read_bytes().splitlines()


def ask(
    provider: str,
    target: str = "/",
    body: Body | bytes | str | Mapping[str, JsonValue] = b"",
    *,
    method: str = "POST",
    content_type: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Classified:
    """Classify a request to a provider; what has a body is JSON where nothing else is said."""
    if content_type is None:
        content_type = "application/json" if body != b"" else ""
    made = request(
        provider,
        target=target,
        method=method,
        content_type=content_type,
        body=body,
        headers=headers,
    )
    return classify(made, shipped(), Observed())


def classified(collected: CollectedRequest) -> Classified:
    """Do what the door does, and classify."""
    headers: dict[str, str] = {}
    for name, value in collected.headers:
        before = headers.get(name.lower())
        headers[name.lower()] = value if before is None else f"{before}, {value}"
    body = b64decode(collected.body_b64) if collected.body_b64 else collected.body.encode()
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    made = request(
        collected.provider,
        target=collected.target,
        method=collected.method,
        body=body,
        headers=headers,
    )
    return classify(made, shipped(), Observed())


def request_differences(collected: CollectedRequest) -> Iterator[str]:
    """Tell how the answer to a request differs from what the collection says.

    A disguise may be refused where the collection would read it; its class is the same then.
    """
    found = classified(collected)
    place = f"{collected.id} ({collected.why})"
    if RANK[class_of(found)] > RANK[collected.operation_class]:
        yield f"{place}: milder than {collected.operation_class}: {found}"
    if collected.disposition != "classify":
        return
    if class_of(found) != collected.operation_class:
        yield f"{place}: {collected.operation_class} expected: {found}"
    if isinstance(found, Operation):
        yield from (f"{place}: {each}" for each in _detail_differences(found, collected))
    elif not (collected.evasion and isinstance(found, Ambiguous)):
        yield f"{place}: refused: {found}"


def _detail_differences(found: Operation, collected: CollectedRequest) -> Iterator[str]:
    for what, have, want in (
        ("operation", found.name, collected.catalog_operation or found.name),
        ("gallery", found.gallery, collected.gallery or found.gallery),
        ("subclass", found.subclass, collected.subclass or found.subclass),
        ("access", found.access, found.access if collected.effect == "none" else collected.effect),
    ):
        if have != want:
            yield f"{what} `{have}`, `{want}` expected"
    destinations = {each.value for each in found.destinations}
    if collected.destination and collected.destination not in destinations:
        yield f"{found.destinations}, `{collected.destination}` expected"


def operation_differences(
    provider: str, deviations: Mapping[str, OperationClass] | None = None
) -> Iterator[str]:
    """Tell how the data file of a provider differs from the collected operations.

    Args:
        provider: whose.
        deviations: operations that are known to be of another, more restrictive class.
    """
    rows = {row.name: row for row in shipped().providers[provider].operations}
    collected = collected_operations(provider)
    for name in rows.keys() - {row.operation for row in collected}:
        yield f"{name}: not collected"
    for each in collected:
        mine = rows.get(each.operation)
        if mine is None:
            yield f"{each.operation}: missing"
        elif each.operation in (deviations or {}):
            want = (deviations or {})[each.operation]
            if mine.operation_class != want or RANK[want] >= RANK[each.operation_class]:
                yield f"{each.operation}: {mine.operation_class}, {want} expected"
        else:
            yield from _row_differences(mine, each)


def _row_differences(mine: OperationRow, each: CollectedOperation) -> Iterator[str]:
    for what, have, want in (
        ("class", mine.operation_class, each.operation_class),
        ("subclass", mine.subclass, each.subclass or mine.subclass),
        ("access", mine.access, each.effect or mine.access),
    ):
        if have != want:
            yield f"{each.operation}: {what} `{have}`, `{want}` expected"
    if each.unverified and "unverified" not in mine.note:
        yield f"{each.operation}: its note does not say that it is unverified"
