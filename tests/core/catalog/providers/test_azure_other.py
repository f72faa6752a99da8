"""Other services on the hosts of Azure Face: no faces, or unknown."""

from __future__ import annotations

import pytest

from tests.core.catalog.build import known, unheard_of
from tests.core.catalog.providers.collection import ask, collected_requests, request_differences

PROVIDER = "azure_other"


def test_every_collected_request_is_what_the_collection_says() -> None:
    collected = collected_requests(PROVIDER)

    assert [found for each in collected for found in request_differences(each)] == []


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/language/:analyze-text?api-version=2023-04-01"),
        ("GET", "/speechtotext/v3.2/transcriptions/t"),
        ("POST", "/translator/text/v3.0/translate"),
        ("DELETE", "/Language/analyze-conversations/projects/identify"),
    ],
)
def test_a_service_without_faces_is_unrelated(method: str, target: str) -> None:
    found = known(ask(PROVIDER, target, b"" if method != "POST" else {}, method=method))

    assert (found.provider, found.operation_class) == (PROVIDER, "unrelated")


@pytest.mark.parametrize(
    "target",
    [
        "/sts/v1.0/issueToken",
        "/customvision/v3.0/Prediction/p/classify/iterations/i/image",
        "/computervision/retrieval:vectorizeImage",
        "/openai/deployments/d/chat/completions",
        "/face/v9.9/identify",
        "/language",
    ],
)
def test_a_service_that_may_look_at_faces_or_issues_tokens_is_unknown(target: str) -> None:
    unheard_of(ask(PROVIDER, target, {}))


def test_a_search_at_the_same_host_stays_a_search() -> None:
    found = known(ask(PROVIDER, "/face/v1.0/identify", {"faceIds": ["a"], "personGroupId": "g"}))

    assert (found.provider, found.operation_class) == ("azure_face", "one_to_many")
