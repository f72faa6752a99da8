"""Innovatrics SmartFace: watchlists, streams that are matched with them, and groupings."""

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

NAME = "innovatrics_smartface"
IMAGE: dict[str, JsonValue] = {"image": {"data": "/9j/"}}


def test_every_collected_operation_is_here_with_its_class() -> None:
    assert list(operation_differences(NAME)) == []
    assert list(path_differences(NAME)) == []


def test_every_collected_request_is_what_the_collection_says() -> None:
    collected = collected_requests(NAME)

    assert [found for each in collected for found in request_differences(each)] == []


@pytest.mark.parametrize(
    "path",
    ["/Watchlists/Search", "/Watchlists/SearchByTemplate", "/Faces/Search", "/Individuals/Search"],
)
def test_a_search_is_one_to_many(path: str) -> None:
    assert known(ask(NAME, f"/api/v1{path}", IMAGE)).operation_class == "one_to_many"


@pytest.mark.parametrize("member", ["watchlistIds", "WatchlistIds"])
def test_a_search_names_its_watchlists_in_either_spelling(member: str) -> None:
    found = known(ask(NAME, "/api/v1/Watchlists/Search", {**IMAGE, member: ["w1", "w2"]}))

    assert found.gallery == "w1,w2"


def test_a_search_of_palms_is_not_one_of_faces() -> None:
    found = known(ask(NAME, "/api/v1/Watchlists/SearchByPalm", IMAGE))

    assert found.operation_class == "unrelated"


@pytest.mark.parametrize(
    "path", ["/API/V1/WATCHLISTS/SEARCH", "/api/v1/watchlists/search", "/api/v1/Watchlists/seArch/"]
)
def test_letters_of_another_case_and_a_slash_do_not_hide_a_search(path: str) -> None:
    assert known(ask(NAME, path, IMAGE)).operation_class == "one_to_many"


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("kind", ["Cameras", "EdgeStreams", "VideoRecords"])
def test_setting_up_video_is_a_stream_search(kind: str, method: str) -> None:
    body: dict[str, JsonValue] = {"name": "gate", "source": "rtsp://camera.example/1"}
    found = known(ask(NAME, f"/api/v1/{kind}", body, method=method))

    assert found.operation_class == "stream_search"


@pytest.mark.parametrize("kind", ["Cameras", "EdgeStreams", "VideoRecords"])
def test_looking_at_video_or_ending_it_is_none(kind: str) -> None:
    for method, path in (("GET", kind), ("GET", f"{kind}/1"), ("DELETE", f"{kind}/1")):
        assert known(ask(NAME, f"/api/v1/{path}", method=method)).operation_class == "admin"


@pytest.mark.parametrize("path", ["/LiveGroupings", "/RecordGroupings/g1/Trigger"])
def test_a_grouping_clusters_faces(path: str) -> None:
    found = known(ask(NAME, f"/api/v1{path}", {"name": "a"}))

    assert (found.operation_class, found.subclass) == ("one_to_many", "clustering")


@pytest.mark.parametrize(
    ("method", "path", "body", "access", "gallery"),
    [
        ("GET", "/Watchlists/Search", {}, "read", "Search"),
        ("DELETE", "/Watchlists/w1", {}, "delete", "w1"),
        ("POST", "/WatchlistMembers/Register", {"watchlistIds": ["w1"]}, "write", "w1"),
        ("POST", "/WatchlistMembers/LinkToWatchlist", {"watchlistId": "w1"}, "write", "w1"),
        ("POST", "/WatchlistMembers/m1/AddNewFace", {"imageData": {}}, "write", ""),
    ],
)
def test_a_watchlist_is_a_gallery(
    method: str, path: str, body: dict[str, JsonValue], access: str, gallery: str
) -> None:
    found = known(ask(NAME, f"/api/v1{path}", body or b"", method=method))

    assert (found.operation_class, found.access, found.gallery) == ("gallery", access, gallery)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_stored_faces_are_read_and_erased(method: str) -> None:
    found = known(ask(NAME, "/api/v1/Faces/f1", method=method))

    expected = ("image_db", "read") if method == "GET" else ("gallery", "delete")
    assert (found.operation_class, found.access) == expected


def test_a_member_of_the_body_in_yet_another_case_is_a_second_reading() -> None:
    found = ask(NAME, "/api/v1/Watchlists/Search", {**IMAGE, "watchListIds": ["w1"]})

    assert doubtful(found).operation_class == "one_to_many"


@pytest.mark.parametrize(
    "path", ["/rpc/Watchlists/Search", "/odata/Cameras", "/api/v2/Watchlists/Search", "/api/v1"]
)
def test_the_older_doors_are_unknown(path: str) -> None:
    unheard_of(ask(NAME, path, IMAGE))
