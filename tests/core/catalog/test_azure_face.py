"""Azure AI Face: operations by method and path, in every published API version."""

from __future__ import annotations

import pytest

from gateway.core.operation import Destination
from gateway.core.request import Streaming
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import FACE, azure, doubtful, known, unheard_of

OTHER = "65d083d4-9447-47d1-af30-b626144bf0fb"
SPELLINGS = [
    "v1.0",
    "v1.0-preview",
    "v1.1-preview.1",
    "v1.1-preview-1",
    "v1.2-preview.1",
    "v1.2",
    "v1.3-preview.1",
]


@pytest.mark.parametrize("version", SPELLINGS)
def test_a_search_is_one_to_many_in_every_published_version(version: str) -> None:
    found = known(
        azure(f"/face/{version}/identify", {"faceIds": [FACE], "largePersonGroupId": "staff"})
    )

    assert (found.name, found.operation_class) == ("POST /identify", "one_to_many")
    assert found.gallery == "staff"


@pytest.mark.parametrize("version", SPELLINGS)
def test_a_comparison_is_one_to_one_in_every_published_version(version: str) -> None:
    found = known(azure(f"/face/{version}/verify", {"faceId1": FACE, "faceId2": OTHER}))

    assert (found.operation_class, found.gallery) == ("one_to_one", "")


@pytest.mark.parametrize("version", ["v9.9", "v1", "v1.1", "v1.2-preview-1", "latest"])
def test_a_version_that_was_never_published_is_unknown(version: str) -> None:
    unheard_of(azure(f"/face/{version}/verify", {"faceId1": FACE, "faceId2": OTHER}))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/face/v1.0/detectLiveness/singleModal/sessions"),
        ("POST", "/face/v1.2/snapshots"),
        ("GET", "/face/v1.2/settings/getClientAssetsAccessToken"),
        ("POST", "/face/v1.2/compare"),
    ],
)
def test_a_path_is_unknown_in_a_version_that_does_not_have_it(method: str, path: str) -> None:
    unheard_of(azure(path, method=method))


@pytest.mark.parametrize(
    "path",
    [
        "/face/v1.0/identify/now",
        "/face/v1.0",
        "/face/v1.0/",
        "/identify",
        "/face/identify",
        "/gw/face/v1.0/identify",
        "/",
    ],
)
def test_a_path_that_the_table_does_not_have_is_unknown(path: str) -> None:
    unheard_of(azure(path, {"faceIds": [FACE]}))


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS", "post"])
def test_a_method_that_the_path_does_not_have_is_unknown(method: str) -> None:
    unheard_of(azure("/face/v1.0/identify", method=method))


@pytest.mark.parametrize(
    "path", ["/face/v1.0/facelists/fl1/persistedFaces", "/FACE/V1.0/FaceLists/fl1/PERSISTEDFACES"]
)
def test_fixed_segments_are_known_in_any_case(path: str) -> None:
    found = known(azure(path, {"url": "https://img.example/a.jpg"}))

    assert (found.operation_class, found.access, found.gallery) == ("gallery", "write", "fl1")


@pytest.mark.parametrize("name", ["identify", "verify", "train", "persons", "Search-1"])
def test_a_gallery_may_be_called_like_an_operation(name: str) -> None:
    read = known(azure(f"/face/v1.2/largepersongroups/{name}", method="GET"))
    trained = known(azure(f"/face/v1.2/largepersongroups/{name}/train"))

    assert (read.operation_class, read.access, read.gallery) == ("gallery", "read", name)
    assert (trained.access, trained.gallery) == ("train", name)


@pytest.mark.parametrize(
    ("method", "path", "access"),
    [
        ("GET", "/persongroups", "read"),
        ("PUT", "/persongroups/g", "write"),
        ("PATCH", "/largepersongroups/g/persons/p/persistedfaces/f", "write"),
        ("DELETE", "/largepersongroups/g/persons/p", "delete"),
        ("DELETE", "/persongroups/g", "delete"),
        ("POST", "/persongroups/g/train", "train"),
        ("GET", "/persongroups/g/training", "read"),
        ("POST", "/snapshots", "export"),
    ],
)
def test_what_is_done_to_a_gallery_is_its_access(method: str, path: str, access: str) -> None:
    found = known(azure(f"/face/v1.0{path}", method=method))

    assert (found.operation_class, found.access) == ("gallery", access)


def test_a_snapshot_goes_to_the_subscriptions_that_it_names() -> None:
    body: dict[str, JsonValue] = {"type": "FaceList", "objectId": "fl1", "applyScope": ["s1", "s2"]}
    found = known(azure("/face/v1.0/snapshots", body))

    assert found.gallery == "fl1"
    assert [each.value for each in found.destinations] == ["s1", "s2"]
    assert found.destinations[0] == Destination(kind="subscription", value="s1")


@pytest.mark.parametrize(
    ("body", "gallery"),
    [
        ({"personGroupId": "family", "largePersonGroupId": None}, "family"),
        ({"dynamicPersonGroupId": "visitors"}, "visitors"),
        ({"personGroupId": None}, ""),
        ({}, ""),
    ],
)
def test_a_gallery_that_is_null_is_not_named(body: dict[str, JsonValue], gallery: str) -> None:
    assert known(azure("/face/v1.0/identify", {"faceIds": [FACE], **body})).gallery == gallery


@pytest.mark.parametrize(
    ("path", "member"), [("/identify", "personIds"), ("/findsimilars", "faceIds")]
)
@pytest.mark.parametrize(
    ("candidates", "subclass"),
    [([], ""), (["a"], "single_candidate"), (["a", "b"], "adhoc_set")],
)
def test_a_search_stays_one_to_many_however_few_candidates_it_names(
    path: str, member: str, candidates: list[JsonValue], subclass: str
) -> None:
    found = known(azure(f"/face/v1.1-preview.1{path}", {member: candidates}))

    assert (found.operation_class, found.subclass) == ("one_to_many", subclass)


def test_the_whole_directory_is_no_single_candidate() -> None:
    assert known(azure("/face/v1.2/identify", {"personIds": ["*"]})).subclass == ""


def test_a_search_of_a_list_has_the_list_as_its_gallery() -> None:
    found = known(azure("/face/v1.0/findsimilars", {"faceId": FACE, "largeFaceListId": "fl"}))

    assert (found.operation_class, found.gallery) == ("one_to_many", "fl")


def test_grouping_is_one_to_many() -> None:
    found = known(azure("/face/v1.0/group", {"faceIds": [FACE, OTHER]}))

    assert (found.operation_class, found.subclass) == ("one_to_many", "clustering")


def test_a_comparison_names_the_gallery_of_its_person() -> None:
    body: dict[str, JsonValue] = {"faceId": FACE, "personId": OTHER, "personGroupId": "family"}
    found = known(azure("/face/v1.0/verify", body))

    assert (found.operation_class, found.gallery) == ("one_to_one", "family")


@pytest.mark.parametrize(
    ("query", "subclass"),
    [
        ("", "faceid_minted"),
        ("?returnFaceId=true", "faceid_minted"),
        ("?returnFaceId=", "faceid_minted"),
        ("?returnFaceId=no", "faceid_minted"),
        ("?returnFaceId=false&top=1", ""),
        ("?RETURNFACEID=false", ""),
    ],
)
def test_detection_mints_a_face_id_unless_it_is_told_not_to(query: str, subclass: str) -> None:
    found = known(azure(f"/face/v1.2/detect{query}", {"url": "https://img.example/a.jpg"}))

    assert (found.operation_class, found.subclass) == ("detect", subclass)


@pytest.mark.parametrize(
    "path", ["/detect", "/facelists/l/persistedfaces", "/persongroups/g/persons/p/persistedfaces"]
)
@pytest.mark.parametrize("body", [b"\xff\xd8\xff\xe0{", Streaming(6_000_000)])
def test_an_image_is_taken_as_it_is_where_one_is_expected(
    path: str, body: bytes | Streaming
) -> None:
    known(azure(f"/face/v1.0{path}", body, content_type="application/octet-stream"))


@pytest.mark.parametrize("path", ["/identify", "/verify", "/group", "/persongroups/g/train"])
def test_an_image_is_not_taken_where_none_is_expected(path: str) -> None:
    doubtful(azure(f"/face/v1.0{path}", b"\xff\xd8", content_type="application/octet-stream"))


@pytest.mark.parametrize("content_type", ["", "application/json"])
def test_a_request_without_a_body_is_read(content_type: str) -> None:
    found = known(azure("/face/v1.0/persongroups/g", method="GET", content_type=content_type))

    assert found.access == "read"


def test_a_body_of_no_media_type_has_no_reading() -> None:
    doubtful(azure("/face/v1.0/identify", {"faceIds": [FACE]}, content_type=""))


@pytest.mark.parametrize(
    "path",
    ["/detectLivenessWithVerify/singleModal/sessions", "/detectLiveness/singleModal/sessions"],
)
def test_a_liveness_session_is_liveness_in_either_media_type(path: str) -> None:
    for content_type in ("application/json", "multipart/form-data; boundary=b"):
        found = known(azure(f"/face/v1.2-preview.1{path}", b"{}", content_type=content_type))
        assert found.operation_class == "liveness"
