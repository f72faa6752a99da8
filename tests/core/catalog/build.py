"""Requests with defaults, and the fixtures' raw form turned into them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import parse_qsl

from gateway.core.catalog.classify import classify
from gateway.core.catalog.model import Catalog
from gateway.core.operation import Ambiguous, Classified, Observed, Operation, Unknown
from gateway.core.request import Body, Request, Whole
from gateway.core.strict_json import JsonValue
from gateway.sources.catalogs import load_catalog, read_catalog

JSON_1_1 = "application/x-amz-json-1.1"
FORM = "application/x-www-form-urlencoded"
FACE = "c5c24a82-6845-4031-9d5d-978df9175426"


def shipped() -> Catalog:
    """Return the catalogue of the package."""
    return load_catalog()


def request(
    provider: str,
    *,
    target: str = "/",
    method: str = "POST",
    content_type: str = "",
    body: Body | bytes | str | Mapping[str, JsonValue] = b"",
    headers: Mapping[str, str] | None = None,
) -> Request:
    """Make a canonical request; a mapping as body becomes JSON."""
    path, _, query_string = target.partition("?")
    if isinstance(body, Mapping):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    return Request(
        method=method,
        host="provider.example",
        upstream="test",
        provider=provider,
        path=path,
        query_string=query_string,
        query=tuple(parse_qsl(query_string, keep_blank_values=True)),
        headers={
            "host": "provider.example",
            **({"content-type": content_type} if content_type else {}),
            **(headers or {}),
        },
        body=Whole(body) if isinstance(body, bytes) else body,
        peer="192.0.2.1",
    )


def aws(
    operation: str,
    body: Body | bytes | str | Mapping[str, JsonValue] | None = None,
    *,
    target: str = "/",
    method: str = "POST",
    content_type: str = JSON_1_1,
    observed: str = "",
    headers: Mapping[str, str] | None = None,
) -> Classified:
    """Classify a Rekognition call; an empty operation leaves the header out."""
    named = {"x-amz-target": f"RekognitionService.{operation}"} if operation else {}
    made = request(
        "aws_rekognition",
        target=target,
        method=method,
        content_type=content_type,
        body={} if body is None else body,
        headers={**named, **(headers or {})},
    )
    return classify(made, shipped(), Observed(stream_processor=observed))


def azure(
    target: str,
    body: Body | bytes | str | Mapping[str, JsonValue] = b"",
    *,
    method: str = "POST",
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Classified:
    """Classify an Azure Face call."""
    made = request(
        "azure_face",
        target=target,
        method=method,
        content_type=content_type if body else "",
        body=body,
        headers=headers,
    )
    return classify(made, shipped(), Observed())


def known(classified: Classified) -> Operation:
    """Expect an operation with one reading."""
    assert isinstance(classified, Operation), classified
    return classified


def doubtful(classified: Classified) -> Ambiguous:
    """Expect two readings."""
    assert isinstance(classified, Ambiguous), classified
    return classified


def unheard_of(classified: Classified) -> Unknown:
    """Expect an operation that the catalogue does not know."""
    assert isinstance(classified, Unknown), classified
    return classified


def invented(*texts: str) -> Catalog:
    """Read a catalogue of invented providers."""
    return read_catalog({f"{index}.toml": text for index, text in enumerate(texts)})
