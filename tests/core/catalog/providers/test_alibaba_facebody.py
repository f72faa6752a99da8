"""Alibaba facebody: named by header or by parameter, with an enrolment that searches."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import pytest

from gateway.core.operation import Classified, Operation
from gateway.core.request import Body, Streaming
from tests.core.catalog.build import FORM, doubtful, known, shipped, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)

V1 = {"Version": "2019-12-30", "AccessKeyId": "LTAI", "Signature": "c2ln", "Format": "JSON"}
PEDESTRIANS = "/viapi/k8s/facebody/detect-ipc-pedestrian-optimized"


def facebody(
    operation: str = "",
    parameters: Body | str | Mapping[str, str] = "",
    *,
    target: str = "/",
    method: str = "POST",
    version: str = "2019-12-30",
    content_type: str | None = None,
) -> Classified:
    """Classify a call with its parameters in the form; an empty operation leaves the header out."""
    return ask(
        "alibaba_facebody",
        target,
        urlencode(parameters) if isinstance(parameters, Mapping) else parameters,
        method=method,
        content_type=content_type or (FORM if parameters else ""),
        headers={"x-acs-action": operation, "x-acs-version": version} if operation else {},
    )


def query(operation: str, **parameters: str) -> str:
    return "/?" + urlencode({"Action": operation, **V1, **parameters})


def test_the_operations_are_those_that_were_collected() -> None:
    assert list(operation_differences("alibaba_facebody")) == []


def test_the_collected_requests_are_what_the_collection_says() -> None:
    collected = collected_requests("alibaba_facebody")

    assert len(collected) >= 8
    assert [each for one in collected for each in request_differences(one)] == []


@pytest.mark.parametrize(
    ("operation", "operation_class", "access", "subclass"),
    [
        ("CompareFace", "one_to_one", "none", ""),
        ("SearchFace", "one_to_many", "none", ""),
        ("RecognizePublicFace", "one_to_many", "none", "builtin_gallery"),
        ("DetectCelebrity", "one_to_many", "none", "builtin_gallery"),
        ("RecognizeFace", "detect", "none", ""),
        ("CreateFaceDb", "gallery", "write", ""),
        ("ListFaceEntities", "gallery", "read", ""),
        ("DeleteFaceEntity", "gallery", "delete", ""),
        ("AddFaceImageTemplate", "image_db", "write", ""),
        ("DetectLivingFace", "liveness", "none", ""),
        ("AuthorizeFileUpload", "admin", "none", ""),
        ("ExtractFingerPrint", "unrelated", "none", ""),
    ],
)
def test_an_operation_has_the_class_of_its_row(
    operation: str, operation_class: str, access: str, subclass: str
) -> None:
    found = known(facebody(operation, {"ImageURL": "u"}))

    assert (found.operation_class, found.access) == (operation_class, access)
    assert (found.name, found.subclass) == (operation, subclass)


@pytest.mark.parametrize(
    "found",
    [
        facebody("SearchFace", {"DbName": "staff"}),
        facebody("SearchFace", target="/?DbName=staff"),
        facebody(target=query("SearchFace", DbName="staff"), method="GET"),
        facebody("", {"Action": "SearchFace", "DbName": "staff", **V1}),
        facebody("", {"DbName": "staff"}, target=query("SearchFace")),
        facebody("SearchFace", {"DbName": "staff"}, target=query("SearchFace")),
    ],
    ids=["V3", "V3 in the query", "V1 by GET", "V1 as form", "V1 of both", "older SDK"],
)
def test_every_wire_form_names_the_operation_and_its_database(found: Classified) -> None:
    assert known(found).name == "SearchFace"
    assert known(found).gallery == "staff"


def test_a_search_in_several_databases_names_them_all() -> None:
    assert known(facebody("SearchFace", {"DbNames": "staff,guests"})).gallery == "staff,guests"


def test_a_search_that_names_databases_in_two_ways_is_refused() -> None:
    for found in (
        facebody("SearchFace", {"DbName": "staff", "DbNames": "guests"}),
        facebody("SearchFace", {"DbName": "staff"}, target="/?DbName=guests"),
    ):
        assert doubtful(found).operation_class == "one_to_many"


@pytest.mark.parametrize("operation", ["CreateFaceDb", "DeleteFaceDb"])
def test_a_database_is_made_and_deleted_by_another_member(operation: str) -> None:
    assert known(facebody(operation, {"Name": "staff"})).gallery == "staff"


@pytest.mark.parametrize("operation", ["AddFace", "BatchAddFaces"])
@pytest.mark.parametrize("threshold", ["50.0", "0.1", "100", "", "x", "-1"])
def test_an_enrolment_that_is_refused_for_a_likeness_searches(
    operation: str, threshold: str
) -> None:
    parameters = {"DbName": "staff", "SimilarityScoreThresholdBetweenEntity": threshold}
    for found in (
        facebody(operation, parameters),
        facebody(operation, target="/?" + urlencode(parameters)),
    ):
        assert known(found).operation_class == "one_to_many"
        assert known(found).subclass == "enrol_with_dedupe"
        assert known(found).gallery == "staff"


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"SimilarityScoreThresholdBetweenEntity": "0"},
        {"SimilarityScoreThresholdBetweenEntity": "0.0"},
        {"SimilarityScoreThresholdInEntity": "50.0"},
    ],
)
def test_an_enrolment_without_that_threshold_only_writes(parameters: dict[str, str]) -> None:
    found = known(facebody("AddFace", {"DbName": "staff", **parameters}))

    assert (found.operation_class, found.access) == ("gallery", "write")


@pytest.mark.parametrize(
    "content",
    [
        "SimilarityScoreThresholdBetweenEntity=0&SimilarityScoreThresholdBetweenEntity=50",
        "similarityScoreThresholdBetweenEntity=50",
        "SimilarityScoreThresholdBetweenEntity=0;SimilarityScoreThresholdBetweenEntity=50",
    ],
)
def test_a_threshold_that_can_be_read_in_two_ways_searches(content: str) -> None:
    assert doubtful(facebody("AddFace", content)).operation_class == "one_to_many"


def test_a_form_that_streams_may_name_anything() -> None:
    assert doubtful(facebody("DetectFace", Streaming(9_000_000))).operation_class == "unknown"


def test_a_header_and_a_parameter_that_disagree_are_two_readings() -> None:
    for found in (
        facebody("CompareFace", {"DbName": "d"}, target="/?Action=SearchFace&Version=2019-12-30"),
        facebody("CompareFace", {"Action": "SearchFace"}),
        facebody("", {"Action": "CompareFace"}, target="/?Action=SearchFace"),
        facebody("CompareFace, SearchFace"),
    ):
        assert doubtful(found).operation_class == "one_to_many"


@pytest.mark.parametrize(
    "target", ["/?Action=CompareFace&Action=SearchFace", "/?ACTION=SearchFace"]
)
def test_an_action_stands_once_and_in_its_own_spelling(target: str) -> None:
    for operation in ("DetectFace", ""):
        found = facebody(operation, target=target)
        assert doubtful(found).operation_class == "one_to_many"


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x"])
def test_only_a_form_is_read(content_type: str) -> None:
    found = facebody("SearchFace", '{"DbName": "staff"}', content_type=content_type)

    assert doubtful(found).operation_class == "one_to_many"


def test_an_operation_of_the_newer_version_has_a_path_and_the_header() -> None:
    found = facebody(
        "DetectIPCPedestrianOptimized",
        {"imageData": "aGk="},
        target=PEDESTRIANS,
        version="2020-09-10",
    )

    assert known(found).name == "DetectIPCPedestrianOptimized"
    assert known(found).operation_class == "detect"


@pytest.mark.parametrize("operation", ["DetectFace", "SearchFace", "NothingKnown"])
def test_a_path_and_a_header_that_disagree_are_two_readings(operation: str) -> None:
    assert not isinstance(facebody(operation, {"a": "b"}, target=PEDESTRIANS), Operation)


def test_an_operation_that_has_a_path_is_not_named_without_it() -> None:
    found = facebody("DetectIPCPedestrianOptimized", {"a": "b"}, version="2020-09-10")

    assert not isinstance(found, Operation)


@pytest.mark.parametrize("operation", ["searchFace", "SearchFaces", "ExtractPedestrianFeatureAttr"])
def test_an_operation_that_the_table_does_not_have_is_unknown(operation: str) -> None:
    unheard_of(facebody(operation))


def test_an_api_version_that_is_not_known_is_unknown() -> None:
    unheard_of(facebody("DetectFace", version="2018-12-03"))
    unheard_of(facebody(target="/?Action=DetectFace&Version=2018-12-03", method="GET"))


def test_what_the_caller_signed_with_is_masked_and_never_forwarded() -> None:
    provider = shipped().providers["alibaba_facebody"]

    assert {"AccessKeyId", "Signature", "SecurityToken"} <= provider.credential_parameters
    assert not {"authorization", "x-acs-security-token", "x-acs-date"} & provider.forward_headers
