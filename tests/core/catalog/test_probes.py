"""Of each probe image there is one hash, however the request carries it."""

from __future__ import annotations

import base64
import hashlib

from gateway.core.catalog.classify import classify
from gateway.core.catalog.probes import probe_hashes
from gateway.core.operation import Observed
from gateway.core.request import Request
from tests.core.catalog.build import FORM, JSON_1_1, request, shipped

IMAGE = bytes(range(256)) * 40
TEXT = base64.b64encode(IMAGE).decode()
DIGEST = hashlib.sha256(IMAGE).hexdigest()


def hashes(made: Request) -> tuple[str, ...]:
    return probe_hashes(made, classify(made, shipped(), Observed()), shipped())


def compare(source: str, operation: str = "CompareFaces") -> Request:
    return request(
        "aws_rekognition",
        content_type=JSON_1_1,
        body={"SourceImage": {"Bytes": source}, "TargetImage": {"Bytes": "QUJD"}},
        headers={"x-amz-target": f"RekognitionService.{operation}"},
    )


def test_a_probe_in_json_is_hashed_decoded() -> None:
    assert hashes(compare(TEXT)) == (DIGEST,)
    assert hashes(compare("data:image/jpeg;base64," + TEXT)) == (DIGEST,)
    assert hashes(compare(TEXT[:400])) == (hashlib.sha256(IMAGE[:300]).hexdigest(),)


def test_a_probe_in_a_form_is_the_same_as_in_json() -> None:
    action = "Action=SearchFaces&GroupIds.0=g&Image="
    for written in (TEXT.replace("+", "%2B"), TEXT):
        made = request("tencent_iai", content_type=FORM, body=action + written)
        assert hashes(made) == (DIGEST,)


def test_what_is_no_image_has_no_hash() -> None:
    assert hashes(compare("https://img.example/a.jpg")) == ()
    assert hashes(compare("")) == ()
    assert hashes(compare(TEXT, operation="DetectText")) == ()
    assert hashes(compare(TEXT, operation="Nothing")) == ()
