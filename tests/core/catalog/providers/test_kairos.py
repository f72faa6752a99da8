"""Kairos: the face API and the identity API."""

from __future__ import annotations

import pytest

from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import FORM, doubtful, known, shipped, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)
from tests.core.catalog.providers.forms import MULTIPART, multipart, path_differences

KEYS = {"app_id": "EXAMPLE1", "app_key": "EXAMPLEKEY"}


def test_every_collected_operation_is_here_with_its_class() -> None:
    assert list(operation_differences("kairos")) == []
    assert list(path_differences("kairos")) == []


def test_every_collected_request_is_what_the_collection_says() -> None:
    collected = collected_requests("kairos")

    assert [found for each in collected for found in request_differences(each)] == []


@pytest.mark.parametrize(
    ("path", "operation_class", "access"),
    [
        ("/recognize", "one_to_many", "none"),
        ("/verify", "one_to_one", "none"),
        ("/enroll", "gallery", "write"),
        ("/gallery/view", "gallery", "read"),
        ("/gallery/remove_subject", "gallery", "delete"),
    ],
)
def test_the_gallery_is_named_in_the_body(path: str, operation_class: str, access: str) -> None:
    body: dict[str, JsonValue] = {"image": "https://img.example/a.jpg", "gallery_name": "MyGallery"}
    found = known(ask("kairos", path, body, headers=KEYS))

    assert (found.operation_class, found.access) == (operation_class, access)
    assert found.gallery == "MyGallery"


def test_a_gallery_is_found_in_a_form_too() -> None:
    posted = known(ask("kairos", "/recognize", b"gallery_name=staff&image=u", content_type=FORM))
    uploaded = known(
        ask(
            "kairos",
            "/recognize",
            multipart(("gallery_name", "staff"), files=("image",)),
            content_type=MULTIPART,
        )
    )

    assert posted.gallery == uploaded.gallery == "staff"


def test_two_names_of_a_gallery_are_two_readings() -> None:
    body: dict[str, JsonValue] = {"image": "u", "gallery_name": "a"}

    assert doubtful(ask("kairos", "/recognize?gallery_name=b", body)).operation_class in {
        "one_to_many",
        "unknown",
    }


@pytest.mark.parametrize(
    ("flag", "operation_class"),
    [
        ({}, "one_to_one"),
        ({"image_multiface": False}, "one_to_one"),
        ({"image_multiface": "false"}, "one_to_one"),
        ({"image_multiface": True}, "one_to_many"),
        ({"image_multiface": "true"}, "one_to_many"),
        ({"image_multiface": 1}, "one_to_many"),
    ],
    ids=repr,
)
def test_comparing_with_every_face_of_a_photo_is_a_small_search(
    flag: dict[str, JsonValue], operation_class: str
) -> None:
    found = known(ask("kairos", "/v0.1/biometric-verification", {"selfie": "a", **flag}))

    assert found.operation_class == operation_class


def test_emotions_are_also_asked_for_below_a_version() -> None:
    found = known(ask("kairos", "/v2/media?source=https%3A%2F%2Fimg.example%2Fa.jpg"))

    assert (found.name, found.operation_class) == ("POST /media", "detect")


def test_the_list_of_galleries_has_no_body() -> None:
    assert known(ask("kairos", "/gallery/list_all", headers=KEYS)).access == "read"


def test_the_headers_of_the_account_have_an_underscore() -> None:
    provider = shipped().providers["kairos"]

    assert {"app_id", "app_key"} <= provider.underscore_headers
    assert "app_key" in provider.key_headers
    assert "app_key" not in provider.forward_headers


@pytest.mark.parametrize("path", ["/v2/recognize", "/recognize/all", "/gallery/recognize"])
def test_a_path_that_the_documents_do_not_have_is_unknown(path: str) -> None:
    unheard_of(ask("kairos", path, {"gallery_name": "a"}))


@pytest.mark.parametrize("version", ["v0.1", "v0.2"])
def test_both_versions_of_the_identity_api_compare(version: str) -> None:
    body = multipart(files=("selfie", "image"))
    for path in ("biometric-verification", "full-id-verification"):
        found = ask("kairos", f"/{version}/{path}", body, content_type=MULTIPART)
        assert known(found).operation_class == "one_to_one"
