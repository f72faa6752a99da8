"""Of each probe image there is one hash, however the request carries it."""

from __future__ import annotations

import base64
import hashlib

import msgspec
import pytest

from gateway.core.catalog.probes import MOST_PROBES, probes_of
from gateway.core.request import Request, Streaming
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import FORM, JSON_1_1, request, shipped

IMAGE = bytes(range(256)) * 40
TEXT = base64.b64encode(IMAGE).decode()
DIGEST = "sha256:" + hashlib.sha256(IMAGE).hexdigest()
UNKNOWN = ("unknown",)


def hashes(made: Request) -> tuple[str, ...]:
    return probes_of(made, shipped())


def compare(source: str, operation: str = "CompareFaces") -> Request:
    return request(
        "aws_rekognition",
        content_type=JSON_1_1,
        body={"SourceImage": {"Bytes": source}, "TargetImage": {"Bytes": "QUJD"}},
        headers={"x-amz-target": f"RekognitionService.{operation}"},
    )


def annotate(*images: str) -> Request:
    features: list[JsonValue] = [{"type": "FACE_DETECTION"}]
    requests: list[JsonValue] = [
        {"image": {"content": image}, "features": features} for image in images
    ]
    return request(
        "google_vision",
        target="/v1/images:annotate",
        method="POST",
        content_type="application/json",
        body={"requests": requests},
    )


def test_a_probe_in_json_is_hashed_decoded() -> None:
    assert hashes(compare(TEXT)) == (DIGEST,)
    assert hashes(compare("data:image/jpeg;base64," + TEXT)) == (DIGEST,)
    assert hashes(compare(TEXT[:400])) == ("sha256:" + hashlib.sha256(IMAGE[:300]).hexdigest(),)


@pytest.mark.parametrize(
    "written",
    [
        base64.encodebytes(IMAGE).decode(),
        base64.urlsafe_b64encode(IMAGE).decode(),
        TEXT.rstrip("="),
        f"  {TEXT} ",
        TEXT.replace("\u002b", " "),
    ],
    ids=["in lines", "for URLs", "without padding", "among spaces", "with spaces for plus"],
)
def test_another_spelling_of_the_same_image_is_the_same_probe(written: str) -> None:
    assert hashes(compare(written)) == (DIGEST,)


def test_a_probe_in_a_form_is_the_same_as_in_json() -> None:
    action = "Action=SearchFaces&GroupIds.0=g&Image="
    for written in (TEXT.replace("+", "%2B"), TEXT):
        made = request("tencent_iai", content_type=FORM, body=action + written)
        assert hashes(made) == (DIGEST,)


def test_a_probe_that_is_the_body_is_hashed_as_it_is() -> None:
    detect = request(
        "azure_face",
        target="/face/v1.0/detect",
        method="POST",
        content_type="application/octet-stream",
        body=IMAGE,
    )
    assert hashes(detect) == (DIGEST,)


def test_each_of_several_probes_is_hashed_once_and_one_that_cannot_be_read_is_unknown() -> None:
    other = "sha256:" + hashlib.sha256(b"ABC").hexdigest()
    assert hashes(annotate(TEXT, "QUJD", TEXT)) == (DIGEST, other)
    assert hashes(annotate(TEXT, "https://img.example/a.jpg")) == (DIGEST, *UNKNOWN)
    assert hashes(annotate(*["QUJD"] * MOST_PROBES)) == (other,)
    assert hashes(annotate(*["QUJD"] * (MOST_PROBES + 1))) == (other, *UNKNOWN)


def test_a_probe_that_cannot_be_read_is_unknown() -> None:
    made = compare(TEXT)
    streaming = msgspec.structs.replace(made, body=Streaming(1000))
    stored = request(
        "aws_rekognition",
        content_type=JSON_1_1,
        body={"CollectionId": "c", "Image": {"S3Object": {"Bucket": "b", "Name": "n"}}},
        headers={"x-amz-target": "RekognitionService.SearchFacesByImage"},
    )
    for unread in (compare("https://img.example/a.jpg"), compare(""), streaming, stored):
        assert hashes(unread) == UNKNOWN
    assert hashes(compare(TEXT, operation="Nothing")) == UNKNOWN
    assert hashes(msgspec.structs.replace(made, provider="nobody")) == UNKNOWN


def test_an_operation_that_looks_for_no_image_has_no_probe() -> None:
    assert hashes(compare(TEXT, operation="DetectText")) == ()
