"""Huawei FRS: named by method and path, where several operations of one class share a path."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gateway.core.operation import Classified, Operation, class_of
from gateway.core.request import Body, Streaming
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import FORM, doubtful, known, shipped, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)
from tests.core.catalog.providers.forms import MULTIPART, multipart

PROJECT = "0123456789abcdef0123456789abcdef"
SET = "/face-sets/staff"


def frs(
    path: str,
    body: Body | bytes | str | Mapping[str, JsonValue] = b"",
    *,
    method: str = "POST",
    version: str = "v2",
    content_type: str = "application/json",  # the SDK says so of an empty body too
) -> Classified:
    target = f"/{version}/{PROJECT}{path}"
    return ask("huawei_frs", target, body, method=method, content_type=content_type)


def test_the_operations_are_those_that_were_collected() -> None:
    assert list(operation_differences("huawei_frs")) == []


def test_the_collected_requests_are_what_the_collection_says() -> None:
    collected = collected_requests("huawei_frs")

    assert len(collected) >= 8
    assert [each for one in collected for each in request_differences(one)] == []


@pytest.mark.parametrize(
    ("method", "path", "name", "access", "gallery"),
    [
        ("POST", "/face-sets", "CreateFaceSet", "write", ""),
        ("GET", "/face-sets", "ShowAllFaceSets", "read", ""),
        ("GET", SET, "ShowFaceSet", "read", "staff"),
        ("DELETE", SET, "DeleteFaceSet", "delete", "staff"),
        ("PUT", f"{SET}/faces", "UpdateFace", "write", "staff"),
        ("GET", f"{SET}/faces?limit=9", "ShowFacesByLimit", "read", "staff"),
        ("GET", f"{SET}/faces?face_id=f", "ShowFacesByFaceId", "read", "staff"),
        ("DELETE", f"{SET}/faces?face_id=f", "DeleteFaceByFaceId", "delete", "staff"),
        ("DELETE", f"{SET}/faces/batch", "BatchDeleteFaces", "delete", "staff"),
    ],
)
def test_method_and_path_name_the_operation(
    method: str, path: str, name: str, access: str, gallery: str
) -> None:
    found = known(frs(path, method=method))

    assert (found.name, found.operation_class) == (name, "gallery")
    assert (found.access, found.gallery) == (access, gallery)


def test_a_face_set_is_made_under_the_name_in_the_body() -> None:
    assert known(frs("/face-sets", {"face_set_name": "staff"})).gallery == "staff"


@pytest.mark.parametrize(
    ("path", "stem", "member", "operation_class"),
    [
        (f"{SET}/search", "SearchFace", "image", "one_to_many"),
        (f"{SET}/faces", "AddFaces", "image", "gallery"),
        ("/face-detect", "DetectFace", "image", "detect"),
        ("/face-compare", "CompareFace", "image1", "one_to_one"),
        ("/live-detect", "DetectLive", "video", "liveness"),
    ],
)
def test_the_member_that_brings_the_image_names_the_operation(
    path: str, stem: str, member: str, operation_class: str
) -> None:
    suffix = "Intl" if stem == "DetectLive" else ""
    file = multipart(files=(f"{member}_file",))
    for found, how in (
        (frs(path, {f"{member}_base64": "aGk="}), "Base64"),
        (frs(path, {f"{member}_url": "/bucket/a.jpg"}), "Url"),
        (frs(path, file, content_type=MULTIPART), "File"),
    ):
        assert known(found).name == f"{stem}By{how}{suffix}"
        assert known(found).operation_class == operation_class


def test_an_enrolled_face_searches_as_an_image_does() -> None:
    found = known(frs(f"{SET}/search", {"face_id": "f", "top_n": 5}))

    assert (found.name, found.gallery) == ("SearchFaceByFaceId", "staff")
    assert found.operation_class == "one_to_many"


@pytest.mark.parametrize(
    "body", [{}, {"top_n": 5}, {"image_base64": None}, {"image_base64": "a", "face_id": "f"}]
)
def test_a_search_is_a_search_whatever_brings_the_image(body: dict[str, JsonValue]) -> None:
    assert class_of(frs(f"{SET}/search", body)) == "one_to_many"


def test_a_search_that_streams_is_a_search() -> None:
    assert class_of(frs(f"{SET}/search", Streaming(9_000_000))) == "one_to_many"


@pytest.mark.parametrize(
    ("path", "name"), [("/live-detect", "DetectLiveByUrl"), ("/live-detect-face", "DetectLiveFace")]
)
def test_liveness_of_the_first_version_has_paths_of_its_own(path: str, name: str) -> None:
    member = "image_url" if path.endswith("face") else "video_url"
    found = known(frs(path, {member: "u"}, version="v1"))

    assert found.name.startswith(name)
    assert found.operation_class == "liveness"


@pytest.mark.parametrize(
    ("version", "path"),
    [
        ("v1", f"{SET}/search"),
        ("v3", f"{SET}/search"),
        ("v2", f"{SET}/Search"),
        ("v2", "/face-sets/search"),
        ("v2", f"{SET}/search/x"),
        ("v2", "/live-detect-face"),
    ],
)
def test_a_path_that_the_table_does_not_have_is_unknown(version: str, path: str) -> None:
    unheard_of(frs(path, {"image_base64": "aGk="}, version=version))


def test_a_face_set_that_is_called_search_is_a_face_set() -> None:
    found = known(frs("/face-sets/search", method="DELETE"))

    assert (found.name, found.gallery) == ("DeleteFaceSet", "search")


@pytest.mark.parametrize(
    "content",
    ['{"image_url": "a", "image_url": "b"}', '{"image_url": "a", "Image_Url": "b"}', "[]", "{"],
)
def test_a_body_without_one_reading_is_refused(content: str) -> None:
    assert doubtful(frs(f"{SET}/search", content)).operation_class == "one_to_many"


def test_a_form_has_no_reading() -> None:
    found = frs(f"{SET}/search", "image_url=a", content_type=FORM)

    assert doubtful(found).operation_class == "one_to_many"


def test_a_disguised_path_is_never_less_than_a_search() -> None:
    for path in (f"/{SET}/search", f"{SET}/faces/../search", f"{SET}/s%65arch"):
        found = frs(path, {"image_url": "a"})
        assert not isinstance(found, Operation)
        assert class_of(found) == "one_to_many"


def test_the_token_is_a_key_and_never_forwarded() -> None:
    provider = shipped().providers["huawei_frs"]

    assert provider.key_headers == {"x-auth-token"}
    assert not {"x-auth-token", "x-sdk-date", "authorization"} & provider.forward_headers
