"""Ways to make a search look like something else, of those that the classifier has to see through.

Others never become a `Request`: the door refuses them (tests/proxy). Here each is a request as it
could stand if the door were open.
"""

from __future__ import annotations

import gzip
import json

import pytest

from gateway.core.operation import Ambiguous, OperationClass, Unknown, class_of
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import FACE, FORM, JSON_1_1, aws, azure, doubtful, known, unheard_of

# How an operation is named.


def test_two_targets_in_one_header_are_two_readings() -> None:
    found = doubtful(
        aws(
            "",
            headers={
                "x-amz-target": "RekognitionService.CompareFaces, RekognitionService.SearchFaces"
            },
        )
    )

    assert found.operation_class == "one_to_many"


@pytest.mark.parametrize(
    ("action", "operation_class"),
    [("SearchFaces", "one_to_many"), ("DetectText", "one_to_one"), ("Nothing", "unknown")],
)
def test_an_action_in_the_query_beside_the_target_is_a_second_reading(
    action: str, operation_class: OperationClass
) -> None:
    found = doubtful(aws("CompareFaces", target=f"/?Action={action}&Version=2016-06-27"))

    assert found.operation_class == operation_class


@pytest.mark.parametrize("operation", ["", "CompareFaces", "SearchFaces"])
def test_an_action_in_a_form_is_a_reading_that_no_sdk_means(operation: str) -> None:
    found = doubtful(aws(operation, "Action=SearchFaces&CollectionId=c", content_type=FORM))

    assert found.operation_class == "one_to_many"


def test_an_action_without_a_target_is_a_reading_that_no_sdk_means() -> None:
    for method in ("GET", "POST"):
        found = doubtful(aws("", b"", target="/?Action=SearchFaces", method=method))
        assert found.operation_class == "one_to_many"


def test_a_target_moved_into_the_query_is_a_reading_that_no_sdk_means() -> None:
    found = doubtful(aws("", target="/?X-Amz-Target=RekognitionService.SearchFaces"))

    assert found.operation_class == "one_to_many"


@pytest.mark.parametrize("query", ["Action=DetectText&Action=SearchFaces", "action=SearchFaces"])
def test_a_parameter_that_decides_stands_once_and_in_its_own_spelling(query: str) -> None:
    assert doubtful(aws("DetectText", target=f"/?{query}")).operation_class == "unknown"


@pytest.mark.parametrize(
    "content", ["Action=DetectText&Action=SearchFaces", "action=SearchFaces", "Action", "a=1;b=2"]
)
def test_a_form_that_decides_has_one_reading(content: str) -> None:
    assert doubtful(aws("DetectText", content, content_type=FORM)).operation_class == "unknown"


def test_a_remote_procedure_path_of_another_protocol_is_unknown() -> None:
    unheard_of(aws("", target="/service/RekognitionService/operation/SearchFaces"))


def test_an_api_version_that_was_never_published_is_unknown() -> None:
    unheard_of(azure("/face/v9.9/identify", {"faceIds": [FACE]}))


def test_a_name_that_misleads_has_the_class_of_what_it_does() -> None:
    assert known(aws("StartFaceDetection")).operation_class == "detect"
    assert known(aws("GetCelebrityInfo")).operation_class == "results"


# Paths.


@pytest.mark.parametrize(
    "path",
    [
        "/face/v1.0/%69dentify",
        "/face/v1.0/%2569dentify",
        "/face/v1.0/verify%2f..%2fidentify",
        "/face/v1.0/verify/../identify",
        "/face/v1.0/./identify",
        "/face/v1.0/verify/%2e%2e/identify",
        "/face/v1.0/verify/%2E%2E/identify",
        "/face/v1.0/verify\\..\\identify",
        "/face/v1.0/verify%5c..%5cidentify",
        "/face/v1.0/identify%00/verify",
        "/face/v1.0//identify",
        "//face/v1.0/identify",
        "/face/v1.0/identify;v=1",
        "/face/v1.0/identify%3Bv=1",
        "/face/v1.0/identify#/verify",
        "/face/v1.0/identify%",
        "/face/v1.0/identify%zz",
        "/face/v1.0/ïdentify",
        "/face/v1.0/identify ",
        "face/v1.0/identify",
        "",
    ],
)
def test_a_path_that_servers_read_in_two_ways_has_no_reading(path: str) -> None:
    found = doubtful(azure(path, {"faceIds": [FACE], "personGroupId": "g"}))

    assert found.operation_class == "unknown"


def test_a_trailing_slash_is_another_path() -> None:
    unheard_of(azure("/face/v1.0/verify/", {"faceId1": FACE, "faceId2": FACE}))


def test_letters_of_another_case_do_not_hide_a_search() -> None:
    assert known(azure("/Face/V1.0/IdentiFy", {"faceIds": [FACE]})).operation_class == "one_to_many"


@pytest.mark.parametrize(
    "header",
    [
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
        "x-original-url",
        "x-rewrite-url",
    ],
)
def test_a_header_that_asks_for_another_request_makes_two_readings(header: str) -> None:
    for found in (
        azure("/face/v1.0/verify", {"faceId1": FACE}, headers={header: "/face/v1.0/identify"}),
        aws("CompareFaces", headers={header: "PUT"}),
    ):
        assert doubtful(found).operation_class == "unknown"


def test_a_resource_called_like_a_search_is_no_search() -> None:
    found = known(azure("/face/v1.0/persongroups/identify/persons", {"name": "findsimilars"}))

    assert (found.operation_class, found.gallery) == ("gallery", "identify")


# Bodies.

FACELESS: dict[str, JsonValue] = {"Settings": {"ConnectedHome": {"Labels": ["PET"]}}}


@pytest.mark.parametrize(
    "content",
    [
        '{"Settings":{"FaceSearch":{}},"Settings":{"ConnectedHome":{}}}',
        '{"Settings":{"ConnectedHome":{}},"Settin\\u0067s":{"FaceSearch":{}}}',
        '{"Settings":{"ConnectedHome":{},"FaceSearch":null,"FaceSearch":{}}}',
    ],
)
def test_a_member_that_stands_twice_is_two_readings(content: str) -> None:
    assert doubtful(aws("CreateStreamProcessor", content)).operation_class == "stream_search"


@pytest.mark.parametrize(
    "encoded",
    [
        json.dumps(FACELESS).encode("utf-8-sig"),
        json.dumps(FACELESS).encode("utf-16"),
        json.dumps(FACELESS).encode("utf-32-be"),
        gzip.compress(json.dumps(FACELESS).encode(), mtime=0),
    ],
)
def test_a_body_in_another_encoding_is_not_guessed_at(encoded: bytes) -> None:
    assert doubtful(aws("CreateStreamProcessor", encoded)).operation_class == "stream_search"


def test_a_charset_that_turns_the_bytes_into_other_text_is_not_read() -> None:
    found = aws("CreateStreamProcessor", FACELESS, content_type=f"{JSON_1_1}; charset=utf-7")

    assert doubtful(found).operation_class == "stream_search"


@pytest.mark.parametrize(
    "body",
    [
        {"settings": {"FaceSearch": {}}},
        {"Settings": {"ConnectedHome": {}}, "settings": {"FaceSearch": {}}},
        {"Settings": {"ConnectedHome": {}, "faceSearch": {}}},
        {"Settings": {"connectedhome": {}}},
    ],
)
def test_a_member_that_differs_in_case_only_is_a_second_reading(body: dict[str, JsonValue]) -> None:
    assert doubtful(aws("CreateStreamProcessor", body)).operation_class == "stream_search"


@pytest.mark.parametrize(
    "body", [{"Settings": []}, {"Settings": "ConnectedHome"}, {"Settings": [{"ConnectedHome": {}}]}]
)
def test_a_member_of_another_type_is_not_guessed_at(body: dict[str, JsonValue]) -> None:
    assert doubtful(aws("CreateStreamProcessor", body)).operation_class == "stream_search"


@pytest.mark.parametrize("content", ["[]", "null", '"x"', "", "{", "Action=SearchFaces", "{}{}"])
def test_what_is_not_one_json_object_has_no_reading(content: str) -> None:
    assert doubtful(aws("SearchFaces", content or b"")).operation_class == "one_to_many"


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "text/plain", FORM, "multipart/form-data; boundary=x"]
)
def test_json_under_another_media_type_has_no_reading(content_type: str) -> None:
    found = aws("SearchFaces", {"CollectionId": "c"}, content_type=content_type)

    assert isinstance(found, Ambiguous | Unknown)
    assert class_of(found) in {"one_to_many", "unknown"}


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' + b"9" * 5_000 + b"}"])
def test_json_that_makes_parsers_fail_does_not_make_the_classifier_fail(content: bytes) -> None:
    assert doubtful(aws("SearchFaces", content)).operation_class == "one_to_many"


@pytest.mark.parametrize(
    "body",
    [
        {"personGroupId": "a", "largePersonGroupId": "b"},
        {"PersonGroupId": "a"},
        {"personGroupId": 7},
        {"personGroupId": ["a"]},
        {"personGroupId": "a" * 10_000},
    ],
)
def test_a_gallery_has_one_name(body: dict[str, JsonValue]) -> None:
    assert doubtful(azure("/face/v1.0/identify", body)).operation_class == "one_to_many"


def test_names_of_destinations_are_bounded_in_number() -> None:
    found = azure("/face/v1.0/snapshots", {"applyScope": [""] * 1_000})

    assert doubtful(found).operation_class == "gallery"


# Semantics.


def test_surplus_members_of_a_search_do_not_make_a_comparison_one() -> None:
    body: dict[str, JsonValue] = {
        "faceId1": FACE,
        "faceId2": FACE,
        "faceIds": [FACE, FACE],
        "largePersonGroupId": "staff",
    }

    assert known(azure("/face/v1.0/verify", body)).operation_class == "one_to_one"


def test_candidates_that_travel_in_the_request_are_a_gallery() -> None:
    found = known(azure("/face/v1.0/findsimilars", {"faceId": FACE, "faceIds": [FACE, FACE]}))

    assert (found.operation_class, found.subclass) == ("one_to_many", "adhoc_set")


def test_a_token_that_a_later_search_needs_is_seen_where_it_is_minted() -> None:
    found = known(azure("/face/v1.0/detect", {"url": "https://img.example/a.jpg"}))

    assert found.subclass == "faceid_minted"


def test_starting_what_was_declared_before_is_a_search_unless_proven_otherwise() -> None:
    assert known(aws("StartStreamProcessor", {"Name": "n"})).operation_class == "stream_search"


def test_no_answer_shows_a_byte_of_the_request_beyond_names_that_it_keeps() -> None:
    secret = "c0ffee"
    for found in (
        aws(secret),
        aws("SearchFaces", f'{{"{secret}":1,"{secret}":2}}'),
        azure(f"/face/v1.0/{secret}"),
        azure("/face/v1.0/identify", {"personGroupId": {secret: 1}}),
    ):
        assert secret not in repr(found)
