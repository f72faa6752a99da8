"""Google Video Intelligence: one feature of one version names celebrities."""

from __future__ import annotations

import pytest

from gateway.core.operation import Destination, OperationClass
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import doubtful, known, unheard_of
from tests.core.catalog.providers.collection import ask, operation_differences
from tests.core.catalog.providers.wires import grpc, wire_differences

PROVIDER = "google_videointelligence"
VERSIONS = ("v1", "v1beta2", "v1p1beta1", "v1p2beta1", "v1p3beta1")


def test_every_collected_operation_is_here_with_its_class_and_paths() -> None:
    assert list(operation_differences(PROVIDER)) == []
    assert list(wire_differences(PROVIDER)) == []


@pytest.mark.parametrize(
    ("features", "operation_class"),
    [
        (["FACE_DETECTION"], "detect"),
        ([4], "detect"),
        (["LABEL_DETECTION", "PERSON_DETECTION"], "detect"),
        (["LABEL_DETECTION", 9, "6"], "unrelated"),
        (["CELEBRITY_RECOGNITION"], "one_to_many"),
        ([13], "one_to_many"),
        ([1, "13"], "one_to_many"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_most_restrictive_feature_decides(
    version: str, features: list[JsonValue], operation_class: OperationClass
) -> None:
    body: dict[str, JsonValue] = {"inputUri": "gs://b/v.mp4", "features": features}

    assert (
        known(ask(PROVIDER, f"/{version}/videos:annotate", body)).operation_class == operation_class
    )


def test_celebrities_are_a_gallery_of_google_s_own() -> None:
    found = known(ask(PROVIDER, "/v1p3beta1/videos:annotate", {"features": [13]}))

    assert found.subclass == "builtin_gallery"


@pytest.mark.parametrize("feature", [5, "CELEBRITY", None, {}], ids=repr)
def test_a_feature_that_nobody_knows_is_unknown(feature: JsonValue) -> None:
    unheard_of(ask(PROVIDER, "/v1/videos:annotate", {"features": [1, feature]}))


def test_a_feature_that_is_no_list_has_two_readings() -> None:
    found = doubtful(ask(PROVIDER, "/v1/videos:annotate", {"features": "LABEL_DETECTION"}))

    assert found.operation_class == "one_to_many"


@pytest.mark.parametrize("name", ["outputUri", "output_uri"])
def test_results_go_to_a_bucket(name: str) -> None:
    found = known(ask(PROVIDER, "/v1/videos:annotate", {"features": [4], name: "gs://out/a.json"}))

    assert found.destinations == (Destination(kind="gcs_uri", value="gs://out/a.json"),)


@pytest.mark.parametrize(
    ("content", "operation_class"),
    [
        (b"\x10\x04", "detect"),
        (b"\x12\x02\x01\x0d", "one_to_many"),
        (b"\x10\x01\x10\x0d", "one_to_many"),
        (b"\x12\x01\x01\x22\x06gs://b", "unrelated"),
        (b"\x10\x01\x3a\x00", "one_to_many"),
    ],
    ids=["one", "packed", "several", "with an output", "with an unknown field"],
)
def test_a_grpc_call_is_read_like_its_json(content: bytes, operation_class: OperationClass) -> None:
    framed = b"\x00" + len(content).to_bytes(4) + content
    for version in VERSIONS:
        path = f"/google.cloud.videointelligence.{version}.VideoIntelligenceService/AnnotateVideo"
        assert known(grpc(PROVIDER, path, framed)).operation_class == operation_class


def test_a_live_stream_has_no_feature_for_faces() -> None:
    service = "google.cloud.videointelligence.v1p3beta1.StreamingVideoIntelligenceService"
    found = known(grpc(PROVIDER, f"/{service}/StreamingAnnotateVideo"))

    assert found.operation_class == "unrelated"


@pytest.mark.parametrize(
    "path", ["/v1p4beta1/videos:annotate", "/v1/videos:recognize", "/v1/videos"]
)
def test_a_path_that_nobody_knows_is_unknown(path: str) -> None:
    unheard_of(ask(PROVIDER, path, {"features": [1]}))


def test_what_was_annotated_may_be_the_result_of_a_search() -> None:
    path = "/v1/projects/p/locations/us/operations/o"

    assert known(ask(PROVIDER, path, method="GET")).operation_class == "results"
