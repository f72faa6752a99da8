"""Tencent IAI: named by header or by parameter, with an enrolment that may search."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import pytest

from gateway.core.operation import Classified, Operation
from gateway.core.request import Body, Streaming
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import FORM, doubtful, known, shipped, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)

V1 = {"SecretId": "AKID", "SignatureMethod": "HmacSHA256", "Signature": "c2ln", "Nonce": "7"}


def iai(
    operation: str = "",
    body: Body | bytes | str | Mapping[str, JsonValue] = b"",
    *,
    target: str = "/",
    method: str = "POST",
    content_type: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Classified:
    """Classify a call; an empty operation leaves the header out."""
    named = {"x-tc-action": operation, "x-tc-version": "2020-03-03"} if operation else {}
    return ask(
        "tencent_iai",
        target,
        body,
        method=method,
        content_type=content_type,
        headers={**named, **(headers or {})},
    )


def query(operation: str, **parameters: str) -> str:
    return "/?" + urlencode({"Action": operation, "Version": "2020-03-03", **V1, **parameters})


def test_the_operations_are_those_that_were_collected() -> None:
    assert list(operation_differences("tencent_iai")) == []


def test_the_collected_requests_are_what_the_collection_says() -> None:
    collected = collected_requests("tencent_iai")

    assert len(collected) >= 8
    assert [each for one in collected for each in request_differences(one)] == []


@pytest.mark.parametrize(
    ("operation", "operation_class", "access"),
    [
        ("CompareFace", "one_to_one", "none"),
        ("VerifyFace", "one_to_one", "none"),
        ("SearchFaces", "one_to_many", "none"),
        ("SearchPersonsReturnsByGroup", "one_to_many", "none"),
        ("CreateGroup", "gallery", "write"),
        ("CopyPerson", "gallery", "write"),
        ("GetPersonListNum", "gallery", "read"),
        ("DeletePersonFromGroup", "gallery", "delete"),
        ("RevertGroupFaceModelVersion", "gallery", "write"),
        ("DetectFaceAttributes", "detect", "none"),
        ("DetectLiveFaceAccurate", "liveness", "none"),
    ],
)
def test_an_operation_has_the_class_of_its_row(
    operation: str, operation_class: str, access: str
) -> None:
    found = known(iai(operation, {}))

    assert (found.name, found.operation_class) == (operation, operation_class)
    assert found.access == access


@pytest.mark.parametrize(
    "found",
    [
        iai("SearchFaces", {"GroupIds": ["a", "b"], "Url": "u"}),
        iai("SearchFaces", method="GET", target="/?GroupIds.0=a&GroupIds.1=b", content_type=FORM),
        iai(method="GET", target=query("SearchFaces", **{"GroupIds.0": "a", "GroupIds.1": "b"})),
        iai(body="GroupIds.0=a&GroupIds.1=b&Url=u&Action=SearchFaces", content_type=FORM),
    ],
    ids=["TC3 as JSON", "TC3 in the query", "v1 in the query", "v1 as form"],
)
def test_every_wire_form_names_the_operation_and_its_groups(found: Classified) -> None:
    assert known(found).name == "SearchFaces"
    assert known(found).operation_class == "one_to_many"
    assert known(found).gallery == "a,b"


def test_a_search_says_how_many_faces_it_looks_for() -> None:
    assert known(iai("SearchPersons", {"GroupIds": ["a"], "MaxFaceNum": 10})).faces == 10
    assert known(iai("SearchPersons", {"GroupIds": ["a"]})).faces is None


@pytest.mark.parametrize("control", [1, 2, 3, 4, "4", 4.0, 7, "x", True, [], {}], ids=repr)
def test_an_enrolment_that_controls_who_is_unique_searches(control: JsonValue) -> None:
    found = known(iai("CreatePerson", {"GroupId": "staff", "UniquePersonControl": control}))

    assert (found.operation_class, found.subclass) == ("one_to_many", "enrol_with_dedupe")
    assert (found.access, found.gallery) == ("none", "staff")


def test_it_searches_in_every_wire_form() -> None:
    parameters = {"GroupId": "staff", "UniquePersonControl": "2"}
    form = urlencode({"Action": "CreatePerson", **parameters})
    for found in (
        iai("CreatePerson", method="GET", target="/?" + urlencode(parameters)),
        iai(method="GET", target=query("CreatePerson", **parameters)),
        iai(body=form, content_type=FORM),
    ):
        assert known(found).subclass == "enrol_with_dedupe"


@pytest.mark.parametrize("body", [{}, {"UniquePersonControl": 0}, {"UniquePersonControl": None}])
def test_an_enrolment_without_that_control_only_writes(body: dict[str, JsonValue]) -> None:
    found = known(iai("CreatePerson", {"GroupId": "staff", **body}))

    assert (found.operation_class, found.access, found.subclass) == ("gallery", "write", "")


@pytest.mark.parametrize(
    "content",
    [
        '{"UniquePersonControl": 0, "UniquePersonControl": 4}',
        '{"UniquePersonControl": 0, "UniquePersonCo\\u006etrol": 4}',
        '{"uniquePersonControl": 4}',
        "\ufeff{}",
    ],
)
def test_a_control_that_can_be_read_in_two_ways_searches(content: str) -> None:
    assert doubtful(iai("CreatePerson", content)).operation_class == "one_to_many"


def test_a_control_in_query_and_body_can_be_read_in_two_ways() -> None:
    found = iai("CreatePerson", {"UniquePersonControl": 0}, target="/?UniquePersonControl=4")

    assert doubtful(found).operation_class == "one_to_many"


def test_an_enrolment_that_streams_may_search() -> None:
    assert known(iai("CreatePerson", Streaming(9_000_000))).operation_class == "one_to_many"


@pytest.mark.parametrize("action", ["SearchFaces", "CreatePerson"])
def test_a_header_and_a_parameter_that_disagree_are_two_readings(action: str) -> None:
    for found in (
        iai("CompareFace", {}, target=f"/?Action={action}"),
        iai("CompareFace", f"Action={action}", content_type=FORM),
        iai("", f"Action={action}", target="/?Action=CompareFace", content_type=FORM),
    ):
        assert doubtful(found).operation_class == "one_to_many"


def test_a_header_and_a_parameter_that_agree_are_one_reading() -> None:
    assert known(iai("SearchFaces", {}, target="/?Action=SearchFaces")).name == "SearchFaces"


def test_two_actions_in_one_header_are_two_readings() -> None:
    assert doubtful(iai("CompareFace, SearchFaces", {})).operation_class == "one_to_many"


@pytest.mark.parametrize(
    "target", ["/?Action=CompareFace&Action=SearchFaces", "/?action=SearchFaces"]
)
def test_an_action_stands_once_and_in_its_own_spelling(target: str) -> None:
    for operation in ("CompareFace", ""):
        found = iai(operation, {}, target=target)
        assert doubtful(found).operation_class == "one_to_many"


@pytest.mark.parametrize("content_type", [FORM, "multipart/form-data; boundary=x", "text/plain"])
def test_the_header_goes_with_json_only(content_type: str) -> None:
    found = iai("SearchFaces", "GroupIds.0=a", content_type=content_type)

    assert doubtful(found).operation_class == "one_to_many"


def test_a_member_of_the_json_does_not_name_an_operation() -> None:
    unheard_of(iai("", {"Action": "CompareFace"}))


@pytest.mark.parametrize("operation", ["searchfaces", "SearchFace", "LivenessCompare", "Search"])
def test_an_operation_that_the_table_does_not_have_is_unknown(operation: str) -> None:
    unheard_of(iai(operation, {}))


@pytest.mark.parametrize("version", ["2016-01-01", "", "2020-03-03, 2018-03-01"])
def test_an_api_version_that_is_not_known_is_unknown(version: str) -> None:
    unheard_of(iai("CompareFace", {}, headers={"x-tc-version": version}))
    unheard_of(
        iai(method="GET", target="/?" + urlencode({"Action": "CompareFace", "Version": version}))
    )


def test_the_older_api_version_is_known() -> None:
    found = known(iai("SearchFaces", {}, headers={"x-tc-version": "2018-03-01"}))

    assert found.operation_class == "one_to_many"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD"])
def test_only_the_methods_of_the_sdk_are_known(method: str) -> None:
    unheard_of(iai("CompareFace", {}, method=method))


def test_an_action_on_another_path_is_not_read() -> None:
    assert not isinstance(iai("CompareFace", {}, target="/iai"), Operation)


def test_what_the_caller_signed_with_is_masked_and_never_forwarded() -> None:
    provider = shipped().providers["tencent_iai"]

    assert {"SecretId", "Signature", "Token"} <= provider.credential_parameters
    assert not {"authorization", "x-tc-token", "x-tc-timestamp"} & provider.forward_headers
    assert not provider.credential_parameters & provider.open_parameters
