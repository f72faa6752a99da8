"""Requests as clients of the providers sent them, some of them disguised, and what they are.

The collection in ../shared is read where it is; the samples below have its form and always run.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from gateway.core.catalog.classify import classify
from gateway.core.catalog.severity import RANK
from gateway.core.operation import (
    SEVERITY,
    Access,
    Classified,
    Observed,
    Operation,
    OperationClass,
    class_of,
)
from tests.core.catalog.build import JSON_1_1, request, shipped

SHARED = Path(__file__).parents[3] / "../shared/catalog"
PROVIDERS = ("aws_rekognition", "azure_face")

# What the door answers before there is a `Request`; it is tested there (tests/proxy).
DOOR = {
    "ev-0306": "the target names another host than the Host header",
    "ev-0308": "the Connection header names a header that decides",
}
# What the door takes away before there is a `Request`: an upstream's path prefix.
PREFIXES = {"cap-0058": "/aws"}


class Fixture(msgspec.Struct, kw_only=True, rename={"operation_class": "expected_class"}):
    """One request as it stood on the wire, and what it is."""

    id: str
    provider: str
    method: str
    target: str
    headers: list[tuple[str, str]]
    disposition: str
    operation_class: OperationClass
    catalog_operation: str | None = None
    body: str = ""
    body_b64: str = ""
    gallery: str = ""
    destination: str = ""
    subclass: str = ""
    effect: Access = "none"
    why: str = ""


class Row(msgspec.Struct, kw_only=True, rename={"operation_class": "class"}):
    """One operation as the collection has it."""

    provider: str
    operation: str
    operation_class: OperationClass
    api_version: str = ""
    subclass: str = ""
    effect: Access | None = None
    gallery_param: str = ""
    output_destination_param: str = ""


def classified(fixture: Fixture) -> Classified:
    """Do what the door does, and classify."""
    headers = {name.lower(): value for name, value in fixture.headers}
    body = b64decode(fixture.body_b64) if fixture.body_b64 else fixture.body.encode()
    made = request(
        fixture.provider,
        target=fixture.target.replace(PREFIXES.get(fixture.id, "\0"), "/", 1),
        method=fixture.method,
        body=gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body,
        headers=headers,
    )
    return classify(made, shipped(), Observed())


def differences(fixture: Fixture) -> Iterator[str]:
    """Tell how the answer differs from what the fixture says."""
    found = classified(fixture)
    if fixture.disposition != "classify":
        if isinstance(found, Operation) and RANK[class_of(found)] > RANK[fixture.operation_class]:
            yield f"{fixture.id}: {found}, expected {fixture.disposition}: {fixture.why}"
        return
    if not isinstance(found, Operation):
        yield f"{fixture.id}: {found}, expected {fixture.operation_class}: {fixture.why}"
        return
    for what, have, want in (
        ("class", found.operation_class, fixture.operation_class),
        ("name", found.name, fixture.catalog_operation),
        ("gallery", found.gallery, fixture.gallery or found.gallery),
        ("subclass", found.subclass, fixture.subclass or found.subclass),
        ("access", found.access, found.access if fixture.effect == "none" else fixture.effect),
    ):
        if have != want:
            yield f"{fixture.id}: {what} {have}, expected {want}: {fixture.why}"
    destination = fixture.destination.removeprefix("s3://")
    if destination and destination not in {each.value for each in found.destinations}:
        yield f"{fixture.id}: {found.destinations}, expected {destination}: {fixture.why}"


def lines(name: str) -> list[bytes]:
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"{path} is not here; the samples of this file run in its place")
    return path.read_bytes().splitlines()


OWN = [
    Fixture(
        id="own-search",
        provider="aws_rekognition",
        method="POST",
        target="/",
        headers=[
            ("Host", "rekognition.eu-west-1.amazonaws.com"),
            ("x-amz-TARGET", "RekognitionService.SearchUsersByImage"),
            ("Content-Type", JSON_1_1),
        ],
        body='{"CollectionId": "visitors", "Image": {"S3Object": {"Bucket": "b", "Name": "n"}}}',
        disposition="classify",
        operation_class="one_to_many",
        catalog_operation="SearchUsersByImage",
        gallery="visitors",
    ),
    Fixture(
        id="own-home",
        provider="aws_rekognition",
        method="POST",
        target="/",
        headers=[
            ("X-Amz-Target", "RekognitionService.CreateStreamProcessor"),
            ("Content-Type", JSON_1_1),
        ],
        body=json.dumps(
            {
                "Name": "garden",
                "Settings": {"ConnectedHome": {"Labels": ["PET"]}},
                "Output": {"S3Destination": {"Bucket": "garden-alerts"}},
            }
        ),
        disposition="classify",
        operation_class="unrelated",
        catalog_operation="CreateStreamProcessor",
        destination="s3://garden-alerts",
    ),
    Fixture(
        id="own-lower-case",
        provider="aws_rekognition",
        method="POST",
        target="/",
        headers=[
            ("X-Amz-Target", "RekognitionService.CreateStreamProcessor"),
            ("Content-Type", JSON_1_1),
        ],
        body='{"Settings": {"connectedHome": {"Labels": ["PET"]}}}',
        disposition="reject",
        operation_class="stream_search",
    ),
    Fixture(
        id="own-nulls",
        provider="azure_face",
        method="POST",
        target="/face/v1.1-preview-1/identify",
        headers=[("Content-Type", "application/json; charset=utf-8")],
        body='{"faceIds": ["a"], "personGroupId": "crew", "largePersonGroupId": null}',
        disposition="classify",
        operation_class="one_to_many",
        catalog_operation="POST /identify",
        gallery="crew",
    ),
    Fixture(
        id="own-gzip",
        provider="azure_face",
        method="POST",
        target="/face/v1.2/largefacelists/fans/train",
        headers=[("Content-Encoding", "gzip"), ("Content-Type", "application/json")],
        body_b64="H4sIAAAAAAACA6uuBQBDv6ajAgAAAA==",
        disposition="classify",
        operation_class="gallery",
        catalog_operation="POST /largefacelists/{largeFaceListId}/train",
        gallery="fans",
        effect="train",
    ),
    Fixture(
        id="own-truncated",
        provider="azure_face",
        method="POST",
        target="/face/v1.0/findsimilars%00/verify",
        headers=[("Content-Type", "application/json")],
        body='{"faceId": "a", "faceListId": "fans"}',
        disposition="reject",
        operation_class="one_to_many",
    ),
    Fixture(
        id="own-version",
        provider="azure_face",
        method="POST",
        target="/face/v7.1/identify",
        headers=[("Content-Type", "application/json")],
        body='{"faceIds": ["a"]}',
        disposition="unknown",
        operation_class="unknown",
    ),
]


@pytest.mark.parametrize("fixture", OWN, ids=lambda fixture: fixture.id)
def test_a_sample_is_what_it_says(fixture: Fixture) -> None:
    assert list(differences(fixture)) == []


def test_every_collected_request_is_what_the_collection_says() -> None:
    fixtures = [
        fixture
        for fixture in map(msgspec.json.Decoder(Fixture).decode, lines("fixtures_sample.jsonl"))
        if fixture.provider in PROVIDERS
    ]
    judged = [fixture for fixture in fixtures if fixture.id not in DOOR]

    assert len(judged) > 50
    assert [each for fixture in judged for each in differences(fixture)] == []


def test_the_door_s_share_of_the_collection_is_never_read_as_less_than_it_is() -> None:
    decoded = map(msgspec.json.Decoder(Fixture).decode, lines("fixtures_sample.jsonl"))
    door = [fixture for fixture in decoded if fixture.id in DOOR]

    assert {fixture.id for fixture in door} == set(DOOR)
    for fixture in door:
        assert RANK[class_of(classified(fixture))] <= RANK[fixture.operation_class], fixture.why


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_collected_operation_is_in_the_catalogue_with_its_class(provider: str) -> None:
    rows = {row.name: row for row in shipped().providers[provider].operations}
    collected = [
        row
        for row in map(msgspec.json.Decoder(Row).decode, lines("operations.jsonl"))
        if row.provider == provider
    ]

    assert {row.operation for row in collected} == set(rows)
    for row in collected:
        mine = rows[row.operation]
        assert (mine.operation_class, mine.subclass) == (row.operation_class, row.subclass)
        if row.effect is not None:
            assert mine.access == row.effect, row.operation
        outputs = [place.removeprefix("body:").removesuffix("[]") for place in mine.to.values()]
        assert sorted(outputs) == sorted(
            each.split("[]")[0] for each in row.output_destination_param.split(", ") if each
        )
        if provider == "aws_rekognition" and row.gallery_param:
            assert mine.gallery == (f"body:{row.gallery_param}",)


def test_every_collected_path_is_known_in_each_version_that_has_it() -> None:
    for row in map(msgspec.json.Decoder(Row).decode, lines("operations.jsonl")):
        if row.provider != "azure_face":
            continue
        method, template = row.operation.split(" ")
        path = template.replace("{", "a-").replace("}", "-z")
        for version in row.api_version.split("(")[0].split(","):
            made = request("azure_face", target=f"/face/{version.strip()}{path}", method=method)
            found = classify(made, shipped(), Observed())
            assert row.operation in {getattr(found, "name", ""), *_named_in(found)}, row


def _named_in(found: Classified) -> set[str]:
    return {each.removeprefix("can be read as ") for each in found.reading}


def test_the_classes_are_ranked_without_a_gap() -> None:
    assert sorted(RANK.values()) == list(range(len(SEVERITY)))
