"""Baidu: named by path in four versions, where one member makes a search a verification."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlencode

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

SEARCH: dict[str, JsonValue] = {
    "image": "aGk=",
    "image_type": "BASE64",
    "group_id_list": "vip,staff",
}
TOKEN = "?access_token=24.0123&aipSdk=python&aipVersion=4.15.13"


def baidu(
    operation: str,
    body: Body | bytes | str | Mapping[str, JsonValue] = b"",
    *,
    method: str = "POST",
    content_type: str | None = None,
) -> Classified:
    target = f"/rest/2.0/face/{operation}{TOKEN}"
    return ask("baidu_face", target, body, method=method, content_type=content_type)


def test_the_operations_are_those_that_were_collected() -> None:
    assert list(operation_differences("baidu_face")) == []


def test_the_collected_requests_are_what_the_collection_says() -> None:
    collected = collected_requests("baidu_face")

    assert len(collected) >= 6
    assert [each for one in collected for each in request_differences(one)] == []


@pytest.mark.parametrize(
    ("operation", "operation_class", "access", "subclass"),
    [
        ("v3/multi-search", "one_to_many", "none", ""),
        ("capture/search", "one_to_many", "none", ""),
        ("v3/detect", "detect", "none", "faceid_minted"),
        ("v3/person/verify", "one_to_one", "none", "authority_db"),
        ("v4/mingjing/match", "one_to_one", "none", ""),
        ("v4/faceverify", "liveness", "none", ""),
        ("v3/faceset/user/add", "gallery", "write", ""),
        ("scene/faceset/user/update", "gallery", "write", ""),
        ("v3/faceset/face/getlist", "gallery", "read", ""),
        ("v3/faceset/face/delete", "gallery", "delete", ""),
        ("v1/merge", "unrelated", "none", ""),
    ],
)
def test_the_path_names_the_operation(
    operation: str, operation_class: str, access: str, subclass: str
) -> None:
    found = known(baidu(operation, {"image": "aGk=", "group_id": "staff"}))

    assert (found.name, found.operation_class) == (operation, operation_class)
    assert (found.access, found.subclass) == (access, subclass)


@pytest.mark.parametrize("operation", ["v3/search", "v3/multi-search", "capture/search"])
def test_a_search_names_its_groups(operation: str) -> None:
    found = known(baidu(operation, SEARCH))

    assert (found.operation_class, found.gallery) == ("one_to_many", "vip,staff")


def test_a_search_says_how_many_faces_it_looks_for() -> None:
    assert known(baidu("v3/multi-search", {**SEARCH, "max_face_num": 10})).faces == 10
    assert known(baidu("v3/multi-search", SEARCH)).faces is None


def test_a_search_for_one_user_is_a_verification() -> None:
    found = known(baidu("v3/search", {**SEARCH, "user_id": "u_1"}))

    assert (found.operation_class, found.subclass) == ("one_to_one", "search_narrowed_to_user")
    assert found.gallery == "vip,staff"


@pytest.mark.parametrize(
    "user",
    [
        "",
        " ",
        "\t",
        "a,b",
        "a b",
        "*",
        "%",
        None,
        0,
        0.0,
        "0",
        False,
        True,
        [],
        ["a"],
        {},
        "u" * 129,
        "ü",
    ],
    ids=repr,
)
def test_what_a_server_may_take_for_no_user_narrows_nothing(user: JsonValue) -> None:
    found = known(baidu("v3/search", {**SEARCH, "user_id": user}))

    assert found.operation_class == "one_to_many"


@pytest.mark.parametrize(
    "content",
    [
        '{"user_id": "a", "user_id": ""}',
        '{"user_id": "", "user\\u005fid": "a"}',
        '{"User_Id": "a"}',
    ],
)
def test_a_user_that_can_be_read_in_two_ways_narrows_nothing(content: str) -> None:
    assert doubtful(baidu("v3/search", content)).operation_class == "one_to_many"


def test_a_user_in_the_query_narrows_nothing() -> None:
    target = f"/rest/2.0/face/v3/search{TOKEN}&user_id=a"

    assert class_of(ask("baidu_face", target, SEARCH)) == "one_to_many"


def test_a_search_that_streams_may_be_any() -> None:
    assert known(baidu("v3/search", Streaming(9_000_000))).operation_class == "one_to_many"


@pytest.mark.parametrize("operation", ["v3/multi-search", "capture/search"])
def test_other_searches_are_not_narrowed(operation: str) -> None:
    found = known(baidu(operation, {**SEARCH, "user_id": "a"}))

    assert found.operation_class == "one_to_many"


@pytest.mark.parametrize(
    ("count", "operation_class"), [(1, "one_to_one"), (2, "one_to_one"), (3, "one_to_many")]
)
def test_a_match_is_an_array_of_two_images(count: int, operation_class: str) -> None:
    found = known(
        baidu("v3/match", json.dumps([{"image": "aGk=", "image_type": "BASE64"}] * count))
    )

    assert found.operation_class == operation_class


def test_liveness_takes_an_array_in_spite_of_its_name() -> None:
    found = known(baidu("v3/faceverify", '[{"image": "aGk=", "image_type": "BASE64"}]'))

    assert found.operation_class == "liveness"


def test_an_object_is_no_array_and_an_array_no_object() -> None:
    assert not isinstance(baidu("v3/match", {"image": "aGk="}), Operation)
    assert doubtful(baidu("v3/search", "[]")).operation_class == "one_to_many"


@pytest.mark.parametrize(
    ("operation", "operation_class"),
    [
        ("v2/identify", "one_to_many"),
        ("v2/multi-identify", "one_to_many"),
        ("v2/verify", "one_to_one"),
        ("v2/faceset/user/add", "gallery"),
        ("v2/faceverify", "liveness"),
    ],
)
def test_version_two_is_a_form(operation: str, operation_class: str) -> None:
    form = urlencode({"group_id": "staff", "uid": "u", "image": "aGk="})
    found = known(baidu(operation, form, content_type=FORM))

    assert found.operation_class == operation_class
    assert found.gallery == ("" if operation == "v2/faceverify" else "staff")
    assert doubtful(baidu(operation, {"group_id": "a"})).operation_class == operation_class


def test_a_match_of_version_two_compares_each_with_each() -> None:
    two = known(baidu("v2/match", urlencode({"images": "aGk=,aGk="}), content_type=FORM))
    three = known(baidu("v2/match", urlencode({"images": "a,b,c"}), content_type=FORM))

    assert (two.operation_class, three.operation_class) == ("one_to_one", "one_to_many")


def test_a_form_to_version_three_has_no_reading() -> None:
    found = baidu("v3/search", urlencode({"user_id": "a"}), content_type=FORM)

    assert doubtful(found).operation_class == "one_to_many"


def test_the_token_is_asked_for_by_either_method() -> None:
    target = "/oauth/2.0/token?grant_type=client_credentials&client_id=i&client_secret=s"
    for method in ("GET", "POST"):
        found = known(ask("baidu_face", target, method=method))
        assert found.operation_class == "admin"


@pytest.mark.parametrize(
    "path",
    [
        "/rest/2.0/face/v3//search",
        "/rest/2.0/face/v3/./search",
        "/rest/2.0/face/v3/detect/../search",
        "/rest/2.0/face/v3/%73earch",
        "/rest/2.0/face/v3/search;v=1",
    ],
)
def test_a_disguised_path_is_never_less_than_a_search(path: str) -> None:
    found = ask("baidu_face", path, SEARCH)

    assert not isinstance(found, Operation)
    assert class_of(found) == "one_to_many"


@pytest.mark.parametrize(
    "operation", ["v5/search", "v3/Search", "v3/search/x", "capture/v3/search"]
)
def test_a_path_that_the_table_does_not_have_is_unknown(operation: str) -> None:
    assert class_of(baidu(operation, SEARCH)) == "unknown"


def test_only_a_post_is_a_known_form() -> None:
    unheard_of(baidu("v3/search", method="GET"))


def test_the_token_is_masked() -> None:
    provider = shipped().providers["baidu_face"]

    assert {"access_token", "client_secret"} <= provider.credential_parameters
    assert "access_token" not in provider.open_parameters
