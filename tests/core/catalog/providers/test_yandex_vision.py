"""Yandex Vision: one path, and features by name or number."""

from __future__ import annotations

import pytest

from gateway.core.operation import OperationClass
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import known, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)
from tests.core.catalog.providers.wires import grpc, wire_differences

PROVIDER = "yandex_vision"
PATH = "/vision/v1/batchAnalyze"


def test_every_collected_operation_is_here_with_its_class_and_paths() -> None:
    assert list(operation_differences(PROVIDER)) == []
    assert list(wire_differences(PROVIDER)) == []


def test_every_collected_request_is_what_the_collection_says() -> None:
    collected = collected_requests(PROVIDER)

    assert [found for each in collected for found in request_differences(each)] == []


@pytest.mark.parametrize("specs", ["analyzeSpecs", "analyze_specs"])
@pytest.mark.parametrize(
    ("features", "operation_class"),
    [
        (["FACE_DETECTION"], "detect"),
        ([3], "detect"),
        (["TEXT_DETECTION", "IMAGE_COPY_SEARCH"], "image_search"),
        ([1, "4"], "image_search"),
        (["CLASSIFICATION"], "unrelated"),
    ],
    ids=repr,
)
def test_the_most_restrictive_feature_of_all_specs_decides(
    specs: str, features: list[JsonValue], operation_class: OperationClass
) -> None:
    body: dict[str, JsonValue] = {
        "folderId": "f",
        specs: [{"content": "/9j/", "features": [{"type": each}]} for each in features],
    }

    assert known(ask(PROVIDER, PATH, body)).operation_class == operation_class


def test_specs_in_both_spellings_are_both_read() -> None:
    body: dict[str, JsonValue] = {
        "analyzeSpecs": [{"features": [{"type": 1}]}],
        "analyze_specs": [{"features": [{"type": 4}]}],
    }

    assert known(ask(PROVIDER, PATH, body)).operation_class == "image_search"


@pytest.mark.parametrize("feature", ["FACE_SEARCH", 5], ids=repr)
def test_a_feature_that_nobody_knows_is_unknown(feature: JsonValue) -> None:
    unheard_of(ask(PROVIDER, PATH, {"analyzeSpecs": [{"features": [{"type": feature}]}]}))


def test_a_grpc_call_is_read_like_its_json() -> None:
    spec = b"\x0a\x02\xff\xd8\x1a\x02\x08\x03\x22\x03jpg"
    content = bytes([0x0A, len(spec)]) + spec + b"\x12\x01f"
    framed = b"\x00" + len(content).to_bytes(4) + content
    path = "/yandex.cloud.ai.vision.v1.VisionService/BatchAnalyze"

    assert known(grpc(PROVIDER, path, framed)).operation_class == "detect"
