"""NtechLab FindFace: in the cloud by path, on site by one parameter of a listing."""

from __future__ import annotations

import pytest

from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import FORM, doubtful, known, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)
from tests.core.catalog.providers.forms import MULTIPART, multipart, path_differences

CLOUD, MULTI = "ntechlab_findface_cloud", "ntechlab_findface_multi"
LISTINGS = ["/cards/humans/", "/dossiers/", "/objects/faces/", "/events/faces/"]


@pytest.mark.parametrize("provider", [CLOUD, MULTI])
def test_every_collected_operation_is_here_with_its_class(provider: str) -> None:
    assert list(operation_differences(provider)) == []
    assert list(path_differences(provider)) == []


@pytest.mark.parametrize("provider", [CLOUD, MULTI])
def test_every_collected_request_is_what_the_collection_says(provider: str) -> None:
    collected = collected_requests(provider)

    assert [found for each in collected for found in request_differences(each)] == []


@pytest.mark.parametrize("path", LISTINGS)
@pytest.mark.parametrize(
    "query", ["looks_like=detection:cf4f", "page=1&looks_like=detection%3Acf4f", "looks_like="]
)
def test_a_listing_of_what_looks_like_a_face_is_a_search(path: str, query: str) -> None:
    found = known(ask(MULTI, f"{path}?{query}", method="GET"))

    assert (found.operation_class, found.access) == ("one_to_many", "none")


@pytest.mark.parametrize(
    ("path", "operation_class"), list(zip(LISTINGS, ["gallery"] * 3 + ["results"], strict=True))
)
def test_a_plain_listing_is_no_search(path: str, operation_class: str) -> None:
    found = known(ask(MULTI, f"{path}?active=true&page=1", method="GET"))

    assert found.operation_class == operation_class


def test_a_search_of_several_watch_lists_is_a_search() -> None:
    path = "/cards/humans/?looks_like=d&watch_lists=3&watch_lists=4"

    assert known(ask(MULTI, path, method="GET")).operation_class == "one_to_many"


@pytest.mark.parametrize(
    "query",
    [
        "looks_like=a&looks_like=b",
        "Looks_Like=a",
        "looks_like=a&LOOKS_LIKE=b",
        "active=true;looks_like=a",
    ],
)
def test_the_parameter_that_decides_stands_once_in_its_own_spelling(query: str) -> None:
    found = ask(MULTI, f"/cards/humans/?{query}", method="GET")

    assert doubtful(found).operation_class == "one_to_many"


@pytest.mark.parametrize("path", ["/verify", "/verify/"])
@pytest.mark.parametrize(
    ("query", "operation_class"),
    [
        ("object1=detection:a&object2=faceevent:b", "one_to_one"),
        ("card_id=1&object1=detection:a&object2=faceobject:b", "one_to_one"),
        ("card_id=1&object1=detection:a", "one_to_many"),
        ("object1=detection:a", "one_to_many"),
    ],
)
def test_a_comparison_without_its_second_object_is_one_with_all_of_a_card(
    path: str, query: str, operation_class: str
) -> None:
    found = known(ask(MULTI, f"{path}?{query}", method="GET"))

    assert found.operation_class == operation_class


def test_a_detection_mints_the_probe_of_a_later_search() -> None:
    found = known(ask(MULTI, "/detect", multipart(files=("photo",)), content_type=MULTIPART))

    assert (found.operation_class, found.subclass) == ("detect", "faceid_minted")


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"photo": "https://img.example/a.jpg", "n": 10}', "application/json"),
        (b"photo=https%3A%2F%2Fimg.example%2Fa.jpg", FORM),
        (multipart(files=("photo",)), MULTIPART),
        (b"", ""),
    ],
    ids=["json", "form", "file", "query"],
)
def test_a_search_in_the_cloud_is_one_however_its_parameters_travel(
    version: str, body: bytes, content_type: str
) -> None:
    path = f"/{version}/faces/gallery/ppl/identify/?photo=u"
    found = known(ask(CLOUD, path, body, content_type=content_type))

    assert (found.operation_class, found.gallery) == ("one_to_many", "ppl")


def test_a_search_of_all_galleries_names_none() -> None:
    found = known(ask(CLOUD, "/v1/identify/", {"photo": "u"}))

    assert (found.operation_class, found.gallery) == ("one_to_many", "")


@pytest.mark.parametrize(
    ("selector", "operation_class"),
    [(None, "one_to_one"), ("biggest", "one_to_one"), ("all", "one_to_many"), (1, "one_to_many")],
)
def test_a_comparison_of_all_faces_of_a_photo_is_a_small_search(
    selector: JsonValue, operation_class: str
) -> None:
    body: dict[str, JsonValue] = {"photo1": "a", "photo2": "b", "mf_selector": selector}

    assert known(ask(CLOUD, "/v1/verify/", body)).operation_class == operation_class


def test_an_option_in_the_query_counts_like_one_in_the_body() -> None:
    found = ask(CLOUD, "/v1/verify/?mf_selector=all", {"photo1": "a", "photo2": "b"})

    assert known(found).operation_class == "one_to_many"


@pytest.mark.parametrize(
    ("provider", "path"),
    [(CLOUD, "/v2/identify/"), (CLOUD, "/identify/"), (MULTI, "/cards/"), (MULTI, "/cards/cars/")],
)
def test_a_path_that_the_documents_do_not_have_is_unknown(provider: str, path: str) -> None:
    unheard_of(ask(provider, path, method="POST" if provider == CLOUD else "GET"))
