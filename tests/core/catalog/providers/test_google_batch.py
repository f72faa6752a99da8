"""Google batches: a batch is what the most restrictive of its requests is."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from gateway.core.operation import Ambiguous, Classified, OperationClass, class_of
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import known
from tests.core.catalog.providers.collection import ask, operation_differences
from tests.core.catalog.providers.wires import wire_differences

CELEBRITIES: JsonValue = {
    "requests": [{"imageContext": {"faceRecognitionParams": {"celebritySet": ["c"]}}}]
}


def annotate(feature: JsonValue) -> JsonValue:
    return {"requests": [{"features": [{"type": feature}]}]}


def part(line: str, body: JsonValue) -> str:
    return (
        f"--b\r\nContent-Type: application/http\r\n\r\n{line} HTTP/1.1\r\n"
        f"Content-Type: application/json\r\n\r\n{json.dumps(body)}\r\n"
    )


def batch(
    parts: Sequence[str], *, provider: str = "google_batch", target: str = "/batch"
) -> Classified:
    content = "".join(parts) + "--b--\r\n"
    return ask(provider, target, content, content_type="multipart/mixed; boundary=b")


def test_every_collected_operation_is_here_with_its_class_and_paths() -> None:
    assert list(operation_differences("google_batch")) == []
    assert len(list(wire_differences("google_batch"))) <= 1


@pytest.mark.parametrize("target", ["/batch", "/batch/vision/v1"])
@pytest.mark.parametrize(
    ("line", "body", "operation_class"),
    [
        ("POST /v1/images:annotate", annotate(5), "unrelated"),
        ("POST /v1/images:annotate", annotate(1), "detect"),
        ("POST /v1/images%3Aannotate", annotate("WEB_DETECTION"), "image_search"),
        ("POST /v1p4beta1/images:annotate", CELEBRITIES, "one_to_many"),
        ("POST /v1p3beta1/videos:annotate", {"features": [13]}, "one_to_many"),
        ("DELETE /v1/projects/p/locations/l/corpora/c", {}, "image_db"),
    ],
)
def test_a_request_within_is_judged_like_one_outside(
    target: str, line: str, body: JsonValue, operation_class: OperationClass
) -> None:
    harmless = part("POST /v1/images:annotate", annotate(4))
    found = known(batch([harmless, part(line, body), harmless], target=target))

    assert (found.name, found.operation_class) == ("POST /batch", operation_class)


@pytest.mark.parametrize(
    ("provider", "line", "body"),
    [
        ("google_vision", "POST /v1p4beta1/images:annotate", CELEBRITIES),
        ("google_videointelligence", "POST /v1/videos:annotate", {"features": [13]}),
    ],
)
def test_a_batch_at_a_service_s_own_host_is_read_as_well(
    provider: str, line: str, body: JsonValue
) -> None:
    assert known(batch([part(line, body)], provider=provider)).operation_class == "one_to_many"


@pytest.mark.parametrize("bad", range(16))
def test_the_place_of_the_bad_one_does_not_matter(bad: int) -> None:
    parts = [part("POST /v1/images:annotate", annotate(5)) for _ in range(16)]
    parts[bad] = part("POST /v1p4beta1/images:annotate", CELEBRITIES)

    assert known(batch(parts)).operation_class == "one_to_many"


def test_governed_kinds_in_one_batch_are_no_kind_that_a_licence_could_name() -> None:
    search = part("POST /v1p4beta1/images:annotate", CELEBRITIES)
    found = batch([search, part("POST /v1/images:annotate", annotate("WEB_DETECTION"))])
    assert isinstance(found, Ambiguous)
    assert class_of(found) == "one_to_many"
    assert "several governed kinds" in found.reason
    assert known(batch([search, search])).operation_class == "one_to_many"


@pytest.mark.parametrize(
    "parts",
    [
        [part("POST /v1/faces:identify", {})],
        [part("POST /v1/images:annotate", annotate(99))],
        [part("POST /v1/images:annotate?alt=proto", annotate(5)), part("POST /nowhere", {})],
        [part("POST /batch", {})],
        [],
    ],
    ids=["no operation", "no feature", "two readings and no operation", "a batch", "nothing"],
)
def test_a_batch_with_what_nobody_knows_is_unknown(parts: list[str]) -> None:
    assert class_of(batch(parts)) == "unknown"


def test_a_batch_that_is_no_multipart_is_unknown() -> None:
    assert class_of(ask("google_batch", "/batch", {})) == "unknown"
