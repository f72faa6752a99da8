"""NEC ID: signed like AWS, and nothing of AWS."""

from __future__ import annotations

import pytest

from tests.core.catalog.build import doubtful, known, shipped, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)
from tests.core.catalog.providers.forms import path_differences

SIGNED = {
    "x-api-key": "EXAMPLEAPPKEY",
    "authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/ap-southeast-2/"
    "execute-api/aws4_request, SignedHeaders=host, Signature=00",
}


def test_every_collected_operation_is_here_with_its_class() -> None:
    assert list(operation_differences("nec_id")) == []
    assert list(path_differences("nec_id")) == []


def test_every_collected_request_is_what_the_collection_says() -> None:
    collected = collected_requests("nec_id")

    assert [found for each in collected for found in request_differences(each)] == []


@pytest.mark.parametrize("version", ["v1", "v1.1"])
@pytest.mark.parametrize(
    ("path", "operation_class", "access"),
    [
        ("/face/search", "one_to_many", "none"),
        ("/face/verify", "one_to_one", "none"),
        ("/face/extract", "embed", "none"),
        ("/subjects", "gallery", "write"),
        ("/jobs/bulkregister", "gallery", "write"),
        ("/subjects/search/events", "gallery", "write"),
        ("/tags/search", "admin", "none"),
    ],
)
def test_the_path_says_what_is_done_in_both_versions(
    version: str, path: str, operation_class: str, access: str
) -> None:
    found = known(ask("nec_id", f"/{version}{path}", {"image": "/9j/"}, headers=SIGNED))

    assert (found.operation_class, found.access) == (operation_class, access)


def test_the_key_that_names_the_gallery_is_not_told() -> None:
    found = known(ask("nec_id", "/v1.1/face/search", {"image": "/9j/"}, headers=SIGNED))

    assert found.gallery == ""
    assert "EXAMPLEAPPKEY" not in repr(found)
    assert "x-api-key" in shipped().providers["nec_id"].key_headers


def test_a_target_of_aws_names_nothing_here() -> None:
    headers = {**SIGNED, "x-amz-target": "RekognitionService.CompareFaces"}
    found = known(ask("nec_id", "/v1.1/face/search", {"image": "/9j/"}, headers=headers))

    assert found.operation_class == "one_to_many"
    unheard_of(ask("nec_id", "/", {}, headers=headers))


@pytest.mark.parametrize("path", ["/v2/face/search", "/face/search", "/v1.1/face"])
def test_another_version_is_unknown(path: str) -> None:
    unheard_of(ask("nec_id", path, {"image": "/9j/"}, headers=SIGNED))


@pytest.mark.parametrize("path", ["/v1.1/face//search", "/v1.1/face/%73earch"])
def test_a_disguised_path_is_refused_as_the_search_that_it_is(path: str) -> None:
    assert doubtful(ask("nec_id", path, {"image": "/9j/"})).operation_class == "one_to_many"
