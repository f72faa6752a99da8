"""Regula: a comparison of many images is a search."""

from __future__ import annotations

import pytest

from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import doubtful, known, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)
from tests.core.catalog.providers.forms import path_differences


def images(count: int, **first: JsonValue) -> dict[str, JsonValue]:
    made: list[JsonValue] = [{"index": index, "data": "/9j/"} for index in range(1, count)]
    return {"images": [{"index": 0, "data": "/9j/", **first}, *made]}


def test_every_collected_operation_is_here_with_its_class() -> None:
    assert list(operation_differences("regula")) == []
    assert list(path_differences("regula")) == []


def test_every_collected_request_is_what_the_collection_says() -> None:
    collected = collected_requests("regula")

    assert [found for each in collected for found in request_differences(each)] == []


@pytest.mark.parametrize(
    ("body", "operation_class", "subclass"),
    [
        (images(2), "one_to_one", ""),
        (images(2, detectAll=False), "one_to_one", ""),
        (images(2, detectAll=None), "one_to_one", ""),
        (images(2, detectAll=True), "one_to_many", "adhoc_set"),
        (images(2, detectAll="true"), "one_to_many", "adhoc_set"),
        (images(3), "one_to_many", "adhoc_set"),
        (images(200), "one_to_many", "adhoc_set"),
    ],
    ids=["two", "not-all", "null", "all", "all-as-text", "three", "200"],
)
def test_more_than_two_images_or_all_faces_of_two_are_a_set(
    body: dict[str, JsonValue], operation_class: str, subclass: str
) -> None:
    found = known(ask("regula", "/api/match", body))

    assert (found.operation_class, found.subclass) == (operation_class, subclass)


@pytest.mark.parametrize("path", ["/api/search", "/api/match_and_search"])
def test_a_search_names_its_groups(path: str) -> None:
    body: dict[str, JsonValue] = {"groupIds": ["g1", "g2"], "image": {"content": "/9j/"}}
    found = known(ask("regula", path, body))

    assert (found.operation_class, found.gallery) == ("one_to_many", "g1,g2")


def test_a_search_that_enrols_its_probe_stays_a_search() -> None:
    body: dict[str, JsonValue] = {"createPerson": {"name": "a"}, "image": {"content": "/9j/"}}

    assert known(ask("regula", "/api/search", body)).operation_class == "one_to_many"


@pytest.mark.parametrize(
    ("path", "method", "access", "gallery"),
    [
        ("/api/persons/search", "DELETE", "delete", ""),
        ("/api/groups/search", "GET", "read", "search"),
        ("/api/groups/g1/persons", "PUT", "write", "g1"),
        ("/api/persons/p1/images", "POST", "write", ""),
    ],
)
def test_persons_and_groups_are_galleries(
    path: str, method: str, access: str, gallery: str
) -> None:
    body: bytes | dict[str, JsonValue] = {"name": "a"} if method in {"POST", "PUT"} else b""
    found = known(ask("regula", path, body, method=method, content_type="application/json"))

    assert (found.operation_class, found.access, found.gallery) == ("gallery", access, gallery)


def test_an_image_of_a_person_is_of_the_image_database() -> None:
    found = known(ask("regula", "/api/persons/p1/images/i1", method="GET"))

    assert (found.operation_class, found.access) == ("image_db", "read")


@pytest.mark.parametrize(
    "body",
    [
        b'{"images":[{},{}],"images":[{},{},{}]}',
        b'{"images":{"a":1}}',
        b'{"images":[{"detectAll":false,"detectAll":true},{}]}',
        b'\xef\xbb\xbf{"images":[{},{}]}',
    ],
)
def test_images_have_one_reading(body: bytes) -> None:
    found = ask("regula", "/api/match", body, content_type="application/json")

    assert doubtful(found).operation_class == "one_to_many"


@pytest.mark.parametrize("path", ["/match", "/api/v1/match", "/api/search/all", "/api"])
def test_a_path_that_the_specification_does_not_have_is_unknown(path: str) -> None:
    unheard_of(ask("regula", path, images(2)))
