"""Other Google APIs: told apart by host, and unknown unless they are proven harmless."""

from __future__ import annotations

import pytest

from tests.core.catalog.build import known, unheard_of
from tests.core.catalog.providers.collection import collected_requests
from tests.core.catalog.providers.wires import ask_at

PROVIDER = "google_other"
JSON = "application/json"


def test_every_collected_request_is_what_the_collection_says() -> None:
    for each in collected_requests(PROVIDER):
        headers = {name.lower(): value for name, value in each.headers}
        found = ask_at(headers["host"], PROVIDER, each.target, each.body, headers=headers)
        assert known(found).operation_class == each.operation_class, each.why


@pytest.mark.parametrize(
    ("host", "target"),
    [
        ("translation.googleapis.com", "/v3/projects/p:translateText"),
        ("speech.googleapis.com", "/v1/speech:recognize"),
        ("language.googleapis.com", "/v1/documents:analyzeEntities"),
    ],
)
def test_a_service_without_faces_is_unrelated(host: str, target: str) -> None:
    found = known(ask_at(host, PROVIDER, target, {}, content_type=JSON))

    assert (found.provider, found.operation_class) == (PROVIDER, "unrelated")


@pytest.mark.parametrize(
    ("host", "target"),
    [
        ("automl.googleapis.com", "/v1/projects/p/locations/l/models/m:predict"),
        ("aiplatform.googleapis.com", "/v1/projects/p/locations/l/endpoints/e:predict"),
        ("generativelanguage.googleapis.com", "/v1/models/m:generateContent"),
        ("storage.googleapis.com", "/faces/0001.jpg"),
        ("oauth2.googleapis.com", "/token"),
        ("iamcredentials.googleapis.com", "/v1/projects/-/serviceAccounts/s:generateAccessToken"),
        ("vision.googleapis.com", "/v1/images:annotate"),
        ("translation.googleapis.com.example", "/v3/projects/p:translateText"),
    ],
)
def test_a_service_that_may_look_at_faces_or_issues_tokens_is_unknown(
    host: str, target: str
) -> None:
    unheard_of(ask_at(host, PROVIDER, target, {}, content_type=JSON))
