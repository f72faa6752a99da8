"""Naver: celebrities are a gallery of the provider's own."""

from __future__ import annotations

import pytest

from tests.core.catalog.build import known, shipped
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)
from tests.core.catalog.providers.forms import MULTIPART, multipart, path_differences


def test_every_collected_operation_is_here_with_its_class() -> None:
    assert list(operation_differences("naver_cfr")) == []
    assert list(path_differences("naver_cfr")) == []


def test_every_collected_request_is_what_the_collection_says() -> None:
    collected = collected_requests("naver_cfr")

    assert [found for each in collected for found in request_differences(each)] == []


@pytest.mark.parametrize("slash", ["", "/"])
def test_naver_knows_celebrities_so_it_searches_a_gallery_of_its_own(slash: str) -> None:
    body = multipart(files=("image",))
    found = known(ask("naver_cfr", f"/v1/vision/celebrity{slash}", body, content_type=MULTIPART))
    face = known(ask("naver_cfr", f"/v1/vision/face{slash}", body, content_type=MULTIPART))

    assert (found.operation_class, found.subclass) == ("one_to_many", "builtin_gallery")
    assert face.operation_class == "detect"


def test_naver_s_secret_is_a_credential_and_its_id_is_none() -> None:
    provider = shipped().providers["naver_cfr"]

    assert provider.key_headers == {"x-naver-client-secret"}
    assert "x-naver-client-id" in provider.forward_headers
