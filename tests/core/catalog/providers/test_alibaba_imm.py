"""Alibaba IMM: everything in the query, structures as JSON text in one parameter."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from gateway.core.operation import Classified, Destination
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import FORM, doubtful, known, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)


def imm(operation: str, body: str = "", *, target: str = "", **parameters: JsonValue) -> Classified:
    """Classify a POST without body, with structures as the SDK writes them."""
    texts = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in parameters.items()
    }
    return ask(
        "alibaba_imm",
        target or f"/?{urlencode(texts)}",
        body,
        content_type=FORM if body else "",
        headers={"x-acs-action": operation, "x-acs-version": "2020-09-30"},
    )


def test_the_operations_are_those_that_were_collected() -> None:
    assert list(operation_differences("alibaba_imm")) == []


def test_the_collected_requests_are_what_the_collection_says() -> None:
    collected = collected_requests("alibaba_imm")

    assert len(collected) >= 2
    assert [each for one in collected for each in request_differences(one)] == []


@pytest.mark.parametrize(
    ("operation", "operation_class", "access", "subclass"),
    [
        ("CompareImageFaces", "one_to_one", "none", ""),
        ("CreateFacesSearchingTask", "one_to_many", "none", "async_start"),
        ("CreateFigureClusteringTask", "one_to_many", "none", "clustering"),
        ("SearchImageFigureCluster", "one_to_many", "none", ""),
        ("GetFigureCluster", "results", "none", ""),
        ("UpdateFigureCluster", "gallery", "write", ""),
        ("IndexFileMeta", "image_db", "write", ""),
        ("SimpleQuery", "image_db", "read", ""),
        ("QuerySimilarImageClusters", "image_search", "none", ""),
        ("DetectImageFaces", "detect", "none", ""),
        ("CreateOfficeConversionTask", "unrelated", "none", ""),
    ],
)
def test_an_operation_has_the_class_of_its_row(
    operation: str, operation_class: str, access: str, subclass: str
) -> None:
    found = known(imm(operation, ProjectName="p", DatasetName="album"))

    assert (found.operation_class, found.access) == (operation_class, access)
    assert found.subclass == subclass


def test_a_search_names_its_data_set_and_where_its_hits_go() -> None:
    notification: JsonValue = {
        "MNS": {"TopicName": "hits"},
        "RocketMQ": {"InstanceId": "i", "TopicName": "more"},
        "ExtendedMessageURI": "oss://bucket/hits.json",
    }
    found = known(imm("CreateFacesSearchingTask", DatasetName="album", Notification=notification))

    assert found.gallery == "album"
    assert {(each.kind, each.value) for each in found.destinations} == {
        ("mns_topic", "hits"),
        ("rocketmq_topic", "more"),
        ("oss_uri", "oss://bucket/hits.json"),
    }


def test_the_same_parameters_may_stand_in_a_form() -> None:
    form = urlencode({"DatasetName": "album", "Notification": '{"MNS": {"TopicName": "hits"}}'})
    found = known(imm("CreateFigureClusteringTask", form, target="/"))

    assert found.gallery == "album"
    assert found.destinations == (Destination(kind="mns_topic", value="hits"),)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "MNS",
        '{"MNS": {"TopicName": "a", "TopicName": "b"}}',
        '{"MNS": {"TopicName": "a"}, "MNS": {"TopicName": "b"}}',
        '{"mns": {"TopicName": "a"}}',
        '{"MNS": [{"TopicName": "a"}]}',
        '{"MNS": {"TopicName": 7}}',
    ],
)
def test_a_notification_without_one_reading_is_refused(text: str) -> None:
    found = imm("CreateFacesSearchingTask", DatasetName="album", Notification=text)

    assert doubtful(found).operation_class == "one_to_many"


def test_a_data_set_in_query_and_form_is_refused() -> None:
    found = imm("SearchImageFigureCluster", "DatasetName=b", target="/?DatasetName=a")

    assert doubtful(found).operation_class == "one_to_many"


def test_a_query_by_an_image_searches_images() -> None:
    found = known(imm("SemanticQuery", DatasetName="album", SourceURI="oss://b/face.jpg"))
    plain = known(imm("SemanticQuery", DatasetName="album", Query="a dog", SourceURI=""))

    assert found.operation_class == "image_search"
    assert (plain.operation_class, plain.access) == ("image_db", "read")


def test_an_action_that_disagrees_is_a_second_reading() -> None:
    found = imm("DetectImageFaces", target="/?Action=SearchImageFigureCluster")

    assert doubtful(found).operation_class == "one_to_many"


def test_an_older_api_version_is_unknown() -> None:
    found = ask(
        "alibaba_imm",
        "/?Action=DetectFace&Version=2017-09-06",
        method="GET",
        headers={"x-acs-version": "2017-09-06"},
    )

    unheard_of(found)
