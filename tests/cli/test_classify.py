"""`facegate classify`: one request in a file, or one a line."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from gateway.cli.classify import classify_lines
from gateway.sources.catalogs import load_catalog
from tests.cli.command import facegate

HOST = "rekognition.eu-west-1.amazonaws.com"
SEARCH: dict[str, object] = {
    "id": "s1",
    "method": "POST",
    "host": HOST,
    "target": "/",
    "headers": [
        ["Host", HOST],
        ["X-Amz-Target", "RekognitionService.SearchFacesByImage"],
        ["Content-Type", "application/x-amz-json-1.1"],
    ],
    "body": '{"CollectionId": "visitors", "Image": {"Bytes": "AAAA"}}',
}
RAW = (
    "POST /face/v1.0/identify HTTP/1.1\nHost: contoso.cognitiveservices.azure.com\n"
    "Content-Type: application/json\n\n"
    '{"faceIds": ["a"], "personGroupId": "staff"}'
)


def answers(*lines: object) -> tuple[int, list[dict[str, object]]]:
    """Classify lines; what is no text becomes JSON."""
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    sink = io.BytesIO()
    code = classify_lines(io.BytesIO(text.encode()), sink, load_catalog())
    return code, [json.loads(line) for line in sink.getvalue().splitlines()]


def one(**changes: object) -> dict[str, object]:
    _, [answer] = answers({**SEARCH, **changes})
    return answer


def test_a_line_is_answered_with_all_that_was_found() -> None:
    code, [answer] = answers(SEARCH)

    assert code == 0
    assert answer == {
        "id": "s1",
        "disposition": "classify",
        "provider": "aws_rekognition",
        "operation": "SearchFacesByImage",
        "class": "one_to_many",
        "access": "none",
        "subclass": "",
        "gallery": "visitors",
        "destinations": [],
        "reason": "",
        "reading": ["named by header `x-amz-target`"],
    }


@pytest.mark.parametrize(
    "bad",
    [
        "no json",
        "[]",
        "{}",
        '{"method": 1}',
        '{"method":"GET","target":"/","body":"x","body_b64":"eA=="}',
        '{"method":"GET","target":"/","body_b64":"?"}',
    ],
)
def test_a_line_that_is_no_request_is_an_answer_and_the_others_are_answered_too(bad: str) -> None:
    code, found = answers(bad, SEARCH)

    assert code == 1
    assert [each["disposition"] for each in found] == ["reject", "classify"]
    assert found[0]["class"] == "unknown"
    assert found[0]["reason"]


def test_what_the_door_refuses_has_the_class_of_its_most_restrictive_reading() -> None:
    headers = SEARCH["headers"]
    assert isinstance(headers, list)
    twice = one(headers=[*headers, ["X-Amz-Target", "RekognitionService.CompareFaces"]])
    absolute = one(
        host="", headers=[["Host", "benign.example"], *headers[1:]], target=f"https://{HOST}/"
    )

    for answer in (twice, absolute):
        assert (answer["disposition"], answer["class"]) == ("reject", "one_to_many")


def test_a_host_that_is_an_address_is_known_by_the_scope_of_the_signature() -> None:
    scope = "AKIAIOSFODNN7EXAMPLE/20260101/eu-west-1/rekognition/aws4_request"
    headers = SEARCH["headers"]
    assert isinstance(headers, list)
    signed = [["Authorization", f"AWS4-HMAC-SHA256 Credential={scope}, Signature=0"]]
    answer = one(host="192.0.2.7:8080", headers=[*headers[1:], *signed], target="/aws")

    assert (answer["provider"], answer["class"]) == ("aws_rekognition", "one_to_many")
    assert "path prefix `/aws` taken off" in str(answer["reading"])


def test_the_named_provider_counts_only_where_the_host_is_in_no_catalogue() -> None:
    listed = one(provider="compreface")
    own = one(
        provider="compreface",
        host="faces.corp:8000",
        headers=[["Content-Type", "application/json"]],
        target="/api/v1/recognition/recognize",
    )

    assert listed["provider"] == "aws_rekognition"
    assert (own["provider"], own["operation"]) == ("compreface", "recognize")


def test_a_host_that_nobody_knows_is_unknown_unless_there_is_nothing_to_look_for() -> None:
    image = one(host="faces.example", headers=[], target="/v1/face/search")
    words = one(host="intranet.example", headers=[], target="/api/search?q=facebook", body="{}")

    assert (image["disposition"], image["class"]) == ("unknown", "unknown")
    assert (words["disposition"], words["class"]) == ("classify", "unrelated")


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_file_with_the_bytes_of_a_request_is_classified(tmp_path: Path, ends: str) -> None:
    path = tmp_path / "identify.http"
    path.write_bytes(RAW.replace("\n", ends).encode())
    done = facegate("classify", "--request", path)

    assert done.code == 0
    assert "operation:   POST /identify" in done.out
    assert "gallery:     staff" in done.out


def test_a_refused_request_in_a_file_ends_with_1_and_json_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_text(json.dumps({**SEARCH, "target": "/?Action=CompareFaces"}))
    done = facegate("classify", "--request", path, "--format", "json")

    assert done.code == 1
    assert json.loads(done.out)["disposition"] == "reject"


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    done = facegate("classify", "--request", tmp_path / "nothing")

    assert (done.code, done.out) == (2, "")
    assert "cannot be read" in done.err
