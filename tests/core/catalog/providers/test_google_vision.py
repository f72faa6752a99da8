"""Google Cloud Vision: what is meant stands in the body, by name, by number, in two spellings."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from gateway.core.catalog.severity import RANK
from gateway.core.operation import Destination, OperationClass, class_of
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import doubtful, known, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)
from tests.core.catalog.providers.wires import GRPC, grpc, wire_differences

VERSIONS = ("v1", "v1p1beta1", "v1p2beta1", "v1p3beta1", "v1p4beta1")
CELEBRITIES: JsonValue = {"faceRecognitionParams": {"celebritySet": ["builtin/default"]}}


def annotation(*features: JsonValue, context: JsonValue = None) -> dict[str, JsonValue]:
    one: dict[str, JsonValue] = {
        "image": {"source": {"imageUri": "gs://b/a.jpg"}},
        "features": [{"type": each, "maxResults": 10} for each in features],
    }
    return {"requests": [one | ({} if context is None else {"imageContext": context})]}


def message(*fields: tuple[int, bytes | int]) -> bytes:
    """Write a protocol buffer of fields with numbers and lengths below 128."""
    return b"".join(
        bytes([number << 3, value])
        if isinstance(value, int)
        else bytes([number << 3 | 2, len(value)]) + value
        for number, value in fields
    )


def frame(content: bytes) -> bytes:
    return b"\x00" + len(content).to_bytes(4) + content


FEATURES: dict[str, tuple[int, OperationClass]] = {
    "TYPE_UNSPECIFIED": (0, "unrelated"),
    "FACE_DETECTION": (1, "detect"),
    "TEXT_DETECTION": (5, "unrelated"),
    "WEB_DETECTION": (10, "image_search"),
    "PRODUCT_SEARCH": (12, "image_search"),
}


@st.composite
def batches(draw: st.DrawFn) -> tuple[dict[str, JsonValue], OperationClass]:
    """Draw a request in any of its spellings, and what it is."""
    classes: list[OperationClass] = []
    requests: list[JsonValue] = []
    for _ in range(draw(st.integers(1, 5))):
        features: list[JsonValue] = []
        for name in draw(st.lists(st.sampled_from(sorted(FEATURES)), min_size=1, max_size=4)):
            number, operation_class = FEATURES[name]
            spellings: list[JsonValue] = [name, number, str(number), float(number)]
            features.append({"type": draw(st.sampled_from(spellings))})
            classes.append(operation_class)
        one: dict[str, JsonValue] = {"features": features}
        if draw(st.booleans()):
            params = draw(st.sampled_from(["faceRecognitionParams", "face_recognition_params"]))
            celebrities = draw(st.sampled_from(["celebritySet", "celebrity_set"]))
            names: list[JsonValue] = list(draw(st.lists(st.just("builtin/default"), max_size=1)))
            context = draw(st.sampled_from(["imageContext", "image_context"]))
            one[context] = {params: {celebrities: names}}
            classes.append("one_to_many" if names else "unrelated")
        requests.append(one)
    return {"requests": requests}, min(classes, key=RANK.__getitem__)


@given(batches(), st.sampled_from(VERSIONS))
def test_any_spelling_of_a_request_is_the_most_restrictive_of_its_parts(
    drawn: tuple[dict[str, JsonValue], OperationClass], version: str
) -> None:
    body, operation_class = drawn
    found = known(ask("google_vision", f"/{version}/images:annotate", body))

    assert found.operation_class == operation_class


@given(
    st.binary(max_size=300), st.sampled_from(["application/json", GRPC, "application/x-protobuf"])
)
def test_no_body_raises(content: bytes, content_type: str) -> None:
    found = ask("google_vision", "/v1/images:annotate", content, content_type=content_type)

    assert class_of(found) in RANK


def test_every_collected_operation_is_here_with_its_class_and_paths() -> None:
    assert list(operation_differences("google_vision")) == []
    assert list(wire_differences("google_vision")) == []


def test_every_collected_request_is_what_the_collection_says() -> None:
    collected = collected_requests("google_vision")

    assert [found for each in collected for found in request_differences(each)] == []


@pytest.mark.parametrize(
    ("feature", "operation_class"),
    [
        ("FACE_DETECTION", "detect"),
        (1, "detect"),
        ("1", "detect"),
        (1.0, "detect"),
        ("WEB_DETECTION", "image_search"),
        (10, "image_search"),
        ("10", "image_search"),
        ("PRODUCT_SEARCH", "image_search"),
        (12, "image_search"),
        ("LABEL_DETECTION", "unrelated"),
        (0, "unrelated"),
        (19, "unrelated"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("verb", ["images:annotate", "files:annotate", "images%3Aannotate"])
def test_a_feature_is_named_by_name_or_number(
    feature: JsonValue, operation_class: OperationClass, verb: str
) -> None:
    found = known(ask("google_vision", f"/v1/{verb}", annotation(feature)))

    assert found.operation_class == operation_class


@pytest.mark.parametrize("feature", ["face_detection", 8, 99, "IDENTIFY", -1, 1.5, "01", True])
def test_a_feature_that_nobody_knows_is_unknown(feature: JsonValue) -> None:
    unheard_of(ask("google_vision", "/v1/images:annotate", annotation(5, feature)))


def test_the_most_restrictive_of_sixteen_requests_decides() -> None:
    requests: list[JsonValue] = [{"features": [{"type": "TEXT_DETECTION"}]} for _ in range(15)]
    requests.append({"features": [{"type": 5}, {"type": "WEB_DETECTION"}]})
    found = known(ask("google_vision", "/v1/images:annotate", {"requests": requests}))

    assert found.operation_class == "image_search"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "context",
    [
        {"imageContext": CELEBRITIES},
        {"image_context": {"face_recognition_params": {"celebrity_set": ["builtin/default"]}}},
        {"imageContext": {"face_recognition_params": {"celebritySet": ["builtin/default"]}}},
        {"imageContext": {}, "image_context": CELEBRITIES},
        {"imageContext": {"faceRecognitionParams": {}}, "image_context": CELEBRITIES},
    ],
)
def test_a_set_of_celebrities_makes_any_annotation_a_search(
    version: str, context: dict[str, JsonValue]
) -> None:
    body: dict[str, JsonValue] = {"requests": [{"features": [{"type": 1}], **context}]}
    found = known(ask("google_vision", f"/{version}/images:annotate", body))

    assert (found.operation_class, found.subclass) == ("one_to_many", "builtin_gallery")
    assert found.gallery == "builtin/default"


@pytest.mark.parametrize(
    "context",
    [
        {"FaceRecognitionParams": {"celebritySet": ["c"]}},
        {"faceRecognitionParams": {"celebritySet": "c"}},
    ],
)
def test_a_set_of_celebrities_in_another_form_has_two_readings(context: JsonValue) -> None:
    found = doubtful(
        ask("google_vision", "/v1p4beta1/images:annotate", annotation(1, context=context))
    )

    assert found.operation_class == "one_to_many"


def test_an_empty_set_of_celebrities_is_none() -> None:
    context: JsonValue = {"faceRecognitionParams": {"celebritySet": []}}
    found = known(
        ask("google_vision", "/v1p4beta1/images:annotate", annotation(1, context=context))
    )

    assert found.operation_class == "detect"


def test_a_product_set_is_the_gallery_of_a_product_search() -> None:
    name = "projects/p/locations/eu/productSets/s"
    context: JsonValue = {"productSearchParams": {"productSet": name}}
    found = known(ask("google_vision", "/v1/images:annotate", annotation(12, context=context)))

    assert (found.operation_class, found.gallery) == ("image_search", name)


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("images", {"outputConfig": {"gcsDestination": {"uri": "gs://out/a"}}}),
        ("images", {"output_config": {"gcs_destination": {"uri": "gs://out/a"}}}),
        ("files", {"requests": [{"outputConfig": {"gcsDestination": {"uri": "gs://out/a"}}}]}),
    ],
)
def test_what_is_asynchronous_writes_to_a_bucket(verb: str, body: dict[str, JsonValue]) -> None:
    found = known(ask("google_vision", f"/v1/{verb}:asyncBatchAnnotate", body))

    assert found.destinations == (Destination(kind="gcs_uri", value="gs://out/a"),)


def test_a_grpc_call_is_read_like_its_json() -> None:
    request = message((1, message((1, b"\xff\xd8"))), (2, message((1, 1), (2, 10))))
    detect = message((1, request))
    search = message((1, request), (1, message((2, message((1, 10))))))
    context = message((10, message((1, b"builtin/default"))))
    celebrities = message((1, message((2, message((1, 1))), (3, context))))

    for content, operation_class in (
        (detect, "detect"),
        (search, "image_search"),
        (celebrities, "one_to_many"),
    ):
        for version in VERSIONS:
            path = f"/google.cloud.vision.{version}.ImageAnnotator/BatchAnnotateImages"
            assert (
                known(grpc("google_vision", path, frame(content))).operation_class
                == operation_class
            )


@pytest.mark.parametrize(
    "content",
    [
        b"\x01\x00\x00\x00\x00",
        frame(b"") + frame(b""),
        frame(message((1, message((2, message((1, 1), (9, 1))))))),
        frame(message((1, message((3, message((11, b""))))))),
    ],
    ids=["compressed", "two messages", "an unknown field", "an unknown context"],
)
def test_a_grpc_call_that_is_not_read_may_be_the_worst(content: bytes) -> None:
    path = "/google.cloud.vision.v1p4beta1.ImageAnnotator/BatchAnnotateImages"
    found = grpc("google_vision", path, content)

    assert known(found).operation_class == "one_to_many"
    assert "not read" in found.reading[-1]


def test_a_protocol_buffer_over_rest_is_read_as_well() -> None:
    content = message((1, message((2, message((1, 10))))))
    found = ask(
        "google_vision", "/v1/images:annotate", content, content_type="application/x-protobuf"
    )

    assert known(found).operation_class == "image_search"


@pytest.mark.parametrize("query", ["alt=proto", "%24alt=proto", "$alt=media"])
def test_another_encoding_than_json_has_two_readings(query: str) -> None:
    found = doubtful(ask("google_vision", f"/v1/images:annotate?{query}", annotation(5)))

    assert found.operation_class == "one_to_many"


@pytest.mark.parametrize(
    "query", ["%24alt=json%3Benum-encoding%3Dint", "alt=json&prettyPrint=false"]
)
def test_the_encodings_of_the_sdks_are_read(query: str) -> None:
    found = ask("google_vision", f"/v1/images:annotate?{query}", annotation(5))

    assert known(found).operation_class == "unrelated"


@pytest.mark.parametrize(
    "content_type", ["application/grpc-web-text", "text/plain", "multipart/form-data"]
)
def test_a_body_that_is_no_json_has_no_single_reading(content_type: str) -> None:
    found = ask(
        "google_vision", "/v1/images:annotate", json.dumps(annotation(5)), content_type=content_type
    )

    assert doubtful(found).operation_class == "one_to_many"


@pytest.mark.parametrize(
    "path",
    [
        "/v2/images:annotate",
        "/v1/images:identify",
        "/v1/images/annotate",
        "/v1p4beta1/projects/p/images:annotate",
    ],
)
def test_a_path_that_nobody_knows_is_unknown(path: str) -> None:
    assert class_of(ask("google_vision", path, annotation(1))) == "unknown"


@pytest.mark.parametrize(
    ("method", "path", "operation_class", "access"),
    [
        (
            "POST",
            "/v1/projects/p/locations/eu/products/search/referenceImages",
            "image_db",
            "write",
        ),
        ("DELETE", "/v1/projects/p/locations/eu/productSets/identify", "image_db", "delete"),
        ("POST", "/v1p4beta1/projects/p/locations/eu/products:purge", "image_db", "delete"),
        ("POST", "/google.cloud.vision.v1.ProductSearch/CreateReferenceImage", "image_db", "write"),
        ("GET", "/v1/projects/p/locations/eu/operations/o", "results", "none"),
        ("POST", "/google.longrunning.Operations/GetOperation", "results", "none"),
        ("POST", "/v1/operations/o:cancel", "admin", "none"),
    ],
)
def test_what_is_no_annotation_is_named_by_its_path(
    method: str, path: str, operation_class: OperationClass, access: str
) -> None:
    found = known(
        grpc("google_vision", path)
        if "/google." in path
        else ask("google_vision", path, method=method)
    )

    assert (found.operation_class, found.access) == (operation_class, access)
