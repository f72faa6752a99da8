"""Luxand.cloud: the version behind the verb."""

from __future__ import annotations

import pytest

from tests.core.catalog.build import FORM, doubtful, known, shipped, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)
from tests.core.catalog.providers.forms import MULTIPART, multipart, path_differences

SEARCHES = ["/photo/search", "/photo/search/v2", "/photo/search2"]


def test_every_collected_operation_is_here_with_its_class() -> None:
    assert list(operation_differences("luxand")) == []
    assert list(path_differences("luxand")) == []


def test_every_collected_request_is_what_the_collection_says() -> None:
    collected = collected_requests("luxand")

    assert [found for each in collected for found in request_differences(each)] == []


@pytest.mark.parametrize("path", SEARCHES)
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (multipart(files=("photo",)), MULTIPART),
        (b"photo=https%3A%2F%2Fimg.example%2Fa.jpg", FORM),
        (b'{"photo": "https://img.example/a.jpg"}', "application/json"),
    ],
    ids=["file", "form", "json"],
)
def test_a_search_is_one_in_each_of_its_three_spellings(
    path: str, body: bytes, content_type: str
) -> None:
    found = known(ask("luxand", path, body, content_type=content_type))

    assert (found.operation_class, found.gallery) == ("one_to_many", "")


@pytest.mark.parametrize("path", SEARCHES)
@pytest.mark.parametrize("field", ["gallery", "collections"])
def test_a_search_may_name_its_collection(path: str, field: str) -> None:
    body = multipart((field, "43c3335b"), files=("photo",))

    assert known(ask("luxand", path, body, content_type=MULTIPART)).gallery == "43c3335b"


@pytest.mark.parametrize(
    ("path", "operation_class"),
    [
        ("/photo/verify/43c3335b", "one_to_one"),
        ("/photo/verify/search", "one_to_one"),
        ("/photo/similarity", "one_to_one"),
        ("/photo/liveness", "liveness"),
        ("/photo/liveness/v2", "liveness"),
        ("/photo", "image_db"),
    ],
)
def test_other_questions_about_a_photo_are_no_search(path: str, operation_class: str) -> None:
    found = known(ask("luxand", path, multipart(files=("photo",)), content_type=MULTIPART))

    assert found.operation_class == operation_class


def test_a_person_is_enrolled_with_several_photos() -> None:
    body = multipart(("name", "a"), ("store", "1"), files=("photos", "photos"))
    found = known(ask("luxand", "/v2/person", body, content_type=MULTIPART))

    assert (found.operation_class, found.access) == ("gallery", "write")


def test_a_person_is_put_into_the_collection_that_the_path_names() -> None:
    found = known(ask("luxand", "/collection/c1/person/p1"))

    assert (found.access, found.gallery) == ("write", "c1")


@pytest.mark.parametrize(
    "path", ["/photo/search/v3", "/photo/search3", "/photo/search/v2/x", "/v2/photo/search"]
)
def test_a_version_that_was_never_seen_is_unknown(path: str) -> None:
    unheard_of(ask("luxand", path, b"photo=a", content_type=FORM))


def test_a_collection_named_twice_is_two_readings() -> None:
    body = multipart(("gallery", "a"), ("gallery", "b"), files=("photo",))
    found = ask("luxand", "/photo/search2", body, content_type=MULTIPART)

    assert doubtful(found).operation_class == "one_to_many"


def test_the_token_stands_in_a_header_of_its_own() -> None:
    assert "token" in shipped().providers["luxand"].key_headers
