"""Azure Computer Vision: celebrities by a parameter, or by a model in the path."""

from __future__ import annotations

import pytest

from gateway.core.operation import OperationClass, class_of
from tests.core.catalog.build import known, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)
from tests.core.catalog.providers.wires import not_collected, wire_differences

PROVIDER = "azure_computervision"
IMAGE = b"\xff\xd8"
VERSIONS = ("v1.0", "v2.0", "v2.1", "v3.0", "v3.1", "v3.2")
MORE = {
    "POST /vision/v3.2/areaOfInterest",
    "POST /vision/v3.2/describe",
    "POST /vision/v3.2/detect",
    "POST /vision/v3.2/generateThumbnail",
    "GET /vision/v3.2/models",
    "POST /vision/v3.2/ocr",
    "POST /vision/v3.2/read/analyze",
    "GET /vision/v3.2/read/analyzeResults/{operationId}",
    "POST /vision/v3.2/tag",
}


def test_every_collected_operation_is_here_with_its_class_and_paths() -> None:
    more = not_collected(PROVIDER)

    assert more == MORE
    assert set(operation_differences(PROVIDER)) == {f"{name}: not collected" for name in more}
    assert list(wire_differences(PROVIDER)) == []


def test_every_collected_request_is_what_the_collection_says() -> None:
    collected = collected_requests(PROVIDER)

    assert [found for each in collected for found in request_differences(each)] == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("query", "operation_class"),
    [
        ("details=Celebrities", "one_to_many"),
        ("details=Landmarks,Celebrities", "one_to_many"),
        ("details=Landmarks%2C%20cElebrities", "one_to_many"),
        ("Details=celebrities&visualFeatures=Faces", "one_to_many"),
        ("visualFeatures=Tags,Faces", "detect"),
        ("VISUALFEATURES=faces", "detect"),
        ("details=Landmarks&visualFeatures=Tags", "unrelated"),
        ("details=", "unrelated"),
        ("", "unrelated"),
    ],
)
def test_the_query_says_what_is_named(
    version: str, query: str, operation_class: OperationClass
) -> None:
    target = f"/vision/{version}/analyze?{query}"
    found = known(ask(PROVIDER, target, IMAGE, content_type="application/octet-stream"))

    assert found.operation_class == operation_class


@pytest.mark.parametrize(
    ("model", "operation_class"),
    [
        ("celebrities", "one_to_many"),
        ("Celebrities", "one_to_many"),
        ("cElEbRiTiEs", "one_to_many"),
        ("landmarks", "unrelated"),
    ],
)
def test_the_path_names_a_domain_model(model: str, operation_class: OperationClass) -> None:
    target = f"/vision/v3.2/models/{model}/analyze"
    found = known(ask(PROVIDER, target, {"url": "https://img.example/a.jpg"}))

    assert found.operation_class == operation_class


@pytest.mark.parametrize(
    "target",
    [
        "/vision/v3.2/models/people/analyze",
        "/vision/v3.2/analyze?details=Politicians",
        "/vision/v3.2/analyze?details=Landmarks,People",
        "/vision/v4.0/analyze",
        "/computervision/retrieval:vectorizeImage",
        "/customvision/v3.0/Prediction/p/classify/iterations/i/image",
    ],
)
def test_what_nobody_knows_is_unknown(target: str) -> None:
    unheard_of(ask(PROVIDER, target, {"url": "https://img.example/a.jpg"}))


@pytest.mark.parametrize(
    "query", ["details=Landmarks&details=Celebrities", "details=Landmarks&Details=Celebrities"]
)
def test_a_parameter_that_stands_twice_may_name_celebrities(query: str) -> None:
    assert class_of(ask(PROVIDER, f"/vision/v3.2/analyze?{query}", {})) in {
        "one_to_many",
        "unknown",
    }


def test_objects_are_no_faces() -> None:
    found = known(ask(PROVIDER, "/vision/v3.2/detect", {"url": "https://img.example/a.jpg"}))

    assert found.operation_class == "unrelated"
