"""What stream processors were declared as is remembered, and never more than is known."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gateway.core.catalog.classify import classify
from gateway.core.catalog.processors import MOST_DECLARATIONS, Declarations, processor_of
from gateway.core.operation import class_of
from gateway.core.request import Request
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import JSON_1_1, request, shipped

FACELESS: dict[str, JsonValue] = {"ConnectedHome": {"Labels": ["PET"]}}
SEARCH: dict[str, JsonValue] = {"FaceSearch": {"CollectionId": "staff"}}


def call(operation: str, body: Mapping[str, JsonValue]) -> Request:
    return request(
        "aws_rekognition",
        content_type=JSON_1_1,
        body=body,
        headers={"x-amz-target": f"RekognitionService.{operation}"},
    )


def sent(
    memory: Declarations, operation: str, body: Mapping[str, JsonValue], status: int | None = 200
) -> Declarations:
    """Judge a call, and remember what the provider answered."""
    made = call(operation, body)
    processor = processor_of(made, shipped())
    found = classify(made, shipped(), memory.observed_of(processor))
    return memory.after(processor, found, status) if processor else memory


def declared(
    memory: Declarations, name: str, settings: dict[str, JsonValue], status: int | None = 200
) -> Declarations:
    return sent(memory, "CreateStreamProcessor", {"Name": name, "Settings": settings}, status)


def started(memory: Declarations, name: str) -> str:
    made = call("StartStreamProcessor", {"Name": name})
    return class_of(classify(made, shipped(), memory.observed_of(processor_of(made, shipped()))))


def test_a_processor_that_was_declared_without_faces_is_no_search() -> None:
    memory = declared(Declarations(), "garden", FACELESS)

    assert started(memory, "garden") == "unrelated"
    assert started(memory, "door") == "stream_search"


@pytest.mark.parametrize("settings", [SEARCH, {}, {**SEARCH, **FACELESS}])
def test_a_processor_that_is_not_proven_faceless_is_a_search(
    settings: dict[str, JsonValue],
) -> None:
    assert started(declared(Declarations(), "door", settings), "door") == "stream_search"


@pytest.mark.parametrize("status", [None, 400, 403, 500])
def test_only_an_accepted_declaration_counts(status: int | None) -> None:
    assert started(declared(Declarations(), "door", FACELESS, status), "door") == "stream_search"


def test_a_declaration_that_was_refused_changes_nothing() -> None:
    memory = declared(Declarations(), "garden", FACELESS)

    assert started(declared(memory, "garden", SEARCH, 400), "garden") == "unrelated"


@pytest.mark.parametrize("status", [None, 500])
def test_a_declaration_of_which_nobody_knows_what_became_is_forgotten(status: int | None) -> None:
    memory = declared(Declarations(), "garden", FACELESS)

    assert started(declared(memory, "garden", SEARCH, status), "garden") == "stream_search"


def test_a_name_that_was_ever_declared_a_search_stays_one_until_it_is_deleted() -> None:
    memory = declared(declared(Declarations(), "door", SEARCH), "door", FACELESS)

    assert started(memory, "door") == "stream_search"
    memory = sent(memory, "DeleteStreamProcessor", {"Name": "door"})
    assert started(declared(memory, "door", FACELESS), "door") == "unrelated"


@pytest.mark.parametrize("status", [None, 200, 400])
def test_a_deletion_forgets_whatever_became_of_it(status: int | None) -> None:
    memory = declared(Declarations(), "garden", FACELESS)
    memory = sent(memory, "DeleteStreamProcessor", {"Name": "garden"}, status)

    assert started(memory, "garden") == "stream_search"


def test_a_start_tells_nothing_new() -> None:
    memory = declared(Declarations(), "garden", FACELESS)

    assert sent(memory, "StartStreamProcessor", {"Name": "garden"}) is memory
    assert sent(memory, "DetectText", {}) is memory


@pytest.mark.parametrize("name", ["", None, 7, ["garden"], "n" * 300])
def test_a_name_that_is_none_is_not_remembered(name: JsonValue) -> None:
    made: dict[str, JsonValue] = {"Name": name, "Settings": FACELESS}

    assert not sent(Declarations(), "CreateStreamProcessor", made).declared


def test_the_memory_is_bounded() -> None:
    names = {("aws_rekognition", str(each)): "connected_home" for each in range(MOST_DECLARATIONS)}
    memory = declared(Declarations(names), "garden", FACELESS)

    assert len(memory.declared) == MOST_DECLARATIONS
    assert started(memory, "0") == "stream_search"
    assert started(memory, "garden") == "unrelated"
