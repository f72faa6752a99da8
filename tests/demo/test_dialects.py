from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from gateway.demo.provider.azure_face import AzureFace, read_call
from gateway.demo.provider.persons import Call, Query
from gateway.demo.provider.rekognition import Rekognition
from gateway.demo.provider.seed import COLLECTIONS, DETECTED, GROUPS, seed

NOW = datetime(2026, 11, 22, tzinfo=UTC)
JSON = "application/json"


def _seeded() -> tuple[Rekognition, AzureFace]:
    services = Rekognition(lambda: NOW), AzureFace(lambda: NOW)
    seed(*services)
    return services


def _azure(method: str, path: str, content: object) -> tuple[int, str]:
    _, azure = _seeded()
    name, places = azure.operation(method, path)
    body = content if isinstance(content, bytes) else msgspec.json.encode(content)
    call = read_call(
        body,
        content_type="image/png" if isinstance(content, bytes) else JSON,
        query_string="",
        places=places,
        root="",
    )
    assert call is not None
    reply = azure.answer(name, call)
    return reply.status, reply.error


@pytest.mark.parametrize(
    ("operation", "body", "error"),
    [
        ("SearchFacesByVoice", b"{}", "UnknownOperationException"),
        ("CompareFaces", b"{", "SerializationException"),
        ("CompareFaces", b"{}", "InvalidImageFormatException"),
        ("DetectLabels", b"{}", "InvalidImageFormatException"),
        ("RecognizeCelebrities", b"{}", "InvalidImageFormatException"),
        ("IndexFaces", b'{"CollectionId":"nobody"}', "ResourceNotFoundException"),
        ("IndexFaces", b'{"CollectionId":"missing-persons"}', "InvalidImageFormatException"),
        ("SearchFaces", b'{"CollectionId":"missing-persons"}', "InvalidParameterException"),
        (
            "SearchFacesByImage",
            b'{"CollectionId":"missing-persons"}',
            "InvalidImageFormatException",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_rekognition_names_what_is_wrong_with_a_call(
    operation: str, body: bytes, error: str
) -> None:
    reply = _seeded()[0].answer(operation, body)
    assert (reply.status, reply.error) == (400, error)


@pytest.mark.parametrize(
    ("method", "path", "content", "expected"),
    [
        pytest.param("POST", "/recognize", {}, (404, "404"), id="no operation"),
        pytest.param("POST", "/detect", b"text", (400, "InvalidImage"), id="no picture"),
        pytest.param("POST", "/verify", {}, (404, "FaceNotFound"), id="no face"),
        pytest.param(
            "POST",
            "/verify",
            {"faceId1": DETECTED["ada"], "faceId2": "other"},
            (404, "FaceNotFound"),
            id="no second face",
        ),
        pytest.param(
            "POST",
            "/verify",
            {"faceId": DETECTED["ada"], "personId": "p", "largePersonGroupId": GROUPS[0]},
            (404, "PersonNotFound"),
            id="no person to verify",
        ),
        pytest.param(
            "POST",
            "/identify",
            {"faceIds": ["other"], "largePersonGroupId": GROUPS[0]},
            (404, "FaceNotFound"),
            id="no probe",
        ),
        pytest.param(
            "POST",
            "/identify",
            {"largePersonGroupId": "g"},
            (404, "LargePersonGroupNotFound"),
            id="no group to search",
        ),
        pytest.param(
            "POST", "/findsimilars", {"faceId": "x"}, (404, "FaceNotFound"), id="nothing similar"
        ),
        pytest.param(
            "PUT",
            f"/largepersongroups/{GROUPS[0]}",
            {"name": "twice"},
            (409, "LargePersonGroupExists"),
            id="group twice",
        ),
        pytest.param(
            "GET", "/largepersongroups/g", {}, (404, "LargePersonGroupNotFound"), id="no group"
        ),
        pytest.param(
            "GET",
            f"/largepersongroups/{GROUPS[0]}/persons/p",
            {},
            (404, "PersonNotFound"),
            id="no person",
        ),
    ],
)
def test_azure_names_what_is_wrong_with_a_call(
    method: str, path: str, content: object, expected: tuple[int, str]
) -> None:
    assert _azure(method, path, content) == expected


def test_a_body_that_is_no_json_is_no_call() -> None:
    broken = read_call(b"{", content_type=JSON, query_string="", places={}, root="")
    assert broken is None
    picture = read_call(
        b"{", content_type="image/png", query_string="a=b", places={"c": "d"}, root="r"
    )
    assert picture == Call(
        places={"c": "d"}, parameters={"a": "b"}, query=Query(), image=b"{", root="r"
    )


def test_a_picture_by_address_stands_for_one_person() -> None:
    _, azure = _seeded()

    def detect(url: str) -> str:
        call = read_call(
            msgspec.json.encode({"url": url}),
            content_type=JSON,
            query_string="returnFaceId=true",
            places={},
            root="",
        )
        assert call is not None
        document = azure.answer("POST /detect", call).document
        assert isinstance(document, list)
        assert isinstance(document[0], dict)
        return str(document[0]["faceId"])

    one, same, other = detect("https://a/1"), detect("https://a/1"), detect("https://a/2")
    for second, identical in ((same, True), (other, False)):
        body = msgspec.json.encode({"faceId1": one, "faceId2": second})
        call = read_call(body, content_type=JSON, query_string="", places={}, root="")
        assert call is not None
        document = azure.answer("POST /verify", call).document
        assert isinstance(document, dict)
        assert document["isIdentical"] is identical


def test_everybody_is_there_from_the_start() -> None:
    aws, azure = _seeded()
    for collection in COLLECTIONS:
        described = aws.answer(
            "DescribeCollection", msgspec.json.encode({"CollectionId": collection})
        ).document
        assert isinstance(described, dict)
        assert described["FaceCount"] == 3
        assert described["CreationTimestamp"] == NOW.timestamp()
    groups = azure.answer(
        "GET /largepersongroups",
        Call(places={}, parameters={}, query=Query(), image=b"", root=""),
    ).document
    assert isinstance(groups, list)
    assert len(groups) == len(GROUPS)
