"""Ways to make a search look like something else, of those that the classifier has to see through.

Others never become a `Request`: the door refuses them (tests/proxy). Here each is a request as it
could stand if the door were open.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from gateway.core.catalog.classify import classify
from gateway.core.catalog.probes import probes_of
from gateway.core.catalog.severity import RANK
from gateway.core.operation import (
    Ambiguous,
    Classified,
    Observed,
    OperationClass,
    Unknown,
    class_of,
)
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import (
    FACE,
    FORM,
    JSON_1_1,
    aws,
    azure,
    doubtful,
    known,
    request,
    shipped,
    unheard_of,
)


def json_to(
    provider: str, target: str, body: JsonValue, *, headers: Mapping[str, str] | None = None
) -> Classified:
    """Classify a call with a JSON body."""
    made = request(
        provider,
        target=target,
        content_type="application/json",
        body=json.dumps(body).encode(),
        headers=headers,
    )
    return classify(made, shipped(), Observed())


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


@pytest.mark.parametrize(
    ("query", "operation_class"),
    [
        ("Action=DetectText&Action=SearchFaces", "one_to_many"),
        ("action=SearchFaces", "one_to_many"),
        ("Action=DetectText&Action=Nothing", "unknown"),
        ("Limit=1;Action=SearchFaces", "unrelated"),
    ],
)
def test_a_parameter_that_decides_stands_once_and_in_its_own_spelling(
    query: str, operation_class: OperationClass
) -> None:
    assert doubtful(aws("DetectText", target=f"/?{query}")).operation_class == operation_class


@pytest.mark.parametrize(
    ("content", "operation_class"),
    [
        ("Action=DetectText&Action=SearchFaces", "one_to_many"),
        ("action=SearchFaces", "one_to_many"),
        ("Action", "unknown"),
        ("a=1;b=2", "unrelated"),
    ],
)
def test_a_form_that_decides_has_one_reading(content: str, operation_class: OperationClass) -> None:
    found = doubtful(aws("DetectText", content, content_type=FORM))

    assert found.operation_class == operation_class


def test_a_remote_procedure_path_of_another_protocol_is_unknown() -> None:
    unheard_of(aws("", target="/service/RekognitionService/operation/SearchFaces"))


def test_a_remote_procedure_call_is_what_its_path_says_at_worst() -> None:
    path = "/google.cloud.videointelligence.v1p3beta1.VideoIntelligenceService/AnnotateVideo"
    made = request(
        "google_videointelligence",
        target=path,
        content_type="application/grpc",
        body=b"\x01\0\0\0\x02xx",
    )

    assert known(classify(made, shipped(), Observed())).operation_class == "one_to_many"


@pytest.mark.parametrize(
    ("provider", "header", "mild", "search"),
    [
        ("tencent_iai", "x-tc-action", "DetectFace", "SearchFaces"),
        ("alibaba_facebody", "x-acs-action", "DetectFace", "SearchFace"),
    ],
)
def test_an_action_in_header_and_query_that_disagree_is_the_worse_one(
    provider: str, header: str, mild: str, search: str
) -> None:
    for named, action in ((mild, search), (search, mild)):
        target = f"/?Action={action}"
        found = doubtful(json_to(provider, target, {}, headers={header: named}))
        assert found.operation_class == "one_to_many"


def test_an_api_version_that_was_never_published_is_unknown() -> None:
    unheard_of(azure("/face/v9.9/identify", {"faceIds": [FACE]}))
    unheard_of(json_to("baidu_face", "/rest/2.0/face/v9/search", {}))
    headers = {"x-tc-action": "DetectFace", "x-tc-version": "2099-01-01"}
    unheard_of(json_to("tencent_iai", "/", {}, headers=headers))


def test_a_colon_before_a_verb_may_stand_escaped() -> None:
    found = json_to(
        "azure_contentunderstanding",
        "/contentunderstanding/personDirectories/d1/persons%3Aidentify?api-version=2025-05-01-preview",
        {},
    )

    assert class_of(found) == "one_to_many"


def test_a_name_that_misleads_has_the_class_of_what_it_does() -> None:
    assert known(aws("StartFaceDetection")).operation_class == "detect"
    assert known(aws("GetCelebrityInfo")).operation_class == "results"
    misleading: tuple[tuple[str, str, JsonValue, str], ...] = (
        ("regula", "/api/match_and_search", {}, "one_to_many"),
        ("compreface", "/api/v1/recognition/faces/x/verify", {"file": ""}, "one_to_one"),
        ("baidu_face", "/rest/2.0/face/v3/faceverify", [], "liveness"),
    )
    for provider, target, body, operation_class in misleading:
        assert known(json_to(provider, target, body)).operation_class == operation_class


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
        "/face/v1.0/verify#/../identify",
        "/face/v1.0/identify?",
        "/face/v1.0/identify ",
        "/face/v1.0/identify/",
        "face/v1.0/identify",
        "https://other.example/face/v1.0/identify",
    ],
)
def test_a_path_that_servers_read_in_two_ways_is_refused_as_the_search_that_it_may_be(
    path: str,
) -> None:
    body: dict[str, JsonValue] = {"faceIds": [FACE], "personGroupId": "g"}
    made = request("azure_face", content_type="application/json", body=body)
    found = doubtful(
        classify(msgspec.structs.replace(made, path=path), shipped(), Observed()),
    )

    assert found.operation_class == "one_to_many"


@pytest.mark.parametrize(
    "path",
    ["/face/v1.0/identify%", "/face/v1.0/identify%zz", "/face/v1.0/ïdentify", "", "//", "/."],
)
def test_a_path_of_which_nobody_makes_anything_may_be_anything(path: str) -> None:
    assert doubtful(azure(path, {"faceIds": [FACE]})).operation_class == "unknown"


def test_a_path_is_never_read_leniently_into_one_that_takes_any_rest() -> None:
    assert doubtful(azure("/language/..%2fface/v9/identify")).operation_class == "unknown"


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
        azure("/face/v1.0/persongroups/g/train", headers={header: "PUT"}),
        aws("SearchFaces", headers={header: "PUT"}),
    ):
        assert doubtful(found).operation_class in {"one_to_many", "gallery"}


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


# The spellings of features, and bodies of another kind.


def annotate(
    features: list[JsonValue], context: Mapping[str, JsonValue] | None = None
) -> Classified:
    """Classify a call of Cloud Vision's beta that knows celebrities."""
    body: JsonValue = {"requests": [{"features": features, **(context or {})}]}
    return json_to("google_vision", "/v1p4beta1/images:annotate", body)


@pytest.mark.parametrize("spelling", ["WEB_DETECTION", 10, "10", 10.0], ids=repr)
def test_a_feature_is_the_same_by_name_number_and_numeric_text(spelling: JsonValue) -> None:
    late: list[JsonValue] = [{"type": "TEXT_DETECTION"} for _ in range(15)]
    found = known(annotate([*late, {"type": spelling}]))

    assert found.operation_class == "image_search"


@pytest.mark.parametrize(
    "context",
    [
        {"imageContext": {"faceRecognitionParams": {"celebritySet": ["builtin/default"]}}},
        {"image_context": {"face_recognition_params": {"celebrity_set": ["builtin/default"]}}},
        {"imageContext": {}, "image_context": {"faceRecognitionParams": {"celebritySet": ["x"]}}},
    ],
)
def test_a_search_in_a_context_is_found_in_either_spelling(context: dict[str, JsonValue]) -> None:
    assert known(annotate([{"type": 1}], context)).operation_class == "one_to_many"


@pytest.mark.parametrize("alt", ["alt=proto", "%24alt=proto"])
def test_another_encoding_of_the_message_is_not_guessed_at(alt: str) -> None:
    found = json_to("google_vision", f"/v1/images:annotate?{alt}", {"requests": []})

    assert RANK[class_of(found)] <= RANK["image_search"]
    assert not isinstance(found, Unknown)
    doubtful(found)


def test_a_form_instead_of_json_is_no_way_around_the_members() -> None:
    made = request(
        "tencent_iai",
        content_type=FORM,
        body="Action=CreatePerson&UniquePersonControl=4&GroupId=g",
    )
    found = known(classify(made, shipped(), Observed()))

    assert (found.operation_class, found.subclass) == ("one_to_many", "enrol_with_dedupe")


def test_a_batch_is_what_the_worst_of_its_requests_is() -> None:
    inner = "".join(
        f"--b\nContent-Type: application/http\n\nPOST /v1p4beta1/images:annotate HTTP/1.1\n"
        f"Content-Type: application/json\n\n{json.dumps(body)}\n"
        for body in (
            *([{"requests": [{"features": [{"type": 1}]}]}] * 15),
            {
                "requests": [
                    {"image_context": {"face_recognition_params": {"celebrity_set": ["all"]}}}
                ]
            },
        )
    )
    made = request(
        "google_vision",
        target="/batch",
        content_type="multipart/mixed; boundary=b",
        body=f"{inner}--b--\n",
    )

    assert known(classify(made, shipped(), Observed())).operation_class == "one_to_many"


# What only counting shows.


def test_steps_of_a_walk_through_a_gallery_are_single_comparisons_of_one_probe() -> None:
    probes: set[tuple[str, ...]] = set()
    for target in ("a", "b", "c"):
        body: dict[str, JsonValue] = {
            "SourceImage": {"Bytes": "QUJD"},
            "TargetImage": {"S3Object": {"Bucket": "faces", "Name": target}},
        }
        made = request(
            "aws_rekognition",
            content_type=JSON_1_1,
            body=body,
            headers={"x-amz-target": "RekognitionService.CompareFaces"},
        )
        found = classify(made, shipped(), Observed())
        assert known(found).operation_class == "one_to_one"
        probes.add(probes_of(made, shipped()))

    assert len(probes) == 1
    assert len(next(iter(probes))) == 1


def test_how_many_faces_a_target_shows_only_its_pixels_tell() -> None:
    found = known(aws("CompareFaces", {"SourceImage": {"Bytes": "QUJD"}, "TargetImage": {}}))

    assert (found.operation_class, found.faces) == ("one_to_one", None)


@pytest.mark.parametrize("control", [1, "4", 2.0])
def test_an_enrolment_that_tells_who_looks_alike_is_a_search(control: JsonValue) -> None:
    headers = {"x-tc-action": "CreatePerson"}
    body: JsonValue = {"GroupId": "g", "UniquePersonControl": control}

    assert class_of(json_to("tencent_iai", "/", body, headers=headers)) == "one_to_many"


def test_a_template_that_leaves_is_as_good_as_a_search() -> None:
    assert class_of(json_to("deepface", "/represent", {"img": "x"})) == "embed"


def test_a_classifier_with_one_label_a_person_is_seen_where_it_is_trained() -> None:
    found = known(aws("CreateProjectVersion"))

    assert (found.operation_class, found.access, found.subclass) == ("image_db", "train", "train")


def test_a_reverse_image_search_is_a_class_of_its_own() -> None:
    assert class_of(annotate([{"type": "WEB_DETECTION"}])) == "image_search"


# Which of the 32 ways of ../shared/reference/providers.md, section 4, is tested where.

HERE = "tests/core/catalog/test_disguises.py"
SKIMMING = "tests/core/test_skimming.py"
DOOR = "tests/proxy/test_door_refusals.py"
REFUSALS = f"{DOOR}::test_what_has_no_single_reading_is_refused"
WAYS: dict[int, tuple[str, ...]] = {
    1: (f"{HERE}::test_two_targets_in_one_header_are_two_readings", REFUSALS),
    2: (
        f"{HERE}::test_an_action_in_the_query_beside_the_target_is_a_second_reading",
        f"{HERE}::test_an_action_in_a_form_is_a_reading_that_no_sdk_means",
        f"{HERE}::test_an_action_without_a_target_is_a_reading_that_no_sdk_means",
        "tests/core/catalog/test_rekognition.py::test_only_the_exact_prefix_names_an_operation",
    ),
    3: (
        f"{HERE}::test_an_action_in_header_and_query_that_disagree_is_the_worse_one",
        f"{HERE}::test_a_parameter_that_decides_stands_once_and_in_its_own_spelling",
    ),
    4: (
        f"{HERE}::test_a_remote_procedure_path_of_another_protocol_is_unknown",
        f"{HERE}::test_a_remote_procedure_call_is_what_its_path_says_at_worst",
    ),
    5: (f"{HERE}::test_an_api_version_that_was_never_published_is_unknown",),
    6: (f"{HERE}::test_a_name_that_misleads_has_the_class_of_what_it_does",),
    7: (
        f"{HERE}::test_a_path_that_servers_read_in_two_ways_is_refused_as_the_search_that_it_may_be",
        f"{HERE}::test_a_path_of_which_nobody_makes_anything_may_be_anything",
    ),
    8: (
        f"{HERE}::test_a_path_that_servers_read_in_two_ways_is_refused_as_the_search_that_it_may_be",
    ),
    9: (
        f"{HERE}::test_a_path_that_servers_read_in_two_ways_is_refused_as_the_search_that_it_may_be",
    ),
    10: (
        f"{HERE}::test_a_path_that_servers_read_in_two_ways_is_refused_as_the_search_that_it_may_be",
        f"{HERE}::test_letters_of_another_case_do_not_hide_a_search",
    ),
    11: (
        f"{HERE}::test_a_path_that_servers_read_in_two_ways_is_refused_as_the_search_that_it_may_be",
        REFUSALS,
    ),
    12: (f"{HERE}::test_a_colon_before_a_verb_may_stand_escaped",),
    13: (
        f"{HERE}::test_a_resource_called_like_a_search_is_no_search",
        "tests/core/catalog/test_azure_face.py::test_a_gallery_may_be_called_like_an_operation",
    ),
    14: (f"{HERE}::test_a_header_that_asks_for_another_request_makes_two_readings", REFUSALS),
    15: (REFUSALS,),
    16: (f"{HERE}::test_a_body_in_another_encoding_is_not_guessed_at", REFUSALS),
    17: (f"{HERE}::test_a_member_that_stands_twice_is_two_readings",),
    18: (
        f"{HERE}::test_a_body_in_another_encoding_is_not_guessed_at",
        f"{HERE}::test_a_charset_that_turns_the_bytes_into_other_text_is_not_read",
    ),
    19: (
        f"{HERE}::test_a_feature_is_the_same_by_name_number_and_numeric_text",
        f"{HERE}::test_a_search_in_a_context_is_found_in_either_spelling",
        f"{HERE}::test_another_encoding_of_the_message_is_not_guessed_at",
    ),
    20: (
        f"{HERE}::test_json_under_another_media_type_has_no_reading",
        f"{HERE}::test_a_form_instead_of_json_is_no_way_around_the_members",
    ),
    21: (
        f"{HERE}::test_a_batch_is_what_the_worst_of_its_requests_is",
        f"{HERE}::test_a_feature_is_the_same_by_name_number_and_numeric_text",
    ),
    22: (
        "tests/core/catalog/test_rekognition.py::test_a_presigned_query_does_not_change_what_is_asked",
    ),
    23: (
        "tests/core/catalog/test_hosts_of_providers.py::test_an_address_may_still_be_rekognition",
    ),
    24: (
        f"{HERE}::test_json_that_makes_parsers_fail_does_not_make_the_classifier_fail",
        f"{SKIMMING}::test_hostile_bodies_cost_a_bounded_number_of_steps_beside_the_parser_s",
        f"{DOOR}::test_a_body_that_cannot_be_read_is_refused_also_when_it_comes_late",
    ),
    25: (f"{HERE}::test_steps_of_a_walk_through_a_gallery_are_single_comparisons_of_one_probe",),
    26: (f"{HERE}::test_how_many_faces_a_target_shows_only_its_pixels_tell",),
    27: (f"{HERE}::test_candidates_that_travel_in_the_request_are_a_gallery",),
    28: (f"{HERE}::test_an_enrolment_that_tells_who_looks_alike_is_a_search",),
    29: (
        f"{HERE}::test_a_token_that_a_later_search_needs_is_seen_where_it_is_minted",
        f"{HERE}::test_a_template_that_leaves_is_as_good_as_a_search",
    ),
    30: (
        f"{HERE}::test_starting_what_was_declared_before_is_a_search_unless_proven_otherwise",
        "tests/core/catalog/test_processors.py::test_only_an_accepted_declaration_counts",
    ),
    31: (f"{HERE}::test_a_classifier_with_one_label_a_person_is_seen_where_it_is_trained",),
    32: (f"{HERE}::test_a_reverse_image_search_is_a_class_of_its_own",),
}


def test_each_of_the_32_ways_is_tested_by_a_test_that_is_there() -> None:
    root = Path(__file__).parents[3]

    assert sorted(WAYS) == list(range(1, 33))
    for tests in WAYS.values():
        for each in tests:
            path, _, name = each.partition("::")
            assert f"def {name}" in (root / path).read_text(encoding="utf-8"), each
