"""VisionLabs LUNA PLATFORM 5, and version 3 as it keeps it alive."""

from __future__ import annotations

import pytest

from gateway.core.operation import Destination
from gateway.core.request import Streaming
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import doubtful, known, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)
from tests.core.catalog.providers.forms import path_differences

LUNA, BACKPORT = "visionlabs_luna", "visionlabs_luna_backport3"
RAW: dict[str, JsonValue] = {"type": "raw_descriptor", "data": "AA"}
ID = "c5c24a82-6845-4031-9d5d-978df9175426"


@pytest.mark.parametrize("provider", [LUNA, BACKPORT])
def test_every_collected_operation_is_here_with_its_class(provider: str) -> None:
    assert list(operation_differences(provider)) == []
    assert list(path_differences(provider, versions=("6",))) == []


def test_every_collected_request_is_what_the_collection_says() -> None:
    collected = collected_requests(LUNA)

    assert [found for each in collected for found in request_differences(each)] == []


@pytest.mark.parametrize(
    ("references", "candidates", "operation_class"),
    [(1, 1, "one_to_one"), (1, 2, "one_to_many"), (2, 1, "one_to_many"), (9, 9, "one_to_many")],
)
def test_raw_descriptors_are_compared_each_with_each(
    references: int, candidates: int, operation_class: str
) -> None:
    body: dict[str, JsonValue] = {
        "references": [RAW] * references,
        "candidates": [RAW] * candidates,
    }
    found = known(ask(LUNA, "/6/matcher/raw", body))

    assert found.operation_class == operation_class
    assert found.subclass == ("adhoc_set" if operation_class == "one_to_many" else "")


@pytest.mark.parametrize("resource", ["faces", "bodies", "faces/"])
def test_a_search_of_a_list_names_the_list(resource: str) -> None:
    body: dict[str, JsonValue] = {
        "references": [{"type": "face", "id": ID}],
        "candidates": [{"filters": {"list_id": "l1"}, "limit": 5}],
    }
    found = known(ask(LUNA, f"/6/matcher/{resource}", body))

    assert (found.operation_class, found.gallery) == ("one_to_many", "l1")


@pytest.mark.parametrize(
    ("query", "operation_class"),
    [
        ("face_ids=a", "one_to_one"),
        ("external_ids=a&image_type=1", "one_to_one"),
        ("face_ids=a,b", "one_to_many"),
        ("face_ids=a%2Cb", "one_to_many"),
        ("event_ids=a,b", "one_to_many"),
        ("face_ids=a&event_ids=b", "one_to_many"),
        ("attribute_ids=a&external_ids=b", "one_to_many"),
    ],
)
def test_a_verification_against_several_references_is_a_search(
    query: str, operation_class: str
) -> None:
    path = f"/6/verifiers/{ID}/verifications?{query}"
    found = known(ask(LUNA, path, b"\xff\xd8", content_type="image/jpeg"))

    assert found.operation_class == operation_class


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"url": "https://img.example/a.jpg"}', "application/json"),
        (b"\xff\xd8", "image/jpeg"),
        (b"--b--\r\n", "multipart/form-data; boundary=b"),
    ],
    ids=["json", "image", "policies"],
)
def test_an_event_is_a_search_because_the_handler_decides(body: bytes, content_type: str) -> None:
    found = known(ask(LUNA, f"/6/handlers/{ID}/events", body, content_type=content_type))

    assert found.operation_class == "one_to_many"


def test_a_handler_says_where_its_events_will_go() -> None:
    policies: dict[str, JsonValue] = {
        "match_policy": [],
        "storage_policy": {
            "callbacks": [
                {"type": "http", "url": "https://hooks.example/luna?token=SECRET"},
                {"type": "luna-ws-notification"},
            ],
            "notification_policy": {"callbacks": [{"url": "http://old.example:8080/SECRET"}]},
        },
    }
    found = known(ask(LUNA, "/6/handlers", {"policies": policies}))

    assert found.operation_class == "admin"
    assert found.destinations == (
        Destination(kind="callback", value="hooks.example"),
        Destination(kind="notification_url", value="old.example"),
    )


def test_an_image_that_streams_changes_nothing() -> None:
    found = known(ask(LUNA, "/6/detector", Streaming(9_000_000), content_type="image/png"))

    assert found.operation_class == "detect"


def test_descriptors_that_were_not_read_may_be_any_number() -> None:
    found = ask(LUNA, "/6/matcher/raw", Streaming(9_000_000), content_type="application/json")

    assert known(found).operation_class == "one_to_many"


@pytest.mark.parametrize("version", ["5", "4", "7", "v6", ""])
def test_another_version_is_unknown(version: str) -> None:
    unheard_of(ask(LUNA, f"/{version}/matcher/raw".replace("//", "/"), {"references": [RAW]}))


def test_a_list_is_named_in_the_path() -> None:
    found = known(ask(LUNA, "/6/lists/l1/faces", {"action": "attach"}, method="PATCH"))

    assert (found.access, found.gallery) == ("write", "l1")


@pytest.mark.parametrize("body", [b'{"candidates":[],"candidates":[1,2]}', b"[]", b"{"])
def test_descriptors_have_one_reading(body: bytes) -> None:
    found = ask(LUNA, "/6/matcher/raw", body, content_type="application/json")

    assert doubtful(found).operation_class == "one_to_many"


@pytest.mark.parametrize("version", ["4", "6"])
@pytest.mark.parametrize("verb", ["identify", "match", "search"])
def test_the_legacy_door_searches_too(version: str, verb: str) -> None:
    found = known(
        ask(BACKPORT, f"/{version}/matching/{verb}?list_id=l1", b"\xff", content_type="image/jpeg")
    )

    assert (found.operation_class, found.gallery) == ("one_to_many", "l1")


def test_the_legacy_door_compares_with_one_person() -> None:
    found = known(ask(BACKPORT, "/4/matching/verify?descriptor_id=d&person_id=p"))

    assert found.operation_class == "one_to_one"


def test_the_new_paths_are_not_known_at_the_legacy_door() -> None:
    unheard_of(ask(BACKPORT, "/6/matcher/raw", {"references": []}))
    unheard_of(ask(LUNA, "/6/matching/search"))
