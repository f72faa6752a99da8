"""Amazon Rekognition Streaming: one operation, an event stream that is not read."""

from __future__ import annotations

import pytest

from gateway.core.request import Streaming
from tests.core.catalog.build import known, unheard_of
from tests.core.catalog.providers.collection import ask, operation_differences
from tests.core.catalog.providers.wires import wire_differences

PROVIDER = "aws_rekognitionstreaming"
EVENTS = "application/vnd.amazon.eventstream"


def test_every_collected_operation_is_here_with_its_class_and_paths() -> None:
    assert list(operation_differences(PROVIDER)) == []
    assert list(wire_differences(PROVIDER)) == []


@pytest.mark.parametrize(
    "body", [b"\x00\x00\x00\x10", Streaming(9_000_000)], ids=["whole", "streaming"]
)
def test_a_liveness_session_streams(body: bytes | Streaming) -> None:
    found = ask(
        PROVIDER,
        "/start-face-liveness-session",
        body,
        content_type=EVENTS,
        headers={"x-amz-rekognition-streaming-liveness-session-id": "s"},
    )

    assert known(found).operation_class == "liveness"


@pytest.mark.parametrize("path", ["/", "/start-face-search-session"])
def test_a_path_that_nobody_knows_is_unknown(path: str) -> None:
    unheard_of(ask(PROVIDER, path, b"\x00", content_type=EVENTS))
