"""Face++: version 3 with credentials in the form, version 2 with everything in the query."""

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

KEYS = (("api_key", "AK"), ("api_secret", "AS"))
OLD = "facepp_v2_legacy"


@pytest.mark.parametrize("provider", ["facepp", OLD])
def test_every_collected_operation_is_here_with_its_class(provider: str) -> None:
    assert list(operation_differences(provider)) == []
    assert list(path_differences(provider)) == []


def test_every_collected_request_is_what_the_collection_says() -> None:
    collected = collected_requests("facepp")

    assert [found for each in collected for found in request_differences(each)] == []


@pytest.mark.parametrize("place", ["outer_id", "faceset_token"])
def test_a_search_names_its_face_set_in_the_form_or_in_the_query(place: str) -> None:
    uploaded = ask(
        "facepp",
        "/facepp/v3/search",
        multipart(*KEYS, (place, "staff"), files=("image_file",)),
        content_type=MULTIPART,
    )
    posted = ask(
        "facepp",
        "/facepp/v3/search",
        f"api_key=AK&api_secret=AS&{place}=staff&face_token=t",
        content_type=FORM,
    )
    asked = ask("facepp", f"/facepp/v3/search?api_key=AK&api_secret=AS&{place}=staff")

    for found in map(known, (uploaded, posted, asked)):
        assert (found.operation_class, found.gallery) == ("one_to_many", "staff")


@pytest.mark.parametrize(
    ("path", "operation_class", "access", "subclass"),
    [
        ("/v3/compare", "one_to_one", "none", ""),
        ("/v3/detect", "detect", "none", "faceid_minted"),
        ("/v3/face/analyze", "detect", "none", ""),
        ("/v1/face/thousandlandmark", "detect", "none", ""),
        ("/v3/faceset/addface", "gallery", "write", ""),
        ("/v3/faceset/async/removeface", "gallery", "delete", ""),
        ("/v3/faceset/delete", "gallery", "delete", ""),
        ("/v3/face/getdetail", "gallery", "read", ""),
        ("/v1/skinanalyze", "unrelated", "none", ""),
    ],
)
def test_the_path_says_what_is_done(
    path: str, operation_class: str, access: str, subclass: str
) -> None:
    found = known(ask("facepp", f"/facepp{path}", multipart(*KEYS), content_type=MULTIPART))

    assert (found.operation_class, found.access) == (operation_class, access)
    assert found.subclass == subclass


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("/facepp/v3/search", "outer_id=a&outer_id=b"),
        ("/facepp/v3/search", "outer_id=a&faceset_token=b"),
        ("/facepp/v3/search?outer_id=a", "outer_id=b"),
        ("/facepp/v3/search", "outer_id=a&Outer_Id=b"),
        ("/facepp/v3/search", "outer_id=a;outer_id=b"),
    ],
)
def test_a_face_set_has_one_name(target: str, body: str) -> None:
    found = doubtful(ask("facepp", target, body, content_type=FORM))

    assert found.operation_class in {"one_to_many", "unknown"}


def test_nobody_sends_it_json() -> None:
    assert (
        doubtful(ask("facepp", "/facepp/v3/search", {"outer_id": "a"})).operation_class
        == "one_to_many"
    )


@pytest.mark.parametrize(
    "path", ["/facepp/v4/search", "/facepp/v1/search", "/v3/search", "/v2/recognition/search"]
)
def test_another_version_is_unknown(path: str) -> None:
    unheard_of(ask("facepp", path, multipart(*KEYS), content_type=MULTIPART))


@pytest.mark.parametrize("provider", ["facepp", OLD])
def test_the_credentials_stand_in_the_form_or_in_the_query(provider: str) -> None:
    known_places = shipped().providers[provider]

    assert known_places.credential_fields == {"api_key", "api_secret"}
    assert known_places.credential_parameters == {"api_key", "api_secret"}
    assert known_places.open_parameters.isdisjoint({"api_key", "api_secret"})


@pytest.mark.parametrize("prefix", ["/v2", ""])
@pytest.mark.parametrize(
    ("verb", "gallery", "operation_class"),
    [
        ("identify", "group_name=Admins", "one_to_many"),
        ("identify", "group_id=Admins", "one_to_many"),
        ("search", "faceset_name=Admins", "one_to_many"),
        ("train", "group_name=Admins", "gallery"),
    ],
)
def test_the_old_version_has_everything_in_the_query(
    prefix: str, verb: str, gallery: str, operation_class: str
) -> None:
    path = f"{prefix}/recognition/{verb}"
    by_query = ask(OLD, f"{path}?api_key=AK&api_secret=AS&{gallery}&url=u", method="GET")
    by_form = ask(OLD, path, f"api_key=AK&{gallery}", content_type=FORM)

    for found in map(known, (by_query, by_form)):
        assert (found.operation_class, found.gallery) == (operation_class, "Admins")


@pytest.mark.parametrize("verb", ["compare", "verify"])
def test_the_old_version_compares(verb: str) -> None:
    found = known(ask(OLD, f"/v2/recognition/{verb}?face_id=a&person_name=b", method="GET"))

    assert found.operation_class == "one_to_one"


def test_no_answer_shows_a_credential() -> None:
    found = ask(OLD, "/v2/recognition/identify?api_key=AKSECRET&api_secret=ASSECRET", method="GET")

    assert "SECRET" not in repr(found)


@pytest.mark.parametrize("path", ["/v2/recognition/recognize", "/v2/detection/detect", "/v1/x"])
def test_what_was_not_seen_of_the_old_version_is_unknown(path: str) -> None:
    unheard_of(ask(OLD, path, method="GET"))
