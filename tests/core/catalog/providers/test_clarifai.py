"""Clarifai: the server's state decides, so what is not proven harmless is not."""

from __future__ import annotations

import pytest

from gateway.core.operation import OperationClass, class_of
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import doubtful, known, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)
from tests.core.catalog.providers.wires import grpc, not_collected, wire_differences

PROVIDER = "clarifai"
APP = "/v2/users/acme/apps/faces"
MAIN = "/v2/users/clarifai/apps/main/models"
GENERAL = "general-image-recognition"
CELEBRITIES = "celebrity-face-recognition"
IMAGE: JsonValue = {"url": "https://img.example/a.jpg"}
INPUTS: JsonValue = [{"data": {"image": IMAGE}}]
CLARIFAI: JsonValue = {"user_id": "clarifai", "app_id": "main"}

# A path without user, and one through a deployment, are rows of their own: other facts decide.
MORE = {"PostModelOutputs (path without user)", "PostModelOutputs (deployment)"}
# Harmless with known models of Clarifai's own only, which is a variant here and not the rule.
DEVIATIONS: dict[str, OperationClass] = {
    "PostModelOutputs": "unknown",
    "GenerateModelOutputs": "unknown",
    "StreamModelOutputs": "unknown",
}
# Two operations of one method and path, of one class; the first of them names it.
SAME = {"PatchRunners": "PostRunners", "StreamLogEntries": "ListLogEntries"}


def query(data: dict[str, JsonValue], where: str = "ranks") -> JsonValue:
    return {where: [{"annotation": {"data": data}}]}


def test_every_collected_operation_is_here_with_its_class() -> None:
    more = not_collected(PROVIDER)

    assert more == MORE
    assert set(operation_differences(PROVIDER, DEVIATIONS)) == {
        f"{name}: not collected" for name in more
    }


def test_every_collected_path_names_its_operation() -> None:
    def named(operation: str) -> str:
        return SAME.get(operation, operation.partition(" (")[0])

    assert list(wire_differences(PROVIDER, named)) == []


def test_every_collected_request_is_what_the_collection_says() -> None:
    collected = collected_requests(PROVIDER)

    assert [found for each in collected for found in request_differences(each)] == []


@pytest.mark.parametrize("path", [f"{APP}/searches", "/v2/searches", "/v2/annotations/searches"])
@pytest.mark.parametrize(
    "data",
    [
        {"image": IMAGE},
        {"embeddings": [{"vector": [0.1]}]},
        {"concepts": [{"id": "cat"}], "image": IMAGE},
        {"concepts": [{"id": "cat"}], "regions": [{"data": {"image": IMAGE}}]},
        {},
    ],
    ids=["image", "template", "concept and image", "concept and region", "nothing"],
)
def test_a_search_by_a_probe_may_be_a_face_search(path: str, data: dict[str, JsonValue]) -> None:
    found = known(ask(PROVIDER, path, {"searches": [{"query": query(data)}]}))

    assert found.operation_class == "one_to_many"


@pytest.mark.parametrize("where", ["ranks", "filters"])
@pytest.mark.parametrize(
    "data", [{"concepts": [{"id": "cat", "value": 1}]}, {"text": {"raw": "cat"}}]
)
def test_a_search_by_concept_or_text_alone_is_none(where: str, data: dict[str, JsonValue]) -> None:
    asked = query(data, where)
    bodies: list[dict[str, JsonValue]] = [{"query": asked}, {"searches": [{"query": asked}]}]

    for body in bodies:
        assert known(ask(PROVIDER, f"{APP}/searches", body)).operation_class == "unrelated"


@pytest.mark.parametrize(
    "body",
    [
        {
            "query": query({"concepts": [{"id": "c"}]}),
            "searches": [{"query": query({"image": IMAGE})}],
        },
        {
            "query": {
                "ranks": [
                    {"annotation": {"data": {"concepts": [{}]}}},
                    {"annotation": {"input_id": "i"}},
                ]
            }
        },
        {"query": {"ranks": [{"annotation": {"data": {"concepts": [{}]}, "inputId": "i"}}]}},
        {
            "query": {
                "ranks": [{"annotation": {"data": {"concepts": [{}]}}}],
                "ands": [{"input": {}}],
            }
        },
        {"searches": [{"query": query({"concepts": [{}]})}, {"query": query({"image": IMAGE})}]},
        {"searches": [{"id": "saved", "query": query({"concepts": [{}]})}]},
    ],
    ids=[
        "in the other member",
        "by input",
        "by inputId",
        "by an old member",
        "in the second",
        "saved",
    ],
)
def test_a_probe_is_found_beside_a_concept(body: dict[str, JsonValue]) -> None:
    assert known(ask(PROVIDER, f"{APP}/searches", body)).operation_class == "one_to_many"


def test_a_saved_search_has_whatever_probe_it_was_saved_with() -> None:
    assert known(ask(PROVIDER, f"{APP}/searches/s", {})).operation_class == "one_to_many"


@pytest.mark.parametrize(
    ("target", "body", "gallery"),
    [
        (f"{APP}/searches", {}, "acme/faces"),
        (f"{APP}/searches", {"user_app_id": {"user_id": "acme", "app_id": "faces"}}, "acme/faces"),
        ("/v2/searches", {"userAppId": {"userId": "acme", "appId": "faces"}}, "acme/faces"),
        ("/v2/searches", {}, ""),
    ],
)
def test_the_gallery_is_an_app(target: str, body: dict[str, JsonValue], gallery: str) -> None:
    assert known(ask(PROVIDER, target, body)).gallery == gallery


def test_two_apps_are_two_readings() -> None:
    body: dict[str, JsonValue] = {"user_app_id": {"user_id": "acme", "app_id": "others"}}

    assert doubtful(ask(PROVIDER, f"{APP}/searches", body)).operation_class == "one_to_many"


@pytest.mark.parametrize(
    ("model", "operation_class"),
    [
        (CELEBRITIES, "one_to_many"),
        ("e466caa0619f444ab97497640cefc4dc", "one_to_many"),
        ("d02b4508df58432fbb84e800597b8959", "embed"),
        ("face-detection", "detect"),
        (GENERAL, "unrelated"),
        ("staff-classifier", "unknown"),
        ("0123456789abcdef0123456789abcdef", "unknown"),
    ],
)
@pytest.mark.parametrize("version", ["", "/versions/v"])
def test_a_model_of_clarifai_s_own_is_known_by_its_id(
    model: str, operation_class: OperationClass, version: str
) -> None:
    found = ask(
        PROVIDER, f"{MAIN}/{model}{version}/outputs", {"user_app_id": CLARIFAI, "inputs": INPUTS}
    )

    assert class_of(found) == operation_class


@pytest.mark.parametrize(
    ("target", "body"),
    [
        (f"{APP}/models/{GENERAL}/outputs", {}),
        (f"/v2/models/{GENERAL}/outputs", {}),
        (f"{MAIN}/{GENERAL}/outputs", {"user_app_id": {"user_id": "acme", "app_id": "main"}}),
        (f"{MAIN}/{GENERAL}/outputs", {"model_id": "staff-classifier"}),
        (f"{MAIN}/{GENERAL}/outputs", {"model": {"id": "staff-classifier"}}),
        (f"{MAIN}/{GENERAL}/outputs", {"runner_selector": {"deployment": {"id": "d"}}}),
        (f"{MAIN}/General-Image-Recognition/outputs", {}),
        ("/v2/users/clarifai/deployments/d/outputs", {}),
        ("/v2/models/outputs/stream", {"model_id": GENERAL}),
    ],
)
def test_a_model_that_is_not_proven_clarifai_s_own_is_unknown(
    target: str, body: dict[str, JsonValue]
) -> None:
    unheard_of(ask(PROVIDER, target, {"inputs": INPUTS, **body}))


@pytest.mark.parametrize("model", [GENERAL, CELEBRITIES])
def test_the_body_may_name_the_owner_of_a_model(model: str) -> None:
    want = "one_to_many" if model == CELEBRITIES else "unrelated"
    body: dict[str, JsonValue] = {"user_app_id": CLARIFAI, "model_id": model}
    short = ask(PROVIDER, f"/v2/models/{model}/outputs", {"user_app_id": CLARIFAI})

    assert known(short).operation_class == want
    assert known(ask(PROVIDER, "/v2/models/outputs/stream", body)).operation_class == want


def test_a_workflow_may_do_anything_whatever_its_name() -> None:
    target = "/v2/users/clarifai/apps/main/workflows/General/results"

    assert known(ask(PROVIDER, target, {"inputs": INPUTS})).operation_class == "one_to_many"


@pytest.mark.parametrize(
    ("method", "path", "operation_class", "access"),
    [
        ("POST", "/inputs", "gallery", "write"),
        ("DELETE", "/inputs", "gallery", "delete"),
        ("DELETE", "/inputs/searches", "gallery", "delete"),
        ("GET", "/inputs/searches", "image_db", "read"),
        ("PUT", "/datasets/d/versions/v/exports", "image_db", "export"),
        ("POST", "/models/m/versions", "image_db", "train"),
        ("POST", "/inputs/i/annotations/stream/live", "stream_search", "none"),
    ],
)
def test_an_app_is_a_gallery_and_an_image_database(
    method: str, path: str, operation_class: OperationClass, access: str
) -> None:
    found = known(ask(PROVIDER, APP + path, {}, method=method))

    assert (found.operation_class, found.access) == (operation_class, access)
    assert found.gallery == "acme/faces"


@pytest.mark.parametrize(
    ("method", "operation_class"),
    [
        ("PostSearches", "one_to_many"),
        ("PostModelOutputs", "unknown"),
        ("PostInputs", "gallery"),
        ("ListConcepts", "admin"),
    ],
)
def test_grpc_is_what_its_method_may_be_at_its_worst(
    method: str, operation_class: OperationClass
) -> None:
    assert class_of(grpc(PROVIDER, f"/clarifai.api.V2/{method}")) == operation_class


@pytest.mark.parametrize(
    "path", ["/v1/searches", f"{APP}/faces/searches", "/clarifai.api.V2/PostFaceSearches"]
)
def test_a_path_that_nobody_knows_is_unknown(path: str) -> None:
    unheard_of(ask(PROVIDER, path, {}))
