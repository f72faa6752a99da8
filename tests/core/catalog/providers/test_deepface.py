"""DeepFace: one path an operation, in whichever form the images travel."""

from __future__ import annotations

import hashlib

import pytest

from gateway.core.catalog.probes import probes_of
from gateway.core.request import Streaming
from tests.core.catalog.build import FORM, doubtful, known, request, shipped, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)
from tests.core.catalog.providers.forms import MULTIPART, multipart, path_differences

PATHS = {
    "/search": "one_to_many",
    "/find": "one_to_many",
    "/verify": "one_to_one",
    "/represent": "embed",
    "/analyze": "detect",
    "/register": "gallery",
    "/build/index": "gallery",
}


def test_every_collected_operation_is_here_with_its_class() -> None:
    assert list(operation_differences("deepface")) == []
    assert list(path_differences("deepface")) == []


def test_every_collected_request_is_what_the_collection_says() -> None:
    collected = collected_requests("deepface")

    assert [found for each in collected for found in request_differences(each)] == []


@pytest.mark.parametrize(("path", "operation_class"), PATHS.items())
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"img": "https://img.example/a.jpg"}', "application/json"),
        (b"img=https%3A%2F%2Fimg.example%2Fa.jpg&k=5", FORM),
        (multipart(("img", "/data/a.jpg"), files=("img2",)), MULTIPART),
    ],
    ids=["json", "form", "files"],
)
def test_the_path_says_what_is_done_in_each_form_of_the_body(
    path: str, operation_class: str, body: bytes, content_type: str
) -> None:
    found = known(ask("deepface", path, body, content_type=content_type))

    assert found.operation_class == operation_class


@pytest.mark.parametrize(("path", "access"), [("/register", "write"), ("/build/index", "train")])
def test_the_database_is_written_and_indexed(path: str, access: str) -> None:
    found = known(ask("deepface", path, {"img": "a", "model_name": "Facenet"}))

    assert (found.access, found.gallery) == (access, "")


def test_one_step_of_a_walk_through_a_folder_of_the_server_is_one_to_one() -> None:
    found = known(ask("deepface", "/verify", {"img1": "p.jpg", "img2": "/data/faces/0001.jpg"}))

    assert found.operation_class == "one_to_one"


def test_both_images_of_a_comparison_are_probes() -> None:
    made = request(
        "deepface",
        target="/verify",
        body={"img1": "data:image/jpeg;base64,/9g=", "img2": "/9j/"},
        content_type="application/json",
    )
    hashes = probes_of(made, shipped())

    assert hashes == tuple(
        f"sha256:{hashlib.sha256(each).hexdigest()}" for each in (b"\xff\xd8", b"\xff\xd8\xff")
    )


def test_a_body_that_streams_changes_nothing() -> None:
    found = known(ask("deepface", "/search", Streaming(9_000_000), content_type=MULTIPART))

    assert found.operation_class == "one_to_many"


@pytest.mark.parametrize("path", ["//search", "/%73earch", "/verify/../search", "/search;a=b"])
def test_a_disguised_path_is_refused_as_the_search_that_it_is(path: str) -> None:
    assert doubtful(ask("deepface", path, {"img": "a"})).operation_class == "one_to_many"


@pytest.mark.parametrize(
    ("path", "method"),
    [("/search/now", "POST"), ("/search", "GET"), ("/", "GET"), ("/v1/search", "POST")],
)
def test_what_the_server_does_not_route_is_unknown(path: str, method: str) -> None:
    unheard_of(ask("deepface", path, method=method))


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json; charset=utf-16"])
def test_a_body_in_a_type_that_the_server_does_not_read_has_no_reading(content_type: str) -> None:
    found = ask("deepface", "/search", b'{"img": "a"}', content_type=content_type)

    assert doubtful(found).operation_class == "one_to_many"
