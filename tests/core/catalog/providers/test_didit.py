"""Didit: a search at a provider of identity verification."""

from __future__ import annotations

import pytest

from tests.core.catalog.build import doubtful, known, unheard_of
from tests.core.catalog.providers.collection import ask, operation_differences
from tests.core.catalog.providers.forms import MULTIPART, multipart, path_differences


def test_every_collected_operation_is_here_with_its_class() -> None:
    assert list(operation_differences("didit")) == []
    assert list(path_differences("didit")) == []


def test_didit_searches_compares_and_lists() -> None:
    body = multipart(("save_api_request", "true"), files=("user_image",))
    search = known(ask("didit", "/v3/face-search/", body, content_type=MULTIPART))
    match = known(ask("didit", "/v3/face-match/", body, content_type=MULTIPART))
    listed = known(ask("didit", "/v3/lists/l1/entries/face-upload/", body, content_type=MULTIPART))

    assert search.operation_class == "one_to_many"
    assert match.operation_class == "one_to_one"
    assert (listed.operation_class, listed.access, listed.gallery) == ("gallery", "write", "l1")


@pytest.mark.parametrize("path", ["/v2/face-search/", "/v3/session/", "/v3/"])
def test_didit_s_other_paths_are_unknown(path: str) -> None:
    unheard_of(ask("didit", path))


@pytest.mark.parametrize("content_type", ["application/json", "", "text/plain"])
def test_didit_takes_nothing_but_a_form(content_type: str) -> None:
    found = ask("didit", "/v3/face-search/", b"{}", content_type=content_type)

    assert doubtful(found).operation_class == "one_to_many"
