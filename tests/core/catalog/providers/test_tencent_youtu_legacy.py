"""Tencent Youtu: named by path, in JSON under a media type of its own."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gateway.core.operation import Classified
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import doubtful, known, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)


def youtu(
    operation: str,
    body: bytes | str | Mapping[str, JsonValue],
    *,
    content_type: str = "text/json",
    method: str = "POST",
) -> Classified:
    target = f"/youtu/api/{operation}"
    return ask("tencent_youtu_legacy", target, body, method=method, content_type=content_type)


def test_the_operations_are_those_that_were_collected() -> None:
    assert list(operation_differences("tencent_youtu_legacy")) == []


def test_the_collected_requests_are_what_the_collection_says() -> None:
    collected = collected_requests("tencent_youtu_legacy")

    assert len(collected) >= 1
    assert [each for one in collected for each in request_differences(one)] == []


@pytest.mark.parametrize(
    ("operation", "operation_class", "access"),
    [
        ("facecompare", "one_to_one", "none"),
        ("faceverify", "one_to_one", "none"),
        ("faceidentify", "one_to_many", "none"),
        ("multifaceidentify", "one_to_many", "none"),
        ("newperson", "gallery", "write"),
        ("getfaceinfo", "gallery", "read"),
        ("delface", "gallery", "delete"),
        ("faceshape", "detect", "none"),
    ],
)
@pytest.mark.parametrize("content_type", ["text/json", "application/json"])
def test_the_path_names_the_operation(
    operation: str, operation_class: str, access: str, content_type: str
) -> None:
    found = known(youtu(operation, {"app_id": "1"}, content_type=content_type))

    assert (found.operation_class, found.access) == (operation_class, access)


@pytest.mark.parametrize(
    ("body", "gallery"), [({"group_id": "a"}, "a"), ({"group_ids": ["a", "b"]}, "a,b")]
)
def test_a_search_names_one_group_or_several(body: dict[str, JsonValue], gallery: str) -> None:
    assert known(youtu("multifaceidentify", body)).gallery == gallery


def test_a_search_that_names_groups_in_two_ways_is_refused() -> None:
    found = youtu("faceidentify", {"group_id": "a", "group_ids": ["b"]})

    assert doubtful(found).operation_class == "one_to_many"


def test_protocol_buffers_have_no_reading() -> None:
    found = youtu("faceidentify", b"\x0a\x01a", content_type="application/x-protobuf")

    assert doubtful(found).operation_class == "one_to_many"


def test_what_the_table_does_not_have_is_unknown() -> None:
    unheard_of(youtu("livegetfour", {}))
    unheard_of(youtu("FaceIdentify", {}))
    unheard_of(youtu("facecompare", {}, method="GET"))
