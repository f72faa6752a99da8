"""Oracle Vision: no search, but a feature that returns templates."""

from __future__ import annotations

import pytest

from gateway.core.operation import Destination, OperationClass
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import doubtful, known, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)
from tests.core.catalog.providers.wires import wire_differences

PROVIDER = "oci_vision"


def features(*names: JsonValue) -> dict[str, JsonValue]:
    return {"features": [{"featureType": name, "maxResults": 5} for name in names]}


def test_every_collected_operation_is_here_with_its_class_and_paths() -> None:
    assert list(operation_differences(PROVIDER)) == []
    assert list(wire_differences(PROVIDER)) == []


def test_every_collected_request_is_what_the_collection_says() -> None:
    collected = collected_requests(PROVIDER)

    assert [found for each in collected for found in request_differences(each)] == []


@pytest.mark.parametrize("path", ["/actions/analyzeImage", "/imageJobs"])
@pytest.mark.parametrize(
    ("names", "operation_class"),
    [
        (["FACE_EMBEDDING"], "embed"),
        (["OBJECT_DETECTION", "FACE_EMBEDDING", "FACE_DETECTION"], "embed"),
        (["FACE_DETECTION", "TEXT_DETECTION"], "detect"),
        (["OBJECT_DETECTION"], "unrelated"),
        (["IMAGE_CLASSIFICATION", "TEXT_DETECTION"], "unrelated"),
    ],
)
def test_a_template_is_more_than_a_box(
    path: str, names: list[JsonValue], operation_class: OperationClass
) -> None:
    assert (
        known(ask(PROVIDER, f"/20220125{path}", features(*names))).operation_class
        == operation_class
    )


@pytest.mark.parametrize("name", ["face_embedding", "FACE_SEARCH", 4, {}], ids=repr)
def test_a_feature_that_nobody_knows_is_unknown(name: JsonValue) -> None:
    unheard_of(ask(PROVIDER, "/20220125/actions/analyzeImage", features(name)))


def test_a_feature_in_another_spelling_has_two_readings() -> None:
    body: dict[str, JsonValue] = {"features": [{"FeatureType": "FACE_EMBEDDING"}]}

    assert (
        doubtful(ask(PROVIDER, "/20220125/actions/analyzeImage", body)).operation_class == "embed"
    )


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/imageJobs", {"outputLocation": {"namespaceName": "n", "bucketName": "out"}}),
        ("/videoJobs", {"outputLocation": {"namespaceName": "n", "bucketName": "out"}}),
        ("/streamJobs", {"streamOutputLocation": {"bucketName": "out"}}),
    ],
)
def test_a_job_writes_to_a_bucket(path: str, body: dict[str, JsonValue]) -> None:
    found = known(ask(PROVIDER, f"/20220125{path}", {**features("FACE_DETECTION"), **body}))

    assert found.operation_class == "detect"
    assert found.destinations == (Destination(kind="bucket", value="out"),)


def test_faces_tracked_in_a_stream_are_detected() -> None:
    tracking: JsonValue = {
        "featureType": "OBJECT_TRACKING",
        "trackingTypes": [{"objects": ["Face"]}],
    }
    found = known(ask(PROVIDER, "/20220125/streamJobs", {"features": [tracking]}))

    assert found.operation_class == "detect"


@pytest.mark.parametrize("path", ["/20230101/actions/analyzeImage", "/20220125/actions/searchFace"])
def test_a_path_that_nobody_knows_is_unknown(path: str) -> None:
    unheard_of(ask(PROVIDER, path, features("TEXT_DETECTION")))


def test_a_model_of_one_s_own_is_trained_on_stored_images() -> None:
    found = known(ask(PROVIDER, "/20220125/models", {}))

    assert (found.operation_class, found.access, found.subclass) == ("image_db", "train", "train")
